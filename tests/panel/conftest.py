"""The standalone page in a browser."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rpg.panel.app import Settings, build_app
from rpg.presets import Presets
from tests.panel.page import Page, generate


@pytest.fixture(scope="package")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Presets:
    return Presets(tmp_path_factory.mktemp("presets"))


@pytest.fixture(scope="package")
def url(presets: Presets) -> str:
    app = build_app(generate, Settings(steps=2), presets)
    _, address, _ = app.queue(concurrency_count=8).launch(prevent_thread_lock=True, quiet=True, show_api=False)
    # Closing it would wait for whatever a failed test left running; its threads are daemons.
    return str(address)


@pytest.fixture
def open_page(browser: Any, url: str) -> Iterator[Callable[[], Page]]:
    contexts = []

    def open_page() -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 1600})
        contexts.append(context)
        return Page(context.new_page(), url)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Callable[[], Page]) -> Iterator[Page]:
    page = open_page()
    yield page
    assert page.errors == []


@pytest.fixture(scope="package")
def one_page(browser: Any, url: str) -> Iterator[Page]:
    """For tests that put a plan of their own into it."""
    context = browser.new_context(viewport={"width": 1280, "height": 1600}, has_touch=True)
    yield Page(context.new_page(), url)
    context.close()
