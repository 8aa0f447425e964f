"""The way of jobs through a batch: planned, then made, with few in between. As free of I/O as its schedules."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from rpg.batch.schedule import Schedule, Task, Worker

J = TypeVar("J")
P = TypeVar("P")


class Order(NamedTuple):
    """A task for a worker."""

    stage: Schedule[Any]
    worker: Worker
    task: Task[Any]


class Flow(Generic[J, P]):
    """
    Args:
        makers: make pictures of jobs and their plans.
        calls: most plans that are asked for at the same time, of one planner.

    Attributes:
        making: its jobs are pairs of a job and its plan. All other stages' jobs are the keys of plans.
        ahead: jobs that are underway at the same time; more would only take memory.
    """

    def __init__(self, makers: Sequence[Worker], calls: int) -> None:
        self.making: Schedule[tuple[J, P]] = Schedule(makers)
        self.ahead = 2 * (calls + len(makers))
        self._calls = calls
        self._planners: dict[Hashable, Schedule[str]] = {}
        self._sharing: dict[str, list[J]] = {}
        """Jobs that wait for a plan, by its key."""
        self._planless = 0

    @property
    def stages(self) -> list[Schedule[Any]]:
        return [self.making, *self._planners.values()]

    @property
    def lost(self) -> str:
        """Why the batch cannot go on; empty while it can. Then no plan is asked for, but those that are made are used."""
        return next((stage.lost for stage in self.stages if stage.lost), "")

    @property
    def underway(self) -> int:
        return len(self.making.waiting) + self.making.running + self._planless

    @property
    def full(self) -> bool:
        return bool(self.lost) or self.underway >= self.ahead

    @property
    def over(self) -> bool:
        """Whether there is nothing to wait for."""
        if self.making.lost:
            return not self.making.running
        planning = any(stage.running or (stage.waiting and not self.lost) for stage in self._planners.values())
        return not (planning or self.making.running or self.making.waiting)

    def add_planned(self, job: J, plan: P) -> None:
        self.making.add((job, plan))

    def add(self, job: J, key: str, planner: Hashable) -> None:
        """A job without a plan; one plan does for all jobs of the same ``key``. A planner's limits are no other's."""
        self._planless += 1
        if key in self._sharing:
            self._sharing[key].append(job)
            return
        self._sharing[key] = [job]
        if planner not in self._planners:
            self._planners[planner] = Schedule([Worker("planner", self._calls)])
        self._planners[planner].add(key)

    def first(self, key: str) -> J:
        """The job that a plan is made for."""
        return self._sharing[key][0]

    def start(self, now: float) -> Iterator[Order]:
        """All that can be begun now."""
        for stage in self.stages:
            while (stage is self.making or not self.lost) and (started := stage.start(now)):
                yield Order(stage, *started)

    def wait(self, now: float) -> float | None:
        """Seconds until a closed worker opens that something waits for; ``None`` where nothing does."""
        waits = (stage.wait(now) for stage in self.stages if stage.waiting)
        return min((wait for wait in waits if wait is not None), default=None)

    def planned(self, order: Order, plan: P) -> None:
        order.stage.finish(order.worker)
        for job in self._waited(order.task.job):
            self.making.add((job, plan))

    def failures(self) -> Iterator[tuple[J, str]]:
        """Jobs that have failed since the last time, and why."""
        for stage in self.stages:
            while stage.failed:
                task, sentence = stage.failed.popleft()
                for job in [task.job[0]] if stage is self.making else self._waited(task.job):
                    yield job, sentence

    def _waited(self, key: str) -> list[J]:
        jobs = self._sharing.pop(key)
        self._planless -= len(jobs)
        return jobs
