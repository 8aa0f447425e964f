"""The host's command line flags that work on a processor."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webui.host import Webui
from tests.webui.laws import check_identity, check_locality, distance, generate_apart, same_as_base
from tests.webui.matrix.conftest import Hosts

FLAGS = [("--lowvram",), ("--medvram",), ("--opt-channelslast", "--opt-split-attention-v1")]
HALF = [("--precision", "half"), ("--precision", "autocast"), ("--precision", "autocast", "--upcast-sampling")]
MODELS = ["shapes", "sd2-v", "sdxl"]
JOB: dict[str, Any] = {"steps": 4, "batch_size": 2, "negative_prompt": "gray, " * 50}


@pytest.fixture(scope="module")
def webui(hosts: Hosts, request: pytest.FixtureRequest) -> Webui:
    return hosts.get(request.param, ())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("webui", FLAGS, ids=" ".join, indirect=True)
def test_flags(webui: Webui, model: str) -> None:
    webui.options(sd_model_checkpoint=model)
    check_identity(webui, **JOB)
    check_locality(webui, steps=1, calls=1)
    assert webui.get("/rpg-test/state")["patched"] == []


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("webui", HALF, ids=" ".join, indirect=True)
def test_half_precision(webui: Webui, model: str) -> None:
    """Regions change no more than another order of the same sums does, in another batch or attention optimisation."""
    job: dict[str, Any] = {"width": 64, "height": 64, "steps": 2}  # minutes on some processors
    webui.options(sd_model_checkpoint=model)
    answer = webui.request(**job)
    if answer.status_code != 200:
        assert "CUDA" in answer.json()["errors"], answer.text
        pytest.skip(f"the host cannot do it without regions either ({answer.json()['errors']}): its autocast is CUDA's")
    plain, allowed = webui.answer(answer).images, 1
    for name, value, before in [("batch_cond_uncond", False, True), ("cross_attention_optimization", "None", "Automatic")]:
        webui.options(**{name: value})
        allowed = max(allowed, distance(plain, webui.generate(**job).images))
        webui.options(**{name: before})
    regional = generate_apart(webui, "txt2img", same_as_base(), **job)
    print(f"{model}: {allowed} grey levels allowed, {distance(plain, regional.images)} taken")
    assert distance(plain, regional.images) <= allowed
    assert distance(plain, webui.generate(rpg={"regions": ["a cat", "a dog"]}, **job).images) > allowed
