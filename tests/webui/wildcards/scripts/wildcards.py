"""What dynamic prompts and wildcards do: give every picture of a job a prompt of its own, late."""

import itertools
import re
from typing import Any

import gradio as gr
from modules import scripts


class Wildcards(scripts.Script):
    def title(self) -> str:
        return "Wildcards"

    def show(self, is_img2img: bool) -> Any:
        return scripts.AlwaysVisible

    def ui(self, is_img2img: bool) -> list[Any]:
        return [gr.Textbox("", visible=False, label=label) for label in ("Whole prompts, one a line", "name=value,value")]

    def process(self, p: Any, lines: str, wildcard: str) -> None:
        if prompts := lines.splitlines():
            p.all_prompts = [prompts[number % len(prompts)] for number in range(len(p.all_prompts))]
        name, _, values = wildcard.partition("=")
        if name:
            following = itertools.cycle(values.split(","))
            p.all_prompts = [re.sub(f"__{name}__", lambda _: next(following), prompt) for prompt in p.all_prompts]
