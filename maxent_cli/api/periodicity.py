"""Do draws repeat a class of letters with the turn of DNA? From draws to a folder of tables and a figure."""

from collections.abc import Iterator

import numpy as np

from maxent_cli.analysis.over_anchors import LEAST_ANCHORS
from maxent_cli.analysis.periodicity import (
    ANCHOR,
    BACKGROUND,
    DRAWS,
    FREQUENCIES,
    SOURCES,
    LetterClass,
    Periodicity,
    PeriodicityAnswer,
    Row,
    answer_rows,
    in_words,
    letter_class,
    over_anchors,
    peak_rows,
    periodicity_of,
)
from maxent_cli.api.draws import GivenDraws, opened, path_of
from maxent_cli.api.listening import Progress, listener_of
from maxent_cli.api.results import Results, results_folder, tell
from maxent_cli.errors import InputError, SettingsError
from maxent_cli.io.growing_tables import growing_table
from maxent_cli.io.outputs import planned
from maxent_cli.io.periodicity_figure import PeriodicityFigure, Seen, write_periodicity_figure
from maxent_cli.io.tables import write_table
from maxent_cli.tables.periodicity import ANSWER, BAND, PEAKS, SPECTRA

SHOWN_EVERY = 4  # frequencies of the spectra that are written: the rest lies between them


def periodicity(
    draws: GivenDraws,
    words: str = "W",
    *,
    seed: int = 1,
    out: str | None = None,
    progress: Progress = True,
) -> Results:
    """Do the draws repeat a class of letters with the turn of DNA?

    The share of draws that hold the class at each position, less its straight line, is transformed between 5 and 20 bp;
    so are the anchors, and as many draws from each anchor's background rows (beta = 0), tether included.

    Parameters
    ----------
    draws
        What `sample` gives, or the path of what it wrote.
    words
        Letters or words that are looked at, in IUPAC's letters, words of one length joined by '/': 'W' is A or T, 'WW'
        is AA, AT, TA or TT, 'AA/TT' is either.
    seed
        Of the background's draws.
    out
        Folder for the results; without it they are kept until nobody holds them.
    progress
        True: bars on stderr; False: none; or a function that is given each step.

    Returns
    -------
    Results
        Tables 'answer', 'peaks' and 'spectra', as `maxent periodicity --help-all` tells; periods and phases are in bp.

    Raises
    ------
    InputError
        Where the draws cannot be read, or the words are no class.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.periodicity("draws.npz", "AA/TT", out="periodicity")  # doctest: +SKIP
    >>> found.to_frame()[["source", "share", "low", "high", "chance"]]  # doctest: +SKIP
    """
    wanted, listener, found = _class_of(words), listener_of(progress), list[Periodicity]()
    outputs = planned([path_of(draws)], folders=[out])
    with opened(draws) as anchors, results_folder(out, outputs, seed=seed) as folder:
        if not len(anchors):
            raise InputError(anchors.path, "", "holds no anchor", "give draws around some")
        with (
            growing_table(str(folder / SPECTRA.file), SPECTRA) as spectra,
            listener.progress("periodicity", len(anchors), "anchors") as ticker,
        ):
            for samples in anchors:
                found.append(periodicity_of(samples, wanted, seed, anchors.diagnosis))
                spectra(spectrum_rows(found[-1]))
                ticker.advance()
        answer = over_anchors(found)
        write_table(str(folder / PEAKS.file), [row for one in found for row in peak_rows(one)], PEAKS)
        write_table(str(folder / ANSWER.file), answer_rows(answer), ANSWER)
        write_periodicity_figure(str(folder / "periodicity.png"), figure_of(answer, found, words))
    return tell(folder, out, "answer", account(answer, found, words), listener)


def _class_of(words: str) -> LetterClass:
    try:
        return letter_class(words)
    except ValueError as error:
        raise SettingsError("class", "", str(error), "give letters as in W, WW or AA/TT") from error


def spectrum_rows(one: Periodicity) -> Iterator[Row]:
    """An anchor's spectra, a period a line."""
    for at in range(0, len(FREQUENCIES), SHOWN_EVERY):
        powers = (one.power[source][at] for source in SOURCES)
        yield SPECTRA.row(one.record, 1 / FREQUENCIES[at], *powers, one.converged, one.rhat)


def figure_of(answer: PeriodicityAnswer, found: list[Periodicity], words: str) -> PeriodicityFigure:
    """The figure's arrays; the profile is that of the anchor with the middle height."""

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


def account(answer: PeriodicityAnswer, found: list[Periodicity], words: str) -> Iterator[str]:
    """What was looked at, where it peaks and how often, what chance gives, and what to try."""
    yield f"{len(found)} anchors; {in_words(words)} between 5 and 20 bp"
    for row in answer_rows(answer):
        interval = f"(95 %: {100 * row['low']:.1f} to {100 * row['high']:.1f})"
        mean = f"mean spectrum highest at {row['period']:.2f} bp, {row['height']:.2f} times its median"
        share = f"{100 * row['share']:.1f} % of anchors highest at {BAND[0]:g}-{BAND[1]:g} bp {interval}"
        yield f"  {row['source']}: {share}; {mean}"
    yield f"  by chance: {100 * answer.chance:.1f} %"
    if len(found) < LEAST_ANCHORS:
        yield f"  nothing is decided by fewer than {LEAST_ANCHORS} anchors"
    elif answer.shares[DRAWS].low <= answer.chance:
        yield "  not told from chance: try more anchors, a higher --beta or --keep in sample, or another --class"
    unsettled = sum(not one.converged for one in found)
    if unsettled:
        yield f"  {unsettled} of {len(found)} anchors have not converged; see peaks.tsv"
