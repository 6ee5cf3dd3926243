"""The page of the XOR experiment: its table and figures, from the files that the experiment wrote."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from maxent_cli.analysis import LEAST_EXPECTED
from maxent_cli.io import writing

from ..global_features.steps import Table, converged, machine, table, used
from .answers import METHODS, QUESTIONS, total
from .figures import count_figure, example_figure, law_figure
from .rule import keeping

LAWS = {
    "anchored": "draws around the anchor",
    "anchored, listed": "the same law, listed",
    "united": "draws of all anchors of a class",
    "unanchored": "draws of a class, no anchor",
}
TEXT = """\
# An XOR rule on dinucleotides: attributions and draws

`python -m workflows.xor.experiment workflows/xor/xor.toml`, {date}; {machine};
{seconds:.0f} CPU seconds in its commands. {networks} networks (8 inputs, {hidden} hidden units), each trained
on its own {source} dinucleotides; of their {inputs} inputs they call {called} rightly.
Class 1: exactly one of [first letter A or T], [second letter G]. Every input is an anchor, and whatever it is, changing
either part changes the class.

## Who points at the rule

Right answers, of all that were asked for:

{counts}

- *Letters*, at each position of each anchor: every letter that keeps the class (the other position as it is) is above
  every letter that does not, by score or by share of draws over background.
- *Sign*, of each letter of each anchor: it speaks for the class that the anchor has. So do each letter's effect
  against redrawing it from the background and its exact Shapley value.
- *Larger*, of each anchor's two letters: the second where it is G, else the first, as information, redrawing and
  Shapley values say alike; by absolute score or by bits.
- *Sequences*: the class of each of the 16, told from each anchor: by its output and the sum of what letters score, or
  by whether draws have a sequence more often than the background; in the last two rows, by which class's draws have it
  more often.

A dash: no answer of that kind. By chance: letters in random order, coins. Scores of single letters cannot say that
changing both parts keeps the class, nor do the draws around one anchor: its representation tells the branches apart
({branch:.1%} of their law is in the anchor's branch, {other:.1%} in the other of its class). The draws of all
anchors of a class do, and so does the law without an anchor.

![misassigned](misassigned.png)

![network_00](example.png)

## Are the draws those of the law?

The law is listed by other code than draws, from the weights, at the beta of the draws. A joint table is an anchor's in
a network. Chi-square is divided by a design effect, from the spread between chains, that is not let below 1; squared
errors of cells are multiplied by it. Cells are those that expect 5 draws or more. Of the sets of draws {converged} have
converged.

{agreement}

![laws](laws.png)
"""


def write_page(out: Path, config: dict[str, Any]) -> Path:
    """Write results.md and its figures; gives the page."""
    answers, tests, laws = (table(out / f"{name}.tsv") for name in ("answers", "tests", "laws"))
    called, inputs = total(answers, "network", "sequences")
    text = TEXT.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=machine(out / "network_00" / "anchored.npz"),
        seconds=used(out),
        networks=config["networks"],
        hidden=config["hidden"],
        source="published" if "published" in config else f"{config['examples']:,} simulated",
        inputs=inputs,
        called=called,
        counts="\n".join(_counts(answers)),
        branch=np.mean([float(row["branch"]) for row in tests]),
        other=np.mean([float(row["other_branch"]) for row in tests]),
        converged=converged(out, "anchored.npz", "class_0.npz", "class_1.npz"),
        agreement="\n".join(_agreement(tests, laws)),
    )
    count_figure(answers).savefig(out / "misassigned.png", dpi=90)
    example_figure(out / "network_00", np.array(config["background"])).savefig(out / "example.png", dpi=90)
    law_figure(laws).savefig(out / "laws.png", dpi=90)
    with writing(str(out / "results.md")) as stream:
        stream.write(text)
    return out / "results.md"


def _counts(answers: Table) -> Iterator[str]:
    """The table of right answers."""
    yield f"| | {' | '.join(QUESTIONS)} |"
    yield "|---|" + "---:|" * len(QUESTIONS)
    for method in (*METHODS, *LAWS):
        cells = (total(answers, method, question) for question in QUESTIONS)
        shown = (f"{right:,} of {of:,}" if of else "-" for right, of in cells)
        yield f"| {LAWS.get(method, method)} | {' | '.join(shown)} |"
    networks = len({row["network"] for row in answers})
    by_chance = networks * np.array([_ordered_by_chance(), 2 * 16 / 2, 16 / 2, 16 * 16 / 2])
    yield f"| by chance | {' | '.join(f'{number:,.0f}' for number in by_chance)} |"


def _ordered_by_chance() -> float:
    """Positions of the 16 anchors at which letters in random order are right."""
    return float((1 / stats.binom(4, 0.5).pmf(keeping().sum(axis=1)) / 16).sum())


def _agreement(tests: Table, laws: Table) -> Iterator[str]:
    """Draws against listed laws: chi-square tests, and cells beyond so many errors."""
    p = np.array([float(row["p"]) for row in tests])
    z, listed = (np.array([float(row[name]) for row in laws]) for name in ("z", "listed"))
    independent = {(row["network"], row["anchor"]): float(row["independent"]) for row in tests}
    expected = listed * np.array([independent[row["network"], row["anchor"]] for row in laws])
    z = z[expected >= LEAST_EXPECTED]
    worth = np.median(list(independent.values()))
    yield f"{len(p)} joint tables of {tests[0]['draws']} draws, worth a median of {worth:,.0f} independent ones.\n"
    yield "| | found | expected |"
    yield "|---|---:|---:|"
    for level in (0.05, 0.01, 0.001):
        low, high = stats.binom(len(p), level).ppf([0.025, 0.975])
        wanted = f"{level * len(p):.3g} ({low:.0f} to {high:.0f})"
        yield f"| chi-square, p < {level:g}, of {len(p)} tables | {(p < level).sum()} | {wanted} |"
    yield f"| median p-value | {np.median(p):.2g} | 0.5 or a little more |"
    for errors in (2, 3, 4):
        share = 2 * stats.norm.sf(errors)
        yield f"| cells beyond {errors} errors, of {len(z):,} | {(abs(z) > errors).sum()} | {share * len(z):.3g} |"
