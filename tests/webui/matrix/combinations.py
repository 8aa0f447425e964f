"""The factors of the matrix, and pairwise combinations of them: every pair of values occurs in one at least."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from allpairspy import AllPairs

INPAINTING, EDITING = "sd1-inpainting", "instruct-pix2pix"
MODELS = ["shapes", "sd2-v", "sdxl", INPAINTING, EDITING]
ADAPTIVE = "DPM adaptive"
"""Takes dozens of steps, so it is not in the combinations."""
SAMPLERS = [
    *("DPM++ 2M", "DPM++ SDE", "DPM++ 2M SDE", "DPM++ 2M SDE Heun", "DPM++ 2S a", "DPM++ 3M SDE", "Euler a", "Euler", "LMS"),
    *("Heun", "DPM2", "DPM2 a", "DPM fast", "Restart", "DDIM", "DDIM CFG++", "PLMS", "UniPC", "LCM"),
]
SCHEDULERS = [
    *("Automatic", "Uniform", "Karras", "Exponential", "Polyexponential", "SGM Uniform", "KL Optimal", "Align Your Steps"),
    *("Simple", "Normal", "DDIM", "Beta"),
]
OPTIMISATIONS = ["None", "sdp-no-mem", "sdp", "sub-quadratic", "V1", "InvokeAI", "Doggettx"]
TASKS: dict[str, dict[str, Any]] = {
    "txt2img": {},
    "latent hires": {"enable_hr": True, "hr_scale": 1.37, "hr_upscaler": "Latent", "denoising_strength": 0.7},
    "pixel hires": {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Lanczos", "denoising_strength": 0.6},
    "img2img": {"denoising_strength": 0.7},
    "inpaint whole": {"denoising_strength": 0.8, "mask": True, "inpaint_full_res": False, "inpainting_fill": 1},
    "inpaint masked": {"denoising_strength": 0.8, "mask": True, "inpaint_full_res": True, "inpaint_full_res_padding": 8},
}
SIZES = [(128, 128), (136, 72), (72, 184), (200, 64)]
BATCHES = [(1, 1), (2, 1), (1, 2)]
LONG = "a red circle, a blue square, a green star, " * 9
PROMPTS = {
    "plain": "a red circle and a blue square",
    "weights": "a (red:1.4) circle and a [blue] ((square))",
    "and": "a red circle :1.2 AND a blue square :0.7",
    "break": "a red circle BREAK a blue square",
    "schedule": "a [red:green:0.5] circle [with a star:2] and a [blue square::0.6]",
    "alternation": "a [red|green|blue] circle",
    "75 tokens": " ".join(["red"] * 75),
    "76 tokens": " ".join(["red"] * 76),
    "400 tokens": " ".join(["red", "circle"] * 200),
}
NEGATIVES = {"none": "", "short": "a gray circle", "long": LONG, "weights": "(gray:1.3), [star]"}
OWN_NEGATIVES = [False, True]
LAYOUTS = ["1,1", "1;2", "1,1,2;2,1,1;1", "1,1,1,1,1,1,1,1,1", "1;1;1;1;1;1;1"]
BASE_RATIOS = [0, 0.3, 0.8]
SAMPLING: dict[str, dict[str, Any]] = {
    "defaults": {},
    "separate cond and uncond": {"batch_cond_uncond": False},
    "pad conds v0": {"pad_cond_uncond_v0": True},
    "pad conds": {"pad_cond_uncond": True},
    "NGMS": {"s_min_uncond": 3.0},
    "NGMS, all steps": {"s_min_uncond": 3.0, "s_min_uncond_all": True},
    "skip early CFG": {"skip_early_cond": 0.4},
    "zero terminal SNR": {"sd_noise_schedule": "Zero Terminal SNR"},
    "eta, churn": {"eta_ancestral": 0.5, "s_churn": 0.5, "s_noise": 1.01},
}
SKIPPING = ["NGMS", "NGMS, all steps", "skip early CFG"]
"""The negative prompt, in some steps."""
READING: dict[str, dict[str, Any]] = {
    "defaults": {},
    "clip skip": {"CLIP_stop_at_last_layers": 2},
    "emphasis none": {"emphasis": "None"},
    "emphasis ignore": {"emphasis": "Ignore"},
    "emphasis no norm": {"emphasis": "No norm"},
    "old schedules": {"use_old_scheduling": True},
    "comma padding": {"comma_padding_backtrack": 0},
}
SCALES = [1, 4]

FACTORS: dict[str, list[Any]] = {
    "model": MODELS,
    "optimisation": OPTIMISATIONS,
    "sampler": SAMPLERS,
    "scheduler": SCHEDULERS,
    "task": list(TASKS),
    "size": SIZES,
    "batch": BATCHES,
    "prompt": list(PROMPTS),
    "negative": list(NEGATIVES),
    "own_negatives": OWN_NEGATIVES,
    "layout": LAYOUTS,
    "base_ratio": BASE_RATIOS,
    "sampling": list(SAMPLING),
    "reading": list(READING),
    "cfg_scale": SCALES,
}


def pairwise() -> list[dict[str, Any]]:
    """Combinations in which every pair of values of two factors occurs, in an order that switches models rarely.

    InstructPix2Pix edits a picture: the host has no other task for it. So it stands apart, with every value once at least.
    """
    others = {factor: values for factor, values in FACTORS.items() if factor != "model"}
    rows = [{"model": "", **dict(zip(others, row))} for row in AllPairs(list(others.values()))]
    seen: dict[str, set[Any]] = {model: set() for model in MODELS if model != EDITING}
    count = Counter(seen.keys())
    for row in rows:  # the model that has seen fewest of the row's values, then the one with fewest rows
        values = set(row.items())
        able = [model for model in seen if not host_cannot({**row, "model": model})]
        row["model"] = model = min(able, key=lambda model: (len(values & seen[model]), count[model]))
        seen[model] |= values
        count[model] += 1
    plain = {factor: values[0] for factor, values in FACTORS.items()}
    rows += [{**plain, "model": INPAINTING, "sampling": sampling} for sampling in SKIPPING]
    rows += [{**plain, "model": INPAINTING, "task": "latent hires"}]
    for number in range(max(map(len, FACTORS.values()))):
        row = {factor: values[(number + number // len(values)) % len(values)] for factor, values in FACTORS.items()}
        rows.append({**row, "model": EDITING, "task": "img2img"})
    return sorted(rows, key=lambda row: (row["model"], row["optimisation"]))


def host_cannot(row: dict[str, Any]) -> str:
    """Why the host fails at a combination without regions, too; or nothing."""
    skips = row["sampling"] in SKIPPING
    if row["model"] == INPAINTING and row["task"] == "latent hires":
        return "an inpainting model's mask keeps the first pass's size in a latent hires pass"
    if (row["model"] == INPAINTING and skips) or (row["model"] == EDITING and skips and not edits(row)):
        return "where the negative prompt is skipped, the picture that an inpainting or editing model looks at is not"
    if row["model"] == EDITING and row["sampling"] == "skip early CFG":
        return "skip early CFG skips one of an editing model's two unconditional parts"
    return ""


def edits(row: dict[str, Any]) -> bool:
    """Whether the host can give InstructPix2Pix a picture's own CFG: not with ``AND``, nor with prompts of unequal length."""
    return row["prompt"] not in ("and", "76 tokens", "400 tokens") and row["negative"] != "long"


def names(row: dict[str, Any]) -> Iterator[str]:
    """What is not the first value of its factor."""
    for factor, value in row.items():
        if factor in ("model", "sampler", "task", "prompt") or value != FACTORS[factor][0]:
            yield str(value).replace(" ", "") if not isinstance(value, bool) else factor
