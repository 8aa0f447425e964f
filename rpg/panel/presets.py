"""The presets section: plans kept under a name, and texts from elsewhere that become plans."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gradio as gr

from rpg.errors import PlanError, RPGError
from rpg.foreign import plan_from_text
from rpg.panel.lines import error_line, status_line
from rpg.plan import load_plan_json
from rpg.presets import Presets
from rpg.presets.store import with_texts_of


def build_presets(tab: str, plan: gr.Textbox, presets: Presets) -> None:
    """Add the section; it reads and writes ``plan``, so that what it loads can be undone like any edit."""

    def named(name: str, **kwargs: Any) -> dict[str, Any]:
        return {"elem_id": f"rpg-{tab}-{name}", **kwargs}

    with gr.Accordion("Presets and import", open=False, **named("presets")):
        with gr.Row(equal_height=False, elem_classes="rpg-planning"):
            choice = gr.Dropdown(presets.names(), value=None, label="Preset", min_width=120, **named("preset"))
            load = gr.Button("Load", min_width=96, scale=0, **named("preset-load"))
            delete = gr.Button("Delete", min_width=96, scale=0, **named("preset-delete"))
        with gr.Row(equal_height=False, elem_classes="rpg-planning"):
            name = gr.Textbox(label="Name", max_lines=1, placeholder="New name", min_width=120, **named("preset-name"))
            save = gr.Button("Save", min_width=96, scale=0, **named("preset-save"))
            rename = gr.Button("Rename", min_width=96, scale=0, **named("preset-rename"))
        text = gr.Textbox(
            label="Plan from elsewhere",
            lines=2,
            max_lines=8,
            placeholder="JSON, infotext, Regional Prompter, Forge Couple, Omost",
            **named("import"),
        )
        with gr.Row():
            take = gr.Button("Take over", size="sm", min_width=90, **named("import-button"))
            export = gr.Button("Download JSON", size="sm", min_width=90, **named("export-button"))
        status = gr.HTML(elem_classes="rpg-message", **named("preset-status"))

    for component in (choice, name, text):
        component.do_not_save_to_config = True

    def answer(inputs: list[Any], outputs: list[Any]) -> dict[str, Any]:
        return {"inputs": inputs, "outputs": outputs, "show_progress": False, "queue": False}

    def loading(chosen: str | None, present: str) -> tuple[Any, str]:
        return said(lambda: (loaded(presets, chosen, present), f"Loaded {chosen}."))

    def saving(given: str, chosen: str | None, present: str) -> tuple[Any, str]:
        def act() -> tuple[dict[str, Any], str]:
            kept = presets.save(given.strip() or chosen or "", load_plan_json(present))
            return choices(presets, kept), f"Saved {kept}."

        return said(act)

    def renaming(chosen: str | None, given: str) -> tuple[Any, str]:
        def act() -> tuple[dict[str, Any], str]:
            kept = presets.rename(chosen_name(chosen), given)
            return choices(presets, kept), f"Renamed {chosen} to {kept}."

        return said(act)

    def deleting(chosen: str | None) -> tuple[Any, str]:
        def act() -> tuple[dict[str, Any], str]:
            presets.delete(chosen_name(chosen))
            return choices(presets, None), f"Deleted {chosen}."

        return said(act)

    def taking(pasted: str) -> tuple[Any, str]:
        def act() -> tuple[str, str]:
            made = plan_from_text(pasted)
            return made.to_json(), f"Took over {len(made.regions)} regions." + f" {made.notes}".rstrip()

        return said(act)

    choice.focus(lambda: gr.update(choices=presets.names()), **answer([], [choice]))
    load.click(loading, **answer([choice, plan], [plan, status]))
    save.click(
        saving, **answer([name, choice, plan], [choice, status]), _js=f"(name, chosen) => [name, chosen, rpgDraft('{tab}')]"
    )
    rename.click(renaming, **answer([choice, name], [choice, status]))
    delete.click(deleting, **answer([choice], [choice, status]))
    take.click(taking, **answer([text], [plan, status]))
    export.click(fn=None, _js=f"() => rpgDownload('{tab}')")


def said(act: Callable[[], tuple[Any, str]]) -> tuple[Any, str]:
    """The value that ``act`` gives, and what it says as a line of HTML; after an error no value changes."""
    try:
        value, sentence = act()
    except RPGError as error:
        return gr.update(), error_line(str(error))
    return value, status_line(sentence)


def chosen_name(chosen: str | None) -> str:
    if not chosen:
        raise PlanError("No preset is chosen; choose one in the list first.")
    return chosen


def choices(presets: Presets, chosen: str | None) -> dict[str, Any]:
    update: dict[str, Any] = gr.update(choices=presets.names(), value=chosen)
    return update


def loaded(presets: Presets, name: str | None, present: str) -> str:
    """A preset as JSON; its regions without a prompt keep the texts that are there."""
    try:
        data = load_plan_json(present) if present.strip() else None
    except RPGError:
        data = None
    return json.dumps(with_texts_of(presets.load(chosen_name(name)), data), ensure_ascii=False)
