"""A region that is selected in the editor, painted anew."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rpg.editing.chosen import Chosen
from rpg.errors import EditingError, PlanError

COLUMNS: dict[str, Any] = {"regions": ["a red circle", "a blue star"], "split_ratio": "1,3"}


def chosen(region: object, plan: dict[str, Any] = COLUMNS) -> Chosen:
    return Chosen.from_json(json.dumps({"plan": plan, "region": region}))


def pixels(chosen: Chosen, size: tuple[int, int] = (80, 40)) -> np.ndarray:
    mask: Image.Image = chosen.mask(size)
    return np.asarray(mask)


def test_a_cell_is_painted_with_soft_edges() -> None:
    one, other = pixels(chosen(0)), pixels(chosen(1))
    assert one.shape == (40, 80)
    assert (one[:, :17] == 255).all()
    assert (one[:, 24:] == 0).all()
    assert (one.astype(int) + other == 255)[:, [5, 60]].all()
    assert 0 < one[20, 20] < 255


def test_what_lies_on_top_stays() -> None:
    top = {"prompt": "a green heart", "area": {"box": [0.5, 0, 1, 1]}}
    plan = {"regions": ["a red circle", top], "split_ratio": "1"}
    below = pixels(chosen(0, plan))
    assert (below[:, :36] == 255).all()
    assert (below[:, 44:] == 0).all()
    with pytest.raises(EditingError, match="Region 1 is hidden by others"):
        chosen(0, {**plan, "regions": ["a red circle", {**top, "area": {"box": [0, 0, 1, 1]}}]}).mask((80, 40))


def test_cells_that_say_the_same_are_one() -> None:
    plan = {"regions": ["a tree", "a cat", "a tree", "a dog"], "split_ratio": "1,1,1;1,1,1"}
    assert (pixels(chosen(2, plan)) == pixels(chosen(0, plan))).all()
    assert (pixels(chosen(0, plan))[:, :34] == 255).all()


def test_it_is_put_in_the_place_of_what_is_there() -> None:
    operation = chosen(1).operation
    assert (operation.kind, operation.prompt, operation.box) == ("replace", "a blue star", (0.25, 0, 1, 1))


@pytest.mark.parametrize("region", [-1, 2, True, "1", None])
def test_a_region_has_to_be_selected(region: object) -> None:
    with pytest.raises(EditingError, match="No region is selected"):
        chosen(region)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"region": 0}'])
def test_the_page_has_to_say_it(text: str) -> None:
    with pytest.raises(EditingError, match="does not say which region"):
        Chosen.from_json(text)


def test_an_unfinished_plan_is_refused() -> None:
    with pytest.raises(PlanError, match="prompt is empty"):
        chosen(0, {"regions": [{"prompt": ""}, {"prompt": ""}]})
