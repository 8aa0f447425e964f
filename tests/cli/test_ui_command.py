"""What the page of its own is given: ControlNets by name, and pictures that follow what was chosen."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rpg.cli.ui_command import controls_of, page_of
from rpg.errors import GenerationError
from rpg.inputs import Control, Inputs
from rpg.panel import app
from rpg.panel.app import Settings
from rpg.pipelines.loading import load
from rpg.plan import Plan


def test_controls_by_name(tmp_path: Path) -> None:
    assert controls_of(Namespace(model=None, control_model=[])) == {"canny": None, "depth": None}
    assert controls_of(Namespace(model="other", control_model=[])) == {}
    named = {"model": "other", "control_model": [f"pose={tmp_path}"]}
    assert controls_of(Namespace(**named)) == {"pose": str(tmp_path)}
    for text, sentence in (("pose=nowhere", "no such folder"), ("walk=x", "kind 'walk'"), ("pose", "its kind and its path")):
        with pytest.raises(GenerationError, match=sentence):
            controls_of(Namespace(model=None, control_model=[text]))


def test_pictures_follow_what_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr(app, "build_app", lambda *arguments: given.append(arguments))
    page_of(load())
    make = given[0][0]
    plan = Plan.from_dict({"regions": ["a red circle", "a blue square"]})
    hint = Image.new("RGB", (128, 64))
    ImageDraw.Draw(hint).rectangle((16, 16, 48, 48), outline="white")
    start, mask = Image.new("RGB", (128, 64), "white"), Image.new("L", (128, 64))
    mask.paste(255, (0, 0, 64, 64))

    def made(**inputs: Any) -> Any:
        settings = Settings(width=128, height=64, steps=4, seed=1, inputs=Inputs(**inputs))
        *shares, picture = make(plan, settings)
        assert shares[-1] == 1
        return np.asarray(picture).astype(int)

    plain, followed, painted = made(), made(controls=(Control(None, hint),)), made(image=start, mask=mask)
    assert plain.shape == followed.shape == painted.shape == (64, 128, 3)
    assert np.abs(plain - followed).max() > 30
    assert painted[:, 80:].min() > 200
    assert painted[:, :56].min() < 200
