"""What regions cost inside Forge or reForge, and what they cost with forge-couple where that is at hand.

The checkpoint is the embedded model. A figure is the CPU time that the webui (one thread) needs for the steps between a short
and a longer picture; methods take turns with plain pictures, and a ratio is the median of (steps with regions / mean of the
plain ones before and after). Works on the webui in ``$FORGE``; ``--couple FOLDER`` names the other extension.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
import torch

from tests.benchmarks.speed import LAYOUTS, machine, write
from tests.forge.conftest import FORGE, ROOT
from tests.webui.host import PROMPT, Webui

WORDS = ["a red circle", "a blue square", "a green star", "a yellow star"] * 4
COUNTS = {2: (2, 1), 16: (4, 4)}
"""Regions: columns and rows."""


def ours(count: int, latent_ratio: float) -> dict[str, Any]:
    plan = {"regions": WORDS[:count], "split_ratio": LAYOUTS[count], "base_prompt": PROMPT, "base_ratio": 0.4}
    return {"rpg": {**plan, "latent_ratio": latent_ratio}}


def couple(count: int) -> dict[str, Any]:
    """The same boxes, in its mode Advanced."""
    columns, rows = COUNTS[count]
    boxes = [[x / columns, (x + 1) / columns, y / rows, (y + 1) / rows, 1.0] for y in range(rows) for x in range(columns)]
    args = [True, False, "Advanced", "\\n", "Horizontal", "None", 0.5, boxes, "off", False, False]
    return {"prompt": "\n".join(WORDS[:count]), "alwayson_scripts": {"Forge Couple": {"args": args}}}


def step(webui: Webui, size: int, steps: int, request: dict[str, Any]) -> float:
    """Seconds of CPU time; the first step, what is encoded and the decoder do not count."""
    server = psutil.Process(webui.process.pid)

    def picture(count: int) -> float:
        before = server.cpu_times()
        settings = {"width": size, "height": size, "steps": count, "sampler_name": "Euler", "scheduler": "Automatic"}
        (infotext,) = webui.generate(**settings, **request).infotexts
        assert "ERROR" not in infotext
        assert ("RPG plan" in infotext, "forge_couple" in infotext) == ("rpg" in request, "alwayson_scripts" in request)
        after = server.cpu_times()
        return after.user + after.system - before.user - before.system

    short = picture(1)
    return (picture(1 + steps) - short) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--couple", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/speed.md"))
    args = parser.parse_args()
    requests = {("by attention", count): ours(count, 0) for count in COUNTS}
    requests["latent steps", 2] = ours(2, 1)
    if args.couple:
        requests |= {("forge-couple", count): couple(count) for count in COUNTS}
    plain: list[float] = []
    ratios: dict[tuple[str, int], list[float]] = {case: [] for case in requests}
    with tempfile.TemporaryDirectory() as folder:
        webui = Webui(Path(folder), kind=FORGE, extensions=[args.couple] if args.couple else [])
        try:
            webui.wait(seconds=600)
            step(webui, args.size, 1, {})
            for _ in range(args.rounds):
                plain.append(step(webui, args.size, args.steps, {}))
                for case, request in requests.items():
                    own = step(webui, args.size, args.steps, request)
                    plain.append(step(webui, args.size, args.steps, {}))
                    ratios[case].append(2 * own / (plain[-2] + plain[-1]))
                    print(*case, round(own, 3), "plain", round(plain[-1], 3), file=sys.stderr, flush=True)
        finally:
            webui.stop()
    rows = ["| method | regions | step / plain | lowest and highest |", "|---|---|---|---|"]
    rows.append(f"| plain, {statistics.median(plain):.3f} s | | 1 | {min(plain):.3f} and {max(plain):.3f} s |")
    for (method, count), found in ratios.items():
        rows.append(f"| {method} | {count} | **{statistics.median(found):.3f}** | {min(found):.3f} and {max(found):.3f} |")
    name = "reForge" if (ROOT / "ldm_patched").exists() else "Forge"
    title = f"## In {name}: the embedded model, {args.size}x{args.size}, float32 on cpu"
    about = f"{machine(torch.device('cpu'))}; base ratio 0.4; medians of {args.rounds}, {args.steps} steps each; CPU time."
    command = "FORGE=FOLDER python -m tests.benchmarks.forge" + (" --couple FOLDER" if args.couple else "")
    options = f" --rounds {args.rounds} --steps {args.steps} --size {args.size}"
    write(args.out, "\n\n".join([title, f"{about}\n`{command}{options}`", "\n".join(rows)]))
    print("\n".join(rows))


if __name__ == "__main__":
    main()
