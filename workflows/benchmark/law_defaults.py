"""Which share of energy to keep, and which tether, make the clearest pictures? A table over networks' anchors.

python workflows/benchmark/law_defaults.py MODEL ANCHORS.fa OUT.tsv [--anchors N] [--keep ...] [--tether ...]

For each anchor, law and half of the chains (started at the anchor, at the background): bits of the positions, how well
the halves' information profiles agree, in how few positions the information lies, R-hat, ESS and seconds.
"""

import argparse
import time
from dataclasses import replace
from itertools import product

import numpy as np

import maxent_cli as mx
from maxent_cli.alphabet import UNKNOWN
from maxent_cli.analysis import diagnose, information_of
from maxent_cli.data import Anchor, SampleSet
from maxent_cli.interpret import LawSettings, over_anchors, ready, sample_anchor
from maxent_cli.io import RecordSource, load_model, read_sequences, write_table
from maxent_cli.laws import ONE_LESS_ZERO

RUN = mx.Sampling(chains=16, replicas=5, draws=100, thin=60, warmup=3000, max_steps=6000)


def half(samples: SampleSet, first: int) -> np.ndarray:
    """Information (L,) of every second chain."""
    part = replace(samples, **{name: getattr(samples, name)[first::2] for name in ("codes", "energy", "output")})
    return np.asarray(information_of(part).positions)


def measure(samples: SampleSet, seconds: float) -> dict[str, object]:
    """What a reader of the logo would ask."""
    bits, diagnosis = information_of(samples), diagnose(samples)
    at_anchor, at_random = half(samples, 0), half(samples, 1)
    profile = np.sort(np.maximum(bits.positions, 0))[::-1]
    cumulated = np.cumsum(profile) / max(profile.sum(), 1e-9)
    return {
        "record": samples.name,
        "beta": samples.beta,
        "energy_reduction": 1 - samples.energy.mean() / samples.energy_background,
        "output_share": samples.output.mean() / samples.anchor_output,
        "bits": bits.total,
        "bits_error": bits.total_error,
        "halves_agree": np.corrcoef(at_anchor, at_random)[0, 1],
        "positions_of_90_percent": int(np.searchsorted(cumulated, 0.9)) + 1,
        "positions_above_0.2_bits": int((bits.positions > 0.2).sum()),
        "rhat": diagnosis.worst_rhat,
        "ess": diagnosis.least_ess,
        "seconds": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("records")
    parser.add_argument("out")
    parser.add_argument("--anchors", type=int, default=5)
    parser.add_argument("--keep", type=float, nargs="+", default=[0.7, 0.8, 0.9])
    parser.add_argument("--tether", type=float, nargs="+", default=[0.0, 0.3, 0.4, 0.55], help="0: none")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    model, card = load_model(given.model)
    records, _ = read_sequences(RecordSource(given.records), model.input_length, crop=True)
    anchors = records.take(np.flatnonzero((records.codes < UNKNOWN).all(axis=1))[: given.anchors])
    ready(model)
    rows: list[dict[str, object]] = []
    for tether, keep in product(given.tether, given.keep):
        law = LawSettings(ONE_LESS_ZERO, card.background, tether or None, None, keep)

        def one(anchor: Anchor, threads: int, law: LawSettings = law) -> dict[str, object]:
            started = time.process_time()
            return measure(sample_anchor(model, anchor, law, RUN, threads), time.process_time() - started)

        rows += [{"tether": tether, "keep": keep, **row} for row in over_anchors(one, anchors, given.threads)]
        write_table(given.out, rows)


if __name__ == "__main__":
    main()
