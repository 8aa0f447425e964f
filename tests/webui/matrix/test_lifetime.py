"""Every way to end a job early, at every call of the denoiser; nothing of it is left afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.webui.host import Webui
from tests.webui.test_generation import RED_BLUE

JOB: dict[str, Any] = {
    **{"rpg": RED_BLUE, "steps": 3, "n_iter": 2, "width": 128, "height": 64},
    **{"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "denoising_strength": 0.7, "hr_second_pass_steps": 2},
}
CALLS = 2 * (3 + 2)


@pytest.fixture(scope="module")
def before(webui: Webui) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """A plain picture, a regional one, the state."""
    return webui.generate().image, webui.generate(**JOB).image, webui.get("/rpg-test/state")


@pytest.mark.parametrize("call", range(1, CALLS + 1))
@pytest.mark.parametrize("name", ["interrupt", "skip", "error", "memory"])
def test_ended_at_every_call(webui: Webui, before: Any, name: str, call: int) -> None:
    plain, regional, state = before
    webui.post("/rpg-test/fault", name=name, calls=call)
    assert webui.request(**JOB).status_code == (500 if name in ("error", "memory") else 200)
    assert webui.get("/rpg-test/state") == state
    assert (webui.generate().image == plain).all()
    if call == 1 + CALLS // 2:
        assert (webui.generate(**JOB).image == regional).all()


def test_model_switches_between_jobs(webui: Webui, before: Any) -> None:
    for model in ("sdxl", "sd2-v", "shapes"):
        webui.options(sd_model_checkpoint=model)
        webui.generate(**JOB)
    assert (webui.generate().image == before[0]).all()
    assert (webui.generate(**JOB).image == before[1]).all()


def test_reload_ui(webui: Webui, before: Any) -> None:
    webui.reload()
    assert webui.get("/rpg-test/state") == before[2]
    assert (webui.generate(**JOB).image == before[1]).all()
    assert (webui.generate().image == before[0]).all()
