"""200 jobs in a row with random settings, every tenth broken on purpose: no stale state, no growing memory."""

from __future__ import annotations

import random
from typing import Any

from rpg.layout import Layout
from tests.webui.host import Webui
from tests.webui.matrix.combinations import LAYOUTS, NEGATIVES, PROMPTS, SAMPLERS
from tests.webui.matrix.extras import LORA

JOBS = 200
WARM_UP = 60
"""Jobs after which the process has loaded all it needs."""
GROWTH = 1.05
FAULTS = {"error": 500, "memory": 500, "interrupt": 200, "skip": 200, "refused": 422}
"""What breaks a job -> how the API answers."""
MODELS = ["shapes", "sd2-v", "sdxl"]


def random_job(rng: random.Random) -> dict[str, Any]:
    layout = rng.choice(LAYOUTS)
    words = [prompt for prompt in PROMPTS.values() if "AND" not in prompt]
    regions = [{"prompt": rng.choice(words)} for _ in range(Layout.parse(layout).count)]
    if rng.random() < 0.3:
        regions[0]["negative_prompt"] = rng.choice(list(NEGATIVES.values()))
    if rng.random() < 0.2:
        regions[-1]["prompt"] += f" <lora:{LORA}:{rng.choice([0.5, -1])}>"
    job: dict[str, Any] = {
        **{"prompt": rng.choice(words), "negative_prompt": rng.choice(list(NEGATIVES.values())), "seed": rng.randrange(1000)},
        **{"sampler_name": rng.choice(SAMPLERS), "steps": rng.randint(1, 3), "batch_size": rng.randint(1, 2)},
        **{"width": rng.randrange(64, 160, 8), "height": rng.randrange(64, 160, 8)},
        "rpg": {"regions": regions, "split_ratio": layout, "base_ratio": rng.choice([0, 0.5, 1])},
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
        job, expected = random_job(rng), 200
        if number % 10 == 0:
            fault, expected = rng.choice(list(FAULTS.items()))
            if fault == "refused":
                job["rpg"]["split_ratio"] = "1,-1"
            else:
                webui.post("/rpg-test/fault", name=fault, calls=rng.randint(1, 2))
        answer = webui.request(**job)
        webui.post("/rpg-test/fault", name="")
        assert answer.status_code == expected, f"job {number}: {answer.text[:300]}"
        if number == WARM_UP:
            memory = webui.get("/rpg-test/memory")
    webui.options(sd_model_checkpoint="shapes")
    assert (webui.generate().image == first.image).all()
    assert webui.get("/rpg-test/state") == state
    growth = webui.get("/rpg-test/memory") / memory
    print(f"memory after {JOBS} jobs: {growth:.3f} times that after {WARM_UP}")
    assert growth < GROWTH
