"""A thousand workers on paper: the batch's own scheduler in a time that only counts.

``python -m tests.batch.simulation`` prints the tables of docs/scaling.md.
"""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from rpg.batch.flow import Flow, Order
from rpg.batch.schedule import Worker


@dataclass
class Cluster:
    """
    Fields:
        workers: that make pictures, each in about ``seconds``.
        slow: share of them that take four times as long.
        deaths: of a worker for each hour that it works; it is back after a minute.
        prompts: pictures of each caption, with other seeds: one plan does for them.
        calls: most plans asked for at the same time; each takes about ``planning`` seconds.
        rate: plans a minute that the planner's server allows; then it answers 429 until the minute is over.
    """

    workers: int = 1000
    jobs: int = 10000
    seconds: float = 5.0
    slow: float = 0.0
    deaths: float = 0.0
    prompts: int = 1
    calls: int = 4
    planning: float = 5.0
    rate: int = 10**9
    seed: int = 0


@dataclass
class Outcome:
    """
    Fields:
        hours: that the batch took.
        busy: share of the workers' time in which they made pictures that were kept.
        deciding: seconds of this machine's time that the scheduler took for each picture.
        asked: plans that were asked for, also in vain.
        most_calls: at the same time.
        made: how often each job was made.
    """

    hours: float = 0.0
    busy: float = 0.0
    deciding: float = 0.0
    asked: int = 0
    refused: int = 0
    most_calls: int = 0
    most_underway: int = 0
    made: Counter[int] = field(default_factory=Counter)


class Simulation:
    """A batch in which nothing but the planner's and the workers' answers is invented."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.outcome, self.chance = cluster, Outcome(), random.Random(cluster.seed)
        slow = int(cluster.slow * cluster.workers)
        self.pace = {Worker(str(number)): 4.0 if number < slow else 1.0 for number in range(cluster.workers)}
        self.flow: Flow[int, str] = Flow(list(self.pace), cluster.calls)
        self.now = self.useful = 0.0
        self.down: dict[Worker, float] = {}
        self.plans: set[str] = set()
        self.calls = 0
        self.minute = Counter[int]()
        self.events: list[tuple[float, int, Order, Any]] = []
        self._numbers = itertools.count()

    def run(self) -> Outcome:
        jobs, over = iter(range(self.cluster.jobs)), False
        while not over:
            started = time.thread_time()
            while not self.flow.full and (job := next(jobs, None)) is not None:
                self.take(job)
            orders, over = list(self.flow.start(self.now)), self.flow.over
            self.outcome.deciding += time.thread_time() - started
            self.outcome.most_underway = max(self.outcome.most_underway, self.flow.underway)
            for order in orders:
                (self.make if order.stage is self.flow.making else self.ask)(order)
            wait = self.flow.wait(self.now)
            if wait is not None and (not self.events or self.now + wait < self.events[0][0]):
                self.now += wait
            elif self.events:
                self.now, _, order, answer = heapq.heappop(self.events)
                started = time.thread_time()
                (self.made if order.stage is self.flow.making else self.planned)(order, answer)
                self.outcome.deciding += time.thread_time() - started
        assert not list(self.flow.failures())
        self.outcome.hours, self.outcome.busy = self.now / 3600, self.useful / self.now / self.cluster.workers
        self.outcome.deciding /= self.cluster.jobs
        return self.outcome

    def take(self, job: int) -> None:
        key = str(job // self.cluster.prompts)
        if key in self.plans:
            self.flow.add_planned(job, key)
        else:
            self.flow.add(job, key, "planner")

    def later(self, seconds: float, order: Order, answer: Any) -> None:
        heapq.heappush(self.events, (self.now + seconds, next(self._numbers), order, answer))

    def ask(self, order: Order) -> None:
        self.calls += 1
        self.outcome.asked += 1
        self.outcome.most_calls = max(self.outcome.most_calls, self.calls)
        minute = int(self.now // 60)
        self.minute[minute] += 1
        if self.minute[minute] > self.cluster.rate:
            self.outcome.refused += 1
            self.later(0.1, order, 60 * (minute + 1) - self.now)
        else:
            self.later(self.cluster.planning * self.chance.uniform(0.5, 1.5), order, None)

    def planned(self, order: Order, after: float | None) -> None:
        self.calls -= 1
        if after is not None:
            order.stage.give_back(order.worker, order.task, self.now, "429", after=after)
            return
        self.plans.add(order.task.job)
        self.flow.planned(order, order.task.job)

    def make(self, order: Order) -> None:
        seconds = self.cluster.seconds * self.pace[order.worker] * self.chance.uniform(0.8, 1.2)
        if self.down.get(order.worker, 0) > self.now:
            self.later(0.01, order, "away")
        elif self.chance.random() < self.cluster.deaths * seconds / 3600:
            self.down[order.worker] = self.now + 60
            self.later(seconds / 2, order, "dead")
        else:
            self.later(seconds, order, seconds)

    def made(self, order: Order, answer: float | str) -> None:
        if isinstance(answer, str):
            order.stage.give_back(order.worker, order.task, self.now, answer, broke=answer == "dead")
            return
        self.useful += answer
        self.outcome.made[order.task.job[0]] += 1
        order.stage.finish(order.worker)


SETTINGS: dict[str, dict[str, Any]] = {
    "1000 workers, each picture a caption of its own, 4 plans at a time": {},
    "64 plans at a time": {"calls": 64},
    "256 plans at a time": {"calls": 256},
    "1024 plans at a time": {"calls": 1024},
    "1024 at a time, the server allows 3000 a minute": {"calls": 1024, "rate": 3000},
    "the same, 4 pictures of each caption": {"calls": 1024, "rate": 3000, "prompts": 4},
    "4 at a time, 1000 pictures of each caption": {"prompts": 1000},
    "256 at a time, 10 of each caption": {"calls": 256, "prompts": 10},
    "the same, one worker in ten four times as slow": {"calls": 256, "prompts": 10, "slow": 0.1},
    "the same, each worker dies once an hour": {"calls": 256, "prompts": 10, "deaths": 1.0},
    "the same, ten times an hour": {"calls": 256, "prompts": 10, "deaths": 10.0},
    "100 workers": {"workers": 100, "calls": 256, "prompts": 10},
    "10 workers": {"workers": 10, "jobs": 2000, "calls": 4, "prompts": 10},
}


def main() -> None:
    print("| | hours | busy | asked | 429 | underway | ms a picture |")
    print("|---|---|---|---|---|---|---|")
    for label, changes in SETTINGS.items():
        outcome = Simulation(Cluster(**changes)).run()
        cells = [f"{outcome.hours:.2f}", f"{outcome.busy:.0%}", outcome.asked, outcome.refused, outcome.most_underway]
        print(f"| {label} | " + " | ".join(map(str, cells)) + f" | {outcome.deciding * 1000:.2f} |", flush=True)


if __name__ == "__main__":
    main()
