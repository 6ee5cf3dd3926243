"""Anchors as public functions take them: where they come from, and what of them may change."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from maxent_cli.alphabet import UNIFORM
from maxent_cli.data import WHOLE, Rejected, Sequences, Shard
from maxent_cli.errors import SettingsError
from maxent_cli.io import records
from maxent_cli.io.digests import run_digests
from maxent_cli.io.records import RecordSource, read_part, read_sequences, source_of
from maxent_cli.io.windows import changeable, fix_positions, read_flanked, settle_unknown


@dataclass(frozen=True)
class Anchors:
    """Anchors to be read once it is known what a network reads; made by `anchors`.

    crop: keep the middle of longer records. flank: put shorter ones into windows of the 'genome' or of letters drawn
    from the 'background'. fix: positions that do not change. n_policy: what becomes of N.
    """

    source: RecordSource
    crop: bool = False
    flank: Literal["genome", "background"] | None = None
    fix: str | None = None
    n_policy: Literal["reject", "fix", "sample"] = "reject"

    @property
    def name(self) -> str:
        """What messages call them."""
        return self.source.path

    @property
    def files(self) -> tuple[str, ...]:
        """The paths that are read."""
        return (*self.source.files, *filter(None, [self._fixed_by]))

    def digests(self) -> dict[str, object]:
        """Digests of what all parts of a run read, once it has been read."""
        return self.source.digests() | run_digests(fix=self._fixed_by)

    def read(self, length: int | None, background: tuple[float, ...] = UNIFORM) -> tuple[Sequences, list[Rejected]]:
        """The anchors, with what of them may change, and what was left out.

        length: that of the network's input, in bp; None: the commonest. background (4,): of a flank's letters.
        """
        return self.read_part(length, background)[:2]

    def read_part(
        self, length: int | None, background: tuple[float, ...] = UNIFORM, shard: Shard = WHOLE, around: int = 1
    ) -> tuple[Sequences, list[Rejected], int]:
        """As read, of a shard's block, widened to multiples of `around` records; and how many there are in all."""
        return read_part(self.source, shard, lambda some: self._read(some, length, background, shard), around)

    def _read(
        self, source: RecordSource, length: int | None, background: tuple[float, ...], shard: Shard
    ) -> tuple[Sequences, list[Rejected]]:
        unknown = self.n_policy != "reject"
        if self.flank is None:
            found, rejected = read_sequences(source, length, self.crop, unknown)
        elif length is None:
            raise SettingsError("flank", "", "needs to know what the network reads", "give input-length")
        else:
            letters = np.random.default_rng(0).choice(4, length, p=background).astype(np.uint8)
            flank = None if self.flank == "genome" else letters
            found, rejected = read_flanked(source, length, flank, unknown)
        found = fix_positions(found, self.fix, shard.count == 1) if self.fix is not None and len(found) else found
        found, stuck = changeable(settle_unknown(found, self.n_policy == "sample"), self.name)
        return found, sorted(rejected + stuck, key=lambda record: record.number)

    @property
    def _fixed_by(self) -> str | None:
        """The file that `fix` names, if it names one."""
        return self.fix if self.fix and Path(self.fix).is_file() else None


Given = records.Given | Anchors  # what public functions take for anchors


def anchors(
    given: Given,
    *,
    genome: str | None = None,
    centre: Literal["centre", "summit"] = "centre",
    crop: bool = False,
    flank: Literal["genome", "background"] | None = None,
    fix: str | None = None,
    n_policy: Literal["reject", "fix", "sample"] = "reject",
    map_chromosomes: bool = False,
) -> Anchors:
    """Sequences around which to draw.

    Parameters
    ----------
    given
        Sequences as strings, or by name; or the path of a FASTA or BED file.
    genome, centre
        FASTA that BED intervals refer to, and what of an interval the window is centred on; 0-based half-open.
    crop
        Keep the middle of records longer than the network's input; without it they are rejected.
    flank
        Anchors are shorter than the input: put them into windows of the 'genome' around them, or into letters drawn
        from the 'background' once; these do not change.
    fix
        Positions that do not change: a BED file, or as in ``"3,40-60"`` (0-based in the input, ends excluded).
    n_policy
        Records with N are rejected ('reject'), keep it ('fix'), or may change it ('sample').
    map_chromosomes
        Take chr4, 4, chrIV and IV for one, and chrM, MT and Mito, where the genome has one of them.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> sequences, rejected = mx.anchors({"one": "ACGTAC", "two": "ACNTAC"}).read(length=6)
    >>> sequences.names, rejected[0].reason
    (('one',), 'letter N (not one of ACGT)')
    """
    if isinstance(given, Anchors):
        return given
    return Anchors(source_of(given, "anchor", genome, centre, map_chromosomes), crop, flank, fix, n_policy)
