"""All networks, one after the other, in one process or several."""

from __future__ import annotations

import csv
import os
import tempfile
from pathlib import Path

import torch
from torch import distributed, multiprocessing

from rpg import shapes
from rpg.shapes.training import autoencoder, control, denoiser, models, single_file, styles, text_encoder


def train(folder: Path, seed: int, device: str, processes: int, *, control_only: bool = False) -> Path:
    """Train what is not trained yet and write the files; returns the folder.

    Args:
        control_only: train the ControlNet alone, of the bundled model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    job = (folder, seed, device, control_only)
    if processes == 1:
        _train(*job)
    else:
        with tempfile.TemporaryDirectory() as meeting:
            multiprocessing.spawn(_train_together, (processes, meeting, job), processes)
    return folder


def _train_together(rank: int, processes: int, meeting: str, job: tuple[Path, int, str, bool]) -> None:
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.set_num_threads(max(1, torch.get_num_threads() // processes))
    distributed.init_process_group("gloo", init_method=f"file://{meeting}/store", rank=rank, world_size=processes)
    _train(*job)
    distributed.destroy_process_group()


def _train(folder: Path, seed: int, device: str, control_only: bool) -> None:
    torch.set_flush_denormal(True)  # or vanishing weights slow a CPU down
    if control_only:
        network = models.bundled().to(device)
        vae = network.vae
    else:
        vae = autoencoder.trained(folder, seed, device)
        vae = autoencoder.refined(folder, seed, device, vae)
        text = text_encoder.trained(folder, seed, device)
        network = denoiser.trained(folder, seed, device, vae, text)
        if _writes():
            single_file.write(folder, vae, network.unet, network.text_encoder)
    net = control.trained(folder, seed, device, vae, network)
    if _writes():
        single_file.write_control(folder, net)
        plot(folder)
    for style in () if control_only else styles.STYLES:
        changed = styles.trained(folder, seed, device, vae, network, style=style)
        if _writes():
            styles.write(folder / shapes.LORA.name / f"{style}.safetensors", changed)


def _writes() -> bool:
    return not distributed.is_initialized() or distributed.get_rank() == 0


def plot(folder: Path) -> Path:
    """``losses.png``: every network's loss over its steps, from the logs. Returns its path."""
    from matplotlib.figure import Figure

    names = ("autoencoder", "decoder", "text encoder", *(course.name for course in denoiser.COURSES), "control")
    logs = [path for name in names if (path := folder / f"{name}.csv").exists()]
    figure = Figure(figsize=(16, 3), layout="constrained")
    for log, axis in zip(logs, figure.subplots(1, len(logs), squeeze=False).flat):
        with log.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        axis.plot([int(row["step"]) for row in rows], [float(row["loss"]) for row in rows], linewidth=0.8)
        axis.set(title=log.stem, xlabel="step", yscale="log")
    path = folder / "losses.png"
    figure.savefig(path, dpi=80)
    return path
