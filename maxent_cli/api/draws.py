"""Draws as public functions give and take them: a file of them, read an anchor at a time."""

import html
import shutil
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from maxent_cli.alphabet import decode
from maxent_cli.api.results import in_notebook
from maxent_cli.data import SampleSet, Shard
from maxent_cli.errors import InputError
from maxent_cli.io import samples as files
from maxent_cli.io.outputs import copy_recorded, planned
from maxent_cli.io.tables import Row, write_rows
from maxent_cli.tables.sampling import NETWORKS, SERIES, SUMMARY

if TYPE_CHECKING:
    import pandas as pd

    from maxent_cli.analysis.diagnostics import Diagnosis
    from maxent_cli.io.logos import Logo

SHOWN = ("record", "beta", "converged", "rhat", "ess", "energy_reduction", "bits", "bits_error")  # in a notebook


class Draws(files.DrawsFile):
    """Draws around anchors, one SampleSet an anchor, read from their file when asked for; made by `sample`.

    draws[0] or draws["name"] is an anchor's; iterating holds one at a time. Closed by close(), at the end of a with
    block, or when nobody holds it; draws that were not saved anywhere are gone then.
    """

    def __init__(
        self, path: str, folder: Path | None = None, rows: list[Row] | None = None, parts: Sequence[Shard] = ()
    ) -> None:
        resources = ExitStack()
        if folder is not None:
            resources.callback(shutil.rmtree, folder, ignore_errors=True)
        self._close = weakref.finalize(self, resources.close)
        try:
            super().__init__(path, resources.enter_context(files.members_of(path)))
        except BaseException:
            self._close()
            raise
        self._rows = rows
        self.parts = parts  # of all records that each anchor is, where they have just been drawn

    def __getitem__(self, anchor: int | str) -> SampleSet:
        return super().__getitem__(self._number(anchor))

    def __iter__(self) -> Iterator[SampleSet]:
        return (self[row] for row in range(len(self)))

    def __enter__(self) -> "Draws":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Leave the file."""
        self._close()

    @property
    def path(self) -> str:
        """Where the draws lie."""
        return self._path

    @property
    def is_distance(self) -> bool:
        """Whether the law's energy is a distance from the anchor."""
        return self.law.is_distance

    @property
    def max_rhat(self) -> float:
        """The R-hat up to which chains agree, as they were drawn with."""
        return float(self.header.get("run", {}).get("max_rhat", 1.05))

    def diagnosis(self, samples: SampleSet) -> "Diagnosis":
        """Whether an anchor's draws have converged, by the bounds that they were drawn with."""
        from maxent_cli.analysis.diagnostics import diagnose  # numba, as all that is worked out of draws

        return diagnose(samples, self.max_rhat, self.header.get("run", {}).get("min_ess", 100.0))

    def rows(self) -> list[Row]:
        """A row of numbers an anchor, as in the summary that `maxent sample` writes."""
        from maxent_cli.analysis.summary import summarise

        if self._rows is None:
            self._rows = [summarise(each, self.diagnosis(each), self.is_distance) for each in self]
        return self._rows

    def to_frame(self) -> "pd.DataFrame":
        """A row an anchor: beta, convergence, energy, output and bits, each with its Monte Carlo error.

        Examples
        --------
        >>> draws.to_frame()[["record", "converged", "bits", "bits_error"]]  # doctest: +SKIP
        """
        import pandas as pd  # slow to import, as all that draws

        return pd.DataFrame(self.rows())

    def series(self) -> "pd.DataFrame":
        """A row an anchor and replica: energy, output and bits at each beta from 0 up."""
        import pandas as pd

        return pd.DataFrame(self._series())

    def sequences(self, anchor: int | str) -> list[str]:
        """An anchor's draws as strings, chain after chain."""
        codes = self[anchor].codes
        return [decode(draw) for draw in codes.reshape(-1, codes.shape[-1])]

    def logo(self, anchor: int | str, path: str | None = None) -> "Picture":
        """The information of an anchor's draws as a logo, in bits against its background; PNG, SVG or PDF by suffix.

        Shown in a notebook; written to path, if given.
        """
        picture = Picture(_logo(self[anchor]))
        if path is not None:
            picture.save(path)
        return picture

    def save(self, path: str) -> None:
        """Copy the draws to a file (.npz), with their summary (.npz.tsv) and series (.npz.series.tsv) beside it.

        Each comes with the record of its making (.provenance.json).
        """
        tables = {f"{path}.tsv": (self.rows, SUMMARY), f"{path}.series.tsv": (self._series, SERIES)}
        if isinstance(self.header.get("model"), list):
            tables[f"{path}.networks.tsv"] = self._of_networks, NETWORKS
        planned([self._path], files=[path], implied=tables, noting=False)
        copy_recorded(self._path, path)
        for name, (rows, table) in tables.items():
            with planned([path], implied=[name]).writing() as opening:
                write_rows(opening(name), rows(), table)

    def _series(self) -> list[Row]:
        from maxent_cli.analysis.series import beta_series

        return [row for each in self for row in beta_series(each, self.diagnosis(each), self.is_distance)]

    def _of_networks(self) -> list[Row]:
        from maxent_cli.analysis.summary import of_networks

        return [row for each in self for row in of_networks(each)]

    def _number(self, anchor: int | str) -> int:
        if isinstance(anchor, str):
            names = self.names()
            if anchor not in names:
                some = ", ".join(names[:3])
                raise InputError(self._path, "", f"holds no anchor named {anchor}", f"its anchors are {some}, ...")
            return names.index(anchor)
        if not -len(self) <= anchor < len(self):
            raise IndexError(anchor)  # what ends a loop over a sequence
        return anchor % len(self)

    def __repr__(self) -> str:
        return f"<Draws of {len(self)} anchors in {self._path}>"

    def _repr_html_(self) -> str:
        some = self.to_frame()
        columns = [name for name in SHOWN if name in some]
        note = html.escape(repr(self))
        return f"<p>{note}</p>{in_notebook(some[columns])}"


GivenDraws = str | Draws  # what public functions take for draws: a path, or what `sample` or `open_draws` gave


def path_of(given: GivenDraws) -> str:
    """Where draws lie."""
    return given.path if isinstance(given, Draws) else given


@contextmanager
def opened(given: GivenDraws) -> Iterator[Draws]:
    """The draws given; those of a path are open for as long as the block lasts."""
    if isinstance(given, Draws):
        yield given
        return
    with Draws(given) as draws:
        yield draws


class Picture:
    """A logo that a notebook shows."""

    def __init__(self, logo: "Logo") -> None:
        self.logo = logo

    def save(self, path: str) -> None:
        """Write it: PNG, SVG or PDF by suffix."""
        from maxent_cli.io.logos import write_logo

        write_logo(path, self.logo)

    def _repr_png_(self) -> bytes:
        from maxent_cli.io.logos import png_of

        return png_of(self.logo)


def open_draws(path: str) -> Draws:
    """The draws that `maxent sample` or `Draws.save` wrote.

    Raises InputError where the file cannot be read or holds no draws.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> for samples in mx.open_draws("draws.npz"):  # doctest: +SKIP
    ...     print(samples.name, samples.energy.mean())
    """
    return Draws(path)


def _logo(samples: SampleSet) -> "Logo":
    from maxent_cli.analysis.information import frequencies, information_of
    from maxent_cli.io.logos import Logo, information_heights

    letters, held = frequencies(samples), information_of(samples)
    return Logo(
        title=f"{samples.name}   {held.total:.2f} ± {held.total_error:.2f} bits",
        heights=information_heights(letters.probabilities, np.asarray(held.positions)),
        errors=held.errors,
        letters=decode(samples.anchor),
    )
