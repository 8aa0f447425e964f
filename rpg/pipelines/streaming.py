"""A generation that reports while it runs and can be closed in the middle."""

from __future__ import annotations

import threading
from collections.abc import Generator
from queue import SimpleQueue
from typing import Any

from PIL.Image import Image

from rpg.plan import Plan


class _Closed(Exception):
    """The caller closed the generator: leave the pipeline."""


def stream(pipeline: Any, plan: Plan, *, num_inference_steps: int, **options: Any) -> Generator[float | Image, None, None]:
    """Run ``pipeline.generate``, yielding the share of steps done (0..1), then the pictures.

    The pipeline runs in a thread of its own. Closing the generator stops it before its next step.
    """
    items: SimpleQueue[float | Image | BaseException | None] = SimpleQueue()
    closed = threading.Event()

    def report(running: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if closed.is_set():
            raise _Closed
        items.put(min((step + 1) / running.num_timesteps, 1.0))  # fewer than asked for where a picture is the start
        return tensors

    def work() -> None:
        try:
            options["callback_on_step_end"] = report
            for picture in pipeline.generate(plan, num_inference_steps=num_inference_steps, **options).images:
                items.put(picture)
            items.put(None)
        except _Closed:
            pass
        except BaseException as error:
            items.put(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while (item := items.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        closed.set()
        worker.join()
