"""The report: from what the other calls wrote to one HTML page."""

import html
import re
from dataclasses import dataclass, field

from maxent_cli.api.draws import Draws, GivenDraws
from maxent_cli.api.looking import so_far
from maxent_cli.api.results import Results
from maxent_cli.errors import InputError
from maxent_cli.io.outputs import planned, writing
from maxent_cli.io.report import page_of
from maxent_cli.io.report_inputs import Sources, anchors_of
from maxent_cli.io.unfinished import is_unfinished


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
    train: str | Results | None = None,
    learning: str | Results | None = None,
    motifs: str | Results | None = None,
    periodicity: str | Results | None = None,
    variants: str | Results | None = None,
    gc_probe: str | Results | None = None,
    compare: str | Results | None = None,
    attribute: str | Results | None = None,
    dependence: str | Results | None = None,
    design: str | Results | None = None,
    out: str | None = None,
    assembly: str = "",
) -> Page:
    """One HTML page of what was found, to explore: a verdict, the anchors as cards, beta series, and parts given.

    Parameters
    ----------
    draws
        What `sample` gives, or the path of what it wrote; its summary and beta series are read from beside it. Or the
        path of what is under way (OUT.partial): the anchors that are finished and that `motifs` has.
    train, learning, motifs, periodicity, variants, gc_probe, compare, attribute, dependence, design
        What these calls gave of the same network, draws or anchors (design of any records; `cross_read` counts as
        compare), or the folders that they wrote; those left out are named on the page.
    out
        HTML file to write.
    assembly
        The genome of the anchors' places as the UCSC genome browser names it (hg38): cards link to it.

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
    require_assembly(assembly)
    path = draws.path if isinstance(draws, Draws) else draws
    parts = {"train": train, "learning": learning, "motifs": motifs, "periodicity": periodicity, "variants": variants}
    parts |= {"gc-probe": gc_probe, "compare": compare, "attribute": attribute, "dependence": dependence}
    parts |= {"design": design}
    folders = {command: _folder(part) for command, part in parts.items() if part is not None}
    wanted = anchors_of(folders["motifs"]) if "motifs" in folders and is_unfinished(path) else None
    with so_far(path, wanted) as (found, _):
        sources = Sources(found, folders, path, assembly)
        outputs = planned([each for each in sources.files if found == path or not each.startswith(found)], [out])
        page = Page(page_of(sources))
    if out:
        with outputs.writing() as opening:
            opening(out).write(page.text)
    return page


def require_assembly(name: str) -> None:
    """Raise InputError for what cannot be the name of a genome in the UCSC browser; '' is none."""
    if not re.fullmatch("[A-Za-z0-9._-]{0,40}", name):
        raise InputError(name[:40], "", "is no name of an assembly", "give it as the UCSC genome browser does: hg38")


def _folder(given: str | Results) -> str:
    return str(given.path) if isinstance(given, Results) else given
