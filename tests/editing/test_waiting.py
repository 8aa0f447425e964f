"""Masks that are looked at before they are used, as the page sends them back."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from PIL import Image

from rpg.areas.layout import Box
from rpg.editing.operations import Operation
from rpg.editing.pictures import png
from rpg.editing.waiting import Waiting
from rpg.errors import RPGError

PICTURE = Image.new("RGB", (48, 24), "white")
MASK = Image.linear_gradient("L").resize(PICTURE.size)
WAITING = Waiting((Operation("move", Box(0, 0, 0.5, 1), "a cat", "all", target=Box(0.5, 0, 1, 1)),), MASK, mends=True)


def sent() -> dict[str, Any]:
    given: dict[str, Any] = json.loads(WAITING.to_json(PICTURE, 3))
    assert given["place"] == 3
    return dict(given["sent"])


def test_what_is_sent_comes_back() -> None:
    back = Waiting.from_json(json.dumps(sent()), PICTURE)
    assert (back.operations, back.mends) == (WAITING.operations, True)
    assert back.mask.tobytes() == MASK.tobytes()


def test_a_copy_that_is_shown_is_no_larger_than_needed() -> None:
    large = Image.new("RGB", (2048, 512))
    shown = json.loads(Waiting(WAITING.operations, Image.new("L", large.size)).to_json(large, 0))["shown"]
    assert len(shown) < 20_000
    assert shown.startswith("data:image/jpeg;base64,")


def address(mask: Image.Image) -> str:
    return base64.b64encode(png(mask)).decode()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"picture": "another"}, "The mask belongs to a picture that is no longer in its place"),
        ({"mask": address(Image.new("L", (8, 8)))}, "mask has 8 x 8 pixels; the picture has 48 x 24."),
        ({"mask": base64.b64encode(b"no").decode()}, "image is no PNG"),
        ({"operations": []}, "it must be a list of 1 to 16 operations."),
        ({"operations": [{"kind": "add", "box": [0, 0, 1e9, 1]}]}, "it must be a number from 0 to 1."),
        ({"key": "sk"}, "is not what the page sends"),
    ],
)
def test_what_is_wrong_is_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RPGError, match=sentence):
        Waiting.from_json(json.dumps({**sent(), **changes}), PICTURE)


@pytest.mark.parametrize(("text", "sentence"), [("", "No mask is shown"), ("{", "JSON"), ("[]", "is not what the page sends")])
def test_no_mask_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(RPGError, match=sentence):
        Waiting.from_json(text, PICTURE)
