"""The report: from what the other calls wrote to one HTML page."""

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from maxent_cli.api.draws import Draws, GivenDraws
from maxent_cli.api.results import Results
from maxent_cli.errors import SettingsError
from maxent_cli.io.outputs import planned, writing
from maxent_cli.io.report import page_of
from maxent_cli.io.report_inputs import Sources
from maxent_cli.tables import SHOWN


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
    out: str | None = None,
    **parts: str | Results | None,
) -> Page:
    """One HTML page of what was found: convergence, the most telling hundred anchors, beta series, and parts given.

    Parameters
    ----------
    draws
        What `sample` gives, or the path of what it wrote; the table of its beta series is read from beside it.
    summary
        Path of the summary that `sample` wrote, by default beside the draws.
    out
        HTML file to write.
    parts
        By the name of a call (motifs, periodicity, gc_probe): what it gave on the same draws, or the folder that it
        wrote; by default left out.

    Raises
    ------
    InputError
        Where a part cannot be read or belongs to other draws, or there is none of a name.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.motifs("draws.npz")  # doctest: +SKIP
    >>> mx.report("draws.npz", motifs=found, out="report.html")  # doctest: +SKIP
    Page()
    """
    path = draws.path if isinstance(draws, Draws) else draws
    sources = Sources(path, summary or f"{path}.tsv", dict(_folders(parts)))
    outputs = planned(sources.files, [out])
    page = Page(page_of(sources))
    if out:
        with outputs.writing() as opening:
            opening(out).write(page.text)
    return page


def _folders(parts: Mapping[str, str | Results | None]) -> Iterator[tuple[str, str]]:
    """The folders that are given, by the command that wrote them, in the order of the page."""
    named = {command.replace("-", "_"): command for command in SHOWN}
    unknown = next((name for name in parts if name not in named), None)
    if unknown is not None:
        raise SettingsError(unknown, "", "is no part of a report", f"give one of {', '.join(named)}")
    for name, command in named.items():
        given = parts.get(name)
        if given is not None:
            yield command, str(given.path) if isinstance(given, Results) else given
