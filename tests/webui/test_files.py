"""Pictures of the command line in the webui, and the webui's on the command line."""

from __future__ import annotations

import base64
from pathlib import Path

from rpg.cli import main
from rpg.cli.files import read_remake
from rpg.plan import Plan
from tests.webui.host import Webui
from tests.webui.test_generation import RED_BLUE


def test_the_webui_reads_a_picture_of_the_command_line(webui: Webui, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    quick = ["--steps", "1", "--width", "64", "--height", "64", "--seed", "5", "--guidance", "2.5"]
    assert main(["generate", "a cat, a dog", "--regions", 'a "red" cat', "a dog: brown", *quick, "--output", str(out)]) == 0
    read = webui.post("/sdapi/v1/png-info", image=base64.b64encode(out.read_bytes()).decode())["parameters"]
    expected = {
        "Prompt": "a cat, a dog",
        "Negative prompt": "",
        "Steps": "1",
        "Sampler": "Euler a",
        "CFG scale": "2.5",
        "Seed": "5",
        "Size-1": "64",
        "Size-2": "64",
        "Model": "shapes",
        "RNG": "CPU",
    }
    assert {key: read[key] for key in expected} == expected
    assert Plan.from_json(read["RPG plan"]) == read_remake(out)[1]
    hashes = [model["hash"] for model in webui.get("/sdapi/v1/sd-models") if model["model_name"] == "shapes"]
    assert hashes == [read["Model hash"]]


def test_the_command_line_reads_a_picture_of_the_webui(webui: Webui, tmp_path: Path) -> None:
    rpg = {**RED_BLUE, "latent_ratio": 0.5}
    data = webui.request(rpg=rpg, seed=9, negative_prompt="green").json()["images"][0]
    (tmp_path / "webui.png").write_bytes(base64.b64decode(data))
    infotext, plan = read_remake(tmp_path / "webui.png")
    assert plan.regions == Plan.from_dict(rpg).regions
    assert (infotext.seed, infotext.size, infotext.steps, infotext.guidance_scale) == (9, (256, 128), 6, 4)
    assert (infotext.negative_prompt, infotext.sampler, plan.base_prompt) == ("green", "DPM++ 2M", infotext.prompt)
