"""The laws that hold for every picture, as functions over a running webui."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.webui.host import PROMPT, Answer, Webui

LAYOUT = "1,1,2;2,1,1;1"
"""Three rows: one region alone, two side by side, one alone; 4 regions."""


def same_as_base(layout: str = "1,1,2;1", regions: int = 3, prompt: str = PROMPT, **fields: Any) -> dict[str, Any]:
    """A plan in which every region says what the base says, by attention alone: latent steps are no part of the law."""
    return {"regions": [prompt] * regions, "split_ratio": layout, "base_ratio": 0.3, "latent_ratio": 0, **fields}


def distance(one: list[np.ndarray], other: list[np.ndarray]) -> int:
    """Largest difference in grey levels."""
    assert [image.shape for image in one] == [image.shape for image in other]
    return int(max(np.abs(a - b).max() for a, b in zip(one, other)))


def check_identity(webui: Webui, kind: str = "txt2img", rpg: dict[str, Any] | None = None, **settings: Any) -> None:
    """All regions say what the base says: the picture is the plain one, within one grey level."""
    plain = webui.generate(kind, **settings)
    assert max(image.std() for image in plain.images) > 5, "a blank picture would prove nothing"
    regional = generate_apart(webui, kind, rpg or same_as_base(), **settings)
    assert distance(plain.images, regional.images) <= 1


def generate_apart(webui: Webui, kind: str, rpg: dict[str, Any], **settings: Any) -> Answer:
    """Regional pictures with every region computed for itself, also where two are equal and could be done at once."""
    webui.post("/rpg-test/merge", merge=False)
    try:
        answer = webui.generate(kind, rpg, **settings)
    finally:
        webui.post("/rpg-test/merge", merge=True)
    assert "RPG plan" in answer.infotexts[0]
    return answer


def check_locality(
    webui: Webui, kind: str = "txt2img", rpg: dict[str, Any] | None = None, calls: int = 2, **settings: Any
) -> None:
    """Changing one region's part of the context moves that region's tokens in every layer, and no others."""
    webui.post("/rpg-test/probe", calls=calls)
    webui.generate(kind, rpg or {"regions": ["a cat", "a dog", "a fox"], "split_ratio": "1,1,2;1", "latent_ratio": 0}, **settings)
    check_probe(webui)


def check_refused(webui: Webui, sentence: str, **settings: Any) -> None:
    """The API answers with the sentence, and the model is not asked once."""
    webui.post("/rpg-test/fault", name="error", calls=1)
    answer = webui.request(**settings)
    webui.post("/rpg-test/fault", name="")
    assert answer.status_code == 422, answer.text
    assert sentence in answer.json()["detail"]


def check_probe(webui: Webui) -> None:
    """The locality law on what the probe has seen since it was armed."""
    records = webui.post("/rpg-test/probe", calls=0)
    assert records
    for record in records:
        assert record["outside"] <= 1e-5 * record["scale"], record
        assert record["inside"] > 1e-4 * record["scale"], record
