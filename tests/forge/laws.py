"""What holds on Forge also where memory is short."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.webui.host import PROMPT, Webui
from tests.webui.laws import check_identity, distance, same_as_base


@contextmanager
def memory(webui: Webui, *, short: bool) -> Iterator[list[int]]:
    """Whether the device has room for no more than one model and one conditioning's rows. If so, the list gets the rows of the
    UNet's calls in the end."""
    rows: list[int] = []
    webui.post("/rpg-test/short-memory", short=short)
    try:
        yield rows
    finally:
        rows += webui.post("/rpg-test/short-memory", short=False)


def check_identity_in_memory(webui: Webui, *, short: bool, **settings: Any) -> set[int]:
    """Gives the rows of the calls where memory is short."""
    with memory(webui, short=short) as rows:
        check_identity(webui, rpg=same_as_base(prompt=settings.get("prompt", PROMPT)), **settings)
    assert bool(rows) == short
    return set(rows)


def check_one_region_denoised_by_itself(webui: Webui, *, short: bool, **settings: Any) -> None:
    """It is the plain picture with the guidance of latent steps."""
    one = {"regions": [settings["prompt"]], "split_ratio": "1", "base_ratio": 0, "latent_ratio": 1}
    stronger = webui.generate(**settings, cfg_scale=5.5)
    with memory(webui, short=short):
        assert distance(webui.generate(rpg=one, **settings).images, stronger.images) <= 1
