"""The section Refine: who looks at pictures, and buttons that check, repair and edit the selected one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from rpg.editing.actions import Action, Wanted
from rpg.editing.loop import MAX_ROUNDS, ROUNDS, Limits
from rpg.editing.masks import DEFAULT_METHOD, METHODS
from rpg.editing.refinement import OFFLINE_CRITIC, Looker, Refinement
from rpg.editing.repaint import Masking
from rpg.errors import EditingError
from rpg.panel.planning import Planning
from rpg.planners.registry import RULES

OFFLINE, PLANNER = "Offline: coloured shapes only", "The planner's model"
"""The critics."""


@dataclass(frozen=True)
class Refining:
    """The components of the section.

    Fields:
        wanted: hidden; what Generate shall do with new pictures, as JSON, or nothing. A script needs its value.
        task: hidden; a place for values that the page adds when a button is pressed.
        waiting: hidden; what waits for a look at its mask (:mod:`rpg.editing.waiting`), or nothing. The page shows it.
        inputs: what :func:`asked` takes the values of, behind what the page shows.
        buttons: by what they do. The host says with what, and where the results go.
    """

    wanted: gr.Textbox
    task: gr.Textbox
    waiting: gr.Textbox
    inputs: list[Any]
    buttons: dict[Action, gr.Button]


def build_refining(tab: str, planning: Planning) -> Refining:
    def named(name: str, **kwargs: Any) -> dict[str, Any]:
        return {"elem_id": f"rpg-{tab}-{name}", **kwargs}

    with gr.Accordion("Refine", open=False, **named("refine")):
        with gr.Row():
            critic = gr.Dropdown([OFFLINE, PLANNER], value=OFFLINE, label="Critic", min_width=240, **named("critic"))
            rounds = gr.Slider(0, MAX_ROUNDS, ROUNDS, step=1, label="Rounds", min_width=120, **named("rounds"))
            cut_out = gr.Dropdown(list(METHODS), value=DEFAULT_METHOD, label="Cut out by", min_width=120, **named("cut-out"))
        sam = gr.Textbox(label="Folder of a Segment Anything model", max_lines=1, placeholder="For sam", **named("sam"))
        on_generate = gr.Checkbox(
            label="Check and repair after Generate (with the server's own key)", **named("refine-on-generate")
        )
        instruction = gr.Textbox(
            label="Edit the selected picture", placeholder="make the left star green and remove the lamp", **named("instruction")
        )
        mask_first = gr.Checkbox(label="Show the mask first, to paint on it", **named("mask-first"))
        with gr.Row():
            buttons: dict[Action, gr.Button] = {
                "check": gr.Button("Check", size="sm", min_width=90, **named("check-button")),
                "repair": gr.Button("Repair", size="sm", min_width=90, **named("repair-button")),
                "edit": gr.Button("Edit", size="sm", min_width=90, **named("edit-button")),
                "region": gr.Button("Repaint region", size="sm", min_width=90, **named("region-button")),
            }
        with gr.Column(elem_classes="rpg-waiting"):
            gr.HTML(f'<div class="rpg-retouch" data-rpg-tab="{tab}"></div>')
            buttons["repaint"] = gr.Button("Repaint", size="sm", min_width=90, **named("repaint-button"))
        with gr.Column(elem_classes="rpg-hidden"):
            wanted = gr.Textbox("", label="RPG refine", lines=1, max_lines=20, **named("refine-wanted"))
            task = gr.Textbox("", label="RPG task", lines=1, max_lines=20, **named("refine-task"))
            waiting = gr.Textbox("", label="RPG mask", lines=1, max_lines=20, **named("refine-waiting"))
    for component in (on_generate, instruction, wanted, task, waiting):
        component.do_not_save_to_config = True
    for component in (critic, rounds, cut_out, sam, mask_first):
        component.custom_script_source = "rpg_script.py"
    names = json.dumps({**planning.names, OFFLINE: OFFLINE_CRITIC})
    settings = [critic, rounds, cut_out, sam, planning.provider, planning.model, planning.base_url]
    script = f"(...settings) => rpgRefinement({names}, ...settings)"
    for component in (on_generate, *settings):
        component.change(fn=None, inputs=[on_generate, *settings], outputs=[wanted], _js=script)
    waiting.change(fn=None, inputs=[waiting], outputs=[], _js=f"(text) => rpgShowMask('{tab}', text)")
    return Refining(wanted, task, waiting, [instruction, mask_first, *settings, planning.key], buttons)


def asked(names: dict[str, str], values: Sequence[Any]) -> Wanted:
    """
    Args:
        names: of the planners, by label.
        values: what the page shows (:attr:`rpg.editing.actions.Wanted.page`), and those of :attr:`Refining.inputs`.

    Raises:
        RPGError: with the sentence that the user sees.
    """
    page, instruction, mask_first, critic, rounds, cut_out, sam, planner, model, base_url, key = values
    provider = OFFLINE_CRITIC if critic == OFFLINE else names[planner]
    if provider == RULES.name:
        raise EditingError(
            "The planner is the offline rules, which see no pictures; choose one that does in the planner settings, or the "
            "offline critic."
        )
    looker = Looker() if provider == OFFLINE_CRITIC else Looker(provider, model or "", base_url, key)
    return Wanted(Refinement(looker, Limits(int(rounds)), Masking(cut_out, sam)), instruction, bool(mask_first), page or "")
