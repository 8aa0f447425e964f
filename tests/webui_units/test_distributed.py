"""A batch that stable-diffusion-webui-distributed splits, with stand-ins; tests/webui/matrix has the real one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from rpg.plan import VERSION
from rpg.webui import distributed


@dataclass(eq=False)
class Worker:
    """Its answer to what it is asked about plans: a status and a version."""

    label: str
    says: tuple[int, int] | None = (200, VERSION)
    master: bool = False
    tls: bool = False
    address: str = "10.0.0.2"
    port: int = 7860
    supported_scripts: dict[str, list[str]] = field(default_factory=dict)
    response: Any = "of another question"
    asked: list[str] = field(default_factory=list)

    @property
    def session(self) -> Worker:
        return self

    def get(self, url: str, timeout: object) -> Any:
        self.asked.append(url)
        if self.says is None:
            raise ConnectionError("refused")
        status, version = self.says
        return SimpleNamespace(status_code=status, json=lambda: {"plan_version": version} if version else {})


class World:
    def __init__(self, *workers: Worker) -> None:
        self.workers = [Worker("master", master=True), *workers]
        self.enabled = self.enabled_i2i = True
        self.jobs: list[Any] = []

    def master(self) -> Worker:
        return self.workers[0]

    def get_workers(self) -> list[Worker]:
        return self.workers


class Job:
    """The host's."""

    def __init__(self, world: World, **values: Any) -> None:
        script = SimpleNamespace(title=lambda: "Distribute", world=world)
        scripts = [SimpleNamespace(title=lambda: "RPG"), script]
        self.scripts = SimpleNamespace(scripts=scripts, alwayson_scripts=scripts, callback_map={"process": 1})
        self.script_args_value: Any = ("other", "plan", None, "last")
        self.seed, self.subseed, self.subseed_strength = 100, 7, 0
        self.batch_size, self.n_iter = 12, 1
        self.comments: list[str] = []
        vars(self).update(values)

    def comment(self, text: str) -> None:
        self.comments.append(text)


def labels(world: World) -> list[str]:
    return [worker.label for worker in world.get_workers()]


def test_workers_that_would_make_plain_pictures_are_left_out_by_name() -> None:
    older, without, away = Worker("older", (200, VERSION - 1)), Worker("without", (404, 0)), Worker("away", None)
    fine = Worker("fine", supported_scripts={"txt2img": ["seed"]})
    world = World(fine, older, without, away)
    job = Job(world)
    split = distributed.find(job)
    assert split
    split.give(1, "{}", True)
    split.share()
    assert job.script_args_value == ["other", "{}", True, "last"]
    assert labels(world) == ["master", "fine"]
    assert fine.asked == ["http://10.0.0.2:7860/rpg/v1/planners"]
    assert fine.supported_scripts == {"txt2img": ["seed", "rpg"], "img2img": ["rpg"]}
    assert [worker.response for worker in world.workers[1:]] == [None] * 4
    told = " ".join(job.comments)
    assert "the worker older has an older RPG extension" in told
    assert "the worker without has no RPG extension (404)" in told
    assert "the worker away cannot be reached" in told
    assert len(job.comments) == 3
    assert distributed.find(Job(world))
    assert len(labels(world)) == 5  # the next job asks all of them again


def test_a_job_that_cannot_be_shared() -> None:
    world = World(Worker("fine"))
    split = distributed.find(job := Job(world))
    assert split
    split.alone("A reason.")
    assert (labels(world), job.comments) == (["master"], ["A reason."])


def test_switched_off_or_not_there() -> None:
    world = World(Worker("fine"))
    world.enabled = False
    assert distributed.find(Job(world)) is None
    assert distributed.find(Job(world, init_images=[1]))
    assert distributed.find(SimpleNamespace(scripts=None)) is None


@pytest.mark.parametrize("strength", [0, 0.5])
def test_what_is_missing_is_made_here(strength: float) -> None:
    one, two = Worker("one"), Worker("two")
    world = World(one, two)
    job = Job(world, subseed_strength=strength)
    split = distributed.find(job)
    assert split
    split.share()
    name, first = ("all_subseeds", 7) if strength else ("all_seeds", 100)
    vars(job).update({"batch_size": 4, "all_seeds": [100] * 4, "all_subseeds": [7] * 4, name: list(range(first, first + 4))})
    one.response = {"images": ["x"] * 4, "info": json.dumps({name: list(range(first + 8, first + 12))})}
    two.response = None
    world.jobs = [SimpleNamespace(worker=worker) for worker in world.workers]
    asked: list[Any] = []

    def make(again: Any) -> Any:
        asked.append(again)
        return SimpleNamespace(images=["grid", *range(again.batch_size)], infotexts=["", *"abcd"], index_of_first_image=1)

    processed = SimpleNamespace(images=["p"] * 8, infotexts=["t"] * 8, comments="")
    distributed.complete(job, processed, make)
    (again,) = asked
    assert (again.seed, again.subseed, again.batch_size) == (100 if strength else 104, 11, 4)
    assert [script.title() for script in again.scripts_value.alwayson_scripts] == ["RPG"]
    assert (len(job.scripts.scripts), len(job.scripts.callback_map)) == (2, 1)
    assert (len(processed.images), len(processed.infotexts)) == (12, 12)
    assert processed.comments == "RPG: two did not make 4 of the pictures; this machine made them.\n"
    distributed.complete(job, processed, make)
    assert len(asked) == 1


def test_places_that_follow_one_another() -> None:
    assert list(distributed._runs([1, 2, 3, 4, 7, 9, 10], 3)) == [(1, 3), (4, 1), (7, 1), (9, 2)]
    assert list(distributed._runs([], 3)) == []
