"""Does a network's first motif have the name expected, and do draws hold it where the anchor has its one strong match?

python workflows/motif_figures/placed.py MOTIFS ANCHORS.fa KNOWN.meme[.gz] NAME

MOTIFS is what `maxent motifs --known KNOWN.meme` wrote for the draws of ANCHORS.fa; NAME begins the known motif's name.
A strong match is one of p below 1e-5 a place; it is met where the centre of the known motif, as it lies on motif_1, is
within 2 bp of it at the place that most draws have. Prints a row a finding, with what was wanted.
"""

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from maxent_cli.alphabet import encode
from maxent_cli.analysis import Match, best_match
from maxent_cli.analysis import motif as matches_of
from maxent_cli.data import Motif
from maxent_cli.io import read_meme

STRONG = 1e-5
NEAR = 2.0  # bp between centres
Row = dict[str, str]


def table(path: Path) -> list[Row]:
    """Rows of a table."""
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def findings(motifs: Path, anchors: Path, known: Motif) -> Iterator[tuple[str, str, str]]:
    """What is asked, what was found, what was wanted."""
    first = table(motifs / "motifs.tsv")[0]
    yield "first motif is like", f"{first['known_1']}, q {first['q_1']}", f"{known.name}, q < 1e-6"
    held = {row["record"]: row for row in table(motifs / "occupancy.tsv") if row["motif"] == first["motif"]}
    shares = np.array([float(row["occupancy"]) for row in held.values()])
    by_chance = np.mean([float(row["occupancy_background"]) for row in held.values()])
    yield "anchors with it in most draws", f"{(shares > 0.5).mean():.1%} of {len(shares)}", "80 % or more"
    yield "median occupancy; at beta = 0", f"{np.median(shares):.3g}; {by_chance:.3g}", ""
    lies = best_match(known, next(one for one in read_meme(str(motifs / "motifs.meme")) if one.name == first["motif"]))
    strong = dict(strong_matches(anchors, known))
    near = [abs(strong[name] - _centre(held[name], lies, len(known.counts))) <= NEAR for name in strong]
    yield f"of {len(near)} anchors with one strong match, within 2 bp", f"{np.mean(near):.1%}", "90 % or more"


def strong_matches(anchors: Path, known: Motif) -> Iterator[tuple[str, float]]:
    """Anchors with exactly one strong match on either strand, and its centre."""
    feature = matches_of(known, (0.25,) * 4, STRONG)
    for record in anchors.read_text().split(">")[1:]:
        name, *lines = record.split("\n")
        places = np.flatnonzero(feature.matches(encode("".join(lines))))
        if len(places) == 1:
            yield name.split()[0], places[0] + feature.width / 2


def _centre(place: Row, lies: Match, width: int) -> float:
    """The centre of the known motif where it lies on motif_1 at an anchor's best place."""
    start, end = int(place["best_start"]), int(place["best_end"])
    within = lies.offset + width / 2
    return start + within if place["best_strand"] == "+" else end - within


def main() -> None:
    """The findings, a row each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("motifs", type=Path)
    parser.add_argument("anchors", type=Path)
    parser.add_argument("known")
    parser.add_argument("name")
    given = parser.parse_args()
    known = next(one for one in read_meme(given.known) if one.name.startswith(given.name))
    for finding in findings(given.motifs, given.anchors, known):
        sys.stdout.write("\t".join(finding) + "\n")


if __name__ == "__main__":
    main()
