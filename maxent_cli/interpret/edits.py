"""The smallest sets of edits of an anchor whose output is near a value, from draws of the law near it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.designs import are_edited
from maxent_cli.data import Floats, SampleSet

MOST_TRIED = 200  # draws, those of fewest edits first


class EditSets(NamedTuple):
    """Edited sequences (n, L), all different, the one of fewest edits first, and their outputs (n,)."""

    codes: Codes
    output: Floats


def smallest_sets(
    samples: SampleSet,
    to: float,
    within: float,
    outputs: Callable[[Codes], Floats],
    inside: Callable[[Codes], NDArray[np.bool_]],
) -> EditSets:
    """Sets of which no edit can be taken back alone without the output leaving what is asked for: `to`, give or take.

    Edits are taken back one after another, that first which leaves the output nearest; inside: of codes (n, L), whether
    constraints allow them (n,). They are the smallest that were found, not the smallest that there are.
    """
    flat, missed = samples.codes.reshape(-1, samples.codes.shape[-1]), np.abs(samples.output.ravel() - to)
    flat, first = np.unique(flat[missed <= within], axis=0, return_index=True)
    if not len(flat):
        return EditSets(flat, np.zeros(0))
    missed = missed[missed <= within][first]
    order = np.lexsort((missed, are_edited(samples.anchor, flat).sum(axis=1)))[:MOST_TRIED]
    found = [_fewer(one, samples.anchor, to, within, outputs, inside) for one in flat[order]]
    distinct = np.unique(np.array(found), axis=0)
    output = outputs(distinct)
    smallest = np.lexsort((np.abs(output - to), are_edited(samples.anchor, distinct).sum(axis=1)))
    return EditSets(distinct[smallest], output[smallest])


def _fewer(
    codes: Codes,
    anchor: Codes,
    to: float,
    within: float,
    outputs: Callable[[Codes], Floats],
    inside: Callable[[Codes], NDArray[np.bool_]],
) -> Codes:
    """The sequence (L,) with edits taken back."""
    while (places := np.flatnonzero(are_edited(anchor, codes))).size:
        fewer = np.tile(codes, (len(places), 1))
        fewer[np.arange(len(places)), places] = anchor[places]
        missed = np.where(inside(fewer), np.abs(outputs(fewer) - to), np.inf)
        if missed.min() > within:
            return codes
        codes = fewer[missed.argmin()]
    return codes
