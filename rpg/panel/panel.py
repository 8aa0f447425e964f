"""The panel: the layout editor that javascript/ draws, and the planning section above it."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass

import gradio as gr

from rpg.areas.layout import LIMITS
from rpg.panel.draft import NOTHING_PLANNED, problem
from rpg.panel.lines import error_line
from rpg.panel.planning import build_planning
from rpg.panel.presets import build_presets
from rpg.panel.refining import Refining, build_refining
from rpg.plan import SETTINGS
from rpg.presets import Presets, user_folder


@dataclass(frozen=True)
class Panel:
    """The components of one tab.

    Fields:
        plan: hidden; the JSON of the plan, of an unfinished draft, or of the planner's settings (see
            :mod:`rpg.panel.draft`). The only one whose value a script needs.
        message: what is wrong with the plan.
        planners: their names by label.
    """

    plan: gr.Textbox
    message: gr.HTML
    refining: Refining
    planners: dict[str, str]


def build_panel(tab: str, presets: Presets | None = None, lora: bool = False) -> Panel:
    """Add the panel to the page that is being built. May be called once for each tab of it.

    Args:
        tab: ``txt2img``, ``img2img`` or ``standalone``: the middle of all ids, and where to find the main prompt and size.
        presets: by default those in the user's own folder.
        lora: whether a region's prompt can name one.
    """
    with gr.Column(elem_classes="rpg-panel"):
        with gr.Column(elem_classes="rpg-hidden"):
            # Hidden by style.css: a component that is not visible is not in the page, where the editor has to reach it.
            plan = gr.Textbox("", label="RPG plan", elem_id=f"rpg-{tab}-plan", lines=1, max_lines=20)
            plan.do_not_save_to_config = True
        planning = build_planning(tab, plan)
        data = {"defaults": NOTHING_PLANNED, "settings": SETTINGS, "limits": LIMITS, "lora": lora}
        attributes = " ".join(f'data-rpg-{name}="{html.escape(json.dumps(value))}"' for name, value in data.items())
        gr.HTML(f'<div class="rpg-editor" data-rpg-tab="{tab}" {attributes}></div>', elem_id=f"rpg-{tab}-editor")
        message = gr.HTML(elem_id=f"rpg-{tab}-message", elem_classes="rpg-message")
        refining = build_refining(tab, planning)
        build_presets(tab, plan, presets or Presets(user_folder() / "presets"))
    plan.change(fn=None, inputs=[plan], outputs=[planning.on_generate], _js=f"() => rpgPlanChanged('{tab}')")
    # Gradio drops a change that comes while the one before is being answered: look again when it is.
    answer = {"fn": validate, "inputs": [plan], "outputs": [message], "show_progress": False, "queue": False}
    plan.change(**answer).then(**answer)
    return Panel(plan, message, refining, planning.names)


def validate(text: str) -> str:
    """The line of HTML that says what is wrong with the plan; empty when nothing is."""
    return error_line(problem(text))
