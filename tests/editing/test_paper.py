"""The paper's kinds of editing (add, delete, modify), end to end: a model says what differs from the caption, a tiny random
Segment Anything model from disk cuts things out, and the pipeline paints. Only trained weights are missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rpg.editing.asking import Model
from rpg.editing.edit import edit
from rpg.editing.model_critic import ModelCritic
from rpg.editing.repaint import Masking
from rpg.llm import PROVIDERS
from rpg.pipelines.loading import load
from rpg.pipelines.painter import PipelinePainter
from rpg.plan import Plan
from tests.editing.sam import save_sam
from tests.llm.servers import serve, streamed

CAPTION = "A girl with a red hat and a brown dog sit on a bench in a park, a lantern beside them."
WRONG = "the hat is blue, there is a bicycle that nobody asked for, and the lantern is missing"
OPERATIONS = [
    {"kind": "add", "box": [700, 100, 950, 700], "prompt": "a lantern on a pole", "colour": "", "target": []},
    {"kind": "remove", "box": [20, 500, 300, 950], "prompt": "grass of the park", "colour": "", "target": []},
    {"kind": "recolour", "box": [400, 50, 550, 250], "prompt": "a red hat", "colour": "red", "target": []},
]


@pytest.mark.parametrize("cut_out", ["sam", "grabcut"])
def test_add_delete_and_modify(tmp_path: Path, cut_out: str) -> None:
    transformers = pytest.importorskip("transformers")
    save_sam(transformers, tmp_path)
    noise = np.random.default_rng(1).integers(0, 256, (16, 24, 3), np.uint8)
    picture = Image.fromarray(noise).resize((192, 128), Image.Resampling.BICUBIC)
    pipeline = load().pipeline
    pipeline.set_progress_bar_config(disable=True)
    painter = PipelinePainter(pipeline, picture.size, {"num_inference_steps": 4, "guidance_scale": 3.0})
    plan = Plan.from_dict({"regions": ["a girl with a red hat", "a brown dog"], "base_prompt": CAPTION})
    done = []
    with serve(streamed(json.dumps({"operations": OPERATIONS, "caption": CAPTION}))) as server:
        model = Model(PROVIDERS["compatible"].at("m", server.url))
        masking = Masking(cut_out, str(tmp_path))
        asked = {"seed": 1, "model": model, "masking": masking, "caption": CAPTION, "plan": plan}
        made = edit(picture, WRONG, painter, ModelCritic(model), on_operation=done.append, **asked)
    assert [operation.kind for operation in done] == ["add", "remove", "recolour"]
    assert {operation.base_prompt for operation in done} == {CAPTION}
    before, after, mask = np.asarray(picture), np.asarray(made.picture), np.asarray(made.mask)
    assert (before == after)[mask == 0].all()
    assert (before != after)[mask == 255].any()
    assert mask[20:80, 140:175].min() > 0, "the lantern's box is painted"
