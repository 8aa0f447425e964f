"""Pictures that are checked and repaired in the webui, by API."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rpg.infotext import parts
from rpg.shapes.sight import objects
from rpg.shapes.training.scenes import ColouredShape, Scene, draw
from tests.llm.servers import error, page, serve, streamed
from tests.webui.host import Answer, Webui, read_image, write_image
from tests.webui.laws import check_refused, distance

RED_BLUE = {
    "regions": ["a red circle on a white background", "a blue square on a white background"],
    "base_prompt": "a red circle and a blue square on a white background",
    "base_ratio": 0.0,
    "latent_ratio": 0,
}
SETTINGS = {"width": 256, "height": 128, "steps": 8, "sampler_name": "Euler a", "scheduler": "Automatic"}


def told(answer: Answer, number: int = 0) -> dict[str, str]:
    return parts(answer.infotexts[number])[2]


def passed(answer: Answer, number: int = 0) -> int:
    return told(answer, number)["RPG checks"].count(" yes: ")


def refined(webui: Webui, rpg: dict[str, Any] | None = None, *, refine: dict[str, Any], **settings: Any) -> Answer:
    return webui.generate(rpg={**(rpg or RED_BLUE), "refine": refine}, **{**SETTINGS, **settings})


def test_a_batch_of_four_is_checked_and_repaired(webui: Webui) -> None:
    plain = webui.generate(**SETTINGS)
    first = webui.generate(rpg=RED_BLUE, **SETTINGS, batch_size=4)
    looked = refined(webui, refine={"rounds": 0}, batch_size=4)
    assert distance(first.images, looked.images) == 0
    done = refined(webui, refine={"rounds": 1}, batch_size=4)
    before, after = ([passed(answer, number) for number in range(4)] for answer in (looked, done))
    assert all(b <= a for b, a in zip(before, after))
    assert sum(after) > sum(before)
    for number in range(4):
        same = (first.images[number] == done.images[number]).all()
        assert same == (before[number] == after[number])
    assert distance(plain.images, webui.generate(**SETTINGS).images) == 0
    assert distance(done.images, refined(webui, refine={"rounds": 1}, batch_size=4).images) == 0, "it depends on what came before"


def test_interrupted_in_the_middle_of_a_repair_the_picture_stays(webui: Webui) -> None:
    plain, state = webui.generate(**SETTINGS), webui.get("/rpg-test/state")
    first = webui.generate(rpg=RED_BLUE, **SETTINGS)
    webui.post("/rpg-test/fault", name="interrupt", calls=SETTINGS["steps"] + 3)
    stopped = refined(webui, refine={"rounds": 3})
    assert distance(first.images, stopped.images) == 0
    assert told(stopped)["RPG refined"].endswith("It was stopped.")
    assert webui.get("/rpg-test/state") == state
    assert distance(plain.images, webui.generate(**SETTINGS).images) == 0


@pytest.mark.parametrize("upscaler", ["Latent", "Lanczos"])
def test_a_hires_picture_is_repaired_at_its_size(webui: Webui, upscaler: str) -> None:
    hires = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": upscaler, "denoising_strength": 0.6}
    looked = refined(webui, refine={"rounds": 0}, **hires)
    done = refined(webui, refine={"rounds": 3}, **hires)
    assert done.image.shape == (192, 384, 3)
    assert passed(done) > passed(looked)


def test_img2img_begins_again_from_the_same_picture(webui: Webui) -> None:
    blank = write_image(np.full((128, 256, 3), 255))
    settings = {"kind": "img2img", "init_images": [blank], "denoising_strength": 0.95}
    looked, done = (refined(webui, refine={"rounds": rounds}, **settings) for rounds in (0, 3))
    assert passed(done) > passed(looked)


def test_only_masked_inpainting_keeps_what_is_outside(webui: Webui) -> None:
    start = refined(webui, refine={"rounds": 3}).image
    mask = np.zeros_like(start)
    mask[:, 128:] = 255
    settings = {"kind": "img2img", "init_images": [write_image(start)], "mask": write_image(mask), "inpaint_full_res": True}
    done = refined(webui, refine={"rounds": 1}, **settings, mask_blur=0, inpainting_fill=1, denoising_strength=0.9)
    assert "RPG checks" in told(done)
    assert done.image.shape == start.shape


@pytest.mark.parametrize(
    ("refine", "sentence"),
    [
        ({"rounds": 99}, "rounds is 99; it must be a whole number from 0 to 20."),
        ({"critic": "openai"}, "Unknown field 'critic'; a refine has provider, model"),
        ({"provider": "deepseek"}, "sees no pictures; choose another critic."),
        ({"provider": "gemini"}, "needs a key"),
        ({"cut_out": "scissors"}, "cut_out is 'scissors'; it must be one of grabcut, box, sam."),
        ([3], "refine is [3]; it must be an object"),
    ],
)
def test_what_is_wrong_is_refused_before_sampling(webui: Webui, refine: Any, sentence: str) -> None:
    check_refused(webui, sentence, rpg={**RED_BLUE, "refine": refine})


def test_what_cannot_be_checked_is_made_all_the_same(webui: Webui) -> None:
    rpg = {"regions": ["a cat", "a dog"], "latent_ratio": 0}
    done = refined(webui, rpg, refine={"rounds": 1})
    assert told(done)["RPG refined"].startswith("Not checked: The offline critic sees coloured shapes only, not 'a cat'")
    assert distance(done.images, webui.generate(rpg=rpg, **SETTINGS).images) == 0


ENTITY = {"name": "a red circle", "noun": "circle", "details": "", "regions": [1]}
CHECK = {"kind": "object", "statement": "There is a circle.", "entity": 1, "other": 0, "side": "", "count": 1}
LISTED = streamed(json.dumps({"entities": [ENTITY], "checks": [CHECK]}))


def answered(ok: bool) -> Any:
    box = [0, 0, 500, 1000]
    return streamed(json.dumps({"answers": [{"id": "object-1", "evidence": "<b>seen</b>", "pass": ok, "box": box}]}))


def test_a_model_is_the_critic_and_its_key_stays_where_it_is(webui: Webui) -> None:
    key = "sk-of-the-request-a71c"
    with serve(LISTED, answered(False), answered(True)) as server:
        who = {"provider": "compatible", "model": "m", "base_url": server.url, "api_key": key}
        response = webui.request(rpg={**RED_BLUE, "refine": {**who, "rounds": 1}}, **SETTINGS)
        done = webui.answer(response)
    assert told(done)["RPG checks"] == "object-1 yes: There is a circle."
    assert [item.headers["authorization"] for item in server.received] == [f"Bearer {key}"] * 3
    info = response.json()["info"]
    assert key not in info
    assert key not in webui.log.read_text()


@pytest.mark.parametrize("behaviour", [error(500, "broken"), streamed("no"), streamed('{"entities": 1e9}'), page])
def test_a_critic_that_fails_leaves_the_picture(webui: Webui, behaviour: Any) -> None:
    with serve(behaviour) as server:
        who = {"provider": "compatible", "model": "m", "base_url": server.url}
        done = refined(webui, refine={**who, "rounds": 1})
    assert told(done)["RPG refined"].startswith("Not checked: ")
    assert distance(done.images, webui.generate(rpg=RED_BLUE, **SETTINGS).images) == 0


def posted(webui: Webui, route: str, image: np.ndarray, **fields: Any) -> Any:
    return webui.session.post(f"{webui.url}/rpg/v1/{route}", json={"image": write_image(image), **fields}, timeout=300)


def test_a_picture_is_checked_and_edited_by_its_route(webui: Webui) -> None:
    plain, state = webui.generate(**SETTINGS), webui.get("/rpg-test/state")
    picture = drawn()
    caption = "a red circle on the left and a green star on the right, on a white background"
    looked = posted(webui, "check", picture, caption=caption).json()
    assert looked["passed"] == len(looked["checks"])
    seen = posted(webui, "edit", picture, instruction="make the star blue", seed=3, steps=12)
    answer = seen.json()
    assert seen.status_code == 200, answer
    assert [operation["kind"] for operation in answer["operations"]] == ["recolour"]
    image, mask = read_image(answer["image"]), read_image(answer["mask"])
    assert (image == picture)[mask == 0].all()
    assert ("blue", "star") in [(item.colour, item.shape) for item in objects(Image.fromarray(image.astype("uint8")))]
    again = posted(webui, "edit", picture, instruction="make the star blue", seed=3, steps=12).json()
    assert again["image"] == answer["image"]
    by_hand = [{"kind": "replace", "box": [0, 0, 0.5, 1], "prompt": "a blue circle on a white background"}]
    assert posted(webui, "edit", picture, operations=by_hand, steps=4).status_code == 200
    assert webui.get("/rpg-test/state") == state
    assert distance(plain.images, webui.generate(**SETTINGS).images) == 0


@pytest.mark.parametrize(
    ("route", "fields", "sentence"),
    [
        ("check", {}, "carries no infotext; give a caption"),
        ("check", {"caption": "a cat"}, "sees coloured shapes only"),
        ("check", {"caption": "a star", "rounds": 3}, "Unknown field 'rounds'"),
        ("edit", {}, "Give an instruction"),
        ("edit", {"instruction": "dance"}, "'dance' is no instruction"),
        ("edit", {"instruction": "remove the heart"}, "'the heart' is not found"),
        ("edit", {"operations": [{"kind": "add", "box": [0, 0, 1e9, 1], "prompt": "a cat"}]}, "it must be a number from 0 to 1"),
        ("edit", {"instruction": "remove the star", "steps": 0}, "steps is 0"),
    ],
)
def test_routes_refuse_with_a_sentence(webui: Webui, route: str, fields: dict[str, Any], sentence: str) -> None:
    answer = posted(webui, route, drawn(), **fields)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]


def drawn() -> np.ndarray:
    things = ColouredShape("red", "circle", 60, 64, 50), ColouredShape("green", "star", 190, 64, 54)
    return np.asarray(draw(Scene(256, 128, "white", things))).astype(int)
