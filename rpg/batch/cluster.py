"""Processes of a Ray cluster that make pictures: Ray finds them a place, and starts them anew where they die."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from math import inf
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import rpg
from rpg.batch.jobs import BatchJob
from rpg.errors import BrokenError, BusyError, GenerationError, LostError, RPGError, Stopped, UnableError
from rpg.llm.asking import never
from rpg.llm.failures import short
from rpg.plan import Plan

POLL = 0.5
"""Seconds between two looks at whether the batch was stopped."""
FIRST_PROCESS = 300.0
"""Seconds that the first process may take to find a place and load its model."""
PLACED = 2.0
"""Seconds in which a process says that it has a place and its model."""
PLACELESS = 10.0
"""Seconds until it is asked again."""
HEAD = 5.0
"""Seconds between two looks at whether the cluster's head is alive; Ray would end this process after 60."""


class WorkerModel(Protocol):
    """What a process loads: see :class:`rpg.cli.text_to_image.TextToImage`."""

    settings: Mapping[str, Any]
    width: int
    height: int

    def __call__(self, job: BatchJob, plan: Plan, stopped: Callable[[], bool]) -> bytes: ...


class About(NamedTuple):
    """What a process has loaded; all of a batch have to say the same."""

    settings: Mapping[str, Any]
    width: int
    height: int


class Process:
    """Lives in the cluster. Errors are answers: Ray would wrap those that are raised."""

    def __init__(self, load: Callable[[], WorkerModel]) -> None:
        self._load = load
        self._makes: WorkerModel | None = None

    def about(self) -> About | RPGError:
        try:
            makes = self._loaded()
        except Exception as error:
            return _told(error)
        return About(makes.settings, makes.width, makes.height)

    def make(self, job: BatchJob, plan: Plan) -> bytes | RPGError:
        try:
            return self._loaded()(job, plan, never)
        except Exception as error:
            return _told(error)

    def _loaded(self) -> WorkerModel:
        self._makes = self._makes or self._load()
        return self._makes


class ClusterWorker:
    """A process, as the batch sees it; calling it makes a picture.

    Args:
        wanted: what it has to say about itself, known when the first one has said it.
    """

    def __init__(self, cluster: Cluster, actor: Any, name: str) -> None:
        self._cluster, self._actor, self._name = cluster, actor, name
        self.asked = actor.about.remote()
        self.wanted: About | None = None
        self._answered = False

    def __call__(self, job: BatchJob, plan: Plan, stopped: Callable[[], bool]) -> bytes:
        if not self._answered and self.about(PLACED) != self.wanted:
            raise LostError(f"{self._name} has another model than the others; all machines need the same under that name.")
        answer = self._get(self._actor.make.remote(replace(job, wanted=plan), plan), stopped)  # a request would hold keys
        if isinstance(answer, RPGError):
            raise answer
        return bytes(answer)

    def about(self, seconds: float) -> About:
        """
        Raises:
            LostError: when it cannot load the model.
        """
        answer = self._get(self.asked, never, seconds)
        if isinstance(answer, RPGError):
            raise LostError(f"{self._name}: {answer}")
        self._answered = True
        found: About = answer
        return found

    def _get(self, reference: Any, stopped: Callable[[], bool], seconds: float = inf) -> Any:
        """
        Raises:
            BusyError: when there is nothing after so many seconds.
            BrokenError: when the process died; Ray starts it anew.
            LostError: when the cluster is gone.
        """
        ray, until = self._cluster.ray, time.monotonic() + seconds
        try:
            while not ray.wait([reference], timeout=min(POLL, seconds))[0]:
                self._cluster.check()
                if stopped():
                    raise Stopped("The batch was stopped.")
                if time.monotonic() > until:
                    raise BusyError("Not every Ray process has a place in the cluster yet, and its model.", PLACELESS)
            return ray.get(reference)
        except ray.exceptions.RayError as error:
            self._cluster.check(0)
            self._answered, self.asked = False, self._actor.about.remote()
            raise BrokenError(f"{self._name} broke off ({short(str(error))}).") from None
        except ConnectionError as error:  # of a client outside the cluster
            raise LostError(f"{self._cluster.gone} ({short(str(error))})") from None


class Cluster:
    """A running Ray; leaving it ends the batch's processes."""

    def __init__(self, address: str | None) -> None:
        try:
            self.ray = import_module("ray")
        except ImportError as error:
            raise GenerationError(
                f"--ray cannot be used ({error}); install the package with: pip install 'sd-webui-rpg[ray]'"
            ) from None
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        code = {"py_modules": [str(Path(rpg.__file__).parent)]}  # so that every machine has the same
        self._address = address = address or os.environ.get("RAY_ADDRESS") or "local"
        try:
            _probe(address)
            self.ray.init(address=address, runtime_env=code, log_to_driver=False, logging_level="error")
        except Exception as error:
            raise GenerationError(
                f"Ray cannot be used at {address} ({short(str(error) or type(error).__name__)}); start it, or give another --ray."
            ) from None
        host, _, port = str(self.ray.get_runtime_context().gcs_address).rpartition(":")
        self._head = host.strip("[]"), int(port)
        self._seen = time.monotonic()
        self._lock = threading.Lock()

    @property
    def gone(self) -> str:
        return f"The head of the Ray cluster ({self._address}) is gone."

    def check(self, every: float = HEAD) -> None:
        """
        Raises:
            LostError: when the head does not answer; nothing in the cluster can be asked or placed any more.
        """
        with self._lock:
            if time.monotonic() - self._seen < every:
                return
            try:
                socket.create_connection(self._head, timeout=HEAD).close()
            except OSError:
                raise LostError(self.gone) from None
            self._seen = time.monotonic()

    def workers(self, count: int | None, load: Callable[[], WorkerModel]) -> tuple[About, Mapping[str, ClusterWorker]]:
        """Ask for processes, and wait for the first.

        Args:
            count: of processes; by default one for each GPU, or for each machine where there is none.
            load: runs in every process.

        Raises:
            GenerationError: when none comes.
        """
        gpus = int(self.ray.cluster_resources().get("GPU", 0))
        count = count or gpus or sum(node["Alive"] for node in self.ray.nodes())
        kind = self.ray.remote(num_cpus=1, num_gpus=1 if gpus else 0, max_restarts=-1)(Process)
        names = [f"Ray process {number}" for number in range(1, count + 1)]
        workers = {name: ClusterWorker(self, kind.remote(load), name) for name in names}
        about = self._first(list(workers.values()))
        for worker in workers.values():
            worker.wanted = about
        return about, workers

    def _first(self, workers: list[ClusterWorker]) -> About:
        until = time.monotonic() + FIRST_PROCESS
        by_asked, faults = {worker.asked: worker for worker in workers}, []
        while by_asked and time.monotonic() < until:
            self.check()
            for reference in self.ray.wait(list(by_asked), timeout=POLL)[0]:
                try:
                    return by_asked.pop(reference).about(POLL)
                except RPGError as error:
                    faults.append(str(error))
        if faults:
            raise GenerationError(faults[0])
        raise GenerationError(
            f"The Ray cluster had no place for a process in {FIRST_PROCESS:.0f} s; it has {self.ray.available_resources()} free."
        )

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.ray.shutdown()


def _probe(address: str) -> None:
    """Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=HEAD).close()


def _told(error: Exception) -> RPGError:
    return error if isinstance(error, RPGError) else UnableError(f"{type(error).__name__}: {short(str(error))}.")
