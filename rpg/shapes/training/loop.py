"""One training loop for all networks: resumable, in one process or two, with a log of the loss."""

from __future__ import annotations

import csv
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import torch
from torch import Tensor, distributed, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import trange

SHARDS = 2
"""Batches whose gradients make a step, by one process or by two; the result is the same up to rounding."""
LOG_EVERY = 20
SAVE_EVERY = 200


def train(
    name: str,
    network: nn.Module,
    loss: Callable[[nn.Module, int, Random], Tensor],
    *,
    folder: Path,
    seed: int,
    steps: int,
    rate: float,
    decay: float = 0.995,
) -> nn.Module:
    """Minimise ``loss(network, step, random numbers)`` with AdamW, a short warm-up and a cosine to zero.

    Every batch seeds the random numbers from its own number, so an interrupted run that goes on from its last save takes
    the steps that it would have taken.

    Args:
        folder: ``NAME.pt`` (the state to go on from) and ``NAME.csv`` (step, loss, seconds) are kept there.

    Returns:
        The exponential moving average of the network, with buffers.
    """
    device = next(network.parameters()).device
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
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
    rank, processes = (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)
    rows = [row for row in _read(log) if int(row[0]) <= done]
    recent: list[float] = []
    began = time.monotonic()
    for step in trange(done, steps, desc=name, initial=done, total=steps, mininterval=5, disable=None if rank == 0 else True):
        optimizer.zero_grad(set_to_none=True)
        total = torch.zeros(1, device=device)
        for shard in range(rank, SHARDS, processes):
            torch.manual_seed((seed * 1_000_003 + step) * SHARDS + shard)
            value = loss(network, step, Random(f"{seed} {name} {step} {shard}")) / SHARDS
            value.backward()
            total += value.detach()
        if processes > 1:
            _add_up(network, total)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(network)
        recent.append(total.item())
        if rank:
            continue
        if (step + 1) % LOG_EVERY == 0:
            rows.append([str(step + 1), f"{sum(recent) / len(recent):.5f}", f"{time.monotonic() - began:.0f}"])
            recent.clear()
            _write(log, rows)
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            partial = state.with_suffix(".partial")
            torch.save({"step": step + 1} | {key: part.state_dict() for key, part in parts.items()}, partial)
            os.replace(partial, state)
    return average.module


def _add_up(network: nn.Module, total: Tensor) -> None:
    """Gradients and loss become the sums over the processes."""
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    sums = torch.cat([*(gradient.reshape(-1) for gradient in gradients), total])
    distributed.all_reduce(sums)
    for tensor, part in zip([*gradients, total], sums.split([*(gradient.numel() for gradient in gradients), 1])):
        tensor.copy_(part.view(tensor.shape))


def _read(log: Path) -> list[list[str]]:
    if not log.exists():
        return []
    with log.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]


def _write(log: Path, rows: list[list[str]]) -> None:
    with log.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["step", "loss", "seconds"], *rows])
