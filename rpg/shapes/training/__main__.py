"""``python -m rpg.shapes.training``: train the embedded model from a seed, or go on where that was interrupted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from rpg.shapes.training import autoencoder, denoiser, single_file


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rpg.shapes.training", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Path("outputs", "training"), help="states, losses and the result (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="on a CPU (%(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)  # or vanishing weights slow a CPU down
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        trained_autoencoder = autoencoder.trained(options.folder, options.seed, options.device)
        trained_autoencoder = autoencoder.refined(options.folder, options.seed, options.device, trained_autoencoder)
        network = denoiser.trained(options.folder, options.seed, options.device, trained_autoencoder)
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from the last save.", file=sys.stderr)
        return 130
    print(single_file.write(options.folder, trained_autoencoder, network.unet, network.text_encoder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
