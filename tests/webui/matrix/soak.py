"""200 jobs in a row with random settings, every tenth broken on purpose: no stale state, no growing memory."""

from __future__ import annotations

import random
from typing import Any

from rpg.layout import Layout
from tests.webui.host import PROMPT, Webui
from tests.webui.matrix.combinations import LAYOUTS, PROMPTS, SAMPLERS

JOBS = 200
WARM_UP = 60
"""Jobs after which the process has loaded all it needs."""
GROWTH = 1.05
FAULTS = ["error", "memory", "interrupt", "skip"]
MODELS = ["shapes", "sd2-v", "sdxl"]


def random_job(rng: random.Random) -> dict[str, Any]:
    prompts = [rng.choice(list(PROMPTS.values())) for _ in range(3)]
    prompts = [prompt if "AND" not in prompt else PROMPT for prompt in prompts]
    layout = rng.choice([layout for layout in LAYOUTS if Layout.parse(layout).count == 2])
    job: dict[str, Any] = {
        **{"prompt": prompts[0], "sampler_name": rng.choice(SAMPLERS), "steps": rng.randint(1, 3), "seed": rng.randrange(1000)},
        **{"width": rng.randrange(64, 160, 8), "height": rng.randrange(64, 160, 8), "batch_size": rng.randint(1, 2)},
        "rpg": {"regions": prompts[1:], "split_ratio": layout, "base_ratio": rng.choice([0, 0.5, 1])},
    }
    if rng.random() < 0.2:
        job |= {"enable_hr": True, "hr_scale": 1.3, "hr_upscaler": "Latent", "denoising_strength": 0.7}
    return job


def test_soak(webui: Webui) -> None:
    rng = random.Random(0)
    for model in MODELS[::-1]:
        webui.options(sd_model_checkpoint=model)
    first, state = webui.generate(), webui.get("/rpg-test/state")
    memory = 0
    for number in range(1, JOBS + 1):
        if number % 20 == 0:
            webui.options(sd_model_checkpoint=rng.choice(MODELS))
        broken = number % 10 == 0
        if broken:
            webui.post("/rpg-test/fault", name=rng.choice(FAULTS), calls=rng.randint(1, 2))
        status = webui.request(**random_job(rng)).status_code
        assert status in ((200, 500) if broken else (200,)), f"job {number}"
        webui.post("/rpg-test/fault", name="")
        if number == WARM_UP:
            memory = webui.get("/rpg-test/memory")
    webui.options(sd_model_checkpoint="shapes")
    assert (webui.generate().image == first.image).all()
    assert webui.get("/rpg-test/state") == state
    growth = webui.get("/rpg-test/memory") / memory
    print(f"memory after {JOBS} jobs: {growth:.3f} times that after {WARM_UP}")
    assert growth < GROWTH
