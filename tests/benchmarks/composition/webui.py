"""The same prompts inside the real webui, with this extension and with regional-prompter."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from PIL import Image

from rpg.shapes import LATENT_RATIO
from tests.benchmarks.composition.cases import Case
from tests.benchmarks.composition.methods import Settings, base_ratio
from tests.webui.host import Webui

OURS_THERE, REGIONAL_PROMPTER = "ours, in the webui", "regional-prompter, in the webui"
THERE = [Settings(OURS_THERE), Settings(OURS_THERE, latent_ratio=LATENT_RATIO), Settings(REGIONAL_PROMPTER)]


class InWebui:
    """A webui with both extensions and the embedded model, for as long as the context lasts.

    Args:
        regional_prompter: the other extension's folder.
    """

    def __init__(self, regional_prompter: Path) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.webui = Webui(Path(self.folder.name), extensions=[regional_prompter])

    def __enter__(self) -> InWebui:
        try:
            self.webui.wait(seconds=600)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.webui.stop()
        self.folder.cleanup()

    def picture(self, case: Case, settings: Settings, seed: int) -> Image.Image:
        ratio = base_ratio(case, settings)
        plan = case.plan(ratio)
        regions = [region.prompt for region in plan.regions]
        body: dict[str, Any] = {
            "prompt": case.caption,
            "width": case.arrangement.width,
            "height": case.arrangement.height,
            "cfg_scale": settings.guidance,
            "steps": settings.steps,
            "seed": seed,
            "sampler_name": settings.sampler,
            "scheduler": "Automatic",
        }
        if settings.method == OURS_THERE:
            body["rpg"] = {
                "regions": regions,
                "split_ratio": plan.split_ratio,
                "base_ratio": ratio,
                "latent_ratio": settings.latent_ratio,
            }
        else:
            # active, debug, tab, splitting, mask mode, prompt mode, ratios, base ratio, base prompt, common prompt, ...
            values = [True, False, "Matrix", "Columns", "Mask", "Prompt", plan.split_ratio, str(ratio), ratio > 0, False, False]
            values += ["Attention", [], "0", "0", "0", "", "0", "0", False]
            body["prompt"] = " BREAK ".join([*([case.caption] if ratio else []), *regions])
            body["alwayson_scripts"] = {"Regional Prompter": {"args": values}}
        return Image.fromarray(self.webui.generate(**body).image.astype("uint8"))
