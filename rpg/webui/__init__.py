"""The extension inside the stable-diffusion-webui. The only place that imports the host's ``modules``."""

from modules import script_callbacks

from rpg.webui import job, xyz
from rpg.webui.script import RPGScript

__all__ = ["RPGScript", "register"]


def register() -> None:
    """Register the callbacks. The host forgets them at every reload and runs the script file again."""
    script_callbacks.on_cfg_denoiser(job.on_cfg_denoiser)
    script_callbacks.on_before_ui(xyz.add_axes)
