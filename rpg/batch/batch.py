"""Plans and generates jobs side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from rpg.batch.folder import Folder
from rpg.batch.jobs import Job
from rpg.batch.schedule import Schedule, Task, Worker
from rpg.batch.workers import BrokenError, Makes, Plans, UnableError
from rpg.errors import BusyError, GenerationError, RPGError
from rpg.llm.failures import short
from rpg.plan import Plan
from rpg.planners import Planner, PlanRequest

POLL = 0.5
"""Seconds between two looks at Ctrl-C, which on some systems does not wake a waiting queue."""
LEAVE = 10.0
"""Seconds in which the workers may come to an end after Ctrl-C."""


class Progress(Protocol):
    """Told what happens, in the thread that runs the batch."""

    def made(self, job: Job) -> None: ...
    def failed(self, job: Job, sentence: str) -> None: ...
    def waits(self, sentence: str, seconds: float) -> None: ...


class Batch:
    """
    Args:
        plans: asks any planner.
        calls: most plans that are asked for at the same time, of one planner.
        makers: by name, what makes pictures.
    """

    def __init__(self, folder: Folder, plans: Plans, calls: int, makers: Mapping[str, Makes], progress: Progress) -> None:
        self._folder, self._plans, self._calls, self._progress = folder, plans, calls, progress
        self._making: Schedule[tuple[Job, Plan]] = Schedule([Worker(name) for name in makers])
        self._planning: dict[Planner, Schedule[Job]] = {}
        self._sharing: dict[str, list[Job]] = {}
        """Jobs of a plan that is being made, by its key."""
        self._results: SimpleQueue[tuple[Schedule[Any], Worker, Task[Any], object]] = SimpleQueue()
        self._orders: dict[Worker, SimpleQueue[Task[Any] | None]] = {}
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()
        self._ahead = 2 * (calls + len(makers))
        """Jobs that are underway at the same time; more would only take memory."""
        for worker, make in zip(self._making.workers, makers.values()):
            self._employ(self._making, worker, partial(self._make, make, self._stopped.is_set))

    def run(self, jobs: Iterable[Job]) -> None:
        """Until every job is done or has failed.

        Raises:
            GenerationError: when no worker is left that makes pictures, or a planner is lost; what is done lies in the folder.
        """
        todo = (job for job in jobs if not self._folder.has(job))
        try:
            while True:
                lost = self._lost()
                while not lost and self._underway < self._ahead and (job := next(todo, None)):
                    self._take(job)
                self._start(self._making)
                if not lost:
                    for stage in self._planning.values():
                        self._start(stage)
                if not self._goes_on(lost):
                    break
                self._settle()
                self._report()
            if lost:
                raise GenerationError(f"{lost} What is done is kept: the same command goes on from here.")
        finally:
            self._leave()

    @property
    def _stages(self) -> list[Schedule[Any]]:
        return [self._making, *self._planning.values()]

    @property
    def _underway(self) -> int:
        return len(self._making.waiting) + self._making.running + sum(map(len, self._sharing.values()))

    def _lost(self) -> str:
        return next((stage.lost for stage in self._stages if stage.lost), "")

    def _goes_on(self, lost: str) -> bool:
        """Whether there is something to wait for. After a loss no plan is asked for, but those that are made are used."""
        if self._making.lost:
            return bool(self._making.running)
        planning = any(stage.running or (stage.waiting and not lost) for stage in self._planning.values())
        return planning or bool(self._making.running or self._making.waiting)

    def _take(self, job: Job) -> None:
        plan = self._folder.plan(job)
        if plan:
            self._making.add((job, plan))
        elif job.plan_key in self._sharing:
            self._sharing[job.plan_key].append(job)
        else:
            assert isinstance(job.wanted, PlanRequest)
            self._sharing[job.plan_key] = [job]
            self._stage(job.wanted.planner).add(job)

    def _stage(self, planner: Planner) -> Schedule[Job]:
        """The planner's own: its limits are no other's."""
        planner = replace(planner, template="", timeout=Planner.timeout)
        if planner not in self._planning:
            worker = Worker(planner.provider, self._calls)
            self._planning[planner] = Schedule([worker])
            self._employ(self._planning[planner], worker, self._plan)
        return self._planning[planner]

    def _employ(self, stage: Schedule[Any], worker: Worker, work: Callable[[Any], object]) -> None:
        orders = self._orders[worker] = SimpleQueue()

        def serve() -> None:
            while task := orders.get():
                try:
                    outcome = work(task.job)
                except Exception as error:
                    outcome = error
                self._results.put((stage, worker, task, outcome))

        for _ in range(worker.limit):
            thread = threading.Thread(target=serve, name=f"rpg-batch {worker.name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _plan(self, job: Job) -> Plan:
        assert isinstance(job.wanted, PlanRequest)
        plan = self._plans(job.wanted, self._stopped.is_set)
        self._folder.save_plan(job, plan)
        return plan

    @staticmethod
    def _make(make: Makes, stopped: Callable[[], bool], planned: tuple[Job, Plan]) -> bytes:
        return make(*planned, stopped)

    def _start(self, stage: Schedule[Any]) -> None:
        while started := stage.start(time.monotonic()):
            worker, task = started
            self._orders[worker].put(task)

    def _settle(self) -> None:
        """Wait for a result, or until a worker opens that is closed."""
        now = time.monotonic()
        waits = [wait for stage in self._stages if stage.waiting and (wait := stage.wait(now)) is not None]
        try:
            stage, worker, task, outcome = self._results.get(timeout=min([POLL, *waits]))
        except Empty:
            return
        now, sentence = time.monotonic(), _sentence(outcome)
        if isinstance(outcome, (BusyError, BrokenError)):
            after = outcome.after if isinstance(outcome, BusyError) else None
            stage.give_back(worker, task, now, sentence, after=after, broke=isinstance(outcome, BrokenError))
            if not worker.lost:
                self._progress.waits(sentence, worker.opens - now)
        elif isinstance(outcome, UnableError):
            stage.elsewhere(worker, task, sentence)
        elif isinstance(outcome, Exception):
            stage.refuse(worker, task, sentence)
        else:
            self._keep(stage, worker, task, outcome)

    def _keep(self, stage: Schedule[Any], worker: Worker, task: Task[Any], outcome: Any) -> None:
        stage.finish(worker)
        if isinstance(outcome, Plan):
            for job in self._sharing.pop(task.job.plan_key):
                self._making.add((job, outcome))
            return
        self._start(stage)  # so that nobody waits for the disk
        self._folder.save(task.job[0], outcome)
        self._progress.made(task.job[0])

    def _report(self) -> None:
        for stage in self._stages:
            while stage.failed:
                task, sentence = stage.failed.popleft()
                jobs = [task.job[0]] if stage is self._making else self._sharing.pop(task.job.plan_key)
                for job in jobs:
                    self._folder.fail(job, sentence)
                    self._progress.failed(job, sentence)

    def _leave(self) -> None:
        self._stopped.set()
        for stage in self._stages:
            for worker in stage.workers:
                for _ in range(worker.limit):
                    self._orders[worker].put(None)
        until = time.monotonic() + LEAVE
        for thread in self._threads:
            thread.join(max(0, until - time.monotonic()))


def _sentence(outcome: object) -> str:
    if not isinstance(outcome, Exception) or isinstance(outcome, RPGError):
        return str(outcome)
    return f"{type(outcome).__name__}: {short(str(outcome))}."
