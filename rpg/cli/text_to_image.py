"""What makes the pictures of a batch on the machine where it lives: here, or in a process of a cluster."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rpg.batch.jobs import BatchJob
from rpg.cli.common import load
from rpg.editing.pictures import png
from rpg.errors import Stopped
from rpg.infotext import Infotext
from rpg.plan import Plan


class TextToImage:
    """A loaded model; calling it makes a picture.

    Attributes:
        settings: what its pictures depend on beside their jobs.
        width, height: that suit the model.
    """

    def __init__(self, model: str | None, lora_folder: str | None, steps: int | None, guidance: float | None) -> None:
        loaded = load(argparse.Namespace(model=model, lora_folder=lora_folder))
        loaded.pipeline.set_progress_bar_config(disable=True)
        self._pipeline = loaded.pipeline
        self.width, self.height = loaded.width, loaded.height
        self._made = Infotext(
            "",
            steps=steps or loaded.steps,
            sampler=loaded.sampler,
            guidance_scale=loaded.guidance_scale if guidance is None else guidance,
            model_hash=loaded.model_hash,
            model=loaded.name,
            rng="CPU",
        )
        self.settings: Mapping[str, Any] = {
            "model": loaded.model_hash or loaded.name,
            "sampler": loaded.sampler,
            "steps": self._made.steps,
            "guidance": self._made.guidance_scale,
        }

    def __call__(self, job: BatchJob, plan: Plan, stopped: Callable[[], bool]) -> bytes:
        def leave(_pipeline: Any, _step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            if stopped():
                raise Stopped("The batch was stopped.")
            return tensors

        plan = plan.for_model(self._pipeline.latent_ratio)
        picture = self._pipeline.generate(
            plan,
            seed=job.seed,
            negative_prompt=job.negative_prompt or None,
            width=job.width,
            height=job.height,
            num_inference_steps=self._made.steps,
            guidance_scale=self._made.guidance_scale,
            callback_on_step_end=leave,
        ).images[0]
        told = replace(
            self._made,
            prompt=plan.main_prompt,
            negative_prompt=job.negative_prompt,
            seed=job.seed,
            size=(job.width, job.height),
            plan=plan,
        )
        return png(picture, str(told))
