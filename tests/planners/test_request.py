"""What a request may hold."""

import base64
import json

import pytest

from rpg.errors import PlanError, RPGError
from rpg.llm import Picture
from rpg.plan import RATIOS, SETTINGS, Plan
from rpg.planners import Planner, PlanRequest, Subject, plan_or_request
from tests.llm.asked import PNG

ENCODED = base64.b64encode(PNG).decode()


def test_one_object_holds_what_is_asked_and_who_is_asked() -> None:
    request = PlanRequest.from_dict(
        {"provider": "openai", "model": "o3", "timeout": 20, "height": 512}, Subject("a cat", 256, 256)
    )
    assert request == PlanRequest(Subject("a cat", 256, 512), Planner("openai", model="o3", timeout=20))
    assert PlanRequest.from_dict({"caption": "a dog"}, Subject("a cat")) == PlanRequest(Subject("a dog"))
    request = PlanRequest.from_dict({"caption": "a dog", "image": ENCODED, "width": 8, "height": None})
    assert request.subject == Subject("a dog", 8, None, Picture(PNG))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"caption": "a", "key": "x"}, "Unknown field 'key'; a planner has caption, width, height, image, provider, model"),
        ({"caption": "a", 1: "x"}, "Unknown field 1; a planner has"),
        ("rules", "The planner is 'rules'; it must be an object"),
        ({}, "caption is empty"),
        ({"caption": " \n"}, "caption is empty"),
        ({"caption": None}, "caption is None; it must be a text."),
        ({"caption": "a" * 20000}, "caption has 20000 characters; at most 16384 can be planned."),
        ({"caption": "a", "width": 0}, "width is 0; it must be a number of pixels from 1 to 65536."),
        ({"caption": "a", "height": "512"}, "height is '512'; it must be a number of pixels"),
        ({"caption": "a", "api_key": 5}, "api_key is of type int; it must be a text."),
        ({"caption": "a", "provider": "gpt"}, "provider is 'gpt'; it must be one of rules, openai, deepseek"),
        ({"caption": "a", "timeout": "60"}, "timeout is '60'; it must be a number of seconds above 0, at most 3600."),
        ({"caption": "a", "timeout": True}, "timeout is True"),
        ({"caption": "a", "timeout": 0}, "timeout is 0"),
        ({"caption": "a", "timeout": float("nan")}, "timeout is nan"),
        ({"caption": "a", "image": 7}, "image is 7; it must be a text."),
        ({"caption": "a", "image": "http://example/cat.png"}, "image is not base64"),
        ({"caption": "a", "image": base64.b64encode(b"hello").decode()}, "image is no PNG, JPEG, WebP or GIF file"),
    ],
)
def test_what_is_refused(data: object, sentence: str) -> None:
    with pytest.raises(RPGError) as caught:
        PlanRequest.from_dict(data)
    assert sentence in str(caught.value)
    assert caught.value.status_code == 422


def test_key_and_picture_are_not_shown() -> None:
    request = PlanRequest.from_dict({"caption": "a", "api_key": "sk-secret", "image": ENCODED})
    assert "sk-secret" not in repr(request)
    assert "PNG" not in repr(request)


def test_a_planner_stands_in_the_place_of_regions() -> None:
    subject = Subject("two cats", 512, 256)
    assert plan_or_request({"planner": {}, "version": 1}, subject) == PlanRequest(subject)
    assert plan_or_request({"regions": ["a"]}, subject) == Plan.from_dict({"regions": ["a"]})


@pytest.mark.parametrize("name", SETTINGS)
def test_what_planners_never_decide_may_stand_beside_one(name: str) -> None:
    value, wanted = (0.25, "a number from 0") if name in RATIOS else ("masterpiece", "a text")
    request = plan_or_request({"planner": {}, name: value}, Subject("a cat"))
    assert request == PlanRequest(Subject("a cat"), settings={name: value})
    with pytest.raises(PlanError, match=f"{name} is 2; it must be {wanted}"):
        plan_or_request({"planner": {}, name: 2}, Subject("a cat"))


@pytest.mark.parametrize("name", sorted(set(Plan.from_dict({"regions": ["a"]}).to_dict()) - {"version", "regions", *SETTINGS}))
def test_what_planners_decide_may_not(name: str) -> None:
    with pytest.raises(PlanError, match=f"{name} stands beside planner; the planner decides it"):
        plan_or_request({"planner": {}, name: json.dumps(0.5)}, Subject("a cat"))
