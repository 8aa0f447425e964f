"""Two pages of one webui, as of two users: each keeps its own plan, and the host queues their jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.webui.host import Webui
from tests.webui.test_browser import finished, opened, paste, press, shown_plan
from tests.webui.test_generation import RED_BLUE

ONE = {**RED_BLUE, "split_ratio": "1;2"}
OTHER = {**RED_BLUE, "regions": ["a green star", "a blue square", "a red circle"], "split_ratio": "1,1,1"}


@pytest.fixture
def pages(browser: Any, webui: Webui) -> Iterator[list[Page]]:
    with opened(browser, webui) as one, opened(browser, webui) as other:
        yield [one, other]


@pytest.mark.parametrize("plans", [(ONE, OTHER), (ONE, None)], ids=["two plans", "one without"])
def test_two_pages_at_once(pages: list[Page], webui: Webui, plans: tuple[dict[str, Any], dict[str, Any] | None]) -> None:
    before, state = webui.generate(), webui.get("/rpg-test/state")
    expected = [webui.generate(rpg=plan) for plan in plans]
    for page, answer in zip(pages, expected):
        paste(page, answer.infotexts[0])
    for _ in range(2):
        for page in pages:
            press(page)
        for page, answer in zip(pages, expected):
            assert (finished(page, webui) == answer.image).all()
        pages.reverse()
        expected.reverse()
    assert [shown_plan(page) for page in pages if plans[1]] == [
        {**shown_plan(page), "split_ratio": plan["split_ratio"]} for page, plan in zip(pages, plans) if plans[1]
    ]
    assert (webui.generate().image == before.image).all()
    assert webui.get("/rpg-test/state") == state
