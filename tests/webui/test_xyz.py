"""The X/Y/Z plot's axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.webui.host import Webui
from tests.webui.test_generation import RED_BLUE

AXES = ["[RPG] Base ratio", "[RPG] Latent ratio", "[RPG] Split ratio", "[RPG] Enabled"]


def plot(webui: Webui, axis: str, *values: str) -> dict[str, Any]:
    """A request's part for the X/Y/Z plot with one axis."""
    info = next(item for item in webui.get("/sdapi/v1/script-info") if item["name"] == "x/y/z plot" and not item["is_img2img"])
    args = [argument["value"] for argument in info["args"]]
    number = webui.get("/rpg-test/axes").index(axis)
    # The type, the text, the choices of each axis; type 0 is nothing.
    args[:9] = [number, ",".join(f'"{value}"' for value in values), list(values), 0, "", [], 0, "", []]
    args[[argument["label"] for argument in info["args"]].index("Include Sub Images")] = True
    return {"script_name": "X/Y/Z plot", "script_args": args}


def test_base_ratio_equals_three_pictures(webui: Webui) -> None:
    grid = webui.generate(rpg=RED_BLUE, **plot(webui, "[RPG] Base ratio", "0", "0.5", "1"))
    singles = [webui.generate(rpg={**RED_BLUE, "base_ratio": ratio}) for ratio in (0, 0.5, 1)]
    assert len(grid.images) == 4, "the grid and its three pictures"
    for picture, single in zip(grid.images[1:], singles):
        assert (picture == single.image).all()
    assert grid.infotexts[1:] == [single.infotexts[0] for single in singles]
    assert (singles[0].image != singles[2].image).any()


def test_enabled_and_split_ratio(webui: Webui) -> None:
    grid = webui.generate(rpg=RED_BLUE, **plot(webui, "[RPG] Enabled", "True", "False"))
    assert (grid.images[1] == webui.generate(rpg=RED_BLUE).image).all()
    assert (grid.images[2] == webui.generate().image).all()
    grid = webui.generate(rpg=RED_BLUE, **plot(webui, "[RPG] Split ratio", "1,1", "1;2"))
    assert (grid.images[2] == webui.generate(rpg={**RED_BLUE, "split_ratio": "1;2"}).image).all()


def test_search_and_replace_in_all_prompts(webui: Webui) -> None:
    def rpg(word: str) -> dict[str, Any]:
        regions = [f"a {word} circle", {"prompt": "a square", "negative_prompt": f"{word}"}]
        return {"regions": regions, "base_prompt": f"{word} things", "base_ratio": 0.3}

    settings = {"width": 128, "height": 64, "steps": 4}
    for prompt in ("a red star", "a star"):  # the word is in the main prompt, too, or in the plan only
        grid = webui.generate(rpg=rpg("red"), prompt=prompt, **plot(webui, "Prompt S/R", "red", "blue"), **settings)
        for word, picture in zip(("red", "blue"), grid.images[1:], strict=True):
            single = webui.generate(rpg=rpg(word), prompt=prompt.replace("red", word), **settings)
            assert (single.image == picture).all()
        assert (grid.images[1] != grid.images[2]).any()


@pytest.mark.parametrize(
    ("axis", "values", "sentence"),
    [
        ("[RPG] Base ratio", ["0", "3"], "base_ratio is 3"),
        ("[RPG] Latent ratio", ["0", "3"], "latent_ratio is 3"),
        ("[RPG] Base ratio", ["0", "half"], "'half' is not a number"),
        ("[RPG] Split ratio", ["1,1", "1,1,1"], "makes 3 regions"),
        ("[RPG] Enabled", ["True", "perhaps"], "'perhaps' is neither True nor False"),
    ],
)
def test_bad_value_is_refused_before_the_grid_starts(webui: Webui, axis: str, values: list[str], sentence: str) -> None:
    webui.post("/rpg-test/fault", name="error", calls=1)
    answer = webui.request(rpg=RED_BLUE, **plot(webui, axis, *values))
    webui.post("/rpg-test/fault", name="")
    assert (answer.status_code, sentence in answer.text) == (422, True), answer.text


def test_axes_are_registered_once_after_reloads(webui: Webui) -> None:
    before, state = webui.generate(rpg=RED_BLUE).image, webui.get("/rpg-test/state")
    assert state["axes"] == AXES
    for _ in range(2):
        webui.reload()
        assert webui.get("/rpg-test/state") == state
    assert np.array_equal(before, webui.generate(rpg=RED_BLUE).image)
