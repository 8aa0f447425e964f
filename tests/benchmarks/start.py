"""How much later the real webui starts with the extension than without.

Whole starts are the CPU time of the webui's main thread until it reports its start; those with and without take turns.
They scatter by more than the extension takes, so its parts are timed for themselves too, in the webui's environment:
imports after those of the webui, the panels of both tabs, and ``install.py``, a process of its own, with everything installed.
"""

from __future__ import annotations

import argparse
import os
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
import torch

from tests.benchmarks.speed import machine, write
from tests.benchmarks.webui import version
from tests.webui.host import CHECKOUT, WEBUI, Webui

PARTS = """
import time
import gradio, PIL.Image, requests, torch
start = time.process_time()
import rpg.steering.hooks, rpg.panel.panel, rpg.webui.arguments
loaded = time.process_time()
with gradio.Blocks():
    began = time.process_time()
    for tab in ("txt2img", "img2img"):
        rpg.panel.panel.build_panel(tab)
    print(loaded - start, time.process_time() - began)
"""


class With(Webui):
    """A webui that has seen the extension before."""

    def write_settings(self, **settings: Any) -> None:
        super().write_settings(**settings)
        subprocess.run([WEBUI / "venv" / "bin" / "python", "-m", "compileall", "-q", self.folder / "extensions"], check=True)


class Without(With):
    """One with the extension in place but turned off."""

    def write_settings(self, **settings: Any) -> None:
        super().write_settings(**settings, disabled_extensions=["sd-webui-rpg"])


WHOLE = {"webui without the extension": Without, "webui with it": With}


def start(kind: type[With]) -> float:
    """Seconds."""
    with tempfile.TemporaryDirectory() as folder:
        webui = kind(Path(folder))
        try:
            webui.wait(seconds=600)
            main = next(thread for thread in psutil.Process(webui.process.pid).threads() if thread.id == webui.process.pid)
            return main.user_time + main.system_time
        finally:
            webui.stop()


def parts() -> tuple[float, ...]:
    """Seconds of the imports and of the panels."""
    command = [WEBUI / "venv" / "bin" / "python", "-c", PARTS]
    return tuple(map(float, subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout.split()))


def install() -> float:
    """Seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [WEBUI / "venv" / "bin" / "python", CHECKOUT / "install.py"]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(WEBUI)}, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("docs/speed.md"))
    args = parser.parse_args()
    start(With)  # warms the disk cache
    install()  # installs what is missing
    times: dict[type[With], list[float]] = {kind: [] for kind in WHOLE.values()}
    for turn in range(args.rounds):
        for kind in list(times)[:: 1 if turn % 2 else -1]:
            times[kind].append(start(kind))
            print(kind.__name__, times[kind][-1], file=sys.stderr, flush=True)
    imports, panels = (statistics.median(column) for column in zip(*(parts() for _ in range(args.rounds))))
    installs = statistics.median(install() for _ in range(args.rounds))
    rows = [
        "| | CPU time |",
        "|---|---|",
        *(f"| {name} | {min(times[kind]):.2f} to {max(times[kind]):.2f} s |" for name, kind in WHOLE.items()),
        f"| its imports | {imports:.2f} s |",
        f"| its panels | {panels:.2f} s |",
        f"| its install.py, nothing to install | {installs:.2f} s |",
        f"| **together** | **{imports + panels + installs:.2f} s** |",
    ]
    about = f"{machine(torch.device('cpu'))}; webui {version()}; {args.rounds} starts of each, medians of the parts."
    command = f"`python -m tests.benchmarks.start {shlex.join(sys.argv[1:])}`"
    write(args.out, "\n\n".join(["## Start of the webui", f"{about}\n{command}", "\n".join(rows)]))
    print("\n".join(rows))


if __name__ == "__main__":
    main()
