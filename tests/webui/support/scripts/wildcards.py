"""What dynamic prompts and wildcards do: give every picture of a job a prompt of its own, late."""

from typing import Any

from modules import scripts


class Wildcards(scripts.Script):
    def title(self) -> str:
        return "Wildcards"

    def show(self, is_img2img: bool) -> Any:
        return scripts.AlwaysVisible

    def process(self, p: Any, *prompts: str) -> None:
        if prompts:
            p.all_prompts = [prompts[number % len(prompts)] for number in range(len(p.all_prompts))]
