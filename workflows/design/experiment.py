"""Are designs diverse, do other networks believe them, and do edits lie where the network reads?

    python workflows/design/experiment.py NETWORK OTHER --out FOLDER [--ledidi]

NETWORK and OTHER are model folders of one task, trained from two seeds: designs are made on the first and read by the
other. Beside the draws of `maxent_cli.design` (near an output, those of the draws that differ most), greedy evolution:
of random sequences, or of one, a good change of a letter again and again, until the output is as wanted (of the three
best one at random, or all runs from one sequence would be the same). With --ledidi also Ledidi (Schreiber et al. 2025),
which is then to be installed beside maxent_cli (pip install ledidi, 2.2.0 here). For each, designs are drawn at the
mean output that it reached. Edits: random sequences with a CTCF site planted at 40-58, whose output is to become that
of random sequences. Tables: designs.tsv,
edits.tsv; what is there already is not made again.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import maxent_cli as mx
from maxent_cli.alphabet import Codes, decode, encode
from maxent_cli.io import CTCF_MOTIF, load_model, read_meme
from maxent_cli.models import SequenceModel, one_hot

TO = 12.0  # bound less unbound, as logits: about that of a held-out peak
CHOICES = 3  # greedy evolution takes one of so many best changes
MOST_STEPS = 60
SITE = range(40, 59)
SAMPLING = mx.Sampling(draws=100, warmup=2000, max_steps=16_000, min_ess=50)
Row = dict[str, object]
Frequencies = tuple[float, ...]  # of A, C, G, T


def output_of(model: SequenceModel) -> Callable[[Codes], np.ndarray]:
    """Bound less unbound (n,) of codes (n, L)."""

    def run(codes: Codes) -> np.ndarray:
        with torch.inference_mode():
            found = model(torch.from_numpy(np.moveaxis(np.eye(4, dtype=np.float32)[codes], -1, -2)))
        return (found[:, 1] - found[:, 0]).double().numpy()

    return run


def random_codes(count: int, length: int, background: Frequencies, seed: int) -> Codes:
    """Random sequences (count, L)."""
    return np.random.default_rng(seed).choice(4, (count, length), p=background).astype(np.uint8)


def greedy(output: Callable[[Codes], np.ndarray], starts: Codes, to: float, seed: int) -> Codes:
    """Each start after changes of one letter, until none is nearer to the wanted output."""
    random, ends = np.random.default_rng(seed), list[Codes]()
    for start in starts:
        here, missed = start, abs(float(output(start[None])[0]) - to)
        for _ in range(MOST_STEPS):
            near = np.tile(here, (4 * len(here), 1))
            near[np.arange(len(near)), np.repeat(np.arange(len(here)), 4)] = np.tile(
                np.arange(4, dtype=np.uint8), len(here)
            )
            misses = np.abs(output(near) - to)
            best = np.argsort(misses, kind="stable")[:CHOICES]
            best = best[misses[best] < missed]
            if not len(best):
                break
            chosen = random.choice(best)
            here, missed = near[chosen], float(misses[chosen])
        ends.append(here)
    return np.array(ends)


def by_ledidi(model: SequenceModel, starts: Codes, to: float, seed: int) -> Codes:
    """One design of each start by Ledidi, as it is by default; of its batch that whose output is nearest."""
    from ledidi import ledidi

    class Difference(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            found = self.model(inputs)
            return found[:, 1:2] - found[:, :1]

    ends, output = list[Codes](), output_of(model)
    for number, start in enumerate(starts):
        wanted = torch.tensor([[to]])
        given = one_hot(torch.from_numpy(start)[None])
        found = ledidi(Difference(), given, wanted, device="cpu", random_state=seed + number, verbose=False)
        codes = found.reshape(-1, 4, len(start)).argmax(1).numpy().astype(np.uint8)
        ends.append(codes[np.abs(output(codes) - to).argmin()])
    return np.array(ends)


def drawn(network: mx.Network, to: float, spread: float | None, count: int, out: Path) -> tuple[Codes, Row]:
    """Designs of the law, and its row of the summary."""
    wanted = mx.Design(to=to, spread=spread, number=count)
    found = mx.design(network, None, wanted, sampling=SAMPLING, out=str(out), threads=1, progress=False)
    told = found["summary"].iloc[0].to_dict()
    return np.array([encode(letters) for letters in found["designs"].sequence]), told


def row_of(
    way: str, codes: Codes, reads: dict[str, Callable[[Codes], np.ndarray]], background: Codes, seconds: float
) -> Row:
    """What designs are like: mean output by both networks, gain that the other keeps, distance between two of them."""
    apart = (codes[:, None] != codes[None]).sum(-1)[np.triu_indices(len(codes), 1)]
    outputs = {name: read(codes) for name, read in reads.items()}
    gains = {name: outputs[name].mean() - reads[name](background).mean() for name in reads}
    # designs are alike in pairs: the error of their mean distance is that of a U-statistic, by leaving out each
    left = np.array(
        [(np.delete(codes, n, 0)[:, None] != np.delete(codes, n, 0)[None]).sum() for n in range(len(codes))]
    )
    left = left / ((len(codes) - 1) * (len(codes) - 2))
    error = np.sqrt((len(codes) - 1) / len(codes) * np.square(left - left.mean()).sum())
    return {
        "way": way,
        "designs": len(codes),
        "output": outputs["own"].mean(),
        "output_sd": outputs["own"].std(ddof=1),
        "other": outputs["other"].mean(),
        "other_called": float((outputs["other"] > 0).mean()),
        "gain_kept": gains["other"] / gains["own"],
        "distance": apart.mean(),
        "distance_error": error,
        "least_distance": apart.min(),
        "cpu_seconds": seconds,
    }


def designs(given: argparse.Namespace, own: SequenceModel, other: SequenceModel, background: Frequencies) -> list[Row]:
    """A row for each way, and two for designs at its mean output."""
    reads, length = {"own": output_of(own), "other": output_of(other)}, own.input_length
    many, starts = random_codes(2000, length, background, 1), random_codes(given.count, length, background, 2)
    one = np.tile(starts[0], (given.count, 1))
    ways: dict[str, Callable[[], Codes]] = {
        "greedy, each from its own sequence": lambda: greedy(reads["own"], starts, TO, 3),
        "greedy, all from one sequence": lambda: greedy(reads["own"], one, TO, 4),
    }
    if given.ledidi:
        ways["Ledidi, each from its own sequence"] = lambda: by_ledidi(own, starts, TO, 5)
        ways["Ledidi, all from one sequence"] = lambda: by_ledidi(own, one, TO, 500)
    if given.own:
        ways = {way: make for way, make in ways.items() if "own" in way}

    def of_law(to: float, spread: float | None, name: str, way: str) -> Row:
        before = time.process_time()
        codes, told = drawn(mx.network(given.network), to, spread, given.count, given.out / name)
        row = row_of(way, codes, reads, many, time.process_time() - before)
        return row | {column: told[column] for column in ("bits", "bits_error", "rhat", "ess", "converged")}

    def of_way(way: str, make: Callable[[], Codes]) -> Row:
        before = time.process_time()
        found = make()
        return row_of(way, found, reads, many, time.process_time() - before)

    rows = list[Row]()
    for number, (way, make) in enumerate(ways.items()):
        rows.append(kept(given.out / f"row_{number}.json", lambda way=way, make=make: of_way(way, make)))
        reached, spread = float(rows[-1]["output"]), max(float(rows[-1]["output_sd"]), 0.01 * TO)
        for law, one_spread in (("mean", None), ("near", spread)):
            name, said = f"{law}_{number}", f"draws, law of the {law} output, as {way}"
            asked = (reached, one_spread, name, said)
            rows.append(kept(given.out / f"row_{name}.json", lambda asked=asked: of_law(*asked)))
    return [*rows, row_of("held-out peaks", given.peaks, reads, many, 0.0)]


def kept(path: Path, make: Callable[[], Row]) -> Row:
    """A row, made unless it is there."""
    if not path.exists():
        path.write_text(json.dumps(make(), default=lambda number: number.item()))
    found: Row = json.loads(path.read_text())
    print(found, flush=True)
    return found


def edits(given: argparse.Namespace, own: SequenceModel, background: Frequencies) -> list[Row]:
    """A row for each sequence with a planted site: how much of the edits' excess lies inside it."""
    motif = read_meme(CTCF_MOTIF)[0].probabilities
    site = motif.argmax(axis=1).astype(np.uint8)[: len(SITE)]
    output, codes = output_of(own), random_codes(given.anchors, own.input_length, background, 7)
    to = float(np.median(output(random_codes(2000, own.input_length, background, 1))))
    codes[:, SITE.start : SITE.start + len(site)] = site
    records = {f"planted_{number}": decode(one) for number, one in enumerate(codes)}
    wanted = mx.Design(to=to, near=True)
    asked = mx.network(given.network), records, wanted
    found = mx.design(*asked, sampling=SAMPLING, out=str(given.out / "edits"), threads=1, progress=False)
    table, told, rows = found["edits"], found["summary"].set_index("record"), list[Row]()
    for name, positions in table.groupby("record", sort=False):
        inside = positions.position.between(SITE.start, SITE.start + len(site) - 1)
        row = told.loc[name]
        rows.append(
            {
                "record": name,
                "output_anchor": row.output_anchor,
                "to": to,
                "output": row.output,
                "inside": positions.excess[inside].sum() / positions.excess.sum(),
                "edits": row.edits,
                "edits_background": row.edits_background,
                "smallest": row.smallest,
                "rhat": row.rhat,
                "ess": row.ess,
            }
        )
    return rows


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network")
    parser.add_argument("other")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ledidi", action="store_true")
    parser.add_argument("--only", choices=("edits", "designs"), help="one of the tables (both)")
    parser.add_argument("--own", action="store_true", help="no designs that all start at one sequence")
    parser.add_argument("--count", type=int, default=32, help="designs of each way (32)")
    parser.add_argument("--anchors", type=int, default=20, help="sequences to edit (20)")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    own, other = (load_model(folder)[0].eval() for folder in (given.network, given.other))
    background = mx.network(given.network).background
    held_out = Path(given.network) / "test.positives.fa"
    given.peaks = np.array([encode(one) for one in held_out.read_text().split()[1::2]][:200])
    for name, make in (
        ("edits", lambda: edits(given, own, background)),
        ("designs", lambda: designs(given, own, other, background)),
    ):
        if given.only in (None, name) and not (given.out / f"{name}.tsv").exists():
            rows = make()
            names = list(dict.fromkeys(column for row in rows for column in row))
            lines = ["\t".join(names), *("\t".join(_cell(row.get(column)) for column in names) for row in rows)]
            (given.out / f"{name}.tsv").write_text("\n".join(lines) + "\n")


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
