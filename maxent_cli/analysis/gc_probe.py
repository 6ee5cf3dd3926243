"""The probe over anchors: tables, checks, references, and what may be said of a global property."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maxent_cli.analysis.counts import (
    CHECKS,
    CountSummary,
    draw_counts,
    exact_response,
    outside_local,
    summarise_count,
)
from maxent_cli.analysis.diagnostics import LEAST_ESS, diagnose, ess_mean, mcse_mean, rhat
from maxent_cli.analysis.features import Feature, Places
from maxent_cli.analysis.over_anchors import LEAST_ANCHORS, Interval95, mean_over_anchors, slope_over_anchors
from maxent_cli.analysis.summary import energy_reduction
from maxent_cli.data import Floats, SampleSet
from maxent_cli.tables.gc_probe import AVERAGED

Row = dict[str, object]

NETWORK, AT_ZERO, UNTRAINED = "network", "beta = 0, exact", "untrained"
# Rigidity that counts as a property. A motif of G and C alone that always stands somewhere, in a
# sixth of the positions, has 1 - (1 - s)·b / v, s its share, b and v the variances of a letter of the background and of
# all draws: 0.14 where the background has 50 % GC, 0.21 where it has 38 %.
LEAST_EXCESS = 0.25
MOST_APART = 1.2  # R-hat of N up to which draws are judged: untrained networks are often so rugged that chains stand
MEASURES = ("slope", "slope outside", "rigidity", "rigidity outside")


@dataclass(frozen=True)
class Probe:
    """Rows of the response (an anchor and mu each), of the sampler's checks, and of each reference (mu = 0).

    Rows have converged where the count has, which is all that is read off them; letters_converged says whether all else
    has.
    """

    response: list[Row]
    checks: list[Row]
    references: list[Row]


@dataclass(frozen=True)
class Answer:
    """The probe over anchors, with 95 % intervals: mu (S,), mean count of the draws and at beta = 0 (S,).

    anchors, draws (N,): count of each anchor and of its draws at mu = 0. measures: by network or reference, then
    by MEASURES; for rigidity anchors weigh by the network's distance of the background from them, as what is held at
    one that hardly differs from it makes little difference. agreed (N,): at which anchors the chains agree on N.
    excess: rigidity outside local features at these; the background, beta = 0, has none. verdict: 'yes', 'no' or
    'undecided', as it is with fewer than six such anchors.
    """

    mu: Floats
    response: list[Interval95]
    exact: Floats
    anchors: Floats
    draws: Floats
    measures: dict[str, dict[str, Interval95]]
    agreed: NDArray[np.bool_]
    excess: Interval95
    verdict: str


def probe_anchor(
    by_mu: Sequence[SampleSet],
    references: dict[str, SampleSet],
    feature: Feature,
    potentials: tuple[float, ...],
    max_rhat: float = 1.05,
) -> Probe:
    """One anchor's draws under rising mu (S), and at mu = 0 those of other networks by name, as rows."""
    plain = by_mu[potentials.index(0.0)]
    outside = outside_local(plain)
    response = [
        {"record": samples.name, "counted": feature.label, "share": feature.share, "mu": mu}
        | _numbers(samples, feature, outside, max_rhat)
        | _at_zero(plain, feature, mu, outside)
        for samples, mu in zip(by_mu, potentials, strict=True)
    ]
    checks = [
        row for i in range(len(potentials) - 1) for row in _checks(by_mu[i : i + 2], feature, potentials[i : i + 2])
    ]
    others = [
        {"reference": name, "record": samples.name} | _numbers(samples, feature, outside_local(samples), max_rhat)
        for name, samples in references.items()
    ]
    return Probe(response, checks, others)


def _numbers(samples: SampleSet, feature: Feature, outside: Places, max_rhat: float) -> Row:
    """What is told of a sample set; outside (L,): positions that no local feature occupies."""
    everywhere = summarise_count(samples, feature, feature.places(samples.mutable))
    elsewhere = summarise_count(samples, feature, feature.places(outside, all_of=True))
    number = draw_counts(samples, feature)
    background, output = samples.output_background[1], samples.output.mean()
    seen, of_number, size = diagnose(samples, max_rhat), float(rhat(number)), float(ess_mean(number))
    return {
        **_summary_row(everywhere, feature, ""),
        **_summary_row(elsewhere, feature, "_outside"),
        "beta": samples.beta,
        "energy": samples.energy.mean(),
        "energy_error": float(mcse_mean(samples.energy)),
        "energy_background": samples.energy_background,
        "energy_reduction": energy_reduction(samples.energy.mean(), samples.energy_background),
        "output": output,
        "output_error": float(mcse_mean(samples.output)),
        "output_kept": (output - background) / (samples.anchor_output - background),
        "output_kept_error": float(mcse_mean(samples.output)) / abs(samples.anchor_output - background),
        "distinguishable": samples.distinguishable,
        "rhat_counted": of_number,
        "rhat": np.fmax(seen.worst_rhat, of_number),
        "ess_counted": size,
        "ess": seen.least_ess,
        "converged": not (of_number > max_rhat or size < LEAST_ESS),
        "letters_converged": seen.converged,
    }


def _summary_row(summary: CountSummary, feature: Feature, suffix: str) -> Row:
    unit = summary.places or np.nan if feature.share or suffix else 1  # outside, anchors differ in places
    named = {
        "places": summary.places,
        "anchor": summary.anchor / unit,
        "draws": summary.mean / unit,
        "draws_error": summary.mean_error / unit,
        "variance": summary.variance,
        "variance_error": summary.variance_error,
        "independent_variance": summary.independent_variance,
        "rigidity": summary.rigidity,
        "rigidity_error": summary.rigidity_error,
    }
    return {f"{name}{suffix}": value for name, value in named.items()}


def _at_zero(plain: SampleSet, feature: Feature, mu: float, outside: Places) -> Row:
    """What the background alone, beta = 0, answers to a chemical potential."""
    everywhere, elsewhere = feature.places(plain.mutable), feature.places(outside, all_of=True)
    return {
        "beta_0": exact_response(plain, feature, mu, everywhere)[0] / (everywhere.sum() if feature.share else 1),
        "beta_0_outside": exact_response(plain, feature, mu, elsewhere)[0] / (elsewhere.sum() or np.nan),
    }


def _checks(pair: Sequence[SampleSet], feature: Feature, potentials: tuple[float, ...]) -> list[Row]:
    """The checks of two neighbouring mu; not judged (z nan) where chains disagree on N: no error is known there."""
    lower, upper = potentials
    below, above = (draw_counts(samples, feature) for samples in pair)
    known: Row = {"record": pair[0].name, "mu_low": lower, "mu_high": upper}
    rows = [known | {"check": name} | vars(check(below, above, upper - lower)) for name, check in CHECKS.items()]
    apart = max(float(rhat(below)), float(rhat(above))) > MOST_APART
    return [row | {"z": np.nan} for row in rows] if apart else rows


def answer(response: list[Row], references: list[Row], anchored: bool = True) -> Answer:
    """What the rows of all anchors say together.

    anchored: energy is a distance from the anchor; else anchors weigh alike.
    """
    potentials = sorted({float(str(row["mu"])) for row in response})
    by_mu = {mu: [row for row in response if row["mu"] == mu] for mu in potentials}
    plain = by_mu[0.0]
    at_zero = [
        row | {"draws": row["beta_0"], "draws_outside": row["beta_0_outside"], "rigidity": 0.0, "rigidity_outside": 0.0}
        for row in plain
    ]
    names = dict.fromkeys(str(row["reference"]) for row in references)
    others = {name: [row for row in references if row["reference"] == name] for name in names}
    measured = {NETWORK: plain, AT_ZERO: at_zero, **others}
    agreed = ~(column(plain, "rhat_counted") > MOST_APART)
    rigid = np.where(agreed, column(plain, "rigidity_outside"), np.nan)
    weights = _weights(plain) if anchored else np.ones(len(plain))
    excess = mean_over_anchors(rigid, weights)
    return Answer(
        mu=np.array(potentials),
        response=[mean_over_anchors(column(by_mu[mu], "draws")) for mu in potentials],
        exact=np.array([column(by_mu[mu], "beta_0").mean() for mu in potentials]),
        anchors=column(plain, "anchor"),
        draws=column(plain, "draws"),
        measures={name: _measures(rows, weights) for name, rows in measured.items()},
        agreed=agreed,
        excess=excess,
        verdict=_verdict(excess),
    )


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


def _measures(rows: Sequence[Row], weights: Floats) -> dict[str, Interval95]:
    found = {}
    for measure in MEASURES:
        kind, _, where = measure.partition(" ")
        suffix = f"_{where}" if where else ""
        if kind == "slope":
            found[measure] = slope_over_anchors(column(rows, f"anchor{suffix}"), column(rows, f"draws{suffix}"))
        else:
            found[measure] = mean_over_anchors(column(rows, f"rigidity{suffix}"), weights)
    return found


def _verdict(excess: Interval95) -> str:
    if not excess.decides:
        return "undecided"
    if excess.low > LEAST_EXCESS:
        return "yes"
    return "no" if excess.high < LEAST_EXCESS else "undecided"


def sentence(found: Answer, label: str) -> str:
    """The answer in words."""
    interval = f"{found.excess.value:.2f} (95 %: {found.excess.low:.2f} to {found.excess.high:.2f})"
    said = {
        "yes": f"yes, it holds the number of {label} beyond local features",
        "no": f"no, nothing beyond local features holds the number of {label}",
        "undecided": f"undecided whether it holds the number of {label} beyond local features",
    }[found.verdict]
    apart = int((~found.agreed).sum())
    kept = f" ({apart} of {len(found.agreed)} anchors left out: their chains disagree)" * bool(apart)
    few = f", and no fewer than {LEAST_ANCHORS} anchors" * (found.excess.anchors < LEAST_ANCHORS)
    return f"{said}: outside them its rigidity is {interval}{kept}; {LEAST_EXCESS:.2f} is asked for{few}"
