"""200 jobs in a row with random settings, every tenth broken on purpose: no stale state, no growing memory."""

from __future__ import annotations

import random
from typing import Any

from rpg.areas.layout import Layout
from tests.webui.host import Answer, Webui
from tests.webui.matrix.combinations import LAYOUTS, NEGATIVES, PROMPTS, SAMPLERS
from tests.webui.matrix.extras import LORA, UNET_LORA

JOBS = 200
WARM_UP = 40
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
    if rng.random() < 0.2:
        regions[0]["prompt"] += f" <lora:{UNET_LORA}:{rng.choice([0.5, -1])}>"
    sampler = rng.choice(SAMPLERS)
    steps = 6 if sampler == "UniPC" else rng.randint(3, 4)  # it needs more than its order, others two calls; DDIM skips one
    job: dict[str, Any] = {
        **{"prompt": rng.choice(words), "negative_prompt": rng.choice(list(NEGATIVES.values())), "seed": rng.randrange(1000)},
        **{"sampler_name": sampler, "steps": steps, "batch_size": rng.randint(1, 2)},
        **{"width": rng.randrange(64, 160, 8), "height": rng.randrange(64, 160, 8)},
        "rpg": {"regions": regions, "split_ratio": layout, "base_ratio": rng.choice([0, 0.5, 1])},
    }
    if rng.random() < 0.2:
        job |= {"enable_hr": True, "hr_scale": 1.3, "hr_upscaler": "Latent", "denoising_strength": 0.7}
    return job


def settled(webui: Webui) -> tuple[Answer, int]:
    """A plain picture of the first model, and the memory after it."""
    webui.options(sd_model_checkpoint=MODELS[0])
    return webui.generate(), webui.get("/rpg-test/memory")


def test_soak(webui: Webui) -> None:
    rng = random.Random(0)
    (first, _), state = settled(webui), webui.get("/rpg-test/state")
    memory: dict[int, int] = {}
    for number in range(1, JOBS + 1):
        if number % 20 == 1:
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
        if number % 20 == 0:
            plain, memory[number] = settled(webui)
            assert (plain.image == first.image).all(), f"after job {number}"
            assert webui.get("/rpg-test/state") == state
    print("MB after jobs:", {number: size // 2**20 for number, size in memory.items()})
    assert memory[JOBS] < GROWTH * memory[WARM_UP]
