"""``python -m tests.benchmarks.network_speed``: what a LoRA for each of two regions costs, beside the same two merged.

A step is one call of a UNet of the real size with random weights, for a negative and a positive row, in two halves. Steps with
branches take turns with steps without; the ratio is the median of (step / mean of the two around it), by the CPU time of one
thread.
The LoRA have the layers that kohya's scripts change by default: attention, its projections, and feed-forward.
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rpg.areas.areas import Areas
from rpg.areas.layout import Layout
from rpg.steering.branches import LowRank
from rpg.steering.conditioning import join_pair
from rpg.steering.hooks import attach
from rpg.steering.steering import Steering
from tests.benchmarks import models

LAYERS = r".*(to_[qkv]|to_out\.0|proj_in|proj_out|ff\.net\.0\.proj|ff\.net\.2)"


def network(unet: nn.Module, rank: int) -> dict[nn.Module, list[LowRank]]:
    found = {}
    for name, layer in unet.named_modules():
        if re.fullmatch(LAYERS, name):
            weight = layer.weight
            ones = (1,) * (weight.dim() - 2)
            down, up = weight.new_empty(rank, weight.shape[1], *ones), weight.new_empty(len(weight), rank, *ones)
            found[layer] = [LowRank(down.normal_(std=0.01), up.normal_(std=0.01))]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.network_speed", description=__doc__)
    parser.add_argument("--model", default="sd15", choices=models.CONFIGS)
    parser.add_argument("--size", type=int, default=256, help="pixels (%(default)s)")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    unet = models.build(options.model, options.device, getattr(torch, options.dtype))
    inputs = models.inputs(unet, options.size)
    networks = {region: network(unet, options.rank) for region in range(2)}
    weights = sum(parameter.nbytes for parameter in unet.parameters())
    held = sum(part.nbytes for found in networks.values() for branches in found.values() for part in branches[0])
    name = f"{options.model}, {options.size}x{options.size}, {options.dtype}"
    print(f"{name}: two LoRA of rank {options.rank} are {held / weights:.3f} of the UNet's weights.")
    print("| base ratio | latent steps | step, s | with branches | work |\n|---|---|---|---|---|")
    for base_ratio, apart in ((0.0, False), (0.3, False), (0.0, True)):
        print(_row(unet, inputs, networks, base_ratio, apart, options), flush=True)


def _row(  # noqa: PLR0917
    unet: nn.Module, inputs: dict[str, object], networks: dict, base_ratio: float, apart: bool, options: argparse.Namespace
) -> str:
    layout = Layout.parse("1,1")
    negative, *positive = models.prompts(unet, 4)
    joined, joined_negative = join_pair(positive, [negative] * 3)
    context = torch.cat([joined_negative.context, joined.context])
    steering = Steering(Areas.of(layout), [base_ratio] * 2, 0.5 if apart else 0.0)
    steering.prepare(joined)
    sample = {**inputs, "timestep": 990 if apart else 500, "encoder_hidden_states": context}

    def timed(step: Callable[[], object]) -> float:
        began = time.thread_time()
        step()
        return time.thread_time() - began

    def step() -> object:
        return unet(**sample)

    with torch.no_grad(), attach(unet, steering):
        plain, ratios, work = [], [], []
        for branched in (False, True):
            with steering.networks(unet, networks if branched else {}), FlopCounterMode(display=False) as counter:
                step()
                work.append(counter.get_total_flops())
        for _ in range(options.rounds):
            step()
            plain.append(timed(step))
            with steering.networks(unet, networks):
                step()
                ratios.append(timed(step))
        step()
        plain.append(timed(step))
    medians = [one / ((before + after) / 2) for one, before, after in zip(ratios, plain, plain[1:])]
    return (
        f"| {base_ratio} | {'yes' if apart else 'no'} | {statistics.median(plain):.2f} | {statistics.median(medians):.3f} | "
        f"{work[1] / work[0]:.3f} |"
    )


if __name__ == "__main__":
    main()
