"""Presets and import on the standalone page."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rpg.plan import Plan
from rpg.presets import Presets
from tests.panel.page import CATS, Page

TWO = {"split_ratio": "1,2", "regions": CATS}


@pytest.fixture
def page(one_page: Page) -> Iterator[Page]:
    one_page.show(TWO)
    if one_page.button("preset-load").is_hidden():
        one_page.locate("#rpg-standalone-presets .label-wrap").click()
    yield one_page
    assert one_page.errors == []


def choose(page: Page, name: str) -> None:
    field = page.locate("#rpg-standalone-preset input")
    field.click()
    page.locate(f"#rpg-standalone-preset li:has-text('{name}')").first.click()
    expect(field).to_have_value(name)


def says(page: Page, sentence: str) -> None:
    expect(page.button("preset-status")).to_contain_text(sentence)


def test_a_plan_is_saved_renamed_loaded_and_deleted(page: Page, presets: Presets) -> None:
    page.locate("#rpg-standalone-preset-name input").fill("cats/dogs")
    page.button("preset-save").click()
    says(page, "Saved cats-dogs.")
    assert presets.load("cats-dogs") == Plan.from_dict({**TWO, "base_ratio": 0.4}).to_dict()
    page.locate("#rpg-standalone-preset-name input").fill("pets")
    page.button("preset-rename").click()
    says(page, "Renamed cats-dogs to pets.")
    page.show({"split_ratio": "1;1", "regions": [{"prompt": "x"}, {"prompt": "y"}]})
    choose(page, "pets")
    page.button("preset-load").click()
    page.wait_for_plan(**TWO)
    page.locate("[title^=Undo]").click()
    page.wait_for_plan(split_ratio="1;1")
    page.button("preset-delete").click()
    says(page, "Deleted pets.")
    assert "pets" not in presets.names()
    page.button("preset-load").click()
    says(page, "No preset is chosen")


def test_a_layout_that_comes_along_keeps_the_texts(page: Page) -> None:
    choose(page, "Triptych")
    page.button("preset-load").click()
    page.wait_for_plan(split_ratio="1,1,1", regions=[*CATS, {"prompt": ""}])
    page.button("preset-delete").click()
    says(page, "comes along and cannot be deleted")


def test_texts_from_elsewhere_become_the_plan(page: Page) -> None:
    page.locate("#rpg-standalone-import textarea").fill("a lake BREAK\na hill ADDROW\nsheep\nRatio: 1;2")
    page.button("import-button").click()
    says(page, "Took over 2 regions.")
    page.wait_for_plan(split_ratio="1;2", regions=[{"prompt": "a lake BREAK\na hill"}, {"prompt": "sheep"}])
    page.locate("#rpg-standalone-import textarea").fill("<b>a cat</b>")
    page.button("import-button").click()
    says(page, "No regions were found")
    page.wait_for_plan(split_ratio="1;2")


def test_the_plan_is_downloaded(page: Page, tmp_path: Path) -> None:
    with page.raw.expect_download() as download:
        page.button("export-button").click()
    download.value.save_as(tmp_path / "plan.json")
    assert json.loads((tmp_path / "plan.json").read_text())["regions"] == CATS
