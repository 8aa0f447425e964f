"""Pictures as they come from outside."""

import base64

import pytest

from rpg.errors import LLMError
from rpg.llm import Picture
from tests.llm.asked import PNG

ENCODED = base64.b64encode(PNG).decode()


@pytest.mark.parametrize("text", [ENCODED, f"data:image/png;base64,{ENCODED}", ENCODED[:20] + "\n" + ENCODED[20:]])
def test_a_picture_in_base64(text: str) -> None:
    picture = Picture.from_base64(text)
    assert picture == Picture(PNG)
    assert picture.media_type == "image/png"
    assert picture.url == f"data:image/png;base64,{ENCODED}"


def test_a_picture_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rpg.llm.question.MAX_PICTURE", 1024 * 1024)
    large = PNG + bytes(2**21)
    for make in (lambda: Picture(large), lambda: Picture.from_base64(base64.b64encode(large).decode())):
        with pytest.raises(LLMError, match="image is larger than 1 MB"):
            make()


def test_something_else() -> None:
    with pytest.raises(LLMError, match="image is no PNG, JPEG, WebP or GIF file"):
        Picture(b"<svg>")
