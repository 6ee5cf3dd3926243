"""The GC probe over anchors: tables, checks and what may be said of them."""

from dataclasses import dataclass

import numpy as np

from maxent_cli.alphabet import is_gc
from maxent_cli.analysis.diagnostics import diagnose, mcse_mean
from maxent_cli.analysis.gc import (
    Interval95,
    exact_response,
    field_check,
    gc_counts,
    gc_slope,
    mean_over_anchors,
    summarise_gc,
)
from maxent_cli.data import Floats, SampleSet

Row = dict[str, object]


@dataclass(frozen=True)
class Probe:
    """Rows of the response (an anchor and field each) and of the sampler's checks (an anchor and pair of fields)."""

    response: list[Row]
    checks: list[Row]


@dataclass(frozen=True)
class Answer:
    """The probe over anchors, with bootstrap intervals: fields (S,), mean GC of the draws and at beta = 0 exactly (S,).

    anchors, draws (N,): GC of each anchor and of its draws without a field. rigidity: mean over anchors of
    1 - Var(N) / Var_indep(N) without a field.
    """

    fields: Floats
    response: list[Interval95]
    exact: Floats
    anchors: Floats
    draws: Floats
    slope: Interval95
    rigidity: Interval95


def probe_anchor(by_field: list[SampleSet], fields: tuple[float, ...], most_rhat: float = 1.05) -> Probe:
    """One anchor's draws under rising fields (S), as rows; N counts G and C at its mutable positions."""
    plain = by_field[fields.index(0.0)]
    exact = exact_response(plain.background, plain.mutable, np.array(fields))[0] / plain.mutable.sum()
    response = [
        _response(samples, field, at_zero, most_rhat)
        for samples, field, at_zero in zip(by_field, fields, exact, strict=True)
    ]
    checks = [_check(by_field[i : i + 2], fields[i : i + 2]) for i in range(len(fields) - 1)]
    return Probe(response, checks)


def _response(samples: SampleSet, field: float, exact: float, most_rhat: float) -> Row:
    summary, diagnosis = summarise_gc(samples), diagnose(samples, most_rhat)
    return {
        "record": samples.name,
        "field": field,
        "gc_anchor": is_gc(samples.anchor[samples.mutable]).mean(),
        "gc": summary.mean / summary.positions,
        "gc_error": summary.mean_error / summary.positions,
        "gc_beta_0": exact,
        "variance": summary.variance,
        "variance_error": summary.variance_error,
        "independent_variance": summary.independent_variance,
        "rigidity": summary.rigidity,
        "rigidity_error": summary.rigidity_error,
        "beta": samples.beta,
        "energy": samples.energy.mean(),
        "energy_error": float(mcse_mean(samples.energy)),
        "output": samples.output.mean(),
        "output_error": float(mcse_mean(samples.output)),
        "converged": diagnosis.converged,
    }


def _check(pair: list[SampleSet], fields: tuple[float, ...]) -> Row:
    lower, upper = fields
    check = field_check(gc_counts(pair[0]), gc_counts(pair[1]), upper - lower)
    return {
        "record": pair[0].name,
        "field_low": lower,
        "field_high": upper,
        "slope_expected": upper - lower,
        "slope": check.slope,
        "slope_error": check.error,
        "z": check.z,
    }


def answer(response: list[Row], seed: int) -> Answer:
    """What the rows of all anchors say together."""
    fields = sorted({float(str(row["field"])) for row in response})

    def column(name: str, field: float) -> Floats:
        return np.array([row[name] for row in response if row["field"] == field], float)

    anchors, draws = column("gc_anchor", 0.0), column("gc", 0.0)
    return Answer(
        fields=np.array(fields),
        response=[mean_over_anchors(column("gc", field), seed) for field in fields],
        exact=np.array([column("gc_beta_0", field).mean() for field in fields]),
        anchors=anchors,
        draws=draws,
        slope=gc_slope(anchors, draws, seed),
        rigidity=mean_over_anchors(column("rigidity", 0.0), seed),
    )
