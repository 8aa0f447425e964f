"""Pairwise combinations of models, samplers, tasks, prompts and options: the identity and the locality law in each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

from rpg.areas.layout import Layout
from tests.webui.host import Webui, write_image
from tests.webui.laws import check_identity, check_probe, distance, generate_apart
from tests.webui.matrix.combinations import (
    ADAPTIVE,
    EDITING,
    FACTORS,
    NEGATIVES,
    PROMPTS,
    READING,
    SAMPLERS,
    SAMPLING,
    SCHEDULERS,
    TASKS,
    edits,
    host_cannot,
    names,
    pairwise,
)

ROWS = pairwise()
NOISE = "sd_noise_schedule"


def test_every_pair_of_values_is_in_a_row() -> None:
    """Of InstructPix2Pix, every value."""
    for (one, ones), (other, others) in combinations(FACTORS.items(), 2):
        found = {(row[one], row[other]) for row in ROWS}
        assert {pair for pair in product(ones, others) if EDITING not in pair} <= found, (one, other)
    for factor, values in FACTORS.items():
        found = {row[factor] for row in ROWS if row["model"] == EDITING}
        assert found == ({"img2img"} if factor == "task" else {EDITING} if factor == "model" else set(values))


def test_every_sampler_and_scheduler_of_the_host_is_in_the_matrix(webui: Webui) -> None:
    assert sorted(sampler["name"] for sampler in webui.get("/sdapi/v1/samplers")) == sorted([*SAMPLERS, ADAPTIVE])
    assert sorted(scheduler["label"] for scheduler in webui.get("/sdapi/v1/schedulers")) == sorted(SCHEDULERS)


def test_adaptive_sampler(webui: Webui) -> None:
    check_identity(webui, sampler_name=ADAPTIVE, width=128, height=64)


def request_for(row: dict[str, Any], start_picture: str) -> tuple[str, dict[str, Any]]:
    """The API's path and settings, without the plan."""
    width, height = row["size"]
    batch_size, n_iter = row["batch"]
    steps = 6 if row["sampler"] == "UniPC" else 3  # more than its order after what img2img leaves out
    settings: dict[str, Any] = {
        **{name: row[name] for name in ("scheduler", "cfg_scale")},
        **{"sampler_name": row["sampler"], "width": width, "height": height, "batch_size": batch_size, "n_iter": n_iter},
        **{"prompt": PROMPTS[row["prompt"]], "negative_prompt": NEGATIVES[row["negative"]], "steps": steps},
        "hr_second_pass_steps": steps,
        **TASKS[row["task"]],
    }
    if "enable_hr" in settings or row["task"] == "txt2img":
        return "txt2img", settings
    settings["init_images"] = [start_picture]
    if settings.pop("mask", False):
        mask = np.zeros((128, 256, 3))
        mask[32:96, 64:208] = 255
        settings["mask"] = write_image(mask)
    if row["model"] == EDITING:
        settings["image_cfg_scale"] = 1.5 if edits(row) else 1
    return "img2img", settings


@pytest.fixture(scope="module")
def defaults(webui: Webui) -> Iterator[dict[str, Any]]:
    """What the options of the matrix are when it does not set them; so they are again at the end."""
    now = webui.get("/sdapi/v1/options")
    changed = {"cross_attention_optimization", *(name for values in (*SAMPLING.values(), *READING.values()) for name in values)}
    defaults = {name: now[name] for name in changed}
    yield defaults
    webui.options(sd_model_checkpoint="shapes", **defaults)
    webui.generate(steps=1)  # the host applies the noise schedule one picture late


@pytest.mark.parametrize("row", ROWS, ids=["-".join(names(row)) for row in ROWS])
def test_pair(webui: Webui, defaults: dict[str, Any], start_picture: str, row: dict[str, Any]) -> None:
    options = {**SAMPLING[row["sampling"]], **READING[row["reading"]], "cross_attention_optimization": row["optimisation"]}
    options = {**defaults, **options}
    schedules = {webui.get("/sdapi/v1/options")[NOISE], options[NOISE]}
    webui.options(sd_model_checkpoint=row["model"], **options)
    kind, settings = request_for(row, start_picture)
    if schedules != {defaults[NOISE]}:
        webui.request(kind, **{**settings, "steps": 1, "n_iter": 1})
    region = {"prompt": settings["prompt"]}
    if row["own_negatives"]:
        region["negative_prompt"] = settings["negative_prompt"]
    count = Layout.parse(row["layout"]).count
    rpg = {"regions": [region] * count, "split_ratio": row["layout"], "base_ratio": row["base_ratio"], "latent_ratio": 0}
    plain = webui.request(kind, **settings)
    if plain.status_code != 200:
        assert host_cannot(row), plain.text
        assert webui.request(kind, rpg, **settings).json()["errors"] == plain.json()["errors"]
        pytest.skip(host_cannot(row))
    webui.post("/rpg-test/probe", calls=1)
    regional = generate_apart(webui, kind, rpg, **settings)
    assert distance(webui.answer(plain).images, regional.images) <= 1
    check_probe(webui)
