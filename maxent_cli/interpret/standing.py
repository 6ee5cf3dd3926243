"""Records that stand for others: medoids by what a network reads in them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from maxent_cli.alphabet import UNKNOWN, Codes
from maxent_cli.analysis.gapped_words import profiles
from maxent_cli.analysis.medoids import distances, medoids
from maxent_cli.data import Floats
from maxent_cli.interpret.law import sums_of
from maxent_cli.laws import Outputs
from maxent_cli.models.pieces import sequences_at_once
from maxent_cli.models.prediction import device_of, inputs_of
from maxent_cli.models.protocol import SequenceModel
from maxent_cli.models.scores import Score

SEED = 1  # of the records among which medoids are sought, where they are too many
SOUGHT = 4096  # records at most, or A_MEDOID for each medoid
A_MEDOID = 2


@dataclass(frozen=True)
class Standing:
    """Which of N records stand for all, that of most first, (K,) with their shares (K,); owner (N,): for each, of K."""

    chosen: NDArray[np.intp]
    shares: Floats
    owner: NDArray[np.intp]


def standing(
    model: SequenceModel, outputs: Outputs, codes: Codes, count: int, advance: Callable[[int], None] = lambda _: None
) -> Standing:
    """So many of the records (N, L) that are alike to the others, each to those that it stands for.

    Two records are alike where the network reads alike words in them: gapped words of four letters, weighted by
    gradient x input of the output held. (Representations will not do: before a head that says yes or no, two motifs
    that both mean yes are much the same.) Medoids are sought among some thousand records (CLARA, Kaufman & Rousseeuw
    1990), and then all are given to the nearest: memory does not grow with them. Fewer come back where records are
    alike. advance hears the number of records done.
    """
    some = _some(len(codes), max(SOUGHT, A_MEDOID * count))
    points = np.concatenate([read_words(model, outputs, part) for part in _parts(codes[some])])
    found = medoids(distances(points, points), count)
    chosen, others = some[found], points[found]
    owner = np.empty(len(codes), np.intp)
    done = 0
    for part in _parts(codes):
        owner[done : done + len(part)] = distances(read_words(model, outputs, part), others).argmin(axis=1)
        done += len(part)
        advance(len(part))
    shares = np.bincount(owner, minlength=len(chosen)) / len(codes)
    order = np.argsort(-shares, kind="stable")
    return Standing(chosen[order], shares[order], np.argsort(order)[owner])


def read_words(model: SequenceModel, outputs: Outputs, codes: Codes) -> NDArray[np.float32]:
    """The words (N, W) that a network reads in records (N, L); of a function of sequences, which has no gradient, all.

    A letter's weight is its gradient less that of the four letters' mean (Majdandzic et al. 2023), with the sign of the
    output held: what speaks for the side that the record is on.
    """
    if isinstance(model, Score):
        return profiles(codes, (codes != UNKNOWN).astype(np.float64))
    parts = np.array_split(codes, -(-len(codes) // sequences_at_once(model, device_of(model))))
    return profiles(codes, np.concatenate([_contributions(model, outputs, part) for part in parts]))


def _contributions(model: SequenceModel, outputs: Outputs, codes: Codes) -> Floats:
    """Gradient x input (N, L) of the output held, towards its sign."""
    inputs = inputs_of(codes, device_of(model)).requires_grad_()
    with torch.enable_grad():
        held = sums_of(model(inputs), outputs)[..., 0]
        (slope,) = torch.autograd.grad(held.sum(), inputs)
    worth = ((slope - slope.mean(1, keepdim=True)) * inputs).sum(1) * held.sign()[:, None]
    return worth.detach().double().cpu().numpy()


def _some(records: int, most: int) -> NDArray[np.intp]:
    if records <= most:
        return np.arange(records)
    return np.sort(np.random.default_rng(SEED).choice(records, most, replace=False))


def _parts(codes: Codes, size: int = 512) -> list[Codes]:
    return [codes[start : start + size] for start in range(0, len(codes), size)]
