"""The probe over anchors: tables, checks, and what may be said of the counts that a network holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

from maxent_cli.analysis.counts import CHECKS, draw_counts, exact_response, outside_local, summarise_count
from maxent_cli.analysis.diagnostics import LEAST_ESS, diagnose, ess_mean, mcse_mean, rhat
from maxent_cli.analysis.features import Feature
from maxent_cli.analysis.held_counts import LEAST_RIGIDITY, Places, Spread, count_rows, counts_with
from maxent_cli.analysis.over_anchors import (
    LEAST_ANCHORS,
    Interval95,
    mean_over_anchors,
    p_above,
    slope_over_anchors,
)
from maxent_cli.analysis.summary import energy_reduction
from maxent_cli.data import Floats, SampleSet
from maxent_cli.tables.gc_probe import AVERAGED

Row = dict[str, object]

MOST_APART = 1.2  # R-hat of a count up to which its draws are judged
MOST_Q = 0.05  # false discovery rate at which a count is named
YES, NO, FOLLOWS, UNDECIDED = "yes", "no", "follows", "undecided"


@dataclass(frozen=True)
class ProbedAnchor:
    """Rows of the response (an anchor and mu each), of the sampler's checks, and at mu = 0 of all counts.

    covariances: of the elementary counts, a pair each. Rows have converged where the count has, which is all that is
    read off them; letters_converged says whether all else has.
    """

    response: list[Row]
    checks: list[Row]
    counts: list[Row]
    covariances: list[Row]


@dataclass(frozen=True)
class CountHeld:
    """What the anchors say of a count, with 95 % intervals: its rigidity, that beyond the counts named before, slope.

    p: one-sided, of the rigidity beyond those being no more than what is asked for; q: Benjamini and Hochberg's among
    all counts but the one that is asked about, whose q is its p. held: 'yes' (named), 'follows' (from those named),
    'no', or 'undecided'. least: the rigidity that is asked for.
    """

    name: str
    rigidity: Interval95
    beyond: Interval95
    slope: Interval95
    p: float
    q: float
    held: str
    least: float


@dataclass(frozen=True)
class Answer:
    """The probe over anchors, with 95 % intervals: mu (S,), mean count of the draws and at beta = 0 (S,).

    label: what is counted; anchors, draws (N,): its count in each anchor and in its draws at mu = 0. counts: those
    named, in order, then the others by rigidity; anchors weigh by the network's distance of the background from them,
    as what is held at one that hardly differs from it makes little difference.
    """

    label: str
    mu: Floats
    response: list[Interval95]
    exact: Floats
    anchors: Floats
    draws: Floats
    counts: list[CountHeld]

    @property
    def asked(self) -> CountHeld:
        """What is said of the count that is asked for."""
        return next(one for one in self.counts if one.name == self.label)

    @property
    def named(self) -> list[CountHeld]:
        """The counts that are held."""
        return [one for one in self.counts if one.held == YES]


def probe_anchor(
    by_mu: Sequence[SampleSet], feature: Feature, potentials: tuple[float, ...], max_rhat: float = 1.05
) -> ProbedAnchor:
    """One anchor's draws under rising mu (S), as rows."""
    plain = by_mu[potentials.index(0.0)]
    response = [
        {"record": samples.name, "counted": feature.label, "share": feature.share, "mu": mu}
        | _numbers(samples, feature, exact_response(plain, feature, mu, feature.places(plain.mutable)), max_rhat)
        for samples, mu in zip(by_mu, potentials, strict=True)
    ]
    steps = zip(pairwise(by_mu), pairwise(potentials), strict=True)
    checks = [row for pair, ends in steps for row in _checks(pair, feature, ends)]
    counts, spread = count_rows(plain, feature, outside_local(plain), max_rhat)
    return ProbedAnchor(response, checks, counts, _covariance_rows(plain.name, spread))


def _numbers(samples: SampleSet, feature: Feature, free: tuple[float, float], max_rhat: float) -> Row:
    """What is told of a sample set; free: mean and variance of the background alone, beta = 0, at the same mu."""
    found = summarise_count(samples, feature, feature.places(samples.mutable))
    number, (mean, variance) = draw_counts(samples, feature), free
    unit = (found.places or np.nan) if feature.share else 1
    background, output = samples.output_background[1], samples.output.mean()
    distance = (samples.anchor_output - background) or np.nan
    seen, of_number, size = diagnose(samples, max_rhat), float(rhat(number)), float(ess_mean(number))
    return {
        "places": found.places,
        "anchor": found.anchor / unit,
        "draws": found.mean / unit,
        "draws_error": found.mean_error / unit,
        "variance": found.variance,
        "variance_error": found.variance_error,
        "beta_0": mean / unit,
        "beta_0_variance": variance,
        "beta": samples.beta,
        "energy": samples.energy.mean(),
        "energy_error": float(mcse_mean(samples.energy)),
        "energy_background": samples.energy_background,
        "energy_reduction": energy_reduction(samples.energy.mean(), samples.energy_background),
        "output": output,
        "output_error": float(mcse_mean(samples.output)),
        "output_kept": (output - background) / distance,
        "output_kept_error": float(mcse_mean(samples.output)) / abs(distance),
        "distinguishable": samples.distinguishable,
        "rhat_counted": of_number,
        "rhat": np.fmax(seen.worst_rhat, of_number),
        "ess_counted": size,
        "ess": seen.least_ess,
        "converged": not (of_number > max_rhat or size < LEAST_ESS),
        "letters_converged": seen.converged,
    }


def _covariance_rows(name: str, spread: Spread) -> list[Row]:
    """The covariances of an anchor's elementary counts, each pair once."""
    first, second = np.triu_indices(len(spread.draws))
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    each = [values[first, second].tolist() for values in (spread.draws, spread.independent, spread.background)]
    return [
        {"record": name, "first": one, "second": other, "draws": drawn, "independent": apart, "background": plain}
        for (one, other), drawn, apart, plain in zip(pairs, *each, strict=True)
    ]


def _checks(pair: Sequence[SampleSet], feature: Feature, potentials: tuple[float, ...]) -> list[Row]:
    """The checks of two neighbouring mu; not judged (z nan) where chains disagree on N: no error is known there."""
    lower, upper = potentials
    below, above = (draw_counts(samples, feature) for samples in pair)
    known: Row = {"record": pair[0].name, "mu_low": lower, "mu_high": upper}
    rows = [known | {"check": name} | vars(check(below, above, upper - lower)) for name, check in CHECKS.items()]
    apart = max(float(rhat(below)), float(rhat(above))) > MOST_APART
    return [row | {"z": np.nan} for row in rows] if apart else rows


def answer(response: list[Row], counts: list[Row], covariances: list[Row], anchored: bool = True) -> Answer:
    """What the rows of all anchors say together.

    anchored: energy is a distance from the anchor; else anchors weigh alike.
    """
    potentials = sorted({float(str(row["mu"])) for row in response})
    by_mu = {mu: [row for row in response if row["mu"] == mu] for mu in potentials}
    plain, label = by_mu[0.0], str(response[0]["counted"])
    return Answer(
        label=label,
        mu=np.array(potentials),
        response=[mean_over_anchors(column(by_mu[mu], "draws")) for mu in potentials],
        exact=np.array([column(by_mu[mu], "beta_0").mean() for mu in potentials]),
        anchors=column(plain, "anchor"),
        draws=column(plain, "draws"),
        counts=name_held(
            label, counts, _spreads(covariances, len(plain)), _weights(plain) if anchored else np.ones(len(plain))
        ),
    )


def name_held(label: str, rows: list[Row], spreads: list[Spread], weights: Floats) -> list[CountHeld]:
    """What is held: the most rigid count that passes is named, the others are asked beyond it, until none passes.

    label: the count that is asked about; rows (N · F,): of all anchors; weights (N,): of anchors.
    """
    counts = counts_with(label)
    others = np.array(counts.names) != label
    anchors, draws, apart = (column(rows, name).reshape(len(spreads), -1).T for name in ("anchor", "draws", "rhat"))

    def tests(named: Sequence[int]) -> list[Test]:
        rigid = np.array([spread.rigidity(counts.weights, counts.weights[list(named)]) for spread in spreads])
        return _tests(np.where(apart > MOST_APART, np.nan, rigid.T), counts.least, weights, others)

    named, plain = dict[int, Test](), tests([])
    beyond = plain
    while (first := _most_rigid(beyond)) is not None:
        named[first] = beyond[first]
        beyond = tests(list(named))
    held = []
    for at, name in enumerate(counts.names):
        test, slope = named.get(at, beyond[at]), slope_over_anchors(anchors[at], draws[at])
        verdict = YES if at in named else _verdict(plain[at], test, counts.least[at])
        held.append(
            CountHeld(name, plain[at].rigidity, test.rigidity, slope, test.p, test.q, verdict, float(counts.least[at]))
        )
    order = [*named, *np.argsort([-one.rigidity.value for one in held], kind="stable")]  # nan is last
    return [held[at] for at in dict.fromkeys(order)]


@dataclass(frozen=True)
class Test:
    """A count's rigidity over anchors, p of its being no more than what is asked for, and q."""

    rigidity: Interval95
    p: float
    q: float

    @property
    def passes(self) -> bool:
        """Whether the count is held, as far as a false discovery rate allows."""
        return self.rigidity.decides and self.q <= MOST_Q


def _tests(rigid: Floats, least: Floats, weights: Floats, many: Places) -> list[Test]:
    """Tests of counts' rigidities (F, N) against what is asked for (F,), anchors weighing (N,).

    many (F,): those that are looked through; the others are asked about beforehand, and are tested alone.
    """
    p = np.array([p_above(values, bound, weights) for values, bound in zip(rigid, least, strict=True)])
    q, known = p.copy(), np.isfinite(p) & many
    if known.any():
        q[known] = stats.false_discovery_control(p[known])
    means = [mean_over_anchors(values, weights) for values in rigid]
    return [Test(*each) for each in zip(means, p.tolist(), q.tolist(), strict=True)]


def _most_rigid(found: list[Test]) -> int | None:
    """The row of the most rigid one that passes."""
    passing = [at for at, test in enumerate(found) if test.passes]
    return max(passing, key=lambda at: found[at].rigidity.value, default=None)


def _verdict(plain: Test, beyond: Test, least: float) -> str:
    """Of a count that is not named: does its rigidity follow from those that are, and is it less than asked for?"""
    settled = beyond.rigidity.decides and beyond.rigidity.high < least
    if plain.passes:  # and is not named, so that others are
        return FOLLOWS if settled or not np.isfinite(beyond.rigidity.value) else UNDECIDED
    return NO if settled or (plain.rigidity.decides and plain.rigidity.high < least) else UNDECIDED


def _spreads(rows: list[Row], anchors: int) -> list[Spread]:
    """The covariances of all anchors, from rows of their pairs."""
    kinds = ("draws", "independent", "background")
    size = 1 + max(int(str(row["second"])) for row in rows)
    first, second = np.triu_indices(size)
    square = np.empty((3, anchors, size, size))
    for matrices, kind in zip(square, kinds, strict=True):
        matrices[:, first, second] = matrices[:, second, first] = column(rows, kind).reshape(anchors, -1)
    return [Spread(*matrices) for matrices in square.transpose(1, 0, 2, 3)]


def _weights(plain: list[Row]) -> Floats:
    """Of anchors (N,): their mean distance from the background; alike where there is none."""
    distance = column(plain, "energy_background")
    return np.maximum(distance, 1e-6 * distance.max()) if distance.max() > 0 else np.ones(len(plain))


def over_anchors(response: list[Row]) -> list[Row]:
    """What the rows of all anchors come to at each mu: means with 95 % intervals, and how well chains agree."""
    averages = []
    for mu in sorted({float(str(row["mu"])) for row in response}):
        rows = [row for row in response if row["mu"] == mu]
        average: Row = {"mu": mu, "anchors": len(rows), "beta_0": column(rows, "beta_0").mean()}
        for name, _, _ in AVERAGED:
            mean = mean_over_anchors(column(rows, name))
            average |= {name: mean.value, f"{name}_low": mean.low, f"{name}_high": mean.high}
        agreed = {
            "converged": sum(bool(row["converged"]) for row in rows),
            "rhat": np.median(column(rows, "rhat_counted")),
        }
        averages.append(average | agreed)
    return averages


def column(rows: Sequence[Row], name: str) -> Floats:
    """A number of each row (N,)."""
    return np.array([row[name] for row in rows], float)


def sentence(found: Answer) -> str:
    """The answer in words."""
    asked, named = found.asked, ", ".join(one.name for one in found.named)
    rigid = f"its rigidity outside local features is {told(asked.rigidity)}, {LEAST_RIGIDITY:g} is asked for"
    beyond = f"its rigidity is {told(asked.rigidity)}, and beyond {named} {told(asked.beyond)}"
    said = {
        YES: f"yes, {rigid}",
        NO: f"no, {beyond if named else rigid}",
        FOLLOWS: f"no, it follows from what is: {beyond}",
        UNDECIDED: f"undecided, {beyond if named else rigid}",
    }[asked.held]
    few = f", of {LEAST_ANCHORS} anchors or more" * (asked.rigidity.anchors < LEAST_ANCHORS)
    return f"is the number of {found.label} held? {said}{few}"


def told(found: Interval95) -> str:
    """An interval in words."""
    return f"{found.value:.2f} (95 %: {found.low:.2f} to {found.high:.2f})"
