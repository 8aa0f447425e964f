"""What the text encoder has to do for a job with regions."""

from collections import Counter
from typing import Any

import pytest

from tests.webui.host import Webui

REGIONS = [
    "a blue square",
    {"prompt": "a red (circle:1.2)", "negative_prompt": "a star"},
    "a blue square",
    "a [red:green:0.5] star",
]


@pytest.mark.parametrize("hires", [False, True])
def test_every_prompt_is_encoded_once_a_pass_whatever_the_number_of_pictures(webui: Webui, hires: bool) -> None:
    settings: dict[str, Any] = {
        "prompt": f"a main prompt {hires}",
        "negative_prompt": f"blurred {hires}",
        "n_iter": 3,
        "batch_size": 2,
        "steps": 2,
    }
    if hires:
        settings |= {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.7, "hr_second_pass_steps": 2}
    webui.post("/rpg-test/encoded")
    webui.generate(rpg={"split_ratio": "1,1,1,1", "base_prompt": f"shapes {hires}", "regions": REGIONS}, **settings)
    calls = [tuple(texts) for texts in webui.post("/rpg-test/encoded")]
    passes = [(settings["negative_prompt"],), (f"shapes {hires}",), ("a blue square",), ("a red (circle:1.2)",), ("a star",)]
    passes *= 2 if hires else 1
    changing = [("a red star", "a green star"), *([("a green star",)] if hires else [])]
    assert Counter(calls) == Counter([*passes, *changing])
