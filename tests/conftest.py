"""Equipment of all tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
import torch
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"

torch.set_num_threads(1)  # the models are tiny: more threads spend their time waiting for one another


def pytest_runtest_setup() -> None:
    """Random weights are the same whichever tests came before."""
    torch.manual_seed(0)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("no chromium on the PATH; install one to test the page in a browser")
    expect.set_options(timeout=30_000)  # as long as Playwright waits for a click: a busy machine fails no test
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()
