"""What regions cost inside the real webui, and what they cost with regional-prompter where that is at hand.

The checkpoint has the size of Stable Diffusion 1.5, with random weights. A figure is the CPU time that the webui
(one thread) needs for the steps between a short and a longer picture; methods take turns, and a ratio is the
median over the rounds. Works on the webui in ``$WEBUI``; ``--regional-prompter FOLDER`` names the other extension.
"""

from __future__ import annotations

import argparse
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
import torch

from tests.benchmarks.speed import LAYOUTS, machine, write
from tests.webui.host import WEBUI, Webui

PARTS = ["a red circle", "a blue square", "a green triangle", "a yellow star"]
SHORT, LONG = 1, 4


def bodies(regions: int) -> dict[str, dict[str, Any]]:
    """The same regions for either extension."""
    prompts = [f"{PARTS[number % 4]} number {number}" for number in range(regions)]
    other = [True, False, "Matrix", "Columns", "Mask", "Prompt", LAYOUTS[regions], "0.4", True, False, False]
    other += ["Attention", [], "0", "0", "0", "", "0", "0", False]
    ours = {"regions": prompts, "split_ratio": LAYOUTS[regions], "base_ratio": 0.4}
    return {
        "ours": {"alwayson_scripts": {"RPG": {"args": [ours]}}},
        "regional-prompter": {
            "prompt": " BREAK ".join(["shapes", *prompts]),
            "alwayson_scripts": {"Regional Prompter": {"args": other}},
        },
    }


def step(webui: Webui, size: int, body: dict[str, Any]) -> float:
    """Seconds."""
    server = psutil.Process(webui.process.pid)

    def picture(steps: int) -> float:
        before = server.cpu_times()
        settings = {"prompt": "shapes", "negative_prompt": "blurred", "width": size, "height": size, "sampler_name": "Euler"}
        webui.generate(**{**settings, **body, "steps": steps})
        after = server.cpu_times()
        return after.user + after.system - before.user - before.system

    short = picture(SHORT)
    return (picture(LONG) - short) / (LONG - SHORT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--regions", nargs="+", type=int, choices=LAYOUTS, default=[2, 8])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--regional-prompter", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/speed.md"))
    args = parser.parse_args()
    methods = ["ours", *(["regional-prompter"] if args.regional_prompter else [])]
    cases = [(method, count) for method in methods for count in args.regions]
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models" / "Stable-diffusion"
        builder = Path(__file__).with_name("checkpoint.py")
        subprocess.run([WEBUI / "venv" / "bin" / "python", builder, WEBUI, models], check=True)
        webui = Webui(Path(folder), extensions=[args.regional_prompter] if args.regional_prompter else [])
        try:
            webui.wait(seconds=600)
            webui.options(sd_model_checkpoint="sd15-random.safetensors")
            step(webui, args.size, {})
            plain: list[float] = []
            times: dict[tuple[str, int], list[float]] = {case: [] for case in cases}
            for _ in range(args.rounds):
                plain.append(step(webui, args.size, {}))
                for method, count in cases:
                    times[method, count].append(step(webui, args.size, bodies(count)[method]))
                    print(method, count, times[method, count][-1], "plain", plain[-1], file=sys.stderr, flush=True)
        finally:
            webui.stop()
    rows = [
        "| method | regions | step | step / plain |",
        "|---|---|---|---|",
        f"| plain | | {statistics.median(plain):.3f} s | 1 |",
    ]
    for (method, count), seconds in times.items():
        ratio = statistics.median(own / reference for own, reference in zip(seconds, plain))
        rows.append(f"| {method} | {count} | {statistics.median(seconds):.3f} s | **{ratio:.3f}** |")
    command = re.sub(r"--regional-prompter \S+", "--regional-prompter FOLDER", shlex.join(sys.argv[1:]))
    about = f"{machine(torch.device('cpu'))}; webui {version()}; base ratio 0.4; medians of {args.rounds}; CPU time."
    title = f"## In the webui: SD 1.5-sized, {args.size}x{args.size}, float32 on cpu"
    write(args.out, "\n\n".join([title, f"{about}\n`python -m tests.benchmarks.webui {command}`", "\n".join(rows)]))
    print("\n".join(rows))


def version() -> str:
    answer = subprocess.run(["git", "-C", WEBUI, "describe", "--tags"], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
