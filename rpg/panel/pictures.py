"""Pictures to start from and to follow, on the page of its own: a control and its hint, a picture with a mask painted on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from rpg.errors import RPGError
from rpg.inputs import STRENGTH, Control, Inputs, check_hint, check_strength, fitting, outlines, sized
from rpg.panel.lines import error_line, status_line

Controls = Mapping[str, str | None]
"""Kinds that a page offers, and their ControlNets; see :class:`rpg.inputs.Control`."""


class Canvas(gr.Image):
    """A picture to paint on; gradio's own fails before anything is painted."""

    def get_block_name(self) -> str:
        return "image"

    def preprocess(self, x: Any) -> Any:
        """Returns: the picture, and white on black what is painted, or None."""
        if not isinstance(x, dict) or x.get("mask"):
            return super().preprocess(x)
        return {"image": super().preprocess({**x, "mask": x["image"]})["image"], "mask": None}


@dataclass(frozen=True)
class Pictures:
    """The components of the section.

    Fields:
        start: its value has the picture as ``image`` and what was painted on it as ``mask``.
        photograph: of which the outlines are to be made.
    """

    controls: Controls
    control: gr.Image
    kind: gr.Dropdown
    scale: gr.Slider
    photograph: gr.Checkbox
    start: Canvas
    strength: gr.Slider

    @property
    def components(self) -> set[Any]:
        return {self.control, self.kind, self.scale, self.photograph, self.start, self.strength}

    def inputs(self, values: Mapping[Any, Any], size: tuple[int, int], steps: int) -> Inputs:
        """What the components' ``values`` say, brought to a width and a height.

        Raises:
            GenerationError: when a picture has another shape, a hint looks like something else, or the strength is no step.
        """
        strength, start = values[self.strength], values[self.start]
        controls: tuple[Control, ...] = ()
        if values[self.control] is not None:
            kind = values[self.kind]
            hint = sized("The control", hint_of(values[self.control], kind, values[self.photograph]), size)
            controls = (Control(self.controls[kind], hint, values[self.scale]),)
        if start is None:
            return Inputs(controls)
        check_strength(strength, steps)
        picture = sized("The picture to start from", start["image"].convert("RGB"), size)
        mask = start["mask"] and start["mask"].convert("RGB").convert("L")
        return Inputs(controls, picture, mask.resize(size) if mask and mask.getbbox() else None, strength)


def build_pictures(controls: Controls, area: int, width: gr.Slider, height: gr.Slider) -> Pictures:
    """Add the section. A picture that is chosen sets width and height, to its shape and about ``area`` pixels."""

    def named(name: str, **kwargs: Any) -> dict[str, Any]:
        return {"elem_id": f"rpg-standalone-{name}", **kwargs}

    with gr.Accordion("Picture and control", open=False, **named("pictures")):
        with gr.Row(visible=bool(controls)):
            control = gr.Image(type="pil", label="Control", height=180, min_width=120, **named("control"))
            hint = gr.Image(type="pil", label="Hint", height=180, min_width=120, interactive=False, **named("hint"))
        with gr.Row(visible=bool(controls), equal_height=False):
            kind = gr.Dropdown(list(controls), value=next(iter(controls), None), label="Kind", min_width=100, **named("kind"))
            scale = gr.Slider(0, 2, 1, step=0.05, label="Scale", min_width=120, **named("scale"))
        photograph = gr.Checkbox(
            False, label="A photograph: make its outlines", visible="canny" in controls, **named("photograph")
        )
        message = gr.HTML(
            "" if controls else status_line("Nothing to follow: name ControlNets by --control-model."),
            elem_classes="rpg-message",
            **named("control-message"),
        )
        label = "Picture to start from; paint what is made anew"
        start = Canvas(type="pil", tool="sketch", label=label, height=220, brush_radius=24, **named("start"))
        strength = gr.Slider(0.05, 1, STRENGTH, step=0.05, label="Strength", **named("strength"))

    def show(picture: Any, chosen: str, made: bool) -> tuple[Any, str]:
        if picture is None:
            return None, ""
        try:
            return hint_of(picture, chosen, made), ""
        except RPGError as error:
            return None, error_line(str(error))

    def shape(picture: Any) -> tuple[int, int]:
        return fitting(picture["image"] if isinstance(picture, dict) else picture, area)

    quick = {"show_progress": False, "queue": False}
    for component in (control, kind, photograph):
        component.change(show, [control, kind, photograph], [hint, message], **quick)
    for picture in (control, start):
        picture.upload(shape, [picture], [width, height], **quick)
    return Pictures(controls, control, kind, scale, photograph, start, strength)


def hint_of(picture: Any, kind: str, photograph: bool) -> Any:
    """The hint for a ControlNet.

    Raises:
        GenerationError: when it looks like something else, or cannot be made.
    """
    if photograph and kind == "canny":
        return outlines(picture)
    hint = picture.convert("RGB")
    check_hint("The control", kind, hint)
    return hint
