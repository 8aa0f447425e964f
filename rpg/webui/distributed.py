"""Batches that stable-diffusion-webui-distributed splits over webuis.

It packs every script's arguments as JSON before the host has made the prompts, sends them to the workers that have the script,
and only logs what a worker fails at. So the plan is made first, here and once; workers whose pictures would be plain are left out
by name; and what is missing in the end is made here.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rpg.plan import VERSION

TITLE = "Distribute"
TIMEOUT = (3, 10)
"""Seconds to reach a worker, and for its answer."""


class Split:
    """A job that other machines share.

    Args:
        script: the other extension's.
    """

    def __init__(self, p: Any, script: Any) -> None:
        self._p, self._script, self._world = p, script, script.world
        self._fresh: Any = None

    def alone(self, reason: str = "") -> None:
        """Keep the job on this machine."""
        self._world.get_workers = lambda: [self._world.master()]
        if reason:
            self._tell(reason)

    def give(self, position: int, *arguments: Any) -> None:
        """Other arguments for the script whose own stand from ``position`` on, here and on the workers."""
        given = list(self._p.script_args_value)
        given[position : position + len(arguments)] = arguments
        self._p.script_args_value = given

    def share(self) -> None:
        """With the workers that know regions."""
        workers = [worker for worker in self._world.get_workers() if not worker.master]
        with ThreadPoolExecutor(max(1, len(workers))) as pool:
            faults = dict(zip((worker.label for worker in workers), pool.map(_fault, workers)))
        for sentence in filter(None, faults.values()):
            self._tell(sentence)
        find = type(self._world).get_workers
        self._world.get_workers = lambda: [worker for worker in find(self._world) if not faults.get(worker.label)]
        for worker in workers:
            worker.response = None  # of a job before that went wrong
        self._fresh = copy.copy(self._p)
        self._script.rpg_split = self

    def complete(self, processed: Any, make: Callable[[Any], Any]) -> None:
        """Make the pictures that no worker has made.

        Args:
            make: from a job of the host's to what it has made.
        """
        p = self._p
        silent = [job.worker.label for job in self._world.jobs if not job.worker.master and not _answer(job.worker)]
        for first, count in _runs(self._missing(), max(1, len(p.all_seeds or []))):
            again = copy.copy(self._fresh)
            again.seed, again.subseed = p.seed + (0 if p.subseed_strength else first), p.subseed + first
            again.batch_size, again.n_iter, again.do_not_save_grid = count, 1, True
            again.scripts_value = self._others()
            made = make(again)
            processed.images += made.images[made.index_of_first_image :]
            processed.infotexts += made.infotexts[made.index_of_first_image :]
            names = ", ".join(silent) or "a worker"
            sentence = f"RPG: {names} did not make {count} of the pictures; this machine made them."
            processed.comments += f"{sentence}\n"
            print(sentence)

    def _missing(self) -> list[int]:
        """Places in the whole batch."""
        p, fresh = self._p, self._fresh
        first, name = (p.subseed, "all_subseeds") if p.subseed_strength else (p.seed, "all_seeds")
        made = list(getattr(p, name, None) or [])
        for job in self._world.jobs:
            if answer := _answer(job.worker):
                made += json.loads(answer["info"])[name][: len(answer["images"])]
        return sorted(set(range(fresh.batch_size * fresh.n_iter)) - {seed - first for seed in made})

    def _others(self) -> Any:
        """The host's scripts without the one that splits."""
        runner = copy.copy(self._p.scripts)
        runner.callback_map = {}
        for name in ("scripts", "alwayson_scripts"):
            setattr(runner, name, [script for script in getattr(runner, name) if script is not self._script])
        return runner

    def _tell(self, sentence: str) -> None:
        self._p.comment(sentence)
        print(sentence)


def find(p: Any) -> Split | None:
    """What splits the job, if anything does."""
    script = _script(p)
    if script is None:
        return None
    vars(script.world).pop("get_workers", None)  # of a job before
    script.rpg_split = None
    on = script.world.enabled_i2i if getattr(p, "init_images", None) else script.world.enabled
    return Split(p, script) if on else None


def complete(p: Any, processed: Any, make: Callable[[Any], Any]) -> None:
    """At the end of any job; see :meth:`Split.complete`."""
    script = _script(p)
    split = getattr(script, "rpg_split", None)
    if split is not None and split._p is p:
        script.rpg_split = None
        split.complete(processed, getattr(script, "original_process_images_inner", None) or make)


def _script(p: Any) -> Any:
    scripts = getattr(p.scripts, "alwayson_scripts", None) or []
    return next((script for script in scripts if script.title() == TITLE and hasattr(script, "world")), None)


def _fault(worker: Any) -> str:
    """A sentence that says why a worker cannot help; empty where it can."""
    url = f"{'https' if worker.tls else 'http'}://{worker.address}:{worker.port}/rpg/v1/planners"
    try:
        answer = worker.session.get(url, timeout=TIMEOUT)
    except OSError:
        return f"RPG: the worker {worker.label} cannot be reached, so it makes none of these pictures."
    try:
        version = answer.json().get("plan_version", 0) if answer.status_code == 200 else None
    except (ValueError, AttributeError):
        version = None
    if version is None:
        return (
            f"RPG: the worker {worker.label} has no RPG extension ({answer.status_code}); install it there. "
            "It makes none of these pictures."
        )
    if version < VERSION:
        return f"RPG: the worker {worker.label} has an older RPG extension; update it there. It makes none of these pictures."
    for kind in ("txt2img", "img2img"):  # as it was when the worker was last asked for its scripts
        known = worker.supported_scripts.setdefault(kind, [])
        if "rpg" not in known:
            known.append("rpg")
    return ""


def _answer(worker: Any) -> dict[str, Any] | None:
    """Pictures; the other extension keeps answers to other questions in the same place."""
    answer = worker.response
    return answer if not worker.master and isinstance(answer, dict) and answer.get("images") else None


def _runs(places: list[int], most: int) -> Iterator[tuple[int, int]]:
    """First and number of those that follow one another."""
    while places:
        count = next((at for at, place in enumerate(places) if place != places[0] + at), len(places))
        count = min(count, most)
        yield places[0], count
        places = places[count:]
