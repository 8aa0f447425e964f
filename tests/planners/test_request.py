"""What a request may hold."""

import base64

import pytest

from rpg.errors import PlannerError
from rpg.planners import PlanRequest
from tests.planners.test_openai_chat import PNG

ENCODED = base64.b64encode(PNG).decode()


def test_from_dict():
    request = PlanRequest.from_dict({"provider": "openai", "model": "o3", "timeout": 20}, caption="a cat")
    assert request == PlanRequest("a cat", provider="openai", model="o3", timeout=20)
    assert PlanRequest.from_dict({"caption": "a dog"}, caption="a cat").caption == "a dog"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"caption": "a", "key": "x"}, "Unknown field 'key' in planner; it has caption, provider, model"),
        ({"caption": "a", 1: "x"}, "Unknown field 1 in planner"),
        ("rules", "planner is a str; it must be an object"),
        ({}, "caption is empty"),
        ({"caption": " \n"}, "caption is empty"),
        ({"caption": None}, "caption is a NoneType; it must be a text."),
        ({"caption": "a" * 20000}, "caption has 20000 characters; at most 16384 can be planned."),
        ({"caption": "a", "api_key": 5}, "api_key is a int; it must be a text."),
        ({"caption": "a", "timeout": "60"}, "timeout is '60'; it must be a number of seconds above 0, at most 3600."),
        ({"caption": "a", "timeout": True}, "timeout is True"),
        ({"caption": "a", "timeout": 0}, "timeout is 0"),
        ({"caption": "a", "timeout": float("nan")}, "timeout is nan"),
        ({"caption": "a", "image": "http://example/cat.png"}, "image is not base64"),
        ({"caption": "a", "image": base64.b64encode(b"hello").decode()}, "image is no PNG, JPEG, WebP or GIF file"),
    ],
)
def test_what_is_refused(data: object, sentence: str):
    with pytest.raises(PlannerError) as caught:
        PlanRequest.from_dict(data)
    assert sentence in str(caught.value)
    assert caught.value.status_code == 422


def test_a_picture_that_is_too_large(monkeypatch):
    monkeypatch.setattr("rpg.planners.request.MAX_IMAGE", 1024 * 1024)
    with pytest.raises(PlannerError, match="image is larger than 1 MB"):
        PlanRequest("a", image=base64.b64encode(PNG + bytes(2**21)).decode())


@pytest.mark.parametrize("image", [ENCODED, f"data:image/png;base64,{ENCODED}", ENCODED[:20] + "\n" + ENCODED[20:]])
def test_pictures(image: str):
    request = PlanRequest("a", image=image)
    assert request.picture == ("image/png", PNG)
    assert request.picture_url == f"data:image/png;base64,{ENCODED}"


def test_key_and_picture_are_not_shown():
    text = repr(PlanRequest("a", api_key="sk-secret", image=ENCODED))
    assert "secret" not in text
    assert ENCODED not in text
