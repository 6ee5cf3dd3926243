"""All that adapts, and only in warm-up: the ladder of betas with its top, the rows of moves, and a surrogate."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maxent_cli.engine.target import Kernel, State, Surrogate, Terms, Trace

Betas = NDArray[np.float64]
Learn = Callable[[int, Surrogate, Trace], Surrogate]  # the round's number, its surrogate and draws -> the next round's

ROUNDS = 24  # rounds of equal length; the last third changes nothing
FROZEN = 8
SEEN = 8  # rounds after which so many replicas as there are may be seen to be too few; the first half is not counted
DRAWS_A_ROUND = 10
LEAST_REJECTION = 0.02  # below this an estimate from one round is noise
STEEPEST = 1.3  # the most that the top beta grows in one round
CLEARLY = 3.0  # standard errors by which the halves of the chains differ before one is left out
LEAST_HALF = 3  # ladders from which a half has a spread to speak of
FASTEST_FALL = 3.0  # and the most that it falls
LOWEST = 0.25  # share of the top replica's draws, those of least energy, that the adapted rows are learned from
REMEMBERED = 0.7  # of what earlier rounds have counted
LEAST_BACKGROUND = 0.1  # share of the background in the adapted rows: no letter is beyond reach
MOST_REJECTION = 0.6  # of exchanges, on the mean over neighbours: beyond, states hardly come down from beta = 0
SCATTERED_WELL = 0.35  # share of scattered redraws to be accepted; at beta = 0 all are
MOST_RESPREAD = 1.5  # the most that the number of their letters changes in a round
GOOD_REJECTION = 0.5  # at which the number of replicas costs least for what it gives (Syed et al. 2022)


class Tuned(NamedTuple):
    """A ladder of betas (R,), the chains' state after warm-up, and what the search saw, a row a round.

    history (rounds, 2 R): the betas and the mean energies of the replicas. adapted (L, 4): what moves draw from.
    rejection (R - 1,): the share of exchanges between neighbours that was refused once nothing changed any more.
    surrogate: what proposals are made by, if any; accepted (R,): the share of them in the rounds that changed nothing.
    scattered: how many letters scattered redraws draw at once, in what their moves say.
    """

    betas: Betas
    state: State
    history: NDArray[np.float64]
    adapted: NDArray[np.float64]
    rejection: NDArray[np.float64]
    surrogate: Surrogate | None = None
    accepted: NDArray[np.float64] = np.zeros(0)
    scattered: float = 1.0

    def replicas_wanted(self) -> int:
        """How many replicas would exchange often enough; those that are, where they do."""
        if len(self.betas) == 1 or self.rejection.mean() <= MOST_REJECTION:
            return len(self.betas)
        return 1 + int(np.ceil(self.rejection.sum() / GOOD_REJECTION))

    def spread_over(self, replicas: int) -> tuple[Betas, NDArray[np.intp]]:
        """Betas (R',) of so many replicas, and which of the R that are each begins from (R',)."""
        nearest = np.rint(np.linspace(0, len(self.betas) - 1, replicas)).astype(int)
        return _respaced(self.betas, self.rejection, float(self.betas[-1]), replicas), nearest


def first_ladder(top: float, replicas: int, lowest: float) -> Betas:
    """Betas (R,) from 0, then in equal ratios from `lowest` to the top; a single replica is the top alone."""
    if replicas == 1:
        return np.array([top])
    falling = np.geomspace(top, min(lowest, top / 2), replicas - 1) if top else np.zeros(replicas - 1)
    return np.append(falling, 0.0)[::-1]


def tune(
    kernel: Kernel,
    state: State,
    terms: Terms,
    betas: Betas,
    wanted: float | None,
    steps: int,
    surrogate: Surrogate | None = None,
    learn: Learn | None = None,
    scattering: NDArray[np.bool_] | None = None,
    most: int = 1,
) -> Tuned:
    """Warm up for some steps while the replicas settle: neighbours come to exchange equally often (Syed et al. 2022).

    Chains are ladders of R replicas one after another. If an energy is wanted, the top moves to the beta at which the
    mean energy is that: it falls with beta, so there is one. The first top should be too high rather than too low:
    what chains at the anchor hold is let go of quickly, but found slowly. The law is only right once tuning has ended.
    No steps change nothing; a few are rounded up to a draw a round: a surrogate's proposals are whole. Where more
    replicas may be had, up to `most`, and these are soon seen to exchange too seldom, it ends early.
    """
    replicas, history, tops, scattered = len(betas), [], [], 1.0
    decisions, exchanges = np.zeros((2, replicas)), np.zeros((2, replicas - 1))
    letters = np.zeros_like(terms.background)
    for number in range(ROUNDS if steps else 0):
        now = max(1, steps // ROUNDS)
        draws = min(DRAWS_A_ROUND, now)
        rows = adapted_rows(letters, terms.background)
        ladder = terms.at(np.tile(betas, len(state.keys) // replicas), rows, surrogate, scattered)
        state, trace = kernel(state, ladder, draws, whole(now // draws, surrogate))
        energy = _mean_energy(trace.energy, replicas)
        history.append(np.concatenate([betas, energy]))
        tried, accepted = (counts[len(counts) - replicas + 1 :] for counts in (trace.tried, trace.accepted))
        if number >= ROUNDS - FROZEN or SEEN // 2 <= number < SEEN:
            exchanges += tried, accepted
        if number < ROUNDS - FROZEN:
            scattered = _respread(scattered, trace, scattering, replicas, int(terms.mutable.sum()))
            at_top = slice(replicas - 1, None, replicas)
            letters = REMEMBERED * letters + low_energy_letters(trace.energy[at_top], trace.codes[at_top])
            surrogate = surrogate if surrogate is None or learn is None else learn(number, surrogate, trace)
        elif surrogate is not None:
            decisions += trace.tried[:replicas], trace.accepted[:replicas]
        if number >= ROUNDS - FROZEN or replicas == 1:
            continue
        top = betas[-1] if wanted is None else _top(betas, energy, wanted)
        tops.append(top)
        if wanted is not None and number == ROUNDS - FROZEN - 1:
            top = float(np.exp(np.mean(np.log(tops[len(tops) // 2 :]))))
        betas = _respaced(betas, _rejection(tried, accepted), top, replicas)
        if number == SEEN - 1:
            if replicas < most and _rejection(*exchanges).mean() > MOST_REJECTION:
                break
            exchanges[:] = 0
    seen, rows = np.array(history).reshape(-1, 2 * replicas), adapted_rows(letters, terms.background)
    return Tuned(
        betas,
        state,
        seen,
        rows,
        _rejection(*exchanges),
        surrogate,
        decisions[1] / np.maximum(decisions[0], 1),
        scattered,
    )


def _rejection(tried: NDArray[Any], accepted: NDArray[Any]) -> NDArray[np.float64]:
    """The share (R - 1,) of exchanges that was refused; 0 where none was tried."""
    return np.asarray((tried - accepted) / np.maximum(tried, 1))


def _respread(scattered: float, trace: Trace, scattering: NDArray[np.bool_] | None, replicas: int, free: int) -> float:
    """More letters at once where many scattered redraws were accepted, over all replicas, and fewer where few were."""
    if scattering is None or not (tried := trace.tried[: len(scattering)][scattering].sum()):
        return scattered
    share = trace.accepted[: len(scattering)][scattering].sum() / tried
    wanted = SCATTERED_WELL if replicas == 1 else (1 + (replicas - 1) * SCATTERED_WELL) / replicas
    change = np.clip(np.exp(2 * (share - wanted)), 1 / MOST_RESPREAD, MOST_RESPREAD)
    return float(np.clip(scattered * change, 1 / free, free))


def whole(steps: int, surrogate: Surrogate | None) -> int:
    """About so many steps: as many as whole proposals of the surrogate take, if there is one."""
    return steps if surrogate is None else max(1, round(steps / surrogate.steps)) * surrogate.steps


def low_energy_letters(energy: NDArray[Any], codes: NDArray[Any]) -> NDArray[np.int64]:
    """How often each letter stands at each position (L, 4) in the draws of least energy (...,), of codes (..., L)."""
    low = codes[energy <= np.quantile(energy, LOWEST)]
    return np.stack([(low == letter).sum(axis=0) for letter in range(4)], axis=1)


def adapted_rows(letters: NDArray[Any], background: NDArray[np.float64]) -> NDArray[np.float64]:
    """Letter frequencies (L, 4) from counts (L, 4), leaning to the background (L, 4)."""
    seen = letters.sum(axis=1, keepdims=True)
    leaning = (1 + LEAST_BACKGROUND * seen) * background
    return np.asarray((letters + leaning) / (seen + 1 + LEAST_BACKGROUND * seen))


def _mean_energy(energy: NDArray[np.float64], replicas: int) -> NDArray[np.float64]:
    """Mean energy of each replica (R,); of the lower half of the ladders, even or odd, where the halves differ.

    One half starts at random and may be slow to find its way down; taken for the law, it would drive the top too high.
    """
    ladders = energy.reshape(-1, replicas, energy.shape[1]).mean(axis=2)
    halves = ladders[::2], ladders[1::2]
    if len(halves[1]) < LEAST_HALF:
        return np.asarray(ladders.mean(axis=0))
    means = np.array([half.mean(axis=0) for half in halves])
    error = np.sqrt(sum(half.var(axis=0, ddof=1) / len(half) for half in halves))
    apart = np.abs(means[0] - means[1]) > CLEARLY * error
    return np.asarray(np.where(apart, means.min(axis=0), ladders.mean(axis=0)))


def _top(betas: Betas, energy: NDArray[np.float64], wanted: float) -> float:
    """The beta at which the mean energy is as wanted, between replicas, or above the last by its distance."""
    falling = np.minimum.accumulate(energy)
    if wanted < falling[-1]:
        return float(betas[-1] * min(STEEPEST, falling[-1] / wanted))
    return float(max(np.interp(-wanted, -falling, betas), betas[-1] / FASTEST_FALL))


def _respaced(betas: Betas, rejection: NDArray[np.float64], top: float, replicas: int) -> Betas:
    """So many replicas, from 0 to the new top, at equal steps of the cumulated rejection, a function of beta."""
    barrier = np.concatenate([[0.0], np.cumsum(np.maximum(rejection, LEAST_REJECTION))])
    if top > betas[-1]:  # as steep beyond the last replica as before it, in the logarithm
        extra = np.log(top / betas[-1]) / np.log(betas[-1] / max(betas[-2], betas[-1] / 4)) * max(rejection[-1], 0.1)
        barrier, betas = np.append(barrier, barrier[-1] + extra), np.append(betas, top)
    end = np.interp(top, betas, barrier)
    spaced = np.interp(np.linspace(0, end, replicas), barrier, betas)
    spaced[-1] = top
    return np.asarray(spaced)
