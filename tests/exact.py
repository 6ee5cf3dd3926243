"""Laws by listing every sequence, and what a right sampler does not fail.

Each check takes a kernel and a law, and raises AssertionError. Together they caught every one of a set of
deliberately wrong samplers (broken.py); each alone is blind to some.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from toy import Law

from maxent_cli.alphabet import Codes
from maxent_cli.engine.randomness import Keys
from maxent_cli.engine.target import Kernel, Ladder, State, Target, Trace, start_state

CHAINS = 400_000  # enough to see a beta that is 5 % off on some hundred sequences
ODD = 1e-6  # a check fails when what it saw is less likely than this
_SLICE = 5_000  # chains at a time, so that a kernel's caches stay small

Probabilities = NDArray[np.float64]
Check = Callable[[Kernel, Law], None]


def all_letters(length: int) -> Codes:
    """Every sequence of so many letters (4^L, L), counting up with the last letter fastest."""
    return np.array(list(product(range(4), repeat=length)), np.uint8)


def all_states(law: Law) -> Codes:
    """Every sequence of the law's support before constraints (4^F, L): F positions are free, the rest the anchor's."""
    codes = np.tile(law.anchor, (4 ** len(law.free), 1))
    codes[:, law.free] = all_letters(len(law.free))
    return codes


def state_number(law: Law, codes: Codes) -> NDArray[np.int64]:
    """Rows of all_states that codes (..., L) are; fails where a letter changed that may not, or became none."""
    protected = ~law.target.mutable
    assert (codes[..., protected] == law.anchor[protected]).all(), "a protected letter changed"
    letters = codes[..., law.free].astype(np.int64)
    assert letters.max() < 4, "a letter is none of the four"
    return letters @ 4 ** np.arange(len(law.free))[::-1]


def listed_law(law: Law, beta: float | None = None) -> Probabilities:
    """The law's probability of each of all_states, term by term; the target's own beta unless one is given."""
    codes = all_states(law)
    chosen = float(law.target.beta) if beta is None else beta
    log_weight = np.array([_log_background(law, row) for row in codes]) - chosen * listed_energy(law)
    for constraint in law.target.constraints:
        log_weight = log_weight + constraint(torch.from_numpy(codes)).double().numpy()
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())


def _log_background(law: Law, codes: Codes) -> float:
    return float(sum(np.log(law.target.background[p, letter]) for p, letter in enumerate(codes) if letter < 4))


def listed_energy(law: Law) -> NDArray[np.float64]:
    """The energy of each of all_states."""
    with torch.inference_mode():
        return law.target.energy(torch.from_numpy(all_states(law))).double().numpy()


def looked_up(law: Law) -> Law:
    """The same law with its energies read from the list: no network runs, so many chains are cheap."""
    table = torch.from_numpy(listed_energy(law))
    free, place = torch.from_numpy(law.free), torch.from_numpy(4 ** np.arange(len(law.free))[::-1])
    # a kernel that changes what it may not is caught by the checks, not here
    energy = lambda codes: table[((codes[..., free].long() & 3) * place).sum(-1)]  # noqa: E731
    return Law(replace(law.target, energy=energy), law.anchor, law.plan)


def random_keys(count: int, seed: int = 0) -> Keys:
    """Keys (C,) of so many chains."""
    return np.random.default_rng(seed).integers(0, 2**64, count, np.uint64)


def draw_from(probabilities: Probabilities, count: int, seed: int = 0) -> NDArray[np.int64]:
    """Independent draws (count,) of rows of a list."""
    return np.random.default_rng(seed).choice(len(probabilities), count, p=probabilities)


def run_once(kernel: Kernel, target: Target, codes: Codes, keys: Keys, steps: int, first: int = 0) -> State:
    """The state of chains that start at codes (C, L) after so many steps, the first of which is numbered."""
    state = start_state(target, codes, keys, torch.device("cpu"))._replace(step=first)
    return kernel(state, target, 1, steps)[0]


def run_slices(kernel: Kernel, target: Target, codes: Codes, steps: int) -> Codes:
    """Codes (C, L) after so many steps, some chains at a time; beta may differ between chains."""
    keys, beta = random_keys(len(codes)), np.broadcast_to(target.beta, len(codes)).copy()
    parts = [slice(start, start + _SLICE) for start in range(0, len(codes), _SLICE)]
    ends = [run_once(kernel, replace(target, beta=beta[s]), codes[s], keys[s], steps).codes for s in parts]
    return torch.cat(ends).numpy()


def law_probability(counts: NDArray[np.int64], probabilities: Probabilities) -> float:
    """Chi-square p-value of counts of independent draws; cells that expect less than five are taken together."""
    assert counts[probabilities == 0].sum() == 0, "a sequence of probability 0 was drawn"
    expected = probabilities * counts.sum()
    rare = expected < 5
    observed = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    some = expected > 0
    if some.sum() == 1:
        return 1.0  # a certain outcome, and no other was seen
    return float(stats.chi2.sf(((observed - expected)[some] ** 2 / expected[some]).sum(), some.sum() - 1))


def exact_start_probability(kernel: Kernel, law: Law, steps: int = 6, chains: int = CHAINS) -> float:
    """p-value of the law of where chains stand that started at independent draws from it."""
    probabilities = listed_law(law)
    starts = all_states(law)[draw_from(probabilities, chains)]
    ends = state_number(law, run_slices(kernel, law.target, starts, steps))
    return law_probability(np.bincount(ends, minlength=len(probabilities)), probabilities)


BETAS = np.array([0.0, 0.5, 1.0, 1.5])
LADDER = Ladder(replicas=4, every=2)


def ladder_probabilities(kernel: Kernel, law: Law, chains: int) -> list[float]:
    """p-values of each replica's law, and of each two neighbours' independence, from an exact start on all (LADDER)."""
    laws = [listed_law(law, beta) for beta in BETAS]
    starts = np.stack([draw_from(replica, chains // 4, seed) for seed, replica in enumerate(laws)], axis=1).ravel()
    target = replace(law.target, beta=np.tile(BETAS, chains // 4))
    ends = state_number(law, run_slices(kernel, target, all_states(law)[starts], 8)).reshape(-1, 4)
    alone = [law_probability(np.bincount(ends[:, r], minlength=len(laws[r])), laws[r]) for r in range(4)]
    level = np.digitize(listed_energy(law), np.quantile(listed_energy(law), [0.1, 0.3, 0.5, 0.7, 0.9]))
    shares = [np.bincount(level, replica) for replica in laws]
    pairs = [np.bincount(6 * level[ends[:, r]] + level[ends[:, r + 1]], minlength=36) for r in range(3)]
    return alone + [law_probability(pairs[r], np.outer(shares[r], shares[r + 1]).ravel()) for r in range(3)]


def stays_exact(kernel: Kernel, law: Law) -> None:
    """Chains that start at draws from the law stand at draws from the law some steps later."""
    assert exact_start_probability(kernel, law, chains=CHAINS // 2) > ODD, "the law is not kept"


def reaches_support(kernel: Kernel, law: Law) -> None:
    """Chains that all start at the anchor come to every sequence that the law, kept weakly, does not all but forbid."""
    weak = Law(replace(law.target, beta=np.array(0.2)), law.anchor, law.plan)
    chains, draws = 10 * 4 ** len(law.free), 20
    start = start_state(weak.target, np.tile(law.anchor, (chains, 1)), random_keys(chains, 3), torch.device("cpu"))
    trace = kernel(start, weak.target, draws, 5)[1]
    counts = np.bincount(state_number(law, trace.codes[:, draws // 4 :]).ravel(), minlength=4 ** len(law.free))
    likely = listed_law(weak) * counts.sum() > 50
    assert likely.mean() > 0.25
    assert (counts[likely] > 0).all(), "some sequences are never reached"


def middling_state(law: Law) -> Codes:
    """A sequence (L,) of middling probability: from there, proposals are both accepted and refused."""
    probabilities = listed_law(law)
    possible = np.flatnonzero(probabilities)
    return all_states(law)[possible][np.argsort(probabilities[possible])[len(possible) // 2]]


def chains_independent(kernel: Kernel, law: Law) -> None:
    """From equal states, one step of a batch scatters over steps as independent chains would.

    Positions may be visited in turn, so only steps a whole number of turns apart are compared.
    """
    turns, chains = 200, 500
    starts, keys = np.tile(middling_state(law), (chains, 1)), random_keys(chains, 5)
    ends = [run_once(kernel, law.target, starts, keys, 1, turn * len(law.free)).codes.numpy() for turn in range(turns)]
    numbers = state_number(law, np.array(ends))
    common, counts = np.unique(numbers, return_counts=True)
    common = common[counts > 5 * turns]
    assert len(common) > 1
    table = np.array([(numbers == state).sum(1) for state in common])
    table = np.vstack([table, chains - table.sum(0)])
    table = table[table.sum(1) > 0]
    expected = table.mean(1, keepdims=True)
    statistic, freedom = ((table - expected) ** 2 / expected).sum(), (turns - 1) * (len(table) - 1)
    probability = 2 * min(stats.chi2.sf(statistic, freedom), stats.chi2.cdf(statistic, freedom))
    assert probability > ODD, "the chains of a batch move together"


def repeatable(kernel: Kernel, law: Law) -> None:
    """Draws depend on key and step alone: not on the run, the batch, the blocks, or any global generator."""
    target, keys = law.target, random_keys(60, 7)
    starts = all_states(law)[draw_from(listed_law(law), 60, 7)]
    start = start_state(target, starts, keys, torch.device("cpu"))
    whole, trace = kernel(start, target, 8, 5)
    for again in _same_draws(kernel, start, target):
        np.testing.assert_array_equal(again, trace.codes, "the same keys and steps gave other draws")
    half, first = kernel(start, target, 3, 5)
    halves = np.concatenate([first.codes, kernel(half, target, 5, 5)[1].codes], axis=1)
    # energies that are carried along are rounded anew in each block: the odd decision may fall the other way
    allowed = 0.05 if trace.drift else 0.0
    assert (halves != trace.codes).any(axis=(1, 2)).mean() <= allowed, "other blocks gave other draws"
    other = kernel(start._replace(keys=random_keys(60, 8)), target, 8, 5)[1]
    assert (other.codes != trace.codes).any(axis=(1, 2)).mean() > 0.5, "other keys gave the same draws"
    later = kernel(start._replace(step=1000), target, 8, 5)[1]
    assert (later.codes != trace.codes).any(axis=(1, 2)).mean() > 0.5, "other steps gave the same draws"
    assert whole.step == 40


def _same_draws(kernel: Kernel, start: State, target: Target) -> Iterator[Codes]:
    np.random.seed(1)  # noqa: NPY002 (a sampler that used it would show)
    torch.manual_seed(1)
    yield kernel(start, target, 8, 5)[1].codes
    backwards = np.arange(60)[::-1]
    yield kernel(_take(start, backwards), target, 8, 5)[1].codes[backwards]
    yield np.concatenate(
        [kernel(_take(start, some), target, 8, 5)[1].codes for some in (np.arange(7), np.arange(7, 60))]
    )


def _take(state: State, chains: NDArray[np.intp]) -> State:
    rows = torch.from_numpy(chains.copy())
    return State(state.codes[rows], state.energy[rows], state.log_base[rows], state.keys[chains], state.step)


def keeps_books(kernel: Kernel, law: Law) -> None:
    """The codes, energies and log-weights that a kernel reports belong together, and the start is left alone."""
    starts = all_states(law)[draw_from(listed_law(law), 200, 9)]
    start = start_state(law.target, starts, random_keys(200, 9), torch.device("cpu"))
    state, trace = kernel(start, law.target, 10, 3)
    np.testing.assert_array_equal(start.codes.numpy(), starts, "the start was overwritten")
    np.testing.assert_array_equal(state.codes.numpy(), trace.codes[:, -1])
    numbers = state_number(law, trace.codes)
    np.testing.assert_allclose(trace.energy, listed_energy(law)[numbers], atol=1e-4, err_msg="a stale energy")
    np.testing.assert_allclose(state.energy.numpy(), listed_energy(law)[numbers[:, -1]], atol=1e-4)
    check_log_base(law, state)
    check_counts(trace)


def check_log_base(law: Law, state: State) -> None:
    """log_base is that of the codes."""
    expected = [_log_background(law, row) for row in state.codes.numpy()]
    for constraint in law.target.constraints:
        expected = np.add(expected, constraint(state.codes).double().numpy())
    np.testing.assert_allclose(state.log_base.numpy(), expected, atol=1e-9)


def check_counts(trace: Trace) -> None:
    """Every step tried one move, and no move was accepted more often than tried."""
    chains, draws = trace.energy.shape
    assert trace.tried.sum() == chains * draws * 3
    assert (trace.accepted <= trace.tried).all()


CHECKS: tuple[Check, ...] = (stays_exact, reaches_support, chains_independent, repeatable, keeps_books)


def failures(kernel: Kernel, law: Law, names: Collection[str]) -> set[str]:
    """Which of the named checks a kernel fails on a law."""
    failed = set()
    for check in (check for check in CHECKS if check.__name__ in names):
        try:
            check(kernel, law)
        except AssertionError:
            failed.add(check.__name__)
    return failed
