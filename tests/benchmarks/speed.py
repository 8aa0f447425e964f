"""What regions cost: ``python -m tests.benchmarks.speed`` times denoising steps and writes a table.

Every figure comes from one process. A round runs each method once, and right before it a plain step; a ratio
is the median over the rounds of (step with regions / that plain step), so a machine that slows down or is shared
does not favour anybody. On a CPU the clock is the process's own CPU time, with one thread.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import platform
import re
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import diffusers
import torch

from rpg.conditioning import join_pair
from rpg.layout import Layout
from tests.benchmarks import models
from tests.benchmarks.methods import METHODS

INTRODUCTION = __doc__.partition("\n\n")[2].strip()
LAYOUTS = {1: "1", 2: "1,1", 4: "1,1,1;1,1,1", 8: "1,1,1,1,1;1,1,1,1,1", 16: ";".join(["1,1,1,1,1"] * 4)}


class Case(NamedTuple):
    method: str
    regions: int
    base_ratio: float


class Result(NamedTuple):
    first: float
    """Ratio of the first step of a job, which finds no cached keys and values."""
    later: float
    seconds: float
    peak: float
    """Bytes above the UNet's own at the highest moment of a job."""


class Bench:
    """One UNet at one size."""

    def __init__(self, model: str, size: int, device: str, dtype: torch.dtype, ratio: str | None = None) -> None:
        self.device = torch.device(device)
        torch.manual_seed(0)
        self.unet = models.build(model, device, dtype)
        self.inputs = models.inputs(self.unet, size)
        self.latent = (size // 8, size // 8)
        self.ratio = ratio
        self.weights = sum(parameter.nbytes for parameter in self.unet.parameters())

    def job(self, case: Case | None, steps: int) -> list[float]:
        """Seconds of each step of a job; None is the plain one."""
        with self._steered(case) as contexts:
            return [self._timed(lambda: self._step(contexts)) for _ in range(steps)]

    def peak(self, case: Case | None) -> float:
        gc.collect()
        with _peak(self.device) as peak:
            self.job(case, 2)
        return peak() - self.weights if self.device.type == "cuda" else peak()

    @contextmanager
    def _steered(self, case: Case | None) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        if case is None:
            positive, negative = models.prompts(self.unet, 2)
            yield negative, positive
            return
        layout = Layout.parse(self.ratio or LAYOUTS[case.regions])
        negative, *positive = models.prompts(self.unet, layout.count + 2)
        joined, joined_negative = join_pair(positive, [negative] * len(positive))
        with METHODS[case.method](self.unet, layout, case.base_ratio, joined.table, self.latent):
            yield joined_negative.context, joined.context

    def _step(self, contexts: tuple[torch.Tensor, torch.Tensor]) -> None:
        # As in the webui, every step joins negative and positive rows anew.
        self.unet(**self.inputs, encoder_hidden_states=torch.cat(contexts))

    def _timed(self, step: Callable[[], None]) -> float:
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


@contextmanager
def _peak(device: torch.device) -> Iterator[Callable[[], float]]:
    """Gives a function that tells the highest memory use since (CUDA), or above the start's (CPU, resident set)."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        yield torch.cuda.max_memory_allocated
        return

    def status(field: str) -> int:
        return int(re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024  # type: ignore[index]

    libc = ctypes.CDLL(None)
    libc.mallopt(-3, 1 << 16)  # M_MMAP_THRESHOLD: freed tensors leave the resident set
    libc.malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
    start = status("VmRSS")
    yield lambda: status("VmHWM") - start


def measure(bench: Bench, cases: list[Case], rounds: int, steps: int) -> tuple[float, float, dict[Case, Result]]:
    """Seconds and peak of the plain step, and the results of every case."""
    bench.job(None, 1)
    plain: list[float] = []
    samples: dict[Case, list[tuple[float, float, float]]] = {case: [] for case in cases}
    for number in range(rounds):
        for case in cases[number % len(cases) :] + cases[: number % len(cases)]:
            reference = statistics.median(bench.job(None, max(steps - 1, 1)))
            first, *later = bench.job(case, steps)
            plain.append(reference)
            seconds = statistics.median(later)
            samples[case].append((first / reference, seconds / reference, seconds))
            print(f"round {number + 1}: {case} {seconds:.3f} s, plain {reference:.3f} s", file=sys.stderr, flush=True)
    peaks = {case: bench.peak(case) for case in [None, *cases]}
    results = {
        case: Result(*(statistics.median(column) for column in zip(*rows)), peak=peaks[case]) for case, rows in samples.items()
    }
    return statistics.median(plain), peaks[None], results


def section(args: argparse.Namespace, bench: Bench, title: str, found: tuple[float, float, dict[Case, Result]]) -> str:
    plain, peak, results = found
    whole = bench.weights + peak
    clock = "GPU events" if bench.device.type == "cuda" else "CPU time of one thread"
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, diffusers {diffusers.__version__}"
    lines = [
        f"## {title}",
        "",
        f"`{shlex.join(['python', '-m', 'tests.benchmarks.speed', *sys.argv[1:]])}`",
        "",
        f"{machine(bench.device)}; {versions}.",
        f"Plain step (a positive and a negative row): {plain:.3f} s by {clock}, median of {args.rounds * len(results)}; "
        f"UNet {bench.weights / 2**20:.0f} MiB, {peak / 2**20:.0f} MiB more at the step's peak.",
        "",
        "| method | regions | base ratio | step | step / plain | first step / plain | peak memory / plain |",
        "|---|---|---|---|---|---|---|",
    ]
    for case, result in results.items():
        lines.append(
            f"| {case.method} | {case.regions} | {case.base_ratio:g} | {result.seconds:.3f} s | **{result.later:.3f}** "
            f"| {result.first:.3f} | {(bench.weights + result.peak) / whole:.3f} |"
        )
    return "\n".join(lines) + "\n"


def machine(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{len(names)} x {names[0]}, shared with other work"


def write(path: Path, text: str) -> None:
    """Put a section into the file, in place of the one with the same title."""
    title = text.partition("\n")[0]
    old = path.read_text() if path.exists() else f"# Speed\n\n{INTRODUCTION}\n"
    head, *sections = re.split(r"^(?=## )", old, flags=re.MULTILINE)
    kept = [part for part in sections if part.partition("\n")[0] != title]
    path.write_text("\n".join(part.strip() + "\n" for part in [head, *kept, text]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=models.CONFIGS, default=["sd15"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[256], help="pixels")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--regions", nargs="+", type=int, choices=LAYOUTS, default=list(LAYOUTS))
    parser.add_argument("--ratio", help="a split ratio in place of equal regions")
    parser.add_argument("--base-ratios", nargs="+", type=float, default=[0.4])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3, help="of a job")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", help="default float16 on a GPU, float32 on a CPU")
    parser.add_argument("--out", type=Path, default=Path("docs/speed.md"))
    args = parser.parse_args()
    dtype = args.dtype or ("float16" if args.device.startswith("cuda") else "float32")
    if args.device == "cpu":
        torch.set_num_threads(1)
    regions = [Layout.parse(args.ratio).count] if args.ratio else args.regions
    cases = [Case(method, count, ratio) for method in args.methods for ratio in args.base_ratios for count in regions]
    with torch.no_grad():
        for model in args.models:
            for size in args.sizes:
                bench = Bench(model, size, args.device, getattr(torch, dtype), args.ratio)
                title = f"{model}, {size}x{size}, {dtype} on {args.device}{f', split ratio {args.ratio}' if args.ratio else ''}"
                text = section(args, bench, title, measure(bench, cases, args.rounds, args.steps))
                print(text)
                args.out.parent.mkdir(exist_ok=True)
                write(args.out, text)
                del bench


if __name__ == "__main__":
    main()
