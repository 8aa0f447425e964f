"""Plans and generates jobs side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Protocol

from rpg.batch.flow import Flow, Order
from rpg.batch.folder import Folder
from rpg.batch.jobs import BatchJob
from rpg.batch.schedule import Worker
from rpg.batch.workers import Makes, Plans
from rpg.errors import BrokenError, BusyError, GenerationError, LostError, RPGError, UnableError
from rpg.llm.failures import short
from rpg.plan import Plan
from rpg.planners import Planner, PlanRequest

POLL = 0.5
"""Seconds between two looks at Ctrl-C, which on some systems does not wake a waiting queue."""
LEAVE = 10.0
"""Seconds in which the workers may come to an end after Ctrl-C."""


class Progress(Protocol):
    """Told what happens, in the thread that runs the batch."""

    def made(self, job: BatchJob) -> None: ...
    def failed(self, job: BatchJob, sentence: str) -> None: ...
    def waits(self, sentence: str, seconds: float) -> None: ...
    def lost(self, sentence: str) -> None: ...


class Batch:
    """
    Args:
        plans: asks any planner.
        calls: most plans that are asked for at the same time, of one planner.
        makers: by name, what makes pictures.
    """

    def __init__(self, folder: Folder, plans: Plans, calls: int, makers: Mapping[str, Makes], progress: Progress) -> None:
        self._folder, self._plans, self._progress = folder, plans, progress
        self._makers = {Worker(name): make for name, make in makers.items()}
        self._flow: Flow[BatchJob, Plan] = Flow(list(self._makers), calls)
        self._results: SimpleQueue[tuple[Order, object]] = SimpleQueue()
        self._orders: dict[Worker, SimpleQueue[Order | None]] = {}
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()

    def run(self, jobs: Iterable[BatchJob]) -> None:
        """Until every job is done or has failed.

        Raises:
            GenerationError: when no worker is left that makes pictures, or a planner is lost; what is done lies in the folder.
        """
        flow, todo = self._flow, (job for job in jobs if not self._folder.has(job))
        try:
            while True:
                while not flow.full and (job := next(todo, None)):
                    self._take(job)
                self._start()
                if flow.over:
                    break
                self._settle()
                for failed, sentence in flow.failures():
                    self._folder.fail(failed, sentence)
                    self._progress.failed(failed, sentence)
            if flow.lost:
                raise GenerationError(f"{flow.lost} What is done is kept: the same command goes on from here.")
        finally:
            self._leave()

    def _take(self, job: BatchJob) -> None:
        if plan := self._folder.plan(job):
            self._flow.add_planned(job, plan)
        elif isinstance(job.wanted, PlanRequest):
            self._flow.add(job, job.plan_key, replace(job.wanted.planner, template="", timeout=Planner.timeout))

    def _start(self) -> None:
        for order in self._flow.start(time.monotonic()):
            if order.worker not in self._orders:
                self._employ(order.worker)
            self._orders[order.worker].put(order)

    def _employ(self, worker: Worker) -> None:
        orders = self._orders[worker] = SimpleQueue()

        def serve() -> None:
            while order := orders.get():
                try:
                    outcome = self._work(order)
                except Exception as error:
                    outcome = error
                self._results.put((order, outcome))

        for _ in range(worker.limit):
            thread = threading.Thread(target=serve, name="rpg-batch", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _work(self, order: Order) -> object:
        """In a thread of the worker's."""
        if order.worker in self._makers:
            job, plan = order.task.job
            return self._makers[order.worker](job, plan, self._stopped.is_set)
        job = self._flow.first(order.task.job)
        assert isinstance(job.wanted, PlanRequest)
        plan = self._plans(job.wanted, self._stopped.is_set)
        self._folder.save_plan(job, plan)
        return plan

    def _settle(self) -> None:
        """Wait for a result, or until a worker opens that is closed."""
        wait = self._flow.wait(time.monotonic())
        try:
            order, outcome = self._results.get(timeout=POLL if wait is None else min(POLL, wait))
        except Empty:
            return
        (stage, worker, task), now, sentence = order, time.monotonic(), _sentence(outcome)
        if isinstance(outcome, (BusyError, BrokenError, LostError)):
            if isinstance(outcome, LostError):
                stage.lose(worker, sentence)
            after = outcome.after if isinstance(outcome, BusyError) else None
            stage.give_back(worker, task, now, sentence, after=after, broke=isinstance(outcome, BrokenError))
            if not worker.lost:
                self._progress.waits(sentence, worker.opens - now)
            elif not stage.lost:
                self._progress.lost(sentence)
        elif isinstance(outcome, UnableError):
            stage.elsewhere(worker, task, sentence)
        elif isinstance(outcome, Exception):
            stage.refuse(worker, task, sentence)
        elif isinstance(outcome, Plan):
            self._flow.planned(order, outcome)
        elif isinstance(outcome, bytes):
            stage.finish(worker)
            self._start()  # so that nobody waits for the disk
            job, _ = task.job
            self._folder.save(job, outcome)
            self._progress.made(job)

    def _leave(self) -> None:
        self._stopped.set()
        for worker, orders in self._orders.items():
            for _ in range(worker.limit):
                orders.put(None)
        until = time.monotonic() + LEAVE
        for thread in self._threads:
            thread.join(max(0, until - time.monotonic()))


def _sentence(outcome: object) -> str:
    if not isinstance(outcome, Exception) or isinstance(outcome, RPGError):
        return str(outcome)
    return f"{type(outcome).__name__}: {short(str(outcome))}."
