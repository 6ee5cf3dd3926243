"""Is the CTCF core in the logo? A table and a page from the draws of published_logos.sh.

A logo is the draws' letter frequencies p against the (tethered) background q, L positions. MA0139.1 is laid on p - q at
every offset on both strands; its similarity there is the correlation of the W x 4 values of p - q with those of the
motif less 0.25. The core stands in the logo where

1. the most similar place of all is within 1 bp of the anchor's best match of MA0139.1, on the same strand;
2. that similarity is above the 99 % point of the greatest similarities, over all places of the same logo, of 1,000
   motifs made of MA0139.1's columns in random order: what a motif of such letters finds in such a logo by chance;
3. the positions of the match hold information: more than three standard errors above 0 bits.

The anchor's best match is by log-odds against uniform letters, in bits. Positions are 0-based. Errors of bits are those
of the chains as they ran: where R-hat is above 1.05 the chains have not seen the whole law, and are further off it.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from maxent_cli.alphabet import LETTERS, decode, one_hot
from maxent_cli.analysis import diagnose, frequencies, information_of, rhat
from maxent_cli.data import Floats, SampleSet
from maxent_cli.io import CTCF_MOTIF, open_draws, read_meme, write_fasta, write_table, writing

RUNS = ("from_anchor", "from_background", "default", "beta_0")
TETHERS = {"": "none", "_tether": "0.4"}
FILE_LETTERS = "GCAT"
SHUFFLES = 1000
SHOWN = 0.2  # bits from which a letter of the match is spelt out

MOTIF = read_meme(CTCF_MOTIF)[0].probabilities
EXCESS = MOTIF - 0.25
ODDS = np.log2(np.maximum(MOTIF, 0.001) / 0.25)


@dataclass(frozen=True)
class Place:
    """Where a motif lies: first position and strand, and how well."""

    start: int
    strand: str
    score: float


def write_anchors(array: str, path: str) -> None:
    """The array (N, L, 4) of indicators as FASTA, named anchor_0 and so on."""
    indicators = np.load(array, allow_pickle=False)
    rows = ["".join(FILE_LETTERS[code] for code in row) for row in indicators.argmax(axis=2)]
    write_fasta(path, [f"anchor_{number}" for number in range(len(rows))], rows)


def best_place(columns: Floats, profile: Floats) -> Place:
    """Where columns (W, 4) weigh most on a profile (L, 4), by the sum of products."""
    plus, minus = products(columns, profile), products(columns[::-1, ::-1], profile)
    strand = int(minus.max() > plus.max())
    scores = (plus, minus)[strand]
    return Place(int(scores.argmax()), "+-"[strand], float(scores.max()))


def products(columns: Floats, profile: Floats) -> Floats:
    """Sums of products of columns (W, 4) with each stretch of a profile (L, 4): (L - W + 1,)."""
    stretches = np.lib.stride_tricks.sliding_window_view(profile, len(columns), axis=0)  # (places, 4, W)
    return np.asarray(np.einsum("paw,wa->p", stretches, columns))


def similarities(columns: Floats, profile: Floats) -> tuple[Floats, Floats]:
    """Correlations of columns (W, 4) whose rows sum to 0 with each stretch of a profile (L, 4), on either strand."""
    sizes = np.sqrt(products(np.ones_like(columns), profile**2)) * np.linalg.norm(columns)
    plus, minus = products(columns, profile), products(columns[::-1, ::-1], profile)
    return plus / sizes, minus / sizes


def most_similar(columns: Floats, profile: Floats) -> Place:
    """The place at which columns are most similar to a profile."""
    plus, minus = similarities(columns, profile)
    strand = int(minus.max() > plus.max())
    scores = (plus, minus)[strand]
    return Place(int(scores.argmax()), "+-"[strand], float(scores.max()))


def chance_similarity(profile: Floats) -> float:
    """The 99 % point of the greatest similarity of the motif's columns in random order."""
    chance = np.random.default_rng(1)
    orders = (chance.permutation(len(EXCESS)) for _ in range(SHUFFLES))
    return float(np.quantile([most_similar(EXCESS[order], profile).score for order in orders], 0.99))


def bits(samples: SampleSet, where: np.ndarray) -> tuple[float, float]:
    """Information of the positions where (L,) holds, and its error."""
    held = information_of(replace(samples, mutable=samples.mutable & where))
    return held.total, held.total_error


def row_of(samples: SampleSet, run: str, tether: str) -> dict[str, object]:
    """What one anchor's logo in one run shows."""
    match = best_place(ODDS, one_hot(samples.anchor).T.astype(float))
    logo = frequencies(samples).probabilities - samples.background
    found, chance = most_similar(EXCESS, logo), chance_similarity(logo)
    inside = np.zeros(len(logo), bool)
    inside[match.start : match.start + len(MOTIF)] = True
    core, core_error = bits(samples, inside)
    rest, rest_error = bits(samples, ~inside)
    in_place = found.strand == match.strand and abs(found.start - match.start) <= 1
    diagnosis = diagnose(samples)
    return {
        "anchor": samples.name,
        "run": run,
        "tether": tether,
        "match_start": match.start,
        "match_strand": match.strand,
        "match_score": match.score,
        "match": decode(samples.anchor[inside]),
        "letters": spelt(samples, inside),
        "logo_start": found.start,
        "logo_strand": found.strand,
        "similarity": found.score,
        "chance": chance,
        "stands": in_place and found.score > chance and core > 3 * core_error,
        "bits_core": core,
        "bits_core_error": core_error,
        "bits_elsewhere": rest,
        "bits_elsewhere_error": rest_error,
        "output_anchor": samples.anchor_output,
        "output": samples.output.mean(),
        "rhat": diagnosis.worst_rhat,
        "rhat_quantity": diagnosis.worst_rhat_quantity,
        "ess": diagnosis.least_ess,
        "converged": diagnosis.converged,
    }


def spelt(samples: SampleSet, inside: np.ndarray) -> str:
    """The commonest letter of each chosen position that holds 0.2 bits or more, else a dot."""
    held, shares = information_of(samples).positions, frequencies(samples).probabilities
    return "".join(LETTERS[shares[p].argmax()] if held[p] >= SHOWN else "." for p in np.flatnonzero(inside))


def between(first: SampleSet, second: SampleSet) -> dict[str, object]:
    """R-hat of the chains of two runs taken together: the worst of all that is watched, and of energy and output."""
    pairs = {name: (getattr(first, name), getattr(second, name)) for name in ("codes", "energy", "output")}
    together = replace(first, **{name: np.concatenate(pair) for name, pair in pairs.items()})
    diagnosis = diagnose(together)
    return {
        "rhat_between": diagnosis.worst_rhat,
        "rhat_between_quantity": diagnosis.worst_rhat_quantity,
        "rhat_between_energy": float(rhat(together.energy)),
        "rhat_between_output": float(rhat(together.output)),
    }


def rows_of(out: Path) -> Iterator[dict[str, object]]:
    """Rows of all runs and anchors; R-hat between anchor and background starts goes with both of those runs."""
    for suffix, tether in TETHERS.items():
        paths = [str(out / f"{run}{suffix}.npz") for run in RUNS[:3]]
        with open_draws(paths[0]) as anchor, open_draws(paths[1]) as background, open_draws(paths[2]) as default:
            for published, other, ours in zip(anchor, background, default, strict=True):
                joint = between(published, other)
                yield row_of(published, RUNS[0], tether) | joint
                yield row_of(other, RUNS[1], tether) | joint
                yield row_of(ours, RUNS[2], tether) | dict.fromkeys(joint)
    with open_draws(str(out / f"{RUNS[3]}.npz")) as background:
        yield from (row_of(samples, RUNS[3], "none") | dict.fromkeys(joint) for samples in background)


def page(rows: list[dict[str, object]]) -> str:
    """The page: counts, then a table a run."""
    lines = ["# The CTCF core in the logos of the demo anchors", "", *(__doc__ or "").strip().splitlines()[2:], ""]
    lines += ["| run | tether | core stands in the logo of | bits in the match | bits elsewhere | converged |"]
    lines += ["|---|---|---|---|---|---|"]
    runs = sorted({(str(row["tether"]) != "none", RUNS.index(str(row["run"])), str(row["tether"])) for row in rows})
    tables = [(RUNS[run], tether, _of(rows, RUNS[run], tether)) for _, run, tether in runs]
    lines += [_count(run, tether, some) for run, tether, some in tables]
    for run, tether, some in tables:
        lines += ["", f"## {run}, tether {tether}", ""]
        lines += ["| anchor | match | score | letters of the match above 0.2 bit | found | similarity (chance) | core "]
        lines[-1] += (
            "| bits there | elsewhere | output (anchor's) | R-hat in the run | R-hat anchor/background starts |"
        )
        lines += ["|---" * 12 + "|", *(_line(row) for row in some)]
    return "\n".join(lines) + "\n"


def _of(rows: list[dict[str, object]], run: str, tether: str) -> list[dict[str, object]]:
    return [row for row in rows if row["run"] == run and row["tether"] == tether]


def _count(run: str, tether: str, rows: list[dict[str, object]]) -> str:
    stands, converged = (sum(bool(row[name]) for row in rows) for name in ("stands", "converged"))
    core, rest = (np.median([float(str(row[name])) for row in rows]) for name in ("bits_core", "bits_elsewhere"))
    return f"| {run} | {tether} | {stands} of {len(rows)} | {core:.1f} | {rest:.1f} | {converged} of {len(rows)} |"


def _line(row: dict[str, object]) -> str:
    joint = "" if row["rhat_between"] is None else "{rhat_between:.2f} (energy {rhat_between_energy:.2f})".format(**row)
    cells = (
        "{anchor}",
        "{match_start}{match_strand} `{match}`",
        "{match_score:.1f}",
        "`{letters}`",
        "{logo_start}{logo_strand}",
        "{similarity:.2f} ({chance:.2f})",
        "stands" if row["stands"] else "-",
        "{bits_core:.1f} ± {bits_core_error:.1f}",
        "{bits_elsewhere:.1f} ± {bits_elsewhere_error:.1f}",
        "{output:.1f} ({output_anchor:.1f})",
        "{rhat:.2f} ({rhat_quantity})",
    )
    return "| " + " | ".join(cell.format(**row) for cell in cells) + f" | {joint} |"


def main(arguments: list[str]) -> None:
    """anchors ARRAY FASTA, or page OUT."""
    if arguments[0] == "anchors":
        write_anchors(arguments[1], arguments[2])
        return
    out = Path(arguments[1])
    rows = list(rows_of(out))
    write_table(str(out / "logos.tsv"), rows)
    with writing(str(out / "logos.md")) as stream:
        stream.write(page(rows))
    sys.stdout.write("\n".join(page(rows).split("\n## ")[0].splitlines()[-9:]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
