"""What the host calls."""

from modules import script_callbacks

from rpg.webui import job, routes, xyz


def register() -> None:
    """Register the callbacks. The host forgets them at every reload and runs the script file again."""
    script_callbacks.on_cfg_denoiser(job.on_cfg_denoiser)
    script_callbacks.on_before_ui(xyz.add_axes)
    script_callbacks.on_app_started(routes.add_routes)
