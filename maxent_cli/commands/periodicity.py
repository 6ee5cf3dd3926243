"""maxent periodicity: do the draws repeat a class of letters with the turn of DNA?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from maxent_cli.commands import options
from maxent_cli.errors import InputError

if TYPE_CHECKING:
    from maxent_cli.analysis.periodicity import Answer, Periodicity, Row
    from maxent_cli.io.periodicity_figure import PeriodicityFigure

SPECTRA = ("draws", "phase_free", "anchor", "beta_0")  # columns, in the order of analysis.periodicity.SOURCES
SHOWN_EVERY = 4  # frequencies of the spectra that are written: the rest lies between them


def checked_class(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """The class, if it is one."""
    from maxent_cli.analysis.periodicity import letter_class

    try:
        letter_class(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return value.upper()


@click.command("periodicity")
@click.argument("draws", type=options.InputPath())
@options.out_option("Folder for the results; an older one is replaced.")
@click.option(
    "--class",
    "words",
    callback=checked_class,
    metavar="WORDS",
    default="W",
    show_default=True,
    help="Letters or words that are looked at, in IUPAC's letters, words of one length joined by /: W is A or T, WW is "
    "AA, AT, TA or TT, AA/TT is either.",
)
@options.seed_option
def command(draws: str, out: str, words: str, seed: int) -> None:
    """Do the draws repeat a class of letters with the turn of DNA?

    DRAWS is what sample wrote. The share of draws that hold the class at each position, less its straight line, is
    transformed between 5 and 20 bp. A peak's height is its power over the median between those periods. The same is
    done with the anchors themselves and with as many draws from each anchor's background rows (beta = 0), tether
    included; `draws, phase-free` is the mean spectrum of single draws, that of their autocorrelation, which sees a
    period that keeps no place. By chance is the share of such backgrounds whose highest point lies at 9.5-11 bp. Only
    positions that may change count. In the folder:

    \b
    answer.tsv       share of anchors that peak at 9.5-11 bp, and the peak of the mean spectrum, by source
    peaks.tsv        period, height, swing, phase of each anchor's highest point by source, with errors over chains
    spectra.tsv      power of each anchor by source, a period a line
    periodicity.png  mean spectra, where anchors peak, and the profile of one anchor

    Phase is the distance of the nearest maximum from the anchor's middle, in bp.
    """
    from maxent_cli.analysis.periodicity import answer_rows, letter_class, over_anchors, peak_rows, periodicity
    from maxent_cli.io.growing_tables import growing_table
    from maxent_cli.io.outputs import planned
    from maxent_cli.io.periodicity_figure import write_periodicity_figure
    from maxent_cli.io.samples import open_draws
    from maxent_cli.io.tables import write_table

    outputs = planned([draws], folders=[out])
    with open_draws(draws) as anchors, outputs.writing_folder(out, seed=seed) as folder:
        if not len(anchors):
            raise InputError(draws, "", "holds no anchor", "give draws around some")
        most_rhat, found = anchors.header.get("run", {}).get("most_rhat", 1.05), []
        with (
            growing_table(str(folder / "spectra.tsv"), ("record", "period", *SPECTRA)) as spectra,
            options.Progress("periodicity", len(anchors), "anchors") as progress,
        ):
            for samples in anchors:
                found.append(periodicity(samples, letter_class(words), seed, most_rhat))
                spectra(spectrum_rows(found[-1]))
                progress.advance()
        answer = over_anchors(found)
        write_table(str(folder / "peaks.tsv"), [row for one in found for row in peak_rows(one)])
        write_table(str(folder / "answer.tsv"), answer_rows(answer))
        write_periodicity_figure(str(folder / "periodicity.png"), figure_of(answer, found, words))
    for line in report(answer, found, words):
        options.say(f"{out}: {line}" if not line.startswith(" ") else line)


def spectrum_rows(one: "Periodicity") -> "Iterator[Row]":
    """An anchor's spectra, a period a line."""
    from maxent_cli.analysis.periodicity import FREQUENCIES, SOURCES

    for at in range(0, len(FREQUENCIES), SHOWN_EVERY):
        powers = {name: one.power[source][at] for name, source in zip(SPECTRA, SOURCES, strict=True)}
        yield {"record": one.record, "period": 1 / FREQUENCIES[at], **powers}


def figure_of(answer: "Answer", found: "list[Periodicity]", words: str) -> "PeriodicityFigure":
    """The figure's arrays; the profile is that of the anchor with the middle height."""
    import numpy as np

    from maxent_cli.analysis.periodicity import ANCHOR, BACKGROUND, BAND, DRAWS, FREQUENCIES, in_words
    from maxent_cli.io.periodicity_figure import PeriodicityFigure, Seen

    def seen(source: str) -> Seen:
        periods = np.array([one.peaks[source].period for one in found])
        return Seen(answer.power[source], periods, answer.shares[source].count / answer.shares[source].of)

    shown = sorted(found, key=lambda one: one.peaks[DRAWS].height)[len(found) // 2]
    peak = shown.peaks[DRAWS]
    return PeriodicityFigure(
        words=in_words(words),
        periods=1 / FREQUENCIES,
        draws=seen(DRAWS),
        anchors=seen(ANCHOR),
        background=seen(BACKGROUND),
        chance=answer.chance,
        band=BAND,
        record=shown.record,
        profile=shown.profile,
        wave=(peak.period, peak.phase, peak.swing),
    )


def report(answer: "Answer", found: "list[Periodicity]", words: str) -> Iterator[str]:
    """What was looked at, where it peaks and how often, what chance gives, and what to try."""
    from maxent_cli.analysis.periodicity import BAND, DRAWS, answer_rows, in_words

    yield f"{len(found)} anchors; {in_words(words)} between 5 and 20 bp"
    for row in answer_rows(answer):
        interval = f"(95 %: {100 * row['low']:.1f} to {100 * row['high']:.1f})"
        mean = f"mean spectrum highest at {row['period']:.2f} bp, {row['height']:.2f} times its median"
        share = f"{100 * row['share']:.1f} % of anchors highest at {BAND[0]:g}-{BAND[1]:g} bp {interval}"
        yield f"  {row['source']}: {share}; {mean}"
    yield f"  by chance: {100 * answer.chance:.1f} %"
    if answer.shares[DRAWS].low <= answer.chance:
        yield "  not told from chance: try more anchors, a higher --beta or --keep in sample, or another --class"
    unsettled = sum(not one.converged for one in found)
    if unsettled:
        yield f"  {unsettled} of {len(found)} anchors have not converged; see peaks.tsv"
