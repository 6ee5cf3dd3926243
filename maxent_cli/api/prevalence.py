"""How common the motifs are that draws hold: records looked through for them, and the records' shuffles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.features import SCALE, Feature
from maxent_cli.analysis.prevalence import Prevalence, matcher, prevalence
from maxent_cli.api.anchors import Anchors
from maxent_cli.api.listening import Listener
from maxent_cli.api.runs import account
from maxent_cli.data import Floats, Motif
from maxent_cli.engine.shuffles import dinucleotide_shuffle
from maxent_cli.io.tables import Row
from maxent_cli.models.splits import related
from maxent_cli.tables.motifs import RECORDS

SEED = 1  # of the shuffles
BLOCK = 2048  # records that are looked through at once


@dataclass(frozen=True)
class Data:
    """Records (N, L) of one length, and which of them are related (N,)."""

    codes: Codes
    groups: NDArray[np.intp]


def read_data(records: Anchors, length: int, rejected_table: str, listener: Listener) -> Data:
    """Records of a length in bp; those left out go into a table. Raises InputError where none is left."""
    found, rejected = records.read(length)
    account(len(found), rejected, records.name, rejected_table, listener)
    return Data(found.codes, related(found.codes))


def common(
    motifs: Sequence[Motif], data: Data, background: Floats, rate: float, listener: Listener
) -> Iterator[tuple[Motif, Feature | None, Prevalence | None]]:
    """How common each motif is; None where no site of it is rare enough.

    rate: of sequences of independent letters, background (4,), that have a site.
    """
    frequencies = tuple(background.tolist())
    features = [matcher(one, frequencies, rate, data.codes.shape[1]) for one in motifs]
    held = np.zeros((2, len(motifs), len(data.codes)), np.bool_)
    with listener.progress("looking for motifs", len(data.codes), "records") as ticker:
        for start in range(0, len(data.codes), BLOCK):
            some = data.codes[start : start + BLOCK]
            for side, codes in enumerate((some, dinucleotide_shuffle(some, SEED))):
                for row, feature in enumerate(features):
                    if feature is not None:
                        held[side, row, start : start + BLOCK] = feature.matches(codes).any(axis=1)
            ticker.advance(len(some))
    for row, (one, feature) in enumerate(zip(motifs, features, strict=True)):
        yield one, feature, None if feature is None else prevalence(held[0, row], held[1, row], data.groups)


def row_of(one: Motif, feature: Feature | None, found: Prevalence | None) -> Row:
    """What the table says of a motif."""
    if feature is None or found is None:
        return RECORDS.row(one.name, *(None,) * (len(RECORDS.names) - 1))
    shares = (found.share, found.shuffled, found.enrichment)
    numbers = (value for share in shares for value in (share.value, share.low, share.high))
    return RECORDS.row(one.name, found.records, found.holding, *numbers, float(feature.thresholds[0]) / SCALE)


def told(one: Motif, found: Prevalence | None) -> str:
    """The same in a line."""
    if found is None:
        return f"  {one.name}: its best site is too common by chance to be counted in records"
    share, other, times = found.share, found.shuffled, found.enrichment
    return (
        f"  {one.name} in {share.value:.1%} of {found.records} records ({share.low:.1%} to {share.high:.1%}), "
        f"{other.value:.1%} of their shuffles: {times.value:.3g} times ({times.low:.3g} to {times.high:.3g})"
    )
