"""The gallery's upscale button, which makes a hires pass out of a finished picture."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.webui.host import Webui
from tests.webui.laws import distance, same_as_base
from tests.webui.test_browser import generate, page, paste  # noqa: F401  a fixture

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestWarning")


def upscaled(page: Page, webui: Webui, infotext: str) -> np.ndarray:  # noqa: F811
    """Generate what the infotext says, and press the button."""
    paste(page, infotext)
    small = generate(page, webui)
    large = generate(page, webui, button="txt2img_upscale")
    assert large.shape[0] > small.shape[0]
    return large


def test_upscale_button(page: Page, webui: Webui) -> None:  # noqa: F811
    plain = upscaled(page, webui, webui.generate().infotexts[0])
    webui.post("/rpg-test/merge", merge=False)
    regional = upscaled(page, webui, webui.generate(rpg=same_as_base()).infotexts[0])
    webui.post("/rpg-test/merge", merge=True)
    assert distance([plain], [regional]) <= 1
    others = upscaled(page, webui, webui.generate(rpg={"regions": ["a cat", "a dog"]}).infotexts[0])
    assert distance([plain], [others]) > 5
