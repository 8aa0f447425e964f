"""Batches with planners and makers of the tests, which say when they are done."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rpg.batch import schedule
from rpg.batch.batch import Batch
from rpg.batch.folder import Folder
from rpg.batch.jobs import BatchJob, Defaults, read
from rpg.batch.workers import Makes
from rpg.errors import BrokenError, BusyError, GenerationError, LLMError, LostError, UnableError
from rpg.plan import Plan
from rpg.planners import Planner, PlanRequest, make_plan
from rpg.planners.rules import plan as rules
from tests.llm.servers import Handler, error, serve, streamed

DEFAULTS = Defaults(width=64, height=64)


class Progress:
    def __init__(self) -> None:
        self.lines: list[int] = []
        self.failures: list[str] = []
        self.waited: list[tuple[str, float]] = []
        self.gone: list[str] = []

    def made(self, job: BatchJob) -> None:
        self.lines.append(job.line)

    def failed(self, job: BatchJob, sentence: str) -> None:
        self.failures.append(f"{job.line} {sentence}")

    def waits(self, sentence: str, seconds: float) -> None:
        self.waited.append((sentence, seconds))

    def lost(self, sentence: str) -> None:
        self.gone.append(sentence)


def plans(request: PlanRequest, _stopped: Callable[[], bool]) -> Plan:
    return rules(request.subject.caption)


def paints(job: BatchJob, plan: Plan, _stopped: Callable[[], bool]) -> bytes:
    return f"{job.line} {plan.to_json()}".encode()


def run(
    folder: Path, captions: list[str], plans: object = plans, calls: int = 2, makers: dict[str, Makes] | None = None
) -> Progress:
    prompts, progress = folder / "prompts.txt", Progress()
    prompts.write_text("\n".join(captions))
    target = Folder(folder / "out", "")
    with target.opened():
        batch = Batch(target, plans, calls, makers or {"here": paints}, progress)  # type: ignore[arg-type]
        batch.run(read(prompts, DEFAULTS))
    return progress


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "out").glob("*.png")}


CAPTIONS = [f"{count} cats and a dog" for count in range(2, 42)]


def test_all_are_planned_and_made_once(tmp_path: Path) -> None:
    progress = run(tmp_path, CAPTIONS)
    assert sorted(progress.lines) == list(range(1, 41))
    made = pictures(tmp_path)
    assert sorted(int(name[:5]) for name in made) == list(range(1, 41))
    assert made == {name: data for name, data in made.items() if rules(CAPTIONS[int(name[:5]) - 1]).to_json() in data.decode()}
    assert run(tmp_path, CAPTIONS, plans=None, makers={"here": None}).lines == []  # type: ignore[dict-item]


def test_plans_are_made_beside_pictures_and_not_far_ahead(tmp_path: Path) -> None:
    asked, most = [], []

    def count(request: PlanRequest, stopped: Callable[[], bool]) -> Plan:
        asked.append(request)
        return plans(request, stopped)

    def slow(job: BatchJob, plan: Plan, stopped: Callable[[], bool]) -> bytes:
        time.sleep(0.005)
        most.append(len(asked))
        return paints(job, plan, stopped)

    run(tmp_path, CAPTIONS, count, makers={"here": slow})
    assert most[0] > 1
    assert max(ahead - number for number, ahead in enumerate(most)) <= 8


def test_one_caption_is_planned_once(tmp_path: Path) -> None:
    asked = []

    def count(request: PlanRequest, stopped: Callable[[], bool]) -> Plan:
        asked.append(request.subject.caption)
        time.sleep(0.01)
        return plans(request, stopped)

    progress = run(tmp_path, ["a cat and a dog"] * 30 + ["a fox"], count)
    assert sorted(asked) == ["a cat and a dog", "a fox"]
    assert len(progress.lines) == 31


def test_plans_that_lie_there_are_used_again(tmp_path: Path) -> None:
    run(tmp_path, CAPTIONS[:3])
    for path in (tmp_path / "out").glob("*.png"):
        path.unlink()
    assert len(run(tmp_path, CAPTIONS[:3], plans=None).lines) == 3
    next((tmp_path / "out" / "plans").iterdir()).write_text("{")
    with pytest.raises(GenerationError, match="Another batch"), Folder(tmp_path / "out", "").opened():
        run(tmp_path, CAPTIONS[:3])


def test_a_busy_server_loses_no_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "FIRST_PAUSE", 0.01)
    count, running, most = 0, 0, 0
    lock = threading.Lock()
    closed_until = 0.0
    early = []

    def busy(request: PlanRequest, stopped: Callable[[], bool]) -> Plan:
        nonlocal count, running, most, closed_until
        with lock:
            count, running = count + 1, running + 1
            most = max(most, running)
            refused = count % 3 == 0
            early.append(time.monotonic() < closed_until)
        time.sleep(0.002)
        with lock:
            running -= 1
            if refused:
                closed_until = time.monotonic() + 0.03
                raise BusyError("Slow down.", 0.03)
        return plans(request, stopped)

    progress = run(tmp_path, CAPTIONS, busy, calls=3)
    assert sorted(progress.lines) == list(range(1, 41))
    assert (most, progress.failures) == (3, [])
    assert sum(early) <= 2 * len(progress.waited)  # those that had begun
    assert {sentence for sentence, _ in progress.waited} == {"Slow down."}


def test_a_server_that_answers_429_to_every_third_plan(tmp_path: Path) -> None:
    """By HTTP: all are planned, with never more requests at a time than are allowed."""
    total = 300 if os.environ.get("RPG_FUZZ") else 45
    lock = threading.Lock()
    count = running = most = 0

    def limited(handler: Handler) -> None:
        nonlocal count, running, most
        with lock:
            count, running = count + 1, running + 1
            most, refused = max(most, running), count % 3 == 0
        time.sleep(0.01)
        (error(429, "Rate limit reached", retry_after="0.02") if refused else streamed())(handler)
        with lock:
            running -= 1

    def asks(request: PlanRequest, stopped: Callable[[], bool]) -> Plan:
        planner = Planner(provider="compatible", base_url=server.url, model="m")
        return make_plan(replace(request, planner=planner), cancelled=stopped, attempts=1)

    with serve(limited) as server:
        progress = run(tmp_path, [f"a cat and a dog, take {number}" for number in range(total)], asks, calls=3)
    assert sorted(progress.lines) == list(range(1, total + 1))
    assert progress.failures == []
    assert 1 < most <= 3
    assert abs(count - 1.5 * total) <= 3


def test_failures_are_told_in_a_file_and_tried_again(tmp_path: Path) -> None:
    def some(job: BatchJob, plan: Plan, stopped: Callable[[], bool]) -> bytes:
        if job.line % 10 == 0:
            raise GenerationError(f"Nobody can draw {job.line}.")
        if job.line == 7:
            raise MemoryError("no\nroom")
        return paints(job, plan, stopped)

    progress = run(tmp_path, ["<lora:a:1>", *CAPTIONS[1:]], makers={"here": some})
    lines = (tmp_path / "out" / "failures.jsonl").read_text().splitlines()
    failures = {entry["line"]: entry["error"] for entry in map(json.loads, lines)}
    assert sorted(failures) == [1, 7, 10, 20, 30, 40]
    assert failures[20] == "Nobody can draw 20."
    assert failures[7] == "MemoryError: no room."
    assert len(progress.lines) == 34
    again = run(tmp_path, ["<lora:a:1>", *CAPTIONS[1:]])
    assert (again.lines, len(again.failures)) == ([7, 10, 20, 30, 40], 1)


def test_pictures_of_a_worker_that_dies_are_made_by_another(tmp_path: Path) -> None:
    counts = {"one": 0, "two": 0}

    def one(job: BatchJob, plan: Plan, stopped: Callable[[], bool]) -> bytes:
        counts["one"] += 1
        if counts["one"] > 3:
            raise BrokenError("one broke off.") if counts["one"] == 4 else BusyError("one cannot be reached.")
        return paints(job, plan, stopped)

    def two(job: BatchJob, plan: Plan, stopped: Callable[[], bool]) -> bytes:
        counts["two"] += 1
        time.sleep(0.002)
        return paints(job, plan, stopped)

    progress = run(tmp_path, CAPTIONS, makers={"one": one, "two": two})
    assert sorted(progress.lines) == list(range(1, 41))
    assert counts["one"] + counts["two"] == 41
    assert counts["two"] == 37


def test_a_worker_that_is_gone_is_told_and_asked_nothing_more(tmp_path: Path) -> None:
    counts = {"gone": 0}

    def gone(job: BatchJob, plan: Plan, stopped: Callable[[], bool]) -> bytes:
        counts["gone"] += 1
        raise LostError("It is gone.")

    progress = run(tmp_path, CAPTIONS, makers={"gone": gone, "here": paints})
    assert (len(progress.lines), counts["gone"], progress.gone, progress.failures) == (40, 1, ["It is gone."], [])
    with pytest.raises(GenerationError, match=r"^It is gone\. What is done is kept"):
        run(tmp_path, ["a fox", "a bear"], makers={"one": gone, "two": gone})


def test_what_one_worker_cannot_do_another_does(tmp_path: Path) -> None:
    def small(job: BatchJob, plan: Plan, stopped: Callable[[], bool]) -> bytes:
        raise UnableError(f"Out of memory at {job.line}.")

    progress = run(tmp_path, CAPTIONS[:20], makers={"small": small})
    assert (progress.lines, min(progress.failures)) == ([], "1 Out of memory at 1.")
    assert len(run(tmp_path, CAPTIONS, makers={"small": small, "large": paints}).lines) == 40


def test_a_planner_that_refuses_all_ends_the_batch_and_keeps_what_is_there(tmp_path: Path) -> None:
    asked = []

    def refuse(request: PlanRequest, _stopped: Callable[[], bool]) -> Plan:
        asked.append(request)
        if len(asked) <= 5:
            return rules(request.subject.caption)
        raise LLMError("The key is wrong.")

    with pytest.raises(GenerationError, match=r"The key is wrong\. What is done is kept"):
        run(tmp_path, CAPTIONS, refuse)
    assert len(pictures(tmp_path)) == 5
    assert len(asked) <= 5 + 2 * schedule.MOST_ALIKE  # the fifth plan may take longer than nine refusals


def test_memory_is_flat(tmp_path: Path) -> None:
    """Of many jobs only a few are there at the same time."""
    alive = taken = 0

    def jobs() -> Iterator[BatchJob]:
        nonlocal taken
        for line in range(1, 301):
            taken = line
            yield BatchJob(line, Plan.from_dict({"regions": ["a cat"]}), 0, 64, 64)

    def note(job: BatchJob, plan: Plan, stopped: Callable[[], bool]) -> bytes:
        nonlocal alive
        alive = max(alive, taken - job.line)
        return b"png"

    target = Folder(tmp_path / "out", "")
    with target.opened():
        Batch(target, plans, 2, {"here": note}, Progress()).run(jobs())
    assert alive <= 8
