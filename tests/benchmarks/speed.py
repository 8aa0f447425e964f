"""What regions cost: times denoising steps and writes a table.

A step is one call of a UNet of the real size with random weights, for a negative and a positive row of 77 tokens.
All figures of a table come from one process. Steps with regions take turns with plain ones; a ratio is the median of
(step with regions / mean of the plain steps before and after it), so a machine that slows down or does other work
favours nobody. On a CPU the clock is the CPU time of one thread. The first step of a job has no keys and values to
reuse and is given apart. Memory is the peak of a job's steps over that of a plain one, the UNet's weights included.
"""

from __future__ import annotations

import argparse
import copy
import ctypes
import gc
import platform
import re
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import diffusers
import torch
from torch.utils.flop_counter import FlopCounterMode

from rpg.areas.layout import Layout
from rpg.steering.conditioning import join_pair
from tests.benchmarks import models
from tests.benchmarks.methods import METHODS

LAYOUTS = {1: "1", 2: "1,1", 4: "1,1,1;1,1,1", 8: "1,1,1,1,1;1,1,1,1,1", 16: ";".join(["1,1,1,1,1"] * 4)}

Step = Callable[[], None]


class Case(NamedTuple):
    method: str
    ratio: str
    base_ratio: float


class Result(NamedTuple):
    seconds: float
    later: float
    first: float
    work: float
    """Floating-point operations of matrix products, over the plain step's."""
    peak: float


class Bench:
    """One UNet at one size."""

    def __init__(self, model: str, size: int, device: str, dtype: torch.dtype) -> None:
        torch.manual_seed(0)
        self.device = torch.device(device)
        self.unet = models.build(model, device, dtype)
        self.inputs = models.inputs(self.unet, size)
        self.latent = (size // 8, size // 8)
        self.weights = sum(parameter.nbytes for parameter in self.unet.parameters())

    @contextmanager
    def job(self, case: Case | None) -> Iterator[Step]:
        """Gives a function that does one step of a job; None is the plain one. Jobs can run side by side."""
        shared = {id(tensor): tensor for tensor in (*self.unet.parameters(), *self.unet.buffers())}
        unet = copy.deepcopy(self.unet, shared)
        layout = Layout.parse("1" if case is None else case.ratio)
        negative, *positive = models.prompts(unet, layout.count + 2)
        if case is None:
            contexts = [negative, positive[0]]
        else:
            joined, joined_negative = join_pair(positive, [negative] * len(positive))
            contexts = [joined_negative.context, joined.context]
        with ExitStack() as stack:
            if case is not None:
                stack.enter_context(METHODS[case.method](unet, layout, case.base_ratio, joined.table, self.latent))
            # As in the webui, every step joins its rows anew.
            yield lambda: unet(**self.inputs, encoder_hidden_states=torch.cat(contexts))

    def timed(self, step: Step) -> float:
        if self.device.type == "cuda":
            start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            step()
            stop.record()
            stop.synchronize()
            return start.elapsed_time(stop) / 1000
        before = time.process_time()
        step()
        return time.process_time() - before

    def peak(self, case: Case | None) -> float:
        """Highest memory of a job's first two steps."""
        gc.collect()
        with self.job(case) as step:
            if self.device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
                step(), step()
                return torch.cuda.max_memory_allocated()
            _return_memory(1 << 16)  # freed tensors leave the resident set
            ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts again
            start = _status("VmRSS")
            step(), step()
            _return_memory(32 << 20)
            return _status("VmHWM") - start + self.weights


def _return_memory(size: int) -> None:
    """Give freed memory back to the system if it is larger than ``size``."""
    for option in (-1, -3):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
        ctypes.CDLL(None).mallopt(option, size)


def _status(field: str) -> int:
    return int(re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024


def _work(step: Step) -> int:
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def measure(bench: Bench, cases: list[Case], rounds: int, firsts: int) -> tuple[float, float, list[Result]]:
    """Seconds and peak bytes of the plain step, and the results of every case."""
    with ExitStack() as stack:
        plain = stack.enter_context(bench.job(None))
        plain()
        plain_work = _work(plain)
        opening: list[list[float]] = [[] for _ in cases]
        for number, case in enumerate(cases):
            for _ in range(firsts):
                before = bench.timed(plain)
                with bench.job(case) as step:
                    opening[number].append(bench.timed(step) / before)
        steps = [stack.enter_context(bench.job(case)) for case in cases]
        for step in steps:
            step()
        work = [_work(step) / plain_work for step in steps]
        times: list[list[float]] = [[] for _ in cases]
        plain_times = [bench.timed(plain)]
        turns = [number for turn in range(rounds) for number in range(len(cases))[:: 1 if turn % 2 else -1]]
        for number in turns:
            times[number].append(bench.timed(steps[number]))
            plain_times.append(bench.timed(plain))
    ratios: list[list[float]] = [[] for _ in cases]
    for number, around in zip(turns, pairwise(plain_times)):
        ratios[number].append(times[number][len(ratios[number])] / statistics.mean(around))
    peaks = [bench.peak(case) for case in [None, *cases]]
    median = statistics.median
    results = [Result(median(times[i]), median(ratios[i]), median(opening[i]), work[i], peaks[i + 1]) for i in range(len(cases))]
    return median(plain_times), peaks[0], results


def table(bench: Bench, cases: list[Case], plain: float, peak: float, results: list[Result]) -> str:
    rows = [
        "| method | regions | base ratio | step | step / plain | first step / plain | arithmetic / plain | peak memory / plain |",
        "|---|---|---|---|---|---|---|---|",
        f"| plain | | | {plain:.3f} s | 1 | 1 | 1 | 1 ({peak / 2**30:.2f} GiB, UNet {bench.weights / 2**30:.2f} GiB) |",
    ]
    for case, result in zip(cases, results):
        rows.append(
            f"| {case.method} | {Layout.parse(case.ratio).count} | {case.base_ratio:g} | {result.seconds:.3f} s "
            f"| **{result.later:.3f}** | {result.first:.3f} | {result.work:.3f} | {result.peak / peak:.3f} |"
        )
    return "\n".join(rows)


def machine(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    name = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{name[1] if name else platform.machine()}, 1 thread, load {Path('/proc/loadavg').read_text().split()[0]}"


def write(path: Path, section: str) -> None:
    """Put a section into the file, in place of the one with the same title."""
    title = section.partition("\n")[0]
    old = path.read_text() if path.exists() else f"# Speed\n\n{__doc__.partition(chr(10) * 2)[2]}"
    head, *sections = re.split(r"^(?=## )", old, flags=re.MULTILINE)
    parts = [head, *(part for part in sections if part.partition("\n")[0] != title), section]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n\n".join(part.strip() for part in parts) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=models.CONFIGS, help="default: sd15; on a GPU also sdxl")
    parser.add_argument("--sizes", nargs="+", type=int, help="pixels; default 256; on a GPU 512, 1024 and 2048")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--regions", nargs="+", type=int, choices=LAYOUTS, default=list(LAYOUTS))
    parser.add_argument("--ratio", help="a split ratio in place of equal regions")
    parser.add_argument("--base-ratios", nargs="+", type=float, default=[0.4, 0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--firsts", type=int, default=1, help="how often a first step is timed")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", help="default float16 on a GPU, float32 on a CPU")
    parser.add_argument("--out", type=Path, default=Path("docs/speed.md"))
    args = parser.parse_args()
    gpu = args.device.startswith("cuda")
    dtype = args.dtype or ("float16" if gpu else "float32")
    if args.device == "cpu":
        torch.set_num_threads(1)
        _return_memory(32 << 20)  # do not time it
    ratios = [args.ratio] if args.ratio else [LAYOUTS[count] for count in args.regions]
    cases = [Case(method, ratio, base) for method in args.methods for base in args.base_ratios for ratio in ratios]
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, diffusers {diffusers.__version__}"
    with torch.no_grad():
        for model in args.models or (["sd15", "sdxl"] if gpu else ["sd15"]):
            for size in args.sizes or ([512, 1024, 2048] if gpu else [256]):
                bench = Bench(model, size, args.device, getattr(torch, dtype))
                found = table(bench, cases, *measure(bench, cases, args.rounds, args.firsts))
                title = (
                    f"## {model}, {size}x{size}, {dtype} on {args.device}{f', split ratio {args.ratio}' if args.ratio else ''}"
                )
                about = f"{machine(bench.device)}; {versions}; medians of {args.rounds} steps, first steps of {args.firsts}."
                command = f"`{shlex.join(['python', '-m', 'tests.benchmarks.speed', *sys.argv[1:]])}`"
                section = f"{title}\n\n{about}\n{command}\n\n{found}"
                print(section, flush=True)
                write(args.out, section)


if __name__ == "__main__":
    main()
