"""The always-visible script: panel, arguments, infotext, and the job around ``p.sample``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr
from modules import processing, script_callbacks, scripts, shared
from modules.ui_components import InputAccordion

from rpg import networks
from rpg.areas.patches import check_sizes
from rpg.cut import WHOLE, cut
from rpg.errors import RPGError
from rpg.infotext import PLAN as INFOTEXT
from rpg.llm import trust
from rpg.panel.panel import Panel, build_panel
from rpg.plan import Plan
from rpg.planners import PlanRequest, Subject, make_plan
from rpg.planners.make import REUSED
from rpg.presets import Presets
from rpg.webui import a1111, distributed, edit_routes, inner_jobs, job, routes, wildcards, xyz
from rpg.webui.arguments import REFINE, TITLE, override, parse_arguments, prompts_of, replaced, rewritten, with_prompts
from rpg.webui.forge import Forge, is_forge
from rpg.webui.gallery import Gallery
from rpg.webui.job import Job
from rpg.webui.refine import GenerationRefining, based, first_seed, wanted_refinement
from rpg.webui.refusals import refusal
from rpg.webui.wrapping import wrap_once

ENABLED = "RPG enabled"
PRESETS = Presets(a1111.data_folder() / "rpg-presets")


EDITING_HOST = edit_routes.EditingHost(inner_jobs.InnerJobs.like, inner_jobs.queued, inner_jobs.stopping)


class RPGScript(scripts.Script):
    """Hosts match scripts by title and arguments by position: both are part of the API."""

    panel: Panel | None = None
    gallery: Gallery | None = None

    def title(self) -> str:
        return TITLE

    def show(self, is_img2img: bool) -> Any:
        return scripts.AlwaysVisible

    def ui(self, is_img2img: bool) -> list[Any]:
        tab = "img2img" if is_img2img else "txt2img"
        with InputAccordion(False, label=TITLE, elem_id=f"rpg-{tab}") as enabled:
            self.panel = panel = build_panel(tab, PRESETS, lora=True)
        enabled.value = None  # nobody touched it: what the API sends without a second argument
        self.infotext_fields = [
            (enabled, _enabled_by),
            (enabled, ENABLED),  # the host's Send buttons know fields by name
            (panel.plan, INFOTEXT),
        ]
        self.paste_field_names = [INFOTEXT, ENABLED]
        return [panel.plan, enabled, panel.refining.wanted]

    def after_component(self, component: Any, **kwargs: Any) -> None:
        if self.gallery is None:
            self.gallery = Gallery("img2img" if self.is_img2img else "txt2img")
        self.gallery.see(component, self.panel)

    def before_process(self, p: Any, *args: Any) -> None:
        resolved: list[list[str]] = []
        p.rpg_texts = resolved
        split = distributed.find(p)
        try:
            wanted = requested(p, "a caption", *args)
            texts = prompts_of(wanted) if wanted else []
            dynamic = any(map(wildcards.SYNTAX.search, texts))
            if split and (wanted or getattr(p, "rpg_changes", {})):
                self._distribute(p, split, wanted, dynamic, *args)
            if dynamic:
                wildcards.resolve(p, texts, resolved)
        except Exception as error:
            if split:
                split.alone()
                p.rpg_error = error
            elif not isinstance(error, RPGError):  # else process says what is wrong
                raise

    def _distribute(self, p: Any, split: distributed.Split, wanted: Plan | PlanRequest | None, dynamic: bool, *args: Any) -> None:
        """Settle what others shall do: they have neither the keys nor the X/Y/Z axes."""
        host, caption = a1111.A1111(p), ""
        if isinstance(wanted, PlanRequest):
            p.setup_prompts()
            caption, *others = dict.fromkeys(host.captions())
            dynamic = dynamic or bool(others or wildcards.SYNTAX.search(caption))
        inside = args[0].get(REFINE) if args and isinstance(args[0], Mapping) else None
        refine = inside or next(iter(args[2:]), None) or ""
        if dynamic:
            split.alone(
                "RPG: wildcards in regions, and different prompts that are planned on Generate, cannot be shared out; "
                "this machine makes all pictures."
            )
        elif (refinement := wanted_refinement(*args)) and refinement.looker.model_for():
            split.alone("RPG: a language model looks at pictures, and its key stays here; this machine makes all pictures.")
        else:
            plan = wanted and planned(host, caption, *args)
            p.rpg_changes, p.rpg_replaced = {}, []
            if refine:  # a worker's sheets would be taken for pictures
                given = json.loads(refine) if isinstance(refine, str) else refine
                refine = json.dumps({**given, "show_rounds": False})
            split.give(self.args_from, plan.to_json() if plan else "", plan is not None, refine)
            if plan:
                split.share()

    def postprocess(self, p: Any, processed: Any, *args: Any) -> None:
        if not a1111.interrupted():
            distributed.complete(p, processed, processing.process_images_inner)
        if (refining := p.rpg.refining) is not None:
            refining.show(processed.images, processed.infotexts, processed.index_of_first_image)

    def process(self, p: Any, *args: Any) -> None:
        p.rpg = state = State(Forge(p) if is_forge(p) else a1111.A1111(p), error=getattr(p, "rpg_error", None))
        with state.catch():
            state.on = requested(p, p.main_prompt, *args) is not None
            if state.on and (wanted := wanted_refinement(*args)):
                state.refining = GenerationRefining(wanted, inner_jobs.InnerJobs.within(p), inner_jobs.stopping)

    def before_process_batch(self, p: Any, *args: Any, **kwargs: Any) -> None:
        state: State = p.rpg
        if not state.on or state.error is not None or not p.prompts:
            return
        with state.catch():
            if not state.plans:  # all other scripts have had their say about the prompts
                state.plans = picture_plans(state.host, *args)
            plans = state.plans[p.iteration * p.batch_size :][: len(p.prompts)]
            written = [plan.to_json() for plan in plans]
            p.extra_generation_params[INFOTEXT] = written if len(set(written)) > 1 else written[0]
            if state.refining is not None:
                p.extra_generation_params.update(state.refining.begin(len(p.prompts)))
            parts = state.host.parts()
            for plan, part in zip(plans, parts):
                if part == WHOLE:
                    check_sizes(plan.areas, p.height // 8, p.width // 8)
            state.used = [rewritten(cut(plan.written_out(), part), state.host.worded) for plan, part in zip(plans, parts)]
            bases = [plan.base_prompt or prompt for plan, prompt in zip(state.used, p.prompts)]
            if bases != p.prompts:
                p.comment("RPG: the plan's base prompt stands in the main prompt's place.")
                p.prompts[:] = bases
            # The host takes a batch's networks from its first prompt, and none from negative prompts.
            share = networks.named if state.host.has_regional_networks() else networks.everywhere
            named = [
                share(p.prompts[0], [region.prompt for region in plan.regions], plan.areas.layout is not None)
                for plan in state.used
            ]
            state.tags = networks.tags(
                found.whole[key]
                for plan, found in zip(state.used, named)
                for region, own in zip(plan.regions, found.regions)
                for key in networks.tags([region.prompt])
                if key not in own
            )
            written_there = networks.tags(p.prompts[:1])
            networks.tags([*written_there.values(), *state.tags.values()])  # refuses one that has two values
            p.prompts[0] += "".join(tag for name, tag in state.tags.items() if name not in written_there)
            state.networks = named[0].regions
            state.job = Job(state.host, state.used, [found.regions for found in named])

    def process_batch(self, p: Any, *args: Any, **kwargs: Any) -> None:
        state: State = p.rpg
        if state.job is not None:
            with state.catch():
                state.host.load_networks(state.networks)
            state.host.in_hires_pass(state.used, state.tags.values())
        if state.job is not None or state.error is not None:
            wrap_once(p, "sample", state.sample)

    def postprocess_image_after_composite(self, p: Any, pp: Any, *args: Any) -> None:
        state: State = p.rpg
        if state.refining is None or state.error is not None or state.job is None or p.batch_index >= len(state.used):
            return  # the last of these: a picture that another machine has made
        if why_not := state.host.why_not_again():
            p.comment(why_not)
            return
        number = p.iteration * p.batch_size + p.batch_index
        plan = based(state.plans[number], state.host.captions()[number])
        pp.image = state.refining.picture(pp.image, plan, p.batch_index, first_seed(p.all_seeds, number))


@dataclass
class State:
    """What a generation carries from ``process`` to its batches.

    Fields:
        plans: one for each picture of all batches.
        used: those of the batch under way, as the host would word and cut them.
        job: of that batch.
        tags: the networks that its regions' prompts name for the whole picture.
        networks: those of single regions.
    """

    host: a1111.A1111
    on: bool = False
    plans: list[Plan] = field(default_factory=list)
    used: list[Plan] = field(default_factory=list)
    job: Job | None = None
    error: Exception | None = None
    refining: GenerationRefining | None = None
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    networks: Sequence[networks.Tags] = ()

    @contextmanager
    def catch(self) -> Iterator[None]:
        """Keep an error for ``p.sample``: raised in a callback, the host would log it and carry on without the regions."""
        try:
            yield
        except Exception as error:
            self.error = error

    def sample(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """In the place of ``p.sample``: run the job or raise the error."""
        try:
            if self.error is not None:
                raise self.error
            assert self.job is not None
            return self.job.sample(original, *args, **kwargs)
        except RPGError as error:
            if getattr(self.host.p, "is_api", False):
                raise refusal(error) from None
            raise


def requested(p: Any, caption: str, plan: Any = "", enabled: Any = None, *_: Any) -> Plan | PlanRequest | None:
    """What the script's arguments and the X/Y/Z axes ask for a picture with that caption."""
    changes = getattr(p, "rpg_changes", {})
    if "enabled" in changes:
        enabled = changes["enabled"]
        plan = {**plan, "enabled": enabled} if isinstance(plan, dict) else plan
    wanted = parse_arguments(plan, enabled, Subject(caption, p.width, p.height))
    wanted = wanted and replaced(wanted, getattr(p, "rpg_replaced", []))
    return override(wanted, changes) if isinstance(wanted, Plan) else wanted


def picture_plans(host: a1111.A1111, *args: Any) -> list[Plan]:
    """Every picture's plan; each distinct caption is planned once."""
    made: dict[str, Plan] = {}
    captions = host.captions()
    pairs = zip(captions, host.p.rpg_texts or [()] * len(captions))
    return [planned(host, caption, *args, texts=texts, made=made).for_model(host.latent_ratio()) for caption, texts in pairs]


def planned(host: a1111.A1111, caption: str, *args: Any, texts: Sequence[str] = (), made: dict[str, Plan] | None = None) -> Plan:
    """The plan of a picture with that caption.

    Args:
        texts: stand in the place of its prompts.
        made: plans of captions, which are not planned again; a new one is added.
    """
    made = {} if made is None else made
    wanted = requested(host.p, caption, *args)
    assert wanted is not None  # else the job would be off
    wanted = with_prompts(wanted, texts) if texts else wanted
    if isinstance(wanted, Plan):
        return wanted
    if caption not in made:
        made[caption] = make_plan(
            wanted, lambda event: host.p.comment(REUSED) if event.text == REUSED else None, a1111.interrupted
        )
    return override(replace(made[caption], **wanted.settings), getattr(host.p, "rpg_changes", {}))


def _enabled_by(params: dict[str, Any]) -> Any:
    """What a pasted infotext makes of the switch."""
    return gr.update() if INFOTEXT in shared.opts.infotext_skip_pasting else gr.update(value=INFOTEXT in params)


def register() -> None:
    """Register what the host calls. It forgets that at every reload and runs the script file again."""
    if a1111.serves_others():
        trust.serve_others()
    script_callbacks.on_cfg_denoiser(job.on_cfg_denoiser)
    script_callbacks.on_cfg_denoised(job.on_cfg_denoised)
    script_callbacks.on_before_ui(lambda: xyz.add_axes(scripts.scripts_data))
    script_callbacks.on_app_started(lambda _demo, app: routes.add_routes(app, PRESETS, EDITING_HOST))
