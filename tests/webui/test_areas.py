"""Boxes and masks in the webui: the laws, the infotext, and what is refused."""

import base64
import io
import json
import re
from typing import Any

import numpy as np
from PIL import Image

from tests.webui.host import PROMPT, Webui
from tests.webui.laws import check_identity, check_locality, check_refused, distance

BOX = {"box": [0.1, 0.25, 0.6, 1.0], "feather": 0.1}


def blob() -> dict[str, str]:
    y, x = np.mgrid[-1:1:300j, -1:1:600j]
    file = io.BytesIO()
    Image.fromarray(((x - 0.4) ** 2 + y**2 < 0.3).astype("uint8") * 255).save(file, "PNG")
    return {"mask": "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()}


def plan(*prompts: str, **fields: Any) -> dict[str, Any]:
    cell, boxed, blobbed = prompts
    return {"regions": [cell, {"prompt": boxed, "area": BOX}, {"prompt": blobbed, "area": blob()}], "base_ratio": 0.2, **fields}


def test_identity(webui: Webui) -> None:
    check_identity(webui, rpg=plan(*[PROMPT] * 3, latent_ratio=0))


def test_identity_where_regions_leave_a_gap(webui: Webui) -> None:
    check_identity(webui, rpg={"regions": [{"prompt": PROMPT, "area": blob()}], "latent_ratio": 0}, width=264, height=136)


def test_locality(webui: Webui) -> None:
    boxes = [
        {"prompt": text, "area": {"box": box}} for text, box in (("a fox", [0, 0.5, 0.5, 1]), ("a bird", [0.25, 0, 0.75, 0.5]))
    ]
    check_locality(webui, rpg={"regions": ["a cat", *boxes], "latent_ratio": 0})


def test_the_infotext_gives_the_picture_again(webui: Webui) -> None:
    made = webui.generate(rpg=plan("a red circle", "a blue square", "a green star", latent_ratio=0.3), steps=4)
    written = re.search(r'RPG plan: ("(?:\\.|[^"\\])+")', made.infotexts[0])
    assert written
    text = json.loads(written[1])
    assert len(text) < 4000
    assert distance(made.images, webui.generate(rpg=json.loads(text), steps=4).images) == 0


def test_a_box_less_than_a_token_large_is_refused(webui: Webui) -> None:
    small = {"regions": ["a cat", {"prompt": "a hat", "area": {"box": [0.5, 0.5, 0.51, 0.51]}}]}
    check_refused(webui, "Region 2: its area is less than 8 x 8 pixels large", rpg=small)
