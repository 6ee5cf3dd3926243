"""What a card gives: that draws on it are right, and the figures of docs/tutorials/gpu.md, appended to gpu.md.

python workflows/benchmark/gpu.py [--model FOLDER --anchors FASTA] [--out workflows/benchmark/gpu.md]

Within ten minutes; on a machine without a card it says so in one line. With a model, also anchors a second.
"""

import argparse
import copy
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from maxent_cli.data import Anchor
from maxent_cli.engine import Kernel, Ladder, full_pass_chain, start_state
from maxent_cli.interpret import ALL_MOVES, EXCHANGE_EVERY, ON_CARD, SCATTERED, LawSettings, Sampling, Setting, prepare
from maxent_cli.laws import ONE_LESS_ZERO
from maxent_cli.models import LayeredModel, build, one_hot

HERE, SECONDS, REPEATS = Path(__file__).parent, 20.0, 3
BATCHES, LEAST_SAME = (256, 1024, 4096), 0.9
LAW = LawSettings(ONE_LESS_ZERO, (0.3, 0.2, 0.2, 0.3), None, 20.0)
RUN = Sampling(chains=8, replicas=4, draws=4, warmup=0)
NETWORKS = {  # name: architecture, bp, arguments, anchors at once
    "finnegan2017, 101 bp": ("finnegan2017", 101, {}, 128),
    "residual 64 x 8, 2114 bp": ("residual", 2114, {"blocks": 8}, 32),
}


def setting_of(model: LayeredModel, number: int, device: str) -> Setting:
    """One of many random anchors of a network, as `sample` has it."""
    codes = np.random.default_rng(number).integers(0, 4, model.input_length, np.uint8)
    anchor = Anchor(f"anchor {number}", codes, None, np.ones(len(codes), np.bool_))
    return prepare(model, anchor, LAW, replace(RUN, device=device), 1)


def codes_of(setting: Setting, kernel: Kernel, draws: int, thin: int) -> np.ndarray:
    """Codes (C, D, L) that a kernel gives from the anchor, on a ladder up to the law's beta."""
    target = setting.law.terms.at(np.tile(np.linspace(0, LAW.beta or 0, RUN.replicas), RUN.chains))
    starts = np.tile(setting.anchor.codes, (len(setting.keys), 1))
    state = start_state(target, starts, setting.keys, torch.device(setting.run.device))
    return kernel(state, target, draws, thin)[1].codes


def exactness(name: str, device: str) -> str:
    """How many chains draw on the card what they draw by full passes on the CPU: all but where rounding decides."""
    architecture, length, arguments, _ = NETWORKS[name]
    model = build(architecture, length, arguments, 1).eval()
    here = setting_of(model, 0, "cpu")
    there = setting_of(copy.deepcopy(model).to(device), 0, device)
    moves = ALL_MOVES if there.kernel_name == ON_CARD else SCATTERED
    expected = codes_of(here, full_pass_chain(moves, Ladder(RUN.replicas, EXCHANGE_EVERY)), 4, 10)
    same = (codes_of(there, there.kernel, 4, 10) == expected).all(axis=(1, 2)).mean()
    if same < LEAST_SAME:
        raise SystemExit(f"{name}: {1 - same:.0%} of the chains on the card go another way than on the CPU")
    return f"{same:.1%} of chains as on the CPU, {there.kernel_name}"


def proposals(name: str, device: str) -> tuple[float, float, str]:
    """Proposals a second of many anchors at once: mean and standard error over repeats; and the kernel."""
    architecture, length, arguments, anchors = NETWORKS[name]
    model = build(architecture, length, arguments, 1).eval().to(device)
    settings = [setting_of(model, number, device) for number in range(anchors)]
    thin = 500 if settings[0].kernel_name == ON_CARD else 10

    def one(setting: Setting) -> None:
        codes_of(setting, setting.kernel, 1, thin)

    with ThreadPoolExecutor(anchors) as pool:
        rate, error = _rate(lambda: len(list(pool.map(one, settings))) * thin * len(settings[0].keys))
    return rate, error, settings[0].kernel_name


def passes(name: str, device: str) -> tuple[float, float, int]:
    """Sequences a second of the bare network at its best batch: mean, standard error, and that batch."""
    architecture, length, arguments, _ = NETWORKS[name]
    model, found = build(architecture, length, arguments, 1).eval().to(device), []
    for batch in BATCHES:
        codes = torch.zeros(batch, length, dtype=torch.uint8, device=device)

        def one(codes: torch.Tensor = codes) -> int:
            with torch.inference_mode():
                model(one_hot(codes))
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            return len(codes)

        found.append((*_rate(one), batch))
    return max(found)


def _rate(work: Callable[[], int]) -> tuple[float, float]:
    """Units of work a second, after one go that is not counted; and its standard error."""
    work()
    rates = list[float]()
    for _ in range(REPEATS):
        began, done = time.monotonic(), 0
        while time.monotonic() - began < SECONDS / REPEATS:
            done += work()
        rates.append(done / (time.monotonic() - began))
    return float(np.mean(rates)), float(np.std(rates, ddof=1) / np.sqrt(REPEATS))


def anchors_a_second(model: str, anchors: str, device: str) -> tuple[int, int, float, float]:
    """Of `sample` with its defaults: anchors, how many converged, seconds, and the share of time without work."""
    import maxent_cli as mx

    busy, over = list[float](), threading.Event()

    def look() -> None:
        command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
        while not over.wait(0.5):
            busy.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]))

    watch = threading.Thread(target=look)
    watch.start()
    began = time.monotonic()
    draws = mx.sample(mx.network(model), anchors, sampling=Sampling(device=device), progress=False)
    took = time.monotonic() - began
    over.set()
    watch.join()
    rows = draws.rows()
    return len(rows), sum(bool(row["converged"]) for row in rows), took, 1 - float(np.mean(busy)) / 100


def report(given: argparse.Namespace) -> Iterator[str]:
    """The lines of a run."""
    card = torch.cuda.get_device_properties(0)
    driver = subprocess.run(
        ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"], capture_output=True, text=True
    ).stdout.strip()
    yield f"\n## {card.name}, driver {driver}, torch {torch.__version__}, CUDA {torch.version.cuda}\n"
    yield "| what | figure |\n|---|---|"
    for name in NETWORKS:
        yield f"| {name}: exactness | {exactness(name, 'cuda')} |"
        rate, error, kernel = proposals(name, "cuda")
        yield f"| {name}: proposals a second, {kernel} | {rate:.3g} ± {error:.1g} |"
        bare, off, batch = passes(name, "cuda")
        yield f"| {name}: bare forward passes a second, batch {batch} | {bare:.3g} ± {off:.1g} |"
        share = rate / bare
        yield f"| {name}: proposals a bare pass | {share:.3g} ± {share * np.hypot(error / rate, off / bare):.1g} |"
    if given.model:
        count, converged, took, idle = anchors_a_second(given.model, given.anchors, "cuda")
        yield f"| {given.model}: {count} anchors, {converged} converged | {took:.3g} s, card idle {idle:.1%} |"


def main() -> int:
    """Measure, print, and append."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--anchors")
    parser.add_argument("--out", default=str(HERE / "gpu.md"))
    given = parser.parse_args()
    if not torch.cuda.is_available():
        print("no card is here: nothing was measured")
        return 0
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    with Path(given.out).open("a") as out:
        for line in report(given):
            print(line, flush=True)
            out.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
