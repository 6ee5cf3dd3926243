"""What the demo planted beside what it found: demo_table.py FOLDER."""

import sys
from importlib import resources
from pathlib import Path

import pandas as pd

from maxent_cli.analysis import best_match, consensus
from maxent_cli.io import read_meme

BED = ("record", "start", "end", "name", "score", "strand")
Line = tuple[str, str, str]


def table(folder: Path) -> list[Line]:
    """The lines of the table: what, planted, found."""
    motif_lines = [*motif(folder), place(folder)]
    return [("", "planted", "found"), network(folder), *motif_lines, convergence(folder), *gc(folder)]


def network(folder: Path) -> Line:
    """AUROC on held-out records beside the best that is possible: records without a site cannot be told."""
    metrics = pd.read_table(folder / "model" / "metrics.tsv").set_index(["part", "metric"])
    value, low, high = metrics.loc[("test", "AUROC"), ["value", "lower", "upper"]]
    names = pd.read_table(folder / "scores.tsv")["record"]
    share = names.isin(planted(folder)["record"]).mean()
    best = f"in {share:.0%} of held-out records: {(1 + share) / 2:.3f} at best"
    return ("network's AUROC, held out", best, f"{value:.3f} ({low:.3f} to {high:.3f})")


def motif(folder: Path) -> list[Line]:
    """The first motif of the draws beside the planted matrix, both on the matrix's strand."""
    (known,) = read_meme(str(resources.files("maxent_cli") / "known" / "MA0139.1.meme"))
    motifs = read_meme(str(folder / "motifs" / "motifs.meme"))
    if not motifs:
        return [("motif", consensus(known), "none")]
    found, match = motifs[0], best_match(motifs[0], known)
    letters = consensus(type(found)("", found.counts[::-1, ::-1], found.sites) if match.strand == "-" else found)
    width = max(match.offset, 0)
    return [
        ("motif", f"{'':{max(-match.offset, 0)}}{consensus(known)}", f"{'':{width}}{letters}"),
        ("correlation with the planted matrix", "1", f"{match.similarity:.3f} over {match.overlap} columns"),
    ]


def place(folder: Path) -> Line:
    """Anchors whose most informative segment lies on their planted site, by half of the shorter or more."""
    sites = planted(folder).set_index("record")
    segments = pd.read_table(folder / "motifs" / "segments.tsv").sort_values("bits").groupby("record").last()
    names = pd.read_table(folder / "motifs" / "anchors.tsv")["record"]
    segments = segments[["start", "end"]].add_suffix("_found")
    both = sites.loc[sites.index.isin(names), ["start", "end"]].join(segments)
    overlap = both[["end", "end_found"]].min(axis=1) - both[["start", "start_found"]].max(axis=1)
    shorter = pd.concat([both["end"] - both["start"], both["end_found"] - both["start_found"]], axis=1).min(axis=1)
    hits = int((both["end_found"].notna() & (overlap >= shorter / 2)).sum())
    return ("anchors with it at the planted place", f"{len(both)} of {len(names)}", f"{hits} of {len(both)}")


def convergence(folder: Path) -> Line:
    """How many anchors' chains agree, and the worst R-hat."""
    summary = pd.read_table(folder / "draws.npz.tsv")
    agreed = int((summary["converged"] == "yes").sum())
    return ("anchors converged", "", f"{agreed} of {len(summary)}, worst R-hat {summary['rhat'].max():.3f}")


def gc(folder: Path) -> list[Line]:
    """The GC probe's answer, with its 95 % intervals over anchors, and the sampler's check of itself."""
    answer = pd.read_table(folder / "gc" / "answer.tsv").set_index("count")
    scores = pd.read_table(folder / "gc" / "checks.tsv")["z"].abs().dropna()
    held = ", ".join(answer.index[answer["held"] == "yes"]) or "none"
    return [
        ("counts held beyond local features", "none", held),
        ("GC: rigidity", "a motif's own", interval(*answer.loc["G and C", ["rigidity", "low", "high"]])),
        ("GC: identity between mu holds", "", f"{(scores <= 3).sum()} of {len(scores)} within 3 errors"),
    ]


def interval(value: float, low: float, high: float) -> str:
    """A number and its interval."""
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def planted(folder: Path) -> pd.DataFrame:
    """The planted sites; 0-based half-open."""
    return pd.read_table(folder / "planted.bed", names=BED)


def show(lines: list[Line]) -> str:
    """The lines in columns."""
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


if __name__ == "__main__":
    print(show(table(Path(sys.argv[1]))))
