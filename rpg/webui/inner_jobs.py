"""Pictures that the webui makes inside another of its jobs: drawn again, or with a part painted anew by its own inpainting."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from modules import call_queue, processing, scripts, sd_models, shared
from PIL import Image

from rpg.editing.windows import window_of
from rpg.errors import GenerationError, Stopped
from rpg.infotext import parts
from rpg.networks import with_networks_of
from rpg.plan import Plan
from rpg.webui.arguments import TITLE

_LEFT_OUT = {
    *("sd_model", "prompt", "prompt_for_display", "seed", "batch_size", "n_iter", "do_not_save_samples", "do_not_save_grid"),
    *("extra_generation_params", "overlay_images", "override_settings", "sampler_index", "comments", "mask", "force_task_id"),
    *("firstphase_width", "firstphase_height", "hr_prompt"),
}
_PAINTING = ("negative_prompt", "styles", "sampler_name", "scheduler", "steps", "cfg_scale", "eta", "s_churn", "s_noise")
"""What a part that is painted anew has in common with the whole picture."""


def stopping() -> bool:
    """Whether the user wants nothing more to begin."""
    return bool(shared.state.interrupted or shared.state.skipped or shared.state.stopping_generation)


@contextmanager
def queued() -> Iterator[None]:
    """A job of its own in the webui's queue."""
    with call_queue.queue_lock:
        shared.state.begin(job="RPG")
        try:
            yield
        finally:
            shared.state.end()
            shared.total_tqdm.clear()


@dataclass(frozen=True)
class InnerJobs:
    """See :class:`rpg.editing.painter.Painter`. What must not run twice, such as other scripts and saving, is switched off.

    Fields:
        settings: of a new picture: arguments of the host's txt2img or, with ``init_images``, img2img.
        prompt: of the finished picture, whose networks every other one has, too.
        outer: the job inside which all this happens, if any.
    """

    settings: Mapping[str, Any] = field(repr=False)
    prompt: str = ""
    outer: Any = field(default=None, repr=False)

    @classmethod
    def within(cls, p: Any) -> InnerJobs:
        """Of pictures like those that ``p`` makes."""
        kind = _kind(hasattr(p, "init_images"))
        settings = {item.name: getattr(p, item.name) for item in fields(kind) if item.init and item.name not in _LEFT_OUT}
        if hasattr(p, "init_images"):
            settings["mask"] = p.image_mask
        elif isinstance(p.hr_prompt, str) and p.hr_prompt != p.prompt:
            settings["hr_prompt"] = p.hr_prompt
        return cls(settings, outer=p)

    @classmethod
    def like(cls, picture: Image.Image, infotext: str, others: Mapping[str, Any] | None = None) -> InnerJobs:
        """Of pictures like one that is finished.

        Args:
            others: settings instead of what the infotext says.

        Raises:
            GenerationError: when its numbers make no sense.
        """
        prompt, negative, told = parts(infotext)
        width, height = _size(told.get("Size", ""), picture.size)
        settings: dict[str, Any] = {
            "negative_prompt": negative,
            "sampler_name": told.get("Sampler", "Euler a"),
            "scheduler": told.get("Schedule type"),
            "steps": int(_number(told.get("Steps"), 20)),
            "cfg_scale": _number(told.get("CFG scale"), 7.0),
            "width": width,
            "height": height,
        }
        strength = _number(told.get("Denoising strength"), 0.75)
        if "Hires upscale" in told or "Hires resize" in told:
            across, down = _size(told.get("Hires resize", ""), (0, 0))
            settings |= {
                "enable_hr": True,
                "denoising_strength": strength,
                "hr_scale": _number(told.get("Hires upscale"), 2.0),
                "hr_resize_x": across,
                "hr_resize_y": down,
                "hr_upscaler": told.get("Hires upscaler"),
                "hr_second_pass_steps": int(_number(told.get("Hires steps"), 0)),
            }
        elif "Denoising strength" in told:
            settings |= {"init_images": [picture.convert("RGB")], "denoising_strength": strength}
        return cls({**settings, **(others or {})}, prompt)

    def generate(self, plan: Plan, seed: int) -> Image.Image:
        """
        Raises:
            Stopped: when the user stops the webui's job.
            GenerationError: when it cannot be made.
        """
        plan = self._based(plan)
        return self._run(_kind("init_images" in self.settings)(**self.settings, **_alone(plan, seed)), plan)

    def repaint(self, picture: Image.Image, mask: Image.Image, plan: Plan, strength: float, seed: int) -> Image.Image:
        """The masked part and what is around it, cut out, painted in the size of the job's pictures, and put back.

        Raises:
            Stopped: when the user stops the webui's job.
            GenerationError: when it cannot be made.
        """
        window = window_of(mask, picture.size)
        part, inside = picture.crop(window), mask.crop(window)
        size = window.painted_size(min(self.settings["width"], self.settings["height"]))
        plan = self._based(window.part_of(plan, picture.size, size))
        p = processing.StableDiffusionProcessingImg2Img(
            **{name: self.settings[name] for name in _PAINTING if name in self.settings},
            **_alone(plan, seed),
            width=size[0],
            height=size[1],
            init_images=[part.resize(size, Image.Resampling.LANCZOS)],
            mask=inside.resize(size, Image.Resampling.BILINEAR),
            denoising_strength=strength,
            mask_blur_x=0,
            mask_blur_y=0,
            inpainting_fill=1,  # what is there
            inpaint_full_res=False,
            restore_faces=False,
        )
        p.color_corrections = []
        result = picture.copy()
        result.paste(self._run(p, plan).resize(part.size, Image.Resampling.LANCZOS), window[:2])
        return result

    def _based(self, plan: Plan) -> Plan:
        return replace(plan, base_prompt=with_networks_of(self.prompt, plan.base_prompt or plan.main_prompt))

    def _run(self, p: Any, plan: Plan) -> Image.Image:
        runner, p.script_args = _only_ours(hasattr(p, "init_images"), plan)
        p.scripts = runner
        with closing(p), self._inside(p):
            images = processing.process_images(p).images
            if not images or shared.state.interrupted or shared.state.skipped:
                raise Stopped("The webui's job was stopped.")
        made: Image.Image = images[0].convert("RGB")
        return made

    @contextmanager
    def _inside(self, p: Any) -> Iterator[None]:
        """What the other job must not notice is as before in the end."""
        if stopping():
            raise Stopped("The webui's job was stopped.")
        state, options = shared.state, shared.cmd_opts
        state.job_count = max(state.job_count, 0) + (2 if getattr(p, "enable_hr", False) else 1)
        kept, options.no_prompt_history = options.no_prompt_history, True  # else the paste button would give this job's prompt
        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        try:
            with torch.random.fork_rng(devices):
                torch.manual_seed(p.seed)  # the host's autoencoder draws without a seed
                yield
        finally:
            options.no_prompt_history = kept
            if self.outer is not None:
                sd_models.apply_token_merging(self.outer.sd_model, self.outer.get_token_merging_ratio())


def _kind(from_picture: bool) -> Any:
    return processing.StableDiffusionProcessingImg2Img if from_picture else processing.StableDiffusionProcessingTxt2Img


def _alone(plan: Plan, seed: int) -> dict[str, Any]:
    """One picture by the plan, kept nowhere."""
    return {"prompt": plan.base_prompt, "seed": seed, "do_not_save_samples": True, "do_not_save_grid": True}


def _only_ours(from_picture: bool, plan: Plan) -> tuple[Any, list[Any]]:
    """The host's runner of scripts with none but this extension's, and the scripts' arguments."""
    runner = copy.copy(scripts.scripts_img2img if from_picture else scripts.scripts_txt2img)
    runner.alwayson_scripts = [script for script in runner.alwayson_scripts if script.title() == TITLE]
    runner.selectable_scripts = []
    runner.callback_map = {}
    (ours,) = runner.alwayson_scripts
    return runner, [0, *[None] * (ours.args_from - 1), plan.to_dict(), True, *[None] * (ours.args_to - ours.args_from - 2)]


def _number(text: str | None, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError:
        raise GenerationError(f"The picture's infotext has {text!r} where a number should be.") from None


def _size(text: str, default: tuple[int, int]) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return (int(_number(width, 0)), int(_number(height, 0))) if width and height else default
