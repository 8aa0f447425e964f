"""What of a batch is not generation: ``python -m tests.benchmarks.batch [PICTURES]``, with the embedded model.

Both are measured in one run, so that what else the machine does weighs on both alike.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rpg.batch.batch import Batch
from rpg.batch.folder import Folder
from rpg.batch.jobs import Defaults, read
from rpg.cli.batch_command import CALLS, _Bar, _plan
from rpg.cli.text_to_image import TextToImage

COLOURS = ("red", "blue", "green", "gray", "white", "yellow", "black")


def run(count: int, folder: Path) -> None:
    model = TextToImage(None, None, None, None)
    captions = [f"a {one} circle on the left and a {two} square on the right" for one in COLOURS for two in COLOURS]
    (folder / "prompts.txt").write_text("\n".join(captions[:count]))
    jobs = list(read(folder / "prompts.txt", Defaults(width=model.width, height=model.height)))
    model(jobs[0], _plan(jobs[0].wanted, lambda: False), lambda: False)  # type: ignore[arg-type]  # warm
    generate, spent = model._pipeline.generate, [0.0, 0.0]

    def timed(*args: Any, **kwargs: Any) -> Any:
        processor, wall = time.thread_time(), time.perf_counter()
        made = generate(*args, **kwargs)
        spent[0] += time.thread_time() - processor
        spent[1] += time.perf_counter() - wall
        return made

    model._pipeline.generate = timed
    target = Folder(folder / "out", "")
    processor, wall = time.process_time(), time.perf_counter()
    with target.opened(), _Bar(len(jobs), 0) as bar:
        Batch(target, _plan, CALLS, {"this machine": model}, bar).run(iter(jobs))
    for what, total, own in zip(
        ("processor", "wall"), (time.process_time() - processor, time.perf_counter() - wall), spent, strict=True
    ):
        print(f"{what} time of {bar.count} pictures: {total:.1f} s, of generation {own:.1f} s: {total / own - 1:.2%} more")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        run(int(sys.argv[1]) if len(sys.argv) > 1 else 40, Path(name))
