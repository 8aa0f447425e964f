"""The folder that a batch fills: what lies in it is done. Every file is there as a whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rpg.batch.jobs import BatchJob
from rpg.errors import GenerationError, PlanError, RPGError
from rpg.plan import Plan

PLANS = "plans"
FAILURES = "failures.jsonl"


@dataclass(frozen=True)
class Folder:
    """
    Fields:
        settings: what all pictures have in common, as one text; where it is another, they are made anew.
    """

    path: Path
    settings: str

    @contextmanager
    def opened(self) -> Iterator[None]:
        """For this process alone, and without the failures of an earlier one: those jobs are tried again.

        Raises:
            GenerationError: when another process fills it.
        """
        from filelock import FileLock, Timeout  # of torch

        (self.path / PLANS).mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.path / ".lock", timeout=0):
                self.failures.unlink(missing_ok=True)
                yield
        except Timeout:
            raise GenerationError(f"Another batch is filling {self.path}; wait for it, or give another --output.") from None

    @property
    def failures(self) -> Path:
        return self.path / FAILURES

    def has(self, job: BatchJob) -> bool:
        return self._picture(job).exists()

    def save(self, job: BatchJob, png: bytes) -> None:
        _write(self._picture(job), png)

    def plan(self, job: BatchJob) -> Plan | None:
        """The job's own plan, or the one that was made for it."""
        if isinstance(job.wanted, Plan):
            return job.wanted
        path = self._plan(job)
        if not path.exists():
            return None
        try:
            return Plan.from_json(path.read_text("utf-8"))
        except (RPGError, ValueError) as error:
            raise PlanError(f"{path} is no plan any more; remove it, and it is planned again. {error}") from None

    def save_plan(self, job: BatchJob, plan: Plan) -> None:
        _write(
            self._plan(job), (json.dumps(plan.to_dict(), ensure_ascii=False, indent=2) + "\n").encode(errors="backslashreplace")
        )

    def fail(self, job: BatchJob, sentence: str) -> None:
        entry = {"line": job.line, "caption": job.caption, "error": sentence}
        with self.failures.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def _picture(self, job: BatchJob) -> Path:
        return self.path / job.name(self.settings)

    def _plan(self, job: BatchJob) -> Path:
        return self.path / PLANS / f"{job.plan_key}.json"


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())  # a power cut may not leave an empty file under the right name
    partial.replace(path)
