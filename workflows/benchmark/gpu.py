"""What a card gives: that draws on it are right, and the figures of docs/tutorials/gpu.md, appended to gpu.md.

python workflows/benchmark/gpu.py [--model FOLDER --anchors FASTA] [--out workflows/benchmark/gpu.md]

Within ten minutes; on a machine without a card it says so in one line. Converged anchors a second are of the model and
anchors given or, without them, of finnegan2017 trained here on simulated CTCF sites. `--device cpu:0 --small` rehearses
all of it with a CPU in the card's place, small networks and a second or so for each figure; its figures mean nothing.
"""

import argparse
import copy
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import maxent_cli as mx
from maxent_cli.data import Anchor
from maxent_cli.engine import Journal, Kernel, Ladder, full_pass_chain, gathered_chain, start_state
from maxent_cli.interpret import (
    ALL_MOVES,
    EXCHANGE_EVERY,
    ON_CARD,
    SCATTERED,
    LawSettings,
    Sampling,
    Setting,
    anchors_together,
    prepare,
    sample_anchor,
    values_on_card,
)
from maxent_cli.laws import ONE_LESS_ZERO
from maxent_cli.models import LayeredModel, build, one_hot

HERE, REPEATS, LEAST_SAME, LOOK = Path(__file__).parent, 3, 0.9, 0.5
LAW = LawSettings(ONE_LESS_ZERO, (0.3, 0.2, 0.2, 0.3), None, 20.0)
ASKED = replace(LAW, tether="auto", beta=None)  # as `sample` asks by default
RUN = Sampling(chains=8, replicas=4, draws=4, warmup=0)
MEMORY = 32 * 2**30  # of the machine, for draws


class TimeIsUpError(Exception):
    """Ends an anchor's run."""


class Sized(NamedTuple):
    """A network: architecture, bp and arguments; anchors that share its steps; chains and steps that are checked."""

    architecture: str
    length: int
    arguments: dict[str, Any]
    anchors: int
    checked: tuple[int, int] = (8, 40)


@dataclass(frozen=True)
class Measures:
    """What is measured: networks whose steps are, and one of which the time of an anchor is; seconds for each figure.

    trained: simulated sequences of each kind, and epochs. drawn: anchors of the trained network. counted: anchors that
    the last network's time is told for; beside: how it is drawn, if not by default.
    """

    stepped: dict[str, Sized]
    timed: tuple[str, Sized]
    seconds: float
    timed_seconds: float
    batches: tuple[int, ...]
    trained: tuple[int, int]
    drawn: int
    counted: int = 100
    run: Sampling = field(default_factory=Sampling)


WHOLE = Measures(
    stepped={
        "finnegan2017, 101 bp": Sized("finnegan2017", 101, {}, 128),
        "BPNet-like, 64 x 8, 2114 bp": Sized("residual", 2114, {"blocks": 8}, 32),
    },
    timed=("ChromBPNet-like, 512 x 8, 2114 bp", Sized("residual", 2114, {"filters": 512, "blocks": 8}, 100, (2, 10))),
    seconds=9.0,
    timed_seconds=120.0,
    batches=(256, 1024, 4096),
    trained=(4000, 8),
    drawn=256,
)
SMALL = Measures(
    stepped={
        "finnegan2017, 30 bp": Sized("finnegan2017", 30, {"filters": 4, "width": 5, "hidden": 4}, 3),
        "residual, 60 bp": Sized("residual", 60, {"filters": 4, "blocks": 2, "hidden": 4}, 3),
    },
    timed=("residual, 80 bp", Sized("residual", 80, {"filters": 6, "blocks": 2, "hidden": 4}, 3, (2, 10))),
    seconds=0.5,
    timed_seconds=3.0,
    batches=(8, 16),
    trained=(60, 1),
    drawn=2,
    counted=3,
    run=Sampling(chains=4, replicas=3, draws=20, thin=5, warmup=400, max_steps=200),
)


def network(shape: Sized, device: str) -> LayeredModel:
    """A network with random weights: a step costs the same whatever it has learned."""
    return build(shape.architecture, shape.length, shape.arguments, 1).eval().to(device)


def anchor(length: int, number: int) -> Anchor:
    """One of many random anchors."""
    codes = np.random.default_rng(number).integers(0, 4, length, np.uint8)
    return Anchor(f"anchor {number}", codes, None, np.ones(length, np.bool_))


def setting_of(model: LayeredModel, number: int, device: str, run: Sampling = RUN) -> Setting:
    """An anchor's as `sample` has it, but for a surrogate, which is learned in warm-up: here there is none."""
    return prepare(model, anchor(model.input_length, number), LAW, replace(run, device=device), 1)


def full_passes(setting: Setting) -> Setting:
    """The same by full passes, which anchors share."""
    return replace(setting, build=partial(gathered_chain, SCATTERED), kernel_name="full passes")


def codes_of(setting: Setting, kernel: Kernel, draws: int, thin: int, surrogate: Any = None) -> np.ndarray:
    """Codes (C, D, L) that a kernel gives from the anchor, on a ladder up to the law's beta."""
    betas = np.tile(np.linspace(0, LAW.beta or 0, RUN.replicas), setting.run.chains)
    target = setting.law.terms.at(betas, surrogate=surrogate)
    starts = np.tile(setting.anchor.codes, (len(setting.keys), 1))
    state = start_state(target, starts, setting.keys, torch.device(setting.run.device))
    return kernel(state, target, draws, thin)[1].codes


def exactness(shape: Sized, device: str) -> Iterator[str]:
    """How many chains draw on the card what they draw by full passes on the CPU: all but where rounding decides.

    By each of the card's ways that can be: the kernel of its own, and full passes that several anchors share, often
    enough for steps to be captured. Ends the program where fewer do.
    """
    model, (chains, steps) = network(shape, "cpu"), shape.checked
    there, run = copy.deepcopy(model).to(device), replace(RUN, chains=chains)
    found = [setting_of(there, number, device, run) for number in range(2)]
    ways = [found[:1]] if found[0].kernel_name == ON_CARD else []
    for settings in [*ways, [full_passes(one) for one in found]]:
        moves = ALL_MOVES if settings[0].kernel_name == ON_CARD else SCATTERED
        plain = full_pass_chain(moves, Ladder(RUN.replicas, EXCHANGE_EVERY))
        with ThreadPoolExecutor(len(settings)) as pool:
            drawn = list(pool.map(lambda one: codes_of(one, one.kernel, 4, steps // 4), settings))
        expected = [codes_of(setting_of(model, n, "cpu", run), plain, 4, steps // 4) for n in range(len(settings))]
        yield _same(np.stack(drawn), np.stack(expected)) + f", {settings[0].kernel_name}"


def surrogates(shape: Sized, device: str) -> Iterator[str]:
    """The same of a surrogate's steps, where `sample` would take them on this card; both by the copy learned first."""
    model, run = network(shape, "cpu"), replace(RUN, warmup=1)
    here = setting_of(model, 0, "cpu", run)
    there = setting_of(copy.deepcopy(model).to(device), 0, device, run)
    if there.apprentice is None or here.apprentice is None:
        return
    copied = here.apprentice.learner().begin(here.anchor.codes)._replace(steps=20)
    one, other = (codes_of(setting, setting.kernel, 4, 20, copied) for setting in (here, there))
    yield _same(one, other) + f", {there.kernel_name}"


def _same(drawn: np.ndarray, expected: np.ndarray) -> str:
    """The share of chains (..., D, L) that are alike; ends the program where they are few."""
    same = (drawn == expected).all(axis=(-2, -1)).mean()
    if same < LEAST_SAME:
        raise SystemExit(f"{1 - same:.0%} of the chains on the card go another way than on the CPU")
    return f"{same:.1%} of chains as on the CPU"


def proposals(shape: Sized, device: str, seconds: float, shared: bool) -> tuple[float, float, str]:
    """Proposals a second of many anchors at once: mean and standard error over repeats; and the kernel.

    shared: by full passes that anchors share, whatever `sample` would do.
    """
    model = network(shape, device)
    settings = [setting_of(model, number, device) for number in range(shape.anchors)]
    settings = [full_passes(one) for one in settings] if shared else settings
    thin = 500 if settings[0].kernel_name == ON_CARD else 100

    def one(setting: Setting) -> None:
        codes_of(setting, setting.kernel, 1, thin)

    with ThreadPoolExecutor(shape.anchors) as pool:
        work = lambda: len(list(pool.map(one, settings))) * thin * len(settings[0].keys)  # noqa: E731
        rate, error = _rate(work, seconds)
    return rate, error, settings[0].kernel_name


def passes(shape: Sized, device: str, plan: Measures) -> tuple[float, float, int]:
    """Sequences a second of the bare network at its best batch: mean, standard error, and that batch."""
    model, found = network(shape, device), []
    for batch in plan.batches:
        codes = torch.zeros(batch, shape.length, dtype=torch.uint8, device=device)

        def one(codes: torch.Tensor = codes) -> int:
            with torch.inference_mode():
                model(one_hot(codes))
            if codes.is_cuda:
                torch.cuda.synchronize(codes.device)
            return len(codes)

        try:
            found.append((*_rate(one, plan.seconds), batch))
        except torch.OutOfMemoryError:
            break
    return max(found)


def _rate(work: Callable[[], int], seconds: float) -> tuple[float, float]:
    """Units of work a second, after one go that is not counted; and its standard error."""
    work()
    rates = list[float]()
    for _ in range(REPEATS):
        began, done = time.monotonic(), 0
        while time.monotonic() - began < seconds / REPEATS:
            done += work()
        rates.append(done / (time.monotonic() - began))
    return float(np.mean(rates)), float(np.std(rates, ddof=1) / np.sqrt(REPEATS))


@contextmanager
def idle_share(device: str) -> Iterator[list[float]]:
    """Fills, at the end, the share of time in which no kernel ran on the card; nothing where nvidia-smi cannot say."""
    shares, looks, over = list[float](), list[float](), threading.Event()
    command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    if torch.device(device).type == "cuda":
        command.append(f"--id=GPU-{torch.cuda.get_device_properties(device).uuid}")

    def look() -> None:
        while not over.wait(LOOK):
            looks.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]))

    watch = threading.Thread(target=look)
    if torch.device(device).type == "cuda":
        watch.start()
    try:
        yield shares
    finally:
        over.set()
        if watch.ident is not None:
            watch.join()
        shares += [1 - float(np.mean(looks)) / 100] if looks else []


def _idle(shares: list[float]) -> str:
    return "; ".join(f"card idle {share:.1%}" for share in shares) or "idle share not measured"


def trained(plan: Measures, device: str) -> tuple[mx.Network, dict[str, str]]:
    """finnegan2017 trained on simulated CTCF sites, and simulated anchors that it has not seen."""
    count, epochs = plan.trained
    sites = mx.simulate(count + plan.drawn, 101, [mx.Plant("CTCF")], progress=False).sequences
    names = list(sites)
    training = mx.Training("finnegan2017", epochs=epochs, device=device)
    found = mx.train({name: sites[name] for name in names[:count]}, training=training, progress=False)
    return found.network, {name: sites[name] for name in names[count:]}


def anchors_a_second(net: mx.Network, given: Any, plan: Measures, device: str) -> str:
    """Of `sample` with its defaults: converged anchors a second, of all, and the share of time without work."""
    run = replace(plan.run, device=device)
    with idle_share(device) as idle:
        began = time.monotonic()
        rows = mx.sample(net, given, sampling=run, progress=False).rows()
        took = time.monotonic() - began
    converged = sum(bool(row["converged"]) for row in rows)
    error = np.sqrt(converged) / took  # as of counts
    return f"{converged / took:.3g} ± {error:.1g} ({converged} of {len(rows)} converged, {took:.3g} s; {_idle(idle)})"


def seconds_an_anchor(shape: Sized, plan: Measures, device: str) -> str:
    """Seconds an anchor up to the first look at convergence, extrapolated from as many steps as there is time for.

    As `sample` goes about it, warm-up and learning included. An anchor's steps a second are their mean over anchors;
    the error is of that mean.
    """
    model, run = network(shape, device), replace(plan.run, device=device)
    values = values_on_card(model, torch.device(device))
    at_once = min(plan.counted, anchors_together(run, shape.length, MEMORY, values))
    done, began, ends = np.zeros(at_once), time.monotonic(), time.monotonic() + plan.timed_seconds

    def one(number: int) -> None:
        def keep(block: dict[str, Any]) -> None:
            _, draws, thin = block["asked"].tolist()
            done[number] += draws * thin
            if time.monotonic() > ends:
                raise TimeIsUpError

        its = anchor(shape.length, number)
        try:
            sample_anchor(model, its, ASKED, run, 1, Journal(iter(()), keep))
        except TimeIsUpError:
            return

    with idle_share(device) as idle, ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, range(at_once)))
        took = time.monotonic() - began
    setting = prepare(model, anchor(shape.length, 0), ASKED, run, 1)
    steps = setting.run.warmup + setting.run.draws * setting.run.thin
    each = done / steps  # anchors' worth of steps
    seconds = took / each.sum()
    error = seconds * each.std(ddof=1) / each.mean() / np.sqrt(at_once)
    how = f"{setting.kernel_name}, {at_once} at once; by {each.mean():.1%} of {steps} steps in {took:.3g} s"
    found = f"{seconds:.3g} ± {error:.1g} s an anchor, to the first look, extrapolated to {plan.counted}"
    return f"{found} ({how}; {_idle(idle)})"


def report(plan: Measures, given: argparse.Namespace) -> Iterator[str]:
    """The lines of a run."""
    began, device = time.monotonic(), given.device
    yield f"\n## {_machine(device)}, torch {torch.__version__}, CUDA {torch.version.cuda}\n"
    yield "| what | figure |\n|---|---|"
    for name, shape in [*plan.stepped.items(), plan.timed]:
        for line in exactness(shape, device):
            yield f"| {name}: exactness | {line} |"
    for name, shape in plan.stepped.items():
        for line in surrogates(shape, device):
            yield f"| {name}: exactness | {line} |"
        rate, error, kernel = proposals(shape, device, plan.seconds, shared=False)
        yield f"| {name}: proposals a second, {kernel} | {rate:.3g} ± {error:.1g} |"
        rate, error, _ = proposals(shape, device, plan.seconds, shared=True)
        bare, off, batch = passes(shape, device, plan)
        yield f"| {name}: bare forward passes a second, batch {batch} | {bare:.3g} ± {off:.1g} |"
        share, its = rate / bare, rate / bare * np.hypot(error / rate, off / bare)
        yield f"| {name}: share of these that steps by shared passes make | {share:.1%} ± {its:.1%} |"
    net, anchors = (mx.network(given.model), given.anchors) if given.model else trained(plan, device)
    found = anchors_a_second(net, anchors, plan, device)
    yield f"| {given.model or 'simulated CTCF sites'}: converged anchors a second | {found} |"
    name, shape = plan.timed
    bare, off, batch = passes(shape, device, plan)
    yield f"| {name}: bare forward passes a second, batch {batch} | {bare:.3g} ± {off:.1g} |"
    yield f"| {name}: time | {seconds_an_anchor(shape, plan, device)} |"
    yield f"| all of this | {time.monotonic() - began:.0f} s |"


def _machine(device: str) -> str:
    if torch.device(device).type != "cuda":
        return f"Rehearsal on {device}, whose figures mean nothing"
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    driver = subprocess.run(command, capture_output=True, text=True).stdout.split()
    return f"{torch.cuda.get_device_properties(device).name}, driver {' '.join(driver[:1])}"


def main() -> int:
    """Measure, print, and append."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--anchors")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="small networks and short times, for a rehearsal")
    parser.add_argument("--out", default=str(HERE / "gpu.md"))
    given = parser.parse_args()
    if torch.device(given.device).type == "cuda" and not torch.cuda.is_available():
        print("no card is here: nothing was measured")
        return 0
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    with Path(given.out).open("a") as out:
        for line in report(SMALL if given.small else WHOLE, given):
            print(line, flush=True)
            out.write(f"{line}\n")
            out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
