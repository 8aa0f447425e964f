"""Whatever happens to a job with regions, the next plain picture is the plain picture."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.webui.host import Answer, Webui
from tests.webui.test_generation import RED_BLUE


@pytest.fixture(autouse=True)
def untouched(webui: Webui) -> Iterator[None]:
    """Plain pictures before and after are equal bit for bit, and nothing is left on the model."""
    before, state = webui.generate(), webui.get("/rpg-test/state")
    yield
    after = webui.generate()
    assert (before.image == after.image).all()
    assert webui.get("/rpg-test/state") == state
    assert (state["patched"], state["running"]) == ([], 0)


def test_disabled(webui: Webui) -> None:
    assert "RPG plan" in webui.generate(rpg=RED_BLUE).infotexts[0]
    off, plain = webui.generate(rpg={**RED_BLUE, "enabled": False}), webui.generate()
    assert (off.image == plain.image).all()
    assert "RPG plan" not in off.infotexts[0]


@pytest.mark.parametrize("calls", [1, 4])
@pytest.mark.parametrize("name", ["error", "memory"])
def test_fault_in_the_middle(webui: Webui, name: str, calls: int) -> None:
    webui.post("/rpg-test/fault", name=name, calls=calls)
    answer = webui.request(rpg=RED_BLUE)
    assert (answer.status_code, "a fault from the tests" in answer.text or "simulated" in answer.text) == (500, True)


def test_refused_in_the_middle(webui: Webui) -> None:
    answer = webui.request(rpg={**RED_BLUE, "regions": ["a cat AND a dog AND a fox", "a bird"]})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("Region 1 joins 3 prompts by AND")


@pytest.mark.parametrize("name", ["interrupt", "skip"])
def test_stopped_at_a_step(webui: Webui, name: str) -> None:
    webui.post("/rpg-test/fault", name=name, calls=3)
    stopped, whole = webui.generate(rpg=RED_BLUE), webui.generate(rpg=RED_BLUE)
    assert (stopped.image != whole.image).any()


def test_interrupted_by_the_api(webui: Webui) -> None:
    answers: list[Any] = []
    job = threading.Thread(target=lambda: answers.append(webui.generate(rpg=RED_BLUE, steps=150)))
    started = time.monotonic()
    job.start()
    while job.is_alive() and not webui.get("/sdapi/v1/progress?skip_current_image=true")["state"]["sampling_step"]:
        time.sleep(0.1)
    webui.post("/sdapi/v1/interrupt")
    job.join(60)
    assert isinstance(answers[0], Answer)
    assert time.monotonic() - started < 60


def test_model_switch(webui: Webui) -> None:
    webui.generate(rpg=RED_BLUE)
    other = webui.generate(rpg=RED_BLUE, override_settings={"sd_model_checkpoint": "sd2-v"})
    assert "Model: sd2-v" in other.infotexts[0]
