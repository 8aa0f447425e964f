"""AUTOMATIC1111's webui behind the host's seam."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import nullcontext
from functools import reduce
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from modules import (
    devices,
    extra_networks,
    paths_internal,
    prompt_parser,
    scripts,
    sd_hijack,
    sd_models,
    sd_samplers,
    sd_unet,
    shared,
)
from modules.styles import extract_style_text_from_prompt
from torch import Tensor, nn

from rpg.areas.layout import Box
from rpg.cut import WHOLE
from rpg.errors import GenerationError
from rpg.networks import Tags, without_networks
from rpg.plan import Plan, suited_latent_ratio
from rpg.steering.branches import LowRank
from rpg.steering.hooks import is_replaced
from rpg.steering.steering import Steering
from rpg.webui.controlnet import ControlNet
from rpg.webui.host import PromptSchedule, tokens
from rpg.webui.lora import RegionLora


def data_folder() -> Path:
    """Where the webui keeps what belongs to its user: its own folder, or that of ``--data-dir``."""
    return Path(paths_internal.data_path)


class A1111:
    """See :class:`rpg.webui.host.Host`; ``p`` is a ``StableDiffusionProcessing``."""

    def __init__(self, p: Any) -> None:
        self.p = p
        self._caches: dict[tuple[object, ...], list[Any]] = {}
        self._multipliers: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
        self._lora = RegionLora()
        self._hashes: dict[str, str] = {}

    def unet(self) -> nn.Module:
        if self.p.extra_generation_params.get("RP Active"):
            raise GenerationError(
                "Regional Prompter and RPG are both on, and each wants to place the prompts; turn one of them off."
            )
        if sd_unet.current_unet is not None:
            raise GenerationError(
                f"The UNet is replaced by {sd_unet.current_unet_option.label}, which regions cannot steer; "
                "set Settings > Stable Diffusion > SD Unet to None, or turn RPG off."
            )
        return self._unet()

    def _unet(self) -> nn.Module:
        unet: nn.Module = self.p.sd_model.model.diffusion_model
        return unet

    def begin(self, steering: Steering, x: Tensor) -> None:
        """Nothing: the guidance scale is set when the UNet has answered."""

    def end(self) -> None:
        self._note_hashes()  # the hires pass writes them anew

    def stand_in(self) -> ControlNet | None:
        found = self._controlnet()
        if found:
            found.check()
        return found

    def _controlnet(self) -> ControlNet | None:
        unet = self._unet()
        return ControlNet.of(unet, getattr(self.p.scripts, "alwayson_scripts", []), inpaints=getattr(unet, "in_channels", 4) == 9)

    def weights(self) -> Hashable:
        loaded = getattr(sys.modules.get("networks"), "loaded_networks", [])
        return (
            self.p.sd_model.sd_checkpoint_info.filename,  # a refiner of the same layout is read into the same UNet
            *((net.name, net.unet_multiplier, net.dyn_dim) for net in loaded),
            *(
                (hypernetwork.name, *(layer.multiplier for pair in hypernetwork.layers.values() for layer in pair))
                for hypernetwork in shared.loaded_hypernetworks
            ),
        )

    def has_regional_networks(self) -> bool:
        """Whether a region can have a LoRA for itself; otherwise, all act on the whole picture."""
        return RegionLora.is_there() and not self.p.disable_extra_networks

    def load_networks(self, regions: Sequence[Tags]) -> None:
        """Read what regions name, before the host says what it has not found."""
        if any(regions):
            self._hashes = self._lora.load(regions)
            self._note_hashes()

    def _note_hashes(self) -> None:
        if self._hashes and shared.opts.lora_add_hashes_to_infotext:
            hashes: dict[str, str] = getattr(self.p, "lora_hashes", {})
            hashes |= {re.sub("[:,]", "", name): value for name, value in self._hashes.items()}
            self.p.lora_hashes = hashes
            self.p.extra_generation_params["Lora hashes"] = ", ".join(f"{name}: {value}" for name, value in hashes.items())

    def branches(self, unet: nn.Module, regions: Sequence[Tags]) -> dict[int, dict[nn.Module, list[LowRank]]]:
        return self._lora.branches(unet, regions)

    def latent_ratio(self) -> float:
        """What suits the model; none where something has taken the UNet's place, so that no region can be denoised by itself."""
        found = self._controlnet()
        if is_replaced(self._unet()) if found is None else found.uncut():
            return 0.0
        return suited_latent_ratio(_metadata(self.p.sd_model.sd_checkpoint_info))

    def is_hires(self) -> bool:
        return bool(getattr(self.p, "is_hr_pass", False))

    def starts_from_picture(self) -> bool:
        return bool(getattr(self.p, "init_images", None))

    def guide(self, denoiser: Any, scale: Callable[[float], float]) -> None:
        given = self._multipliers.setdefault(denoiser, denoiser.cond_scale_miltiplier)  # sic; some samplers set it
        own = float(self.p.cfg_scale)
        denoiser.cond_scale_miltiplier = given * scale(own) / own if own else given

    def rows(self) -> list[int]:
        return [len(parts) for parts in self.p.get_conds()[0].batch]

    def base_prompts(self) -> list[list[str]]:
        p = self.p
        return [list(pair) for pair in zip(p.prompts, *([p.hr_prompts] if getattr(p, "hr_prompts", None) else []))]

    def and_weights(self, prompts: Sequence[str]) -> list[list[float]]:
        return [[weight for _, weight in parts] for parts in prompt_parser.get_multicond_prompt_list(prompts)[0]]

    def negative_prompts(self) -> list[str]:
        prompts: list[str] = self.p.hr_negative_prompts if self.is_hires() else self.p.negative_prompts
        return prompts

    def schedule(self, prompt: str, *, negative: bool, networks: Tags) -> PromptSchedule:
        # One by one, as the host encodes its own: in a batch, longer prompts and emphasis would change the others.
        p, hires, hires_steps = self.p, self.is_hires(), None
        width, height = (p.hr_upscale_to_x, p.hr_upscale_to_y) if hires else (p.width, p.height)
        merged = p.hr_extra_network_data if hires else p.extra_network_data
        if hires:
            sampler = sd_samplers.find_sampler_config(p.hr_sampler_name or p.sampler_name)
            count = p.hr_second_pass_steps or p.steps
            hires_steps = sampler.total_steps(count) if sampler else count
        texts = prompt_parser.SdConditioning([prompt], is_negative_prompt=negative, width=width, height=height)
        cache = self._caches.setdefault((hires, negative, prompt, tuple(networks.values())), [None, None])

        def encode(*args: Any) -> Any:
            of = prompt_parser.get_learned_conditioning if negative else prompt_parser.get_multicond_learned_conditioning
            with self._lora.encoding(networks) if networks else nullcontext():
                return of(*args)

        with devices.autocast():
            conds = p.get_conds_with_caching(encode, texts, p.firstpass_steps, [cache], merged, hires_steps)
        p.extra_generation_params.update(getattr(sd_hijack.model_hijack, "extra_generation_params", {}))
        if negative:
            return lambda step: tokens(prompt_parser.reconstruct_cond_batch(conds, step))
        return lambda step: tokens(prompt_parser.reconstruct_multicond_batch(conds, step)[1])

    def pad(self, denoiser: Any, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
        if positive.shape[1] == negative.shape[1]:
            return positive, negative
        if shared.opts.pad_cond_uncond_v0:
            self.p.extra_generation_params["Pad conds v0"] = True
            return denoiser.pad_cond_uncond_v0(positive, negative)
        if shared.opts.pad_cond_uncond:
            self.p.extra_generation_params["Pad conds"] = True
            return denoiser.pad_cond_uncond(positive, negative)
        return positive, negative

    def captions(self) -> list[str]:
        """Every picture's main prompt without the job's styles: what a planner plans."""
        chosen = [style for style in shared.prompt_styles.get_style_prompts(self.p.styles) if style]
        return [
            reduce(lambda text, style: extract_style_text_from_prompt(style, text)[1], chosen[::-1], prompt)
            for prompt in self.p.all_prompts
        ]

    def worded(self, text: str, negative: bool) -> str:
        """A prompt with the job's styles and without comments, as the host makes its own."""
        styles = shared.prompt_styles
        text = (styles.apply_negative_styles_to_prompt if negative else styles.apply_styles_to_prompt)(text, self.p.styles)
        own = next((data.module for data in scripts.scripts_data if hasattr(data.module, "strip_comments")), None)
        if not getattr(shared.opts, "enable_prompt_comments", own is not None):  # reForge has no such option
            return text
        if own is not None:
            return str(own.strip_comments(text))
        return re.sub(r"#[^\n]*(\n|$)", "\n", re.sub(r"(^|\n)#[^\n]*(\n|$)", "\n", text))

    def in_hires_pass(self, plans: Sequence[Plan], tags: Iterable[str]) -> None:
        """The base prompts of ``plans`` and the networks of ``tags`` in the hires pass of the batch, which the host has made
        ready; a hires prompt of its own stays, and its values of the networks."""
        p = self.p
        if getattr(p, "hr_prompts", None) is None:
            return
        first = p.iteration * p.batch_size
        written = zip(p.all_hr_prompts[first:], p.all_prompts[first:], plans)
        kept = [hires != main or not plan.base_prompt for hires, main, plan in written]
        p.hr_prompts = [old if keep else without_networks(plan.base_prompt) for keep, old, plan in zip(kept, p.hr_prompts, plans)]
        named = p.hr_extra_network_data if kept[0] else extra_networks.parse_prompt(plans[0].base_prompt)[1]
        data = {name: list(params) for name, params in (named or {}).items()}
        for name, params in extra_networks.parse_prompt("".join(tags))[1].items():
            present = data.setdefault(name, [])
            known = [param.items[0] for param in present]
            present += [param for param in params if param.items[0] not in known]
        p.hr_extra_network_data = data

    def why_not_again(self) -> str:
        """Why pictures like the one that is made cannot be made inside the generation; empty where they can."""
        if self._controlnet():
            return "RPG: pictures with ControlNet are not checked and repaired as they are made; press Repair afterwards."
        if not self.p.paste_to and self.parts() != [WHOLE] * len(self.p.prompts):
            return "RPG: parts of a picture are not checked and repaired; press Repair when it is whole."
        return ""

    def parts(self) -> list[Box]:
        """Which part of the whole picture each picture of the batch is."""
        p = self.p
        if p.paste_to:  # the surroundings of a mask, by themselves
            (x, y, across, down), (width, height) = p.paste_to, p.init_images[0].size
            return [Box(x / width, y / height, (x + across) / width, (y + down) / height)] * len(p.prompts)
        tiles = _tiles(getattr(p, "init_images", None) or []) or [WHOLE]
        return (tiles * len(p.prompts))[: len(p.prompts)]  # the host repeats a single image


def _tiles(images: Sequence[Any]) -> list[Box]:
    """Where the images lie that SD upscale cut out of a picture; it tells that nobody."""
    frame = inspect.currentframe()
    while frame and not (frame.f_code.co_name == "run" and frame.f_code.co_filename.endswith("sd_upscale.py")):
        frame = frame.f_back
    if not frame:
        return []
    grid, work = frame.f_locals["grid"], frame.f_locals["work"]
    width, height = grid.image_w, grid.image_h
    tiles = [(x, y, x + across, y + down) for y, down, row in grid.tiles for x, across, _ in row]
    boxes = {
        id(image): Box(left / width, top / height, right / width, bottom / height)
        for image, (left, top, right, bottom) in zip(work, tiles)
    }
    return [boxes[id(image)] for image in images if id(image) in boxes]


def _metadata(info: Any) -> Any:
    """Of a checkpoint's file."""
    file = Path(info.filename)
    if info.metadata or file.suffix != ".safetensors" or not file.exists():
        return info.metadata
    return sd_models.read_metadata_from_safetensors(file)  # reForge forgets it


def serves_others() -> bool:
    """Whether other machines can reach the webui."""
    options = shared.cmd_opts
    return bool(options.listen or options.share or options.ngrok or options.server_name)


def interrupted() -> bool:
    """Whether the user wants the job to end."""
    return bool(shared.state.interrupted or shared.state.skipped)
