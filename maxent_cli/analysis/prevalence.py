"""How common a motif is among records, and how much more so than among their shuffles."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maxent_cli.analysis.features import Feature, motif
from maxent_cli.analysis.over_anchors import Interval95, Z, wilson
from maxent_cli.data import Motif

Held = NDArray[np.bool_]

MOST_RATE = 0.1  # of records that hold a short motif by chance, where none is as rare as asked


@dataclass(frozen=True)
class Prevalence:
    """Records that hold a motif: their number and share, that of their shuffles, and how many times that it is."""

    holding: int
    records: int
    share: Interval95
    shuffled: Interval95
    enrichment: Interval95


def matcher(given: Motif, background: tuple[float, ...], rate: float, length: int) -> Feature | None:
    """Sites of a motif, on both strands, of which a share of independent sequences of so many bp has one or more.

    By the exact distribution of its scores under the background (4,). Where even the best site of a short motif is
    commoner, its best sites, if no more than MOST_RATE have one; else None, as for a motif wider than sequences are.
    """
    places = 2 * (length - len(given.counts) + 1)
    if places <= 0:
        return None
    for asked in (rate, max(rate, MOST_RATE)):
        try:
            return motif(given, background, -math.expm1(math.log1p(-asked) / places) if asked < 1 else 1.0)
        except ValueError:
            continue
    return None


def prevalence(held: Held, shuffled: Held, groups: NDArray[np.intp]) -> Prevalence:
    """Of N records and their shuffles which hold a motif, in groups (N,) of related ones: a group counts as one.

    Shares have Wilson's interval, of the effective number of records, N² / sum of squared group sizes (Kish 1965); the
    enrichment that of a ratio of shares (Katz et al. 1978), with half a record added to each.
    """
    sizes = np.bincount(groups)
    worth = len(held) ** 2 / float((sizes.astype(float) ** 2).sum())
    share, other = float(held.mean()), float(shuffled.mean())
    shares = wilson(share, worth), wilson(other, worth)
    return Prevalence(int(held.sum()), len(held), *shares, _ratio(share, other, worth))


def _ratio(share: float, other: float, worth: float) -> Interval95:
    one, two = share * worth + 0.5, other * worth + 0.5
    half = Z * math.sqrt(max(1 / one + 1 / two - 2 / (worth + 0.5), 0.0))
    return Interval95(one / two, one / two * math.exp(-half), one / two * math.exp(half))
