"""The always-visible script: panel, arguments, infotext, and the job around ``p.sample``."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from modules import script_callbacks, scripts, shared
from modules.ui_components import InputAccordion

from rpg.llm import trust
from rpg.panel.panel import build_panel
from rpg.plan import Plan, suited_latent_ratio
from rpg.planners import PlanRequest, Subject, make_plan
from rpg.webui import a1111, job, networks, routes, xyz
from rpg.webui.arguments import override, parse_arguments
from rpg.webui.job import Job

TITLE = "RPG"
INFOTEXT = "RPG plan"
ENABLED = "RPG enabled"


class RPGScript(scripts.Script):
    """Hosts match scripts by title and arguments by position: both are part of the API."""

    def title(self) -> str:
        return TITLE

    def show(self, is_img2img: bool) -> Any:
        return scripts.AlwaysVisible

    def ui(self, is_img2img: bool) -> list[Any]:
        tab = "img2img" if is_img2img else "txt2img"
        with InputAccordion(False, label=TITLE, elem_id=f"rpg-{tab}") as enabled:
            panel = build_panel(tab)
        enabled.value = None  # nobody touched it: what the API sends without a second argument
        self.infotext_fields = [
            (enabled, _enabled_by),
            (enabled, ENABLED),  # the host's Send buttons know fields by name
            (panel.plan, INFOTEXT),
        ]
        self.paste_field_names = [INFOTEXT, ENABLED]
        return [panel.plan, enabled]

    def process(self, p: Any, *args: Any) -> None:
        p.rpg = state = State()
        with state.catch():
            plan = _plan(p, *args)
            if plan is not None:
                p.extra_generation_params[INFOTEXT] = plan.to_json()
                state.job = Job(a1111.A1111(p), plan)
                state.tags = networks.tags(_texts(plan))

    def before_process_batch(self, p: Any, *args: Any, **kwargs: Any) -> None:
        state: State = p.rpg
        if state.tags and p.prompts:
            with state.catch():
                named = networks.tags(p.prompts[:1])
                wanted = networks.tags([*named.values(), *state.tags.values()])
                p.prompts[0] += "".join(tag for name, tag in wanted.items() if name not in named)

    def process_batch(self, p: Any, *args: Any, **kwargs: Any) -> None:
        state: State = p.rpg
        if state.tags and getattr(p, "hr_extra_network_data", None) is not None:
            p.hr_extra_network_data = a1111.add_networks(p.hr_extra_network_data, state.tags.values())
        if state.job is not None or state.error is not None:
            wrap_sample(p, state)


@dataclass
class State:
    """What a generation carries from ``process`` to its batches."""

    job: Job | None = None
    error: Exception | None = None
    tags: dict[tuple[str, str], str] = field(default_factory=dict)

    @contextmanager
    def catch(self) -> Iterator[None]:
        """Keep an error for ``p.sample``: raised in a callback, the host would log it and carry on without the regions."""
        try:
            yield
        except Exception as error:
            self.error = error


def _enabled_by(params: dict[str, Any]) -> Any:
    """What a pasted infotext makes of the switch."""
    return gr.update() if INFOTEXT in shared.opts.infotext_skip_pasting else gr.update(value=INFOTEXT in params)


def register() -> None:
    """Register what the host calls. It forgets that at every reload and runs the script file again."""
    if a1111.serves_others():
        trust.serve_others()
    script_callbacks.on_cfg_denoiser(job.on_cfg_denoiser)
    script_callbacks.on_before_ui(lambda: xyz.add_axes(scripts.scripts_data))
    script_callbacks.on_app_started(routes.add_routes)


def _plan(p: Any, plan: Any = "", enabled: Any = None, *_: Any) -> Plan | None:
    """The plan that the script's arguments and the X/Y/Z axes ask for."""
    changes = dict(getattr(p, "rpg_changes", {}))
    if "enabled" in changes:
        enabled = changes.pop("enabled")
        plan = {**plan, "enabled": enabled} if isinstance(plan, dict) else plan
    wanted = parse_arguments(plan, enabled, Subject(p.main_prompt, p.width, p.height))
    if isinstance(wanted, PlanRequest):
        wanted = make_plan(wanted, cancelled=a1111.interrupted)
    return wanted and override(wanted, changes).for_model(suited_latent_ratio(p.sd_model.sd_checkpoint_info.metadata))


def _texts(plan: Plan) -> list[str]:
    """Where the host looks for extra networks: not in negative prompts."""
    return [plan.base_prompt, *(region.prompt for region in plan.regions)]


def wrap_sample(p: Any, state: State) -> None:
    """Make the next call of ``p.sample``, and only that, run the job or raise the error.

    What stood there before, perhaps another script's function, is called and put back.
    """
    own = p.__dict__.get("sample")
    original = p.sample

    @functools.wraps(original)
    def sample(*args: Any, **kwargs: Any) -> Any:
        if own is None:
            p.__dict__.pop("sample", None)
        else:
            p.sample = own
        if state.error is not None:
            raise state.error
        assert state.job is not None
        return state.job.sample(original, *args, **kwargs)

    p.sample = sample
