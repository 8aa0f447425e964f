"""Which task goes to which worker, and when. No clock, no thread, no socket: what runs a batch can be simulated."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

FIRST_PAUSE = 2.0
"""Seconds until a worker that did not answer is asked again, twice as many each time, unless it names a time."""
LONGEST_PAUSE = 60.0
PATIENCE = 300.0
"""Seconds without any answer after which a worker is given up."""
MOST_BREAKS = 3
"""A task that broke off so often in the middle fails: it may be what breaks the workers."""
MOST_ALIKE = 10
"""A worker that fails so many tasks in a row with the same sentence is given up."""

T = TypeVar("T")


@dataclass(eq=False)
class Worker:
    """Something that does tasks: a language model's server, a webui, this machine.

    Fields:
        limit: tasks at the same time.
        opens: the time before which it is asked nothing.
        lost: why it is asked nothing any more.
    """

    name: str
    limit: int = 1
    running: int = 0
    opens: float = 0.0
    lost: str = ""
    silent_since: float | None = None
    misses: int = 0
    alike: int = 0
    last_failure: str = ""

    def answered(self) -> None:
        self.silent_since, self.misses = None, 0

    def done(self) -> None:
        self.answered()
        self.alike, self.last_failure = 0, ""


@dataclass(eq=False)
class Task(Generic[T]):
    job: T
    breaks: int = 0
    failed_at: set[Worker] = field(default_factory=set)


class Schedule(Generic[T]):
    """Tasks that wait, and the workers that they can go to.

    Attributes:
        waiting: what is given back stands in front.
        failed: tasks that nobody can do, with the reason, for the caller to take.
    """

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.workers = workers
        self.waiting: deque[Task[T]] = deque()
        self.failed: deque[tuple[Task[T], str]] = deque()
        self.running = 0
        self._free = dict.fromkeys(workers)
        """Workers below their limit: few, also where there are thousands."""

    @property
    def lost(self) -> str:
        """Why no worker is left; empty while there is one."""
        reasons = dict.fromkeys(worker.lost for worker in self.workers)
        return "" if "" in reasons else " ".join(reasons)

    def add(self, job: T) -> None:
        self.waiting.append(Task(job))

    def start(self, now: float) -> tuple[Worker, Task[T]] | None:
        """The next task that can be done now, for the least busy worker that may do it."""
        for task in self.waiting:
            able = (worker for worker in self._free if worker.opens <= now and worker not in task.failed_at)
            worker = min(able, key=lambda worker: worker.running, default=None)
            if worker is not None:
                self.waiting.remove(task)
                self._count(worker, 1)
                return worker, task
            if not any(worker.opens <= now for worker in self._free):
                break
        return None

    def wait(self, now: float) -> float | None:
        """Seconds until a worker opens that is closed now; ``None`` where none is."""
        return min((worker.opens - now for worker in self._free if worker.opens > now), default=None)

    def finish(self, worker: Worker) -> None:
        """A task is done."""
        self._count(worker, -1)
        worker.done()

    def refuse(self, worker: Worker, task: Task[T], sentence: str) -> None:
        """A task is wrong and no worker can do it."""
        self._count(worker, -1)
        worker.answered()
        self._note(worker, sentence)
        self.failed.append((task, sentence))

    def elsewhere(self, worker: Worker, task: Task[T], sentence: str) -> None:
        """A worker cannot do a task that another may do."""
        self._count(worker, -1)
        worker.answered()
        self._note(worker, sentence)
        task.failed_at.add(worker)
        if self._possible(task) or self.lost:
            self.waiting.appendleft(task)
        else:
            self.failed.append((task, sentence))

    def give_back(
        self, worker: Worker, task: Task[T], now: float, sentence: str, *, after: float | None = None, broke: bool = False
    ) -> None:
        """A worker did not answer; others may do the task at once, it may itself later.

        Args:
            after: seconds that it asks to wait.
            broke: it had begun.
        """
        self._count(worker, -1)
        if after is not None:
            worker.answered()
            worker.opens = max(worker.opens, now + after)
        elif worker.opens <= now:  # else another task was told the same before
            worker.silent_since = now if worker.silent_since is None else worker.silent_since
            worker.opens = now + min(FIRST_PAUSE * 2**worker.misses, LONGEST_PAUSE)
            worker.misses += 1
            if now - worker.silent_since >= PATIENCE:
                self.lose(worker, sentence)
        task.breaks += broke
        if task.breaks == MOST_BREAKS or not (self._possible(task) or self.lost):
            self.failed.append((task, sentence))
        else:
            self.waiting.appendleft(task)

    def _count(self, worker: Worker, more: int) -> None:
        worker.running += more
        self.running += more
        if worker.running < worker.limit and not worker.lost:
            self._free[worker] = None
        else:
            self._free.pop(worker, None)

    def _possible(self, task: Task[T]) -> bool:
        return any(not worker.lost and worker not in task.failed_at for worker in self.workers)

    def lose(self, worker: Worker, sentence: str) -> None:
        """Ask a worker nothing any more. Without this worker, some tasks may be left that all others have failed at."""
        worker.lost = sentence
        self._free.pop(worker, None)
        if self.lost:
            return
        self.failed += [(task, sentence) for task in self.waiting if not self._possible(task)]
        self.waiting = deque(task for task in self.waiting if self._possible(task))

    def _note(self, worker: Worker, sentence: str) -> None:
        worker.alike = worker.alike + 1 if sentence == worker.last_failure else 1
        worker.last_failure = sentence
        if worker.alike == MOST_ALIKE:
            self.lose(worker, sentence)
