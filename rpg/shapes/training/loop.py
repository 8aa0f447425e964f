"""One training loop for all networks: resumable, with a log of the loss."""

from __future__ import annotations

import csv
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import trange

LOG_EVERY = 20
SAVE_EVERY = 200


def train(
    name: str,
    network: nn.Module,
    loss: Callable[[nn.Module, int], Tensor],
    *,
    folder: Path,
    seed: int,
    steps: int,
    rate: float,
    decay: float = 0.995,
) -> nn.Module:
    """Minimise ``loss(network, step)`` with AdamW, a short warm-up and a cosine to zero.

    Every step seeds the random numbers from its own number, so an interrupted run that goes on from its last save takes
    the steps that it would have taken.

    Args:
        folder: ``NAME.pt`` (the state to go on from) and ``NAME.csv`` (step, loss, seconds) are kept there.

    Returns:
        The exponential moving average of the network, with buffers.
    """
    device = next(network.parameters()).device
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.01)
    warm = min(200, steps // 10 + 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * min(step / steps, 1)))
    )
    parts = {"network": network, "average": average, "optimizer": optimizer, "schedule": schedule}
    state, log = folder / f"{name}.pt", folder / f"{name}.csv"
    done = 0
    if state.exists():
        saved = torch.load(state, map_location=device, weights_only=True)
        done = saved.pop("step")
        for key, value in saved.items():
            parts[key].load_state_dict(value)
    rows = [row for row in _read(log) if int(row[0]) <= done]
    recent: list[float] = []
    began = time.monotonic()
    for step in trange(done, steps, desc=name, initial=done, total=steps, mininterval=5, disable=None):
        torch.manual_seed(seed * 1_000_003 + step)
        value = loss(network, step)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(network)
        recent.append(value.item())
        if (step + 1) % LOG_EVERY == 0:
            rows.append([str(step + 1), f"{sum(recent) / len(recent):.5f}", f"{time.monotonic() - began:.0f}"])
            recent.clear()
            _write(log, rows)
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            partial = state.with_suffix(".partial")
            torch.save({"step": step + 1} | {key: part.state_dict() for key, part in parts.items()}, partial)
            os.replace(partial, state)
    return average.module


def _read(log: Path) -> list[list[str]]:
    if not log.exists():
        return []
    with log.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]


def _write(log: Path, rows: list[list[str]]) -> None:
    with log.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["step", "loss", "seconds"], *rows])
