"""Is what networks avoid found, and nothing where they avoid nothing? Twenty networks of "A and not B", twenty twins.

python -m workflows.avoided.experiment OUT [--networks 20]

Each network is trained, sampled around its surest held-out positives and read by `maxent motifs`, which is asked about
the two planted motifs besides (--test). OUT/results.tsv has a row a network; what is there is not made
again, so that a run can be cut off and gone on with. OUT/results.md is the page. --first N begins at network N: what
is changed in the search is settled on others than those that the page judges.
"""

import argparse
import csv
import time
from collections.abc import Iterator
from pathlib import Path

import maxent_cli as mx
from maxent_cli.analysis import best_match
from maxent_cli.data import Motif
from maxent_cli.io import databases, read_meme, write_meme

from .networks import ANCHORS, KINDS, Case, draws_of

DATABASE = "jaspar-vertebrates"
ALIKE = 0.65  # Pearson r from which a motif found is the one planted
COLUMNS = (
    "network",
    "held",
    "avoided",
    "auroc",
    "held_r",
    "avoided_r",
    "found",
    "cost",
    "a",
    "b",
    "b_bits",
    "converged",
    "cpu",
)


def main() -> None:
    """Make what is not there, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--networks", type=int, default=20, help="of each kind [default: 20]")
    parser.add_argument("--first", type=int, default=0, help="number of the first [default: 0]")
    given = parser.parse_args()
    rows = dict[str, dict[str, str]]()
    table = given.out / "results.tsv"
    given.out.mkdir(parents=True, exist_ok=True)
    if table.exists():
        rows = {row["network"]: row for row in csv.DictReader(table.open(), delimiter="\t")}
    numbers = range(given.first, given.first + given.networks)
    for case in (Case(kind, number) for number in numbers for kind in KINDS):
        if case.name not in rows:
            rows[case.name] = read(case, given.out)
            with table.open("w", newline="") as stream:
                writer = csv.DictWriter(stream, COLUMNS, delimiter="\t", lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows.values())
            print(*rows[case.name].values(), flush=True)
    (given.out / "results.md").write_text(page(list(rows.values())), encoding="utf-8")


def read(case: Case, folder: Path) -> dict[str, str]:
    """What is found in a network's draws: how like the planted motifs, at which cost, and the verdicts on these."""
    started = time.process_time()
    planted = {motif.name.split()[0]: motif for motif in read_meme(*databases(DATABASE))}
    draws = draws_of(case, folder)
    motifs, given = folder / case.name / "motifs", folder / case.name / "pair.meme"
    write_meme(str(given), [planted[name] for name in case.pair])
    found = mx.motifs(str(draws), test=str(given), unconverged=True, logos="none", out=str(motifs), threads=1)
    a, b = (planted[name] for name in case.pair)
    alike = {
        kind: max((best_match(motif, one).similarity for one in _written(motifs / file)), default=0.0)
        for kind, motif, file in (("held", a, "motifs.meme"), ("avoided", b, "avoided.meme"))
    }
    table = found.to_frame()
    avoided = table[table["kind"] == "avoided"]
    asked = found["tested"].set_index("motif")
    verdict = asked["verdict"]
    metrics = csv.DictReader((folder / case.name / "model" / "metrics.tsv").open(), delimiter="\t")
    auroc = next(row["value"] for row in metrics if (row["part"], row["metric"]) == ("test", "AUROC"))
    values = (
        case.name,
        *case.pair,
        f"{float(auroc):.3f}",
        f"{alike['held']:.2f}",
        f"{alike['avoided']:.2f}",
        len(avoided),
        f"{avoided['cost'].max():.2f}" if len(avoided) else "",
        verdict[a.name],
        verdict[b.name],
        f"{asked['elsewhere'][b.name]:.2f}",
        f"{sum(found['anchors']['converged'])} of {ANCHORS}",
        f"{time.process_time() - started:.1f}",
    )
    return dict(zip(COLUMNS, map(str, values), strict=True))


def _written(path: Path) -> list[Motif]:
    return read_meme(str(path)) if "MOTIF" in path.read_text() else []


PAGE = """# What networks avoid

`python -m workflows.avoided.experiment OUT` made this page. Rule: networks of "A and not B". Twin: A alone, B on both
sides as often. Each was sampled around its surest held-out positives and read by `maxent motifs`. An r is Pearson's
with the planted motif: from {alike} on, the motif found is the one planted.

| networks | wanted | found |
|---|---|---|
{account}

held, avoided: A and B. held_r, avoided_r: r of the most alike motif of that kind. found: motifs avoided; cost: in bits,
of the dearest. a, b: verdicts on A's and B's matrices (`--test`); b_bits: of B, where no held motif stands. converged:
anchors; all count. cpu: seconds of what was made in the last go.

{rows}
"""


def page(rows: list[dict[str, str]]) -> str:
    """What was wanted, what was found, and a row a network."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(row.values())} |" for row in rows]
    return PAGE.format(alike=ALIKE, account="\n".join(account(rows)), rows="\n".join(lines))


def account(rows: list[dict[str, str]]) -> Iterator[str]:
    """How many of each kind met what was wanted, a row of the page each."""
    rule, twin = ([row for row in rows if row["network"].startswith(kind)] for kind in KINDS)
    for name, own, wanted, met in (
        (
            "rule",
            rule,
            "B found as avoided, blind (at least 18 of 20)",
            [float(row["avoided_r"]) >= ALIKE for row in rule],
        ),
        ("rule", rule, "B avoided, asked about", [row["b"] == "avoided" for row in rule]),
        ("twin", twin, "anything found as avoided (at most 1 of 20)", [row["found"] != "0" for row in twin]),
        ("twin", twin, "B avoided, asked about", [row["b"] == "avoided" for row in twin]),
        ("both", rows, "A found as held, blind", [float(row["held_r"]) >= ALIKE for row in rows]),
        ("both", rows, "A held, asked about", [row["a"] == "held" for row in rows]),
    ):
        yield f"| {name} | {wanted} | {sum(met)} of {len(own)} |"


if __name__ == "__main__":
    main()
