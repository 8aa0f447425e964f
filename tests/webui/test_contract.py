"""What users and programs rely on: the API's dict, its errors, the infotext, the README's example."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from rpg.plan import Plan
from tests.webui.host import CHECKOUT, PROMPT, Webui, read_image
from tests.webui.test_generation import RED_BLUE

BAD: list[tuple[Any, str]] = [
    ({"regions": ["a", "b"], "split_ratio": "1,1,1"}, "split_ratio '1,1,1' makes 3 regions"),
    ({"regions": ["a", "b"], "split_ratio": "1,,1"}, "has an empty cell"),
    ({"regions": ["a"], "base_ratio": 2}, "base_ratio is 2"),
    ({"regions": ["a"], "hires": True}, "Unknown field 'hires'"),
    ({"split_ratio": "1,1"}, "regions is missing"),
    ({"regions": ["a"], "enabled": "yes"}, "enabled is 'yes'"),
    ({"regions": ["a"], "planner": {"provider": "rules"}}, "both regions and planner"),
    (7, "RPG's first argument is 7"),
]


@pytest.mark.parametrize(("rpg", "sentence"), BAD, ids=[sentence for _, sentence in BAD])
def test_bad_dict_answers_422(webui: Webui, rpg: Any, sentence: str) -> None:
    before = len(webui.log.read_text(errors="replace"))
    answer = webui.request(rpg=rpg)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    said = webui.log.read_text(errors="replace")[before:]
    assert [line for line in said.splitlines() if line.strip()] == [f"RPG refused a request: {answer.json()['detail']}"]


def test_a_plan_as_text_and_a_second_argument(webui: Webui) -> None:
    def asked(*args: Any) -> Any:
        return webui.request(alwayson_scripts={"RPG": {"args": args}})

    plain, regional = webui.generate(), webui.generate(rpg=RED_BLUE)
    text = json.dumps(RED_BLUE)
    for args in ([text], [text, True], [RED_BLUE, True]):
        assert (webui.answer(asked(*args)).image == regional.image).all(), args
    for args in ([text, False], [RED_BLUE, False], [""]):
        assert (webui.answer(asked(*args)).image == plain.image).all(), args
    assert asked({**RED_BLUE, "enabled": True}, False).status_code == 422


def test_regions_as_one_text(webui: Webui) -> None:
    as_list = webui.generate(rpg=RED_BLUE)
    as_text = webui.generate(rpg={**RED_BLUE, "regions": " BREAK ".join(RED_BLUE["regions"])})
    assert (as_list.image == as_text.image).all()


def test_base_prompt_replaces_the_main_prompt(webui: Webui) -> None:
    named = webui.generate(rpg={**RED_BLUE, "base_prompt": PROMPT}, prompt="a green star")
    main = webui.generate(rpg=RED_BLUE)
    assert (named.image == main.image).all()
    other = webui.generate(rpg=RED_BLUE, prompt="a green star")
    assert (named.image != other.image).any()


def test_infotext_gives_the_plan_and_the_picture_back(webui: Webui) -> None:
    rpg = {
        "regions": [
            {"prompt": 'a "red" circle, big: (very:1.2)', "negative_prompt": "blue, green"},
            {"prompt": "蓝色\n方块", "base_ratio": 0.5},
        ],
        "split_ratio": "0.5;1.5",
        "base_ratio": 0.25,
        "latent_ratio": 0.5,
        "caption": "two things, one above the other",
    }
    first = webui.generate(rpg=rpg)
    path = f"data:image/png;base64,{_png_with(webui, rpg)}"
    read = webui.post("/sdapi/v1/png-info", image=path)
    plan = read["parameters"]["RPG plan"]
    assert Plan.from_json(plan) == Plan.from_dict(rpg)
    again = webui.generate(rpg=json.loads(plan))
    assert (first.image == again.image).all()
    assert first.infotexts == again.infotexts


def _png_with(webui: Webui, rpg: dict[str, Any]) -> str:
    """A picture as the API sends it, with its infotext inside."""
    data = webui.request(rpg=rpg).json()["images"][0]
    assert read_image(data).shape == (128, 256, 3)
    return str(data)


def test_readme_example(webui: Webui) -> None:
    blocks = re.findall(r"```json\n(.*?)```", (CHECKOUT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    body = json.loads(next(block for block in blocks if "alwayson_scripts" in block))
    answer = webui.session.post(f"{webui.url}/sdapi/v1/txt2img", json={"width": 256, "height": 128, "steps": 4, **body})
    assert answer.status_code == 200, answer.text
    assert "RPG plan" in json.loads(answer.json()["info"])["infotexts"][0]


def test_listed_in_both_tabs(webui: Webui) -> None:
    scripts = webui.get("/sdapi/v1/scripts")
    assert "rpg" in scripts["txt2img"]
    assert "rpg" in scripts["img2img"]
