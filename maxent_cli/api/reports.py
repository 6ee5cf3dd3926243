"""The report: from what the other calls wrote to one HTML page."""

import html
from dataclasses import dataclass, field

from maxent_cli.api.draws import Draws, GivenDraws
from maxent_cli.api.results import Results
from maxent_cli.io.outputs import planned, writing
from maxent_cli.io.report import page_of
from maxent_cli.io.report_inputs import Sources


@dataclass(frozen=True)
class Page:
    """A page of HTML that asks for nothing from anywhere; a notebook shows it."""

    text: str = field(repr=False)

    def save(self, path: str) -> None:
        """Write it to a file."""
        with writing(path) as stream:
            stream.write(self.text)

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{html.escape(self.text)}" width="100%" height="800"></iframe>'


def report(
    draws: GivenDraws,
    *,
    summary: str | None = None,
    motifs: str | Results | None = None,
    periodicity: str | Results | None = None,
    gc_probe: str | Results | None = None,
    design: str | Results | None = None,
    out: str | None = None,
) -> Page:
    """One HTML page of what was found: convergence, the most telling hundred anchors, beta series, and parts given.

    Parameters
    ----------
    draws
        What `sample` gives, or the path of what it wrote; the table of its beta series is read from beside it.
    summary
        Path of the summary that `sample` wrote, by default beside the draws.
    motifs, periodicity, gc_probe, design
        What these calls gave on the same draws (design on any records), or the folders that they wrote; by default
        left out.
    out
        HTML file to write.

    Raises
    ------
    InputError
        Where a part cannot be read or belongs to other draws.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.motifs("draws.npz")  # doctest: +SKIP
    >>> mx.report("draws.npz", motifs=found, out="report.html")  # doctest: +SKIP
    Page()
    """
    path = draws.path if isinstance(draws, Draws) else draws
    # by command, in the page's order
    parts = {"motifs": motifs, "periodicity": periodicity, "gc-probe": gc_probe, "design": design}
    folders = {command: _folder(part) for command, part in parts.items() if part is not None}
    sources = Sources(path, summary or f"{path}.tsv", folders)
    outputs = planned(sources.files, [out])
    page = Page(page_of(sources))
    if out:
        with outputs.writing() as opening:
            opening(out).write(page.text)
    return page


def _folder(given: str | Results) -> str:
    return str(given.path) if isinstance(given, Results) else given
