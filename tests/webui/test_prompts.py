"""Prompts that the host and its scripts make of what the user wrote: in the regions as in the main prompt."""

from __future__ import annotations

import json
import re
from typing import Any

from rpg.plan import Plan
from tests.webui.host import PROMPT, Answer, Webui, script_args
from tests.webui.laws import check_identity, distance, same_as_base
from tests.webui.test_xyz import plot

SMALL: dict[str, Any] = {"width": 128, "height": 64, "steps": 4}
HIRES: dict[str, Any] = {**SMALL, "enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "denoising_strength": 0.7}


def plans(answer: Answer) -> list[Plan]:
    found = [re.search(r"RPG plan: (\"(?:[^\"\\]|\\.)*\")", text) for text in answer.infotexts]
    return [Plan.from_json(json.loads(match[1])) for match in found if match]


def wildcards(prompts: str = "", wildcard: str = "") -> dict[str, Any]:
    return {"alwayson_scripts": {"Wildcards": {"args": [prompts, wildcard]}}}


def test_styles_and_comments_count_in_regions_too(webui: Webui) -> None:
    """Also without a base prompt; the picture's own negative prompt gets its part of the style from the host."""
    rpg: dict[str, Any] = {"regions": [f"# a cat <lora:none:1>\n{PROMPT}", {"prompt": PROMPT, "negative_prompt": "a cat"}]}
    rpg |= {"base_ratio": 0, "latent_ratio": 0}
    assert distance(webui.generate().images, webui.generate(styles=["starry"]).images) > 5
    check_identity(webui, rpg=rpg, styles=["starry"], negative_prompt="a cat", **SMALL)
    check_identity(webui, rpg=same_as_base(prompt=f"{PROMPT} # a cat", base_prompt=PROMPT), prompt=f"{PROMPT}\n# a dog", **SMALL)


def test_a_common_prompt_is_as_if_written_in_every_region(webui: Webui) -> None:
    """Styles, comments, schedules, the hires pass and a negative prompt of a region's own, too; not the base prompt."""
    common = "gray, [green:starry:0.5] # for now"
    regions = ["a red circle", {"prompt": "a blue square", "negative_prompt": "a cat"}]
    written = [
        "gray, [green:starry:0.5], a red circle",
        {"prompt": "gray, [green:starry:0.5], a blue square", "negative_prompt": "a cat"},
    ]
    for settings in (SMALL, {**HIRES, "styles": ["starry"]}):
        answer = webui.generate(rpg={"regions": regions, "common_prompt": common}, **settings)
        assert plans(answer)[0].common_prompt == common
        assert (answer.image == webui.generate(rpg={"regions": written}, **settings).image).all()
        assert distance(answer.images, webui.generate(rpg={"regions": regions}, **settings).images) > 5


def test_what_makes_prompts_makes_the_common_prompt_too(webui: Webui) -> None:
    """Wildcards give every picture one, X/Y/Z's search and replace finds words of it, and planning on Generate keeps it."""
    regions = ["a red circle", "a blue square"]
    planner: dict[str, Any] = {"planner": {"provider": "rules"}}
    caption = "a red circle on the left and a blue square on the right"
    for rpg, prompt in (({"regions": regions}, PROMPT), (planner, caption)):
        together = webui.generate(
            rpg={**rpg, "common_prompt": "__word__"},
            prompt=prompt,
            batch_size=2,
            **wildcards(wildcard="word=gray,starry"),
            **SMALL,
        )
        assert [plan.common_prompt for plan in plans(together)[-2:]] == ["gray", "starry"]
        grid = webui.generate(
            rpg={**rpg, "common_prompt": "gray"}, prompt=prompt, **plot(webui, "Prompt S/R", "gray", "starry"), **SMALL
        )
        for word, picture in zip(("gray", "starry"), grid.images[1:], strict=True):
            single = webui.generate(rpg={**rpg, "common_prompt": word}, prompt=prompt, **SMALL)
            assert (picture == single.image).all()
            assert plans(single)[0].common_prompt == word
        assert (grid.images[1] != grid.images[2]).any()


def test_a_hires_prompt_of_its_own_is_used_beside_a_base_prompt(webui: Webui) -> None:
    settings = {**HIRES, "hr_prompt": "a green star"}
    plain = webui.generate(prompt="a red circle", **settings)
    regional = webui.generate(rpg=same_as_base(base_prompt="a red circle", base_ratio=1), **settings)
    assert distance(plain.images, regional.images) <= 1
    without = webui.generate(rpg=same_as_base(base_prompt="a red circle", base_ratio=1), **HIRES)
    assert distance(without.images, webui.generate(prompt="a red circle", **HIRES).images) <= 1
    assert distance(without.images, regional.images) > 5


def test_every_picture_is_planned_by_its_own_prompt(webui: Webui) -> None:
    captions = ["a red circle on the left and a blue square on the right", "a green star"]
    rpg = {"planner": {"provider": "rules"}}
    together = webui.generate(rpg=rpg, prompt="__scene__", n_iter=2, **wildcards("\n".join(captions)), **SMALL)
    assert [plan.caption for plan in plans(together)[-2:]] == captions
    for seed, caption, image in zip((1, 2), captions, together.images[-2:]):
        assert (webui.generate(rpg=rpg, prompt=caption, seed=seed, **SMALL).image == image).all()
    answer = webui.request(rpg=rpg, prompt="__scene__", batch_size=2, **wildcards("\n".join(captions)), **SMALL)
    assert answer.status_code == 422
    assert "set the batch size to 1" in answer.json()["detail"]


def test_every_cell_of_a_prompt_matrix_is_planned_by_its_label(webui: Webui) -> None:
    script = script_args(webui, "Prompt matrix", False)
    matrix = webui.generate(
        rpg={"planner": {"provider": "rules"}}, prompt="a red circle|a blue square below it", **script, **SMALL
    )
    made = plans(matrix)[-2:]
    assert [(plan.caption, plan.split_ratio) for plan in made] == [
        ("a red circle", "1"),
        ("a red circle, a blue square below it", "1;1"),
    ]
    assert (matrix.images[-2] != matrix.images[-1]).any()


def test_styles_are_no_part_of_what_is_planned(webui: Webui) -> None:
    """They are added to the regions anyway."""
    rpg = {"planner": {"provider": "rules"}}
    planned = webui.generate(rpg=rpg, prompt="a red circle and a blue square", styles=["starry"], **SMALL)
    assert plans(planned)[0].caption == "a red circle and a blue square"


def test_wildcards_in_regions(webui: Webui) -> None:
    """In one batch, every picture has its own; the infotext says which, and gives the picture back."""
    rpg = {"regions": ["a __colour__ circle", "a __colour__ square"], "base_ratio": 0.2}
    together = webui.generate(rpg=rpg, batch_size=2, **wildcards(wildcard="colour=red,blue,green"), **SMALL)
    made = plans(together)[-2:]
    assert [[region.prompt for region in plan.regions] for plan in made] == [
        ["a red circle", "a blue square"],
        ["a green circle", "a red square"],
    ]
    assert "RPGTEXT" not in "".join(together.infotexts)
    for seed, plan, image in zip((1, 2), made, together.images[-2:]):
        assert distance([image], webui.generate(rpg=plan.to_dict(), seed=seed, **SMALL).images) <= 1
