"""The methods compared: each makes the picture of a case from its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline
from PIL import Image
from torch import Tensor, nn

from rpg.areas.areas import Areas
from rpg.areas.layout import Layout
from rpg.areas.patches import coverage
from rpg.plan import DEFAULT_BASE_RATIO
from rpg.planners import PlanRequest, Subject, make_plan
from rpg.shapes import GUIDANCE_SCALE
from rpg.steering import hooks
from rpg.steering.attention import token_grid
from rpg.steering.conditioning import Table
from rpg.steering.steering import Steering
from tests.benchmarks.composition.cases import Case
from tests.benchmarks.methods import plain_forward, published, replaced

PLAIN, OURS, PLANNED, PUBLISHED = "plain", "ours", "ours, planned offline", "published"

EULER_A, DPM = "Euler a", "DPM++ 2M"

Method = Callable[[nn.Module, Layout, float, Table, tuple[int, int]], AbstractContextManager[None]]


@dataclass(frozen=True)
class Settings:
    method: str
    base_ratio: float | None = None
    """None: as the offline planner advises, the default for several objects of one class, else 0."""
    guidance: float = GUIDANCE_SCALE
    steps: int = 20
    first: float = 0.0
    """Share of the steps before regions begin; the base prompt has the picture then."""
    last: float = 1.0
    """Share of the steps after which it has it again."""
    layers: str = "all"
    """Or ``fine``, the ones at the latent's own resolution, or ``coarse``, the others."""
    feather: float = 0.0
    """How far regions run into each other, as a share of the picture's shorter side."""
    latent_ratio: float = 0.0
    """Of ``ours``: see :class:`rpg.plan.Plan`."""
    sampler: str = EULER_A


def base_ratio(case: Case, settings: Settings) -> float:
    if settings.base_ratio is not None:
        return settings.base_ratio
    return DEFAULT_BASE_RATIO if case.same_class else 0.0


def picture(pipe: Any, case: Case, settings: Settings, seed: int) -> Image.Image:
    """One picture; the noise depends on nothing but seed and size."""
    if settings.sampler == DPM:
        pipe = type(pipe)(**{**pipe.components, "scheduler": DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)})
        pipe.set_progress_bar_config(disable=True)
    options: dict[str, Any] = {
        "width": case.arrangement.width,
        "height": case.arrangement.height,
        "guidance_scale": settings.guidance,
        "num_inference_steps": settings.steps,
    }
    if settings.method == PLAIN:
        plain = StableDiffusionPipeline(**pipe.components, requires_safety_checker=False)
        plain.set_progress_bar_config(disable=True)
        return _first(plain(prompt=case.caption, generator=torch.Generator().manual_seed(seed), **options))
    subject = Subject(case.caption, case.arrangement.width, case.arrangement.height)
    plan = make_plan(PlanRequest(subject)) if settings.method == PLANNED else case.plan(base_ratio(case, settings))
    plan = replace(plan, latent_ratio=settings.latent_ratio)
    started: list[Steering] = []

    def attached(unet: nn.Module, steering: Steering) -> AbstractContextManager[None]:
        started.append(steering)
        window(0)
        if settings.method in (OURS, PLANNED) and not settings.feather:
            return hooks.attach(unet, steering)
        (table,) = steering._tables.values()
        latent = (case.arrangement.height // 8, case.arrangement.width // 8)
        method = published if settings.method == PUBLISHED else feathered(settings.feather)
        return method(unet, steering.areas.layout, steering.base_ratios[0], table, latent)

    def window(step: int) -> None:
        share = step / settings.steps
        ratios = plan.base_ratios if settings.first <= share < settings.last else (1.0,) * len(plan.regions)
        started[0].base_ratios = tuple(ratios)

    def after_step(_pipe: Any, step: int, _time: Any, values: dict[str, Any]) -> dict[str, Any]:
        window(step + 1)
        return values

    with ExitStack() as changes:
        if settings.layers != "all":
            changes.enter_context(patch.object(hooks, "cross_attentions", _of_level(settings.layers)))
        changes.enter_context(patch("rpg.pipelines.regional.attach", attached))
        if settings.first or settings.last < 1:
            options["callback_on_step_end"] = after_step
        return _first(pipe.generate(plan, seed=seed, **options))


def _first(result: Any) -> Image.Image:
    image: Image.Image = result.images[0]
    return image


def feathered(share: float) -> Method:
    """Full attention for every region, each weighted by its rectangle with soft edges."""

    @contextmanager
    def method(unet: nn.Module, layout: Layout, base_ratio: float, table: Table, latent: tuple[int, int]) -> Iterator[None]:
        def forward(layer: Any, x: Tensor, context: Tensor) -> Tensor:
            grid = token_grid(latent, x.shape[1])
            rects = torch.tensor(coverage(Areas.of(layout), *grid), dtype=torch.float32)
            reach = round(share * min(grid) / 2)
            weights = nn.functional.avg_pool2d(rects, 2 * reach + 1, stride=1, padding=reach, count_include_pad=False)

            def full(segment: int) -> Tensor:
                return plain_forward(layer, x, encoder_hidden_states=context[:, slice(*table[segment])])

            regions = [weight.flatten()[:, None] * full(segment) for segment, weight in enumerate(weights.to(x), 1)]
            out = torch.stack(regions).sum(dim=0)
            return torch.lerp(out, full(0), base_ratio) if base_ratio else out

        with replaced(unet, forward):
            yield

    return method


def _of_level(layers: str) -> Callable[[nn.Module], list[nn.Module]]:
    original = hooks.cross_attentions

    def chosen(unet: nn.Module) -> list[nn.Module]:
        finest = [*original(unet.down_blocks[0]), *original(unet.up_blocks[-1])]
        return [layer for layer in original(unet) if any(layer is one for one in finest) == (layers == "fine")]

    return chosen
