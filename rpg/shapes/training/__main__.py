"""``python -m rpg.shapes.training``: train the embedded model from a seed, or go on where that was interrupted."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import torch

from rpg.shapes.training import stages
from rpg.shapes.training.loop import SHARDS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rpg.shapes.training", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Path("outputs", "training"), help="states, losses and the result (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--processes", type=int, choices=range(1, SHARDS + 1), help="1 on a GPU, else one for each core")
    parser.add_argument("--control-only", action="store_true", help="train the ControlNet alone, of the model that is there")
    options = parser.parse_args()
    # Two processes with a core each are faster than one with two threads.
    processes = options.processes or (min(SHARDS, os.cpu_count() or 1) if options.device == "cpu" else 1)
    try:
        print(stages.train(options.folder, options.seed, options.device, processes, control_only=options.control_only))
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from the last save.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
