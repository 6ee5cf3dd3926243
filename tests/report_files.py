"""The files that a report is made from, small, as the commands write them."""

import base64
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from analysis.sample_sets import independent_draws, sample_set
from filled import write_filled

from maxent_cli.alphabet import LETTERS, decode
from maxent_cli.analysis.crossing import tree_of
from maxent_cli.analysis.diagnostics import diagnose
from maxent_cli.analysis.series import beta_series
from maxent_cli.analysis.summary import summarise
from maxent_cli.data import Interval, Motif
from maxent_cli.io.motif_files import write_meme
from maxent_cli.io.report_inputs import Sources
from maxent_cli.io.samples import writing_draws
from maxent_cli.tables import (
    attribution,
    comparison,
    crossing,
    dependence,
    design,
    gc_probe,
    learning,
    motifs,
    periodicity,
    training,
    variants,
)
from maxent_cli.tables.sampling import SERIES, SUMMARY

LAW = {
    "held": "anchor",
    "outputs": [[[1, 1.0], [0, -1.0]]],
    "background": [0.25] * 4,
    "tether": 0.4,
    "beta": None,
    "keep": 0.8,
}
RUN = {"chains": 2, "replicas": 2, "draws": 8, "warmup": 10, "seed": 1, "max_rhat": 1.05}
HEADER = {"law": LAW, "run": RUN, "outputs": ["unbound", "bound"], "model": {}}
CHAINS, DRAWS = 2, 8
Row = dict[str, Any]
Stir = Callable[[Iterable[Row]], Iterable[Row]]


def write_parts(
    folder: Path,
    names: Sequence[str],
    length: int = 40,
    intervals: dict[int, Interval] | None = None,
    noisy: bool = False,
    max_rhat: float = RUN["max_rhat"],
) -> Sources:
    """All parts for anchors of the given names; anchor number n holds n bits more than the first.

    noisy: what is drawn of anchors is different numbers everywhere, as in earnest, which take most room.
    """
    rng = np.random.default_rng(1)
    codes = independent_draws(rng, np.full((length, 4), 0.25), CHAINS, DRAWS)
    replicas = replace(
        sample_set(codes).replicas,
        betas=np.array([0.0, 10.0]),
        energy=rng.uniform(1, 2, (CHAINS, DRAWS, 2)),
        output=rng.normal(size=(CHAINS, DRAWS, 2)),
        letters=rng.integers(1, 9, (CHAINS, 2, length, 4)).astype(np.uint32),
    )
    samples = sample_set(codes, replicas=replicas)
    summary, series = summarise(samples, diagnose(samples)), beta_series(samples, diagnose(samples))
    with writing_draws(str(folder / "draws.npz"), HEADER | {"run": RUN | {"max_rhat": max_rhat}}) as draws:
        for number, name in enumerate(names):
            own = independent_draws(rng, np.full((length, 4), 0.25), CHAINS, DRAWS) if noisy else codes
            draws.add(replace(samples, name=name, interval=(intervals or {}).get(number), codes=own))
    rows = [
        {**summary, "record": name, "bits_held": 5.0 + number, "converged": number % 2 == 0}
        for number, name in enumerate(names)
    ]
    write_filled(folder / "draws.npz.tsv", SUMMARY, rows)
    (folder / "draws.npz.provenance.json").write_text(json.dumps(provenance(folder)))
    stir = partial(stirred, rng) if noisy else iter
    write_motifs(folder / "motifs", names, decode(codes[0, 0]), stir)
    write_filled(folder / "draws.npz.series.tsv", SERIES, [{**row, "record": name} for name in names for row in series])
    write_gc(folder / "gc", names)
    write_periodicity(folder / "periodicity", names)
    write_variants(folder / "variants", names)
    write_scores(folder / "scores", names, decode(codes[0, 0]), stir)
    write_metrics(folder / "trained")
    write_design(folder / "design", names)
    write_comparison(folder / "compared", names)
    write_dependence(folder / "pairs", names)
    write_learning(folder / "learned")
    parts = {"train": "trained", "motifs": "motifs", "periodicity": "periodicity", "variants": "variants"}
    parts |= {"gc-probe": "gc", "attribute": "scores", "design": "design"}
    parts |= {"compare": "compared", "dependence": "pairs", "learning": "learned"}
    given = {command: str(folder / name) for command, name in parts.items()}
    return Sources(str(folder / "draws.npz"), given)


def island_of(page: str) -> dict[str, Any]:
    """What a page's script reads: cards, tables and texts."""
    packed = re.search('id="data">([^<]*)<', page)
    assert packed is not None
    found: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(packed[1])))
    return found


def stirred(rng: np.random.Generator, rows: Iterable[Row]) -> Iterator[Row]:
    """Rows with other numbers between 0 and twice what they were."""
    for row in rows:
        yield {name: value * rng.uniform(0, 2) if isinstance(value, float) else value for name, value in row.items()}


def without(sources: Sources, *commands: str) -> Sources:
    """All but some parts."""
    return replace(sources, parts={name: path for name, path in sources.parts.items() if name not in commands})


def provenance(folder: Path) -> dict[str, object]:
    """What lies beside the draws."""
    return {
        "command": ["/somewhere/bin/maxent", "sample", "my anchors.fa", "--model", "ctcf_model"],
        "version": "0.1.0",
        "packages": {"numpy": "2"},
        "seed": 1,
        "inputs": {"ctcf_model": {"weights.safetensors": "ab" * 32}, str(folder / "my anchors.fa"): "cd" * 32},
        "wall_seconds": 12.3,
        "peak_memory_mib": 400,
    }


def write_motifs(folder: Path, names: Sequence[str], letters: str, stir: Stir) -> None:
    """What `maxent motifs` writes, as far as a report reads it: a motif in every anchor, at 10 to 16."""
    known = {f"{name}_{n}": value for n in (1, 2, 3) for name, value in (("p", 1e-9), ("q", 2e-7), ("overlap", 6))}
    named = {f"known_{n}": f"MA000{n}.1 <Known>" for n in (1, 2, 3)} | dict.fromkeys(
        (f"orientation_{n}" for n in (1, 2, 3)), "-"
    )
    described = {
        "motif": "motif_1",
        "consensus": "CACGTG",
        "width": 6,
        "anchors": len(names),
        "anchors_converged": len(names),
        "sites": 77,
    }
    motif = {**described, "bits": 9.5, "bits_error": 0.25, "recurrence_p": 3e-5, **known, **named, "stands_for": 0.413}
    write_filled(folder / "motifs.tsv", motifs.MOTIFS, [motif])
    counts = np.full((6, 4), 2.0)
    counts[range(6), [1, 0, 1, 2, 3, 2]] = 71.4
    write_meme(str(folder / "motifs.meme"), [Motif("motif_1", counts, 77.4)])
    held = {
        "bits": 7.0,
        "bits_error": 0.1,
        "bits_held": 7.5,
        "bits_held_error": 0.2,
        "bits_held_df": 7,
        "segments": 1,
        "ess_median": 9,
        "logo": None,
        "converged": True,
        "rhat": 1.01,
    }
    write_filled(folder / "anchors.tsv", motifs.ANCHORS, [{"record": name, **held} for name in names])
    placed = (row for name in names for row in positions(name, letters))
    write_filled(folder / "positions.tsv", motifs.POSITIONS, stir(placed))
    shares = {
        "motif": "motif_1",
        "occupancy": 0.93,
        "occupancy_error": 0.02,
        "occupancy_background": 0.015,
        "occupancy_background_error": 0.004,
        "present": True,
        "best_start": 10,
        "best_end": 16,
        "best_strand": "-",
        "best_occupancy": 0.88,
    }
    write_filled(folder / "occupancy.tsv", motifs.OCCUPANCY, [{"record": name, **shares} for name in names])
    site = {"start": 10, "end": 16, "motif": "motif_1", "score": 880, "strand": "-"}
    sites = [{"chromosome": "x", **site, "record": name, "occupancy": 0.88, "occupancy_error": 0.03} for name in names]
    write_filled(folder / "sites.tsv", motifs.SITES, sites)
    write_filled(
        folder / "rates.tsv", motifs.RATES, [{"quantity": "anchors whose draws hold a motif", "found": 2, "of": 3}]
    )
    counted = {"records": 80, "holding": 61, "share": 0.7625, "low": 0.659, "high": 0.842, "shuffled": 0.0625}
    counted |= {"shuffled_low": 0.031, "shuffled_high": 0.121}
    write_filled(folder / "records.tsv", motifs.RECORDS, [{"motif": "motif_1", **counted}])
    pair = {"motif_a": "motif_1", "motif_b": "motif_1", "arrangement": "a> <b", "anchors": 3, "expected": 0.01}
    telling = (
        {"distance": 17, "share": 0.31, "share_error": 0.012, "q": 1e-4},
        {"distance": 21, "share": 0.02, "q": 0.3},
    )
    write_filled(folder / "spacing.tsv", motifs.SPACING, [pair | row for row in telling])


def positions(name: str, letters: str) -> list[Row]:
    """Rows of positions.tsv: half a bit everywhere, of four letters that can all be seen."""
    held = {"information": 0.5, "information_error": 0.05, "ess": 99}
    shares = dict(zip((f"p_{letter}" for letter in LETTERS), (0.4, 0.3, 0.2, 0.1), strict=True))
    return [{"record": name, "position": p, "letter": each, **held, **shares} for p, each in enumerate(letters)]


def write_scores(folder: Path, names: Sequence[str], letters: str, stir: Stir) -> None:
    """What `maxent attribute` writes, as far as a report reads it: scores of both signs that can all be seen."""
    rows = [
        {"record": name, "position": place, "letter": letter, "score": (-1.0) ** place * (1 + place % 3), "error": 0.2}
        for name in names
        for place, letter in enumerate(letters)
    ]
    write_filled(folder / "positions.tsv", attribution.POSITIONS, stir(rows))
    read = [
        {"record": name, "position": place, "letter": letter, "prefix": float(place >= 4), "suffix": 4 - 0.1 * place}
        | {
            "prefix_error": 0.0625,
            "suffix_error": 0.0625,
            "bits_error": 0.0625,
            "saliency": 1 + place % 3,
            "bits": (place == 7) - 0.2 * (place == 9),
            "running_prefix": 0.5,
            "chromosome": "",
        }
        for name in names
        for place, letter in enumerate(letters)
    ]
    write_filled(folder / "reading.tsv", attribution.READING, stir(read))
    sums = {"score_sum": -1.25, "score_sum_error": 0.125}
    write_filled(folder / "anchors.tsv", attribution.ANCHORS, [{"record": name, **sums} for name in names])


def write_metrics(folder: Path) -> None:
    """What `maxent train` writes of a network, as far as a report reads it."""
    row = {"part": "test", "metric": "AUROC", "value": 0.9321, "lower": 0.9111, "upper": 0.9512}
    write_filled(folder / "metrics.tsv", training.METRICS, [row | {"positives": 41, "negatives": 82}])
    curve = [{"epoch": epoch, "training_loss": 0.7 / epoch, "validation_loss": 0.8 / epoch} for epoch in (1, 2, 3)]
    write_filled(folder / "learning_curve.tsv", training.CURVE, [row | {"best": True} for row in curve])


def write_periodicity(folder: Path, names: Sequence[str]) -> None:
    """What `maxent periodicity` writes, as far as a report reads it."""
    peak = {"low": 0.9, "high": 1.0, "chance": 0.096, "period": 10.2, "period_error": 0.02, "height_error": 0.3}
    sources = {"draws": 6.9, "draws, phase-free": 1.4, "anchor": 1.8, "beta = 0": 1.2}
    rows = [{"source": name, "anchors": 3, "in_band": 3, "height": height, **peak} for name, height in sources.items()]
    write_filled(folder / "answer.tsv", periodicity.ANSWER, rows)
    powers = [
        {"record": name, "period": period, "draws": 1 + 8 * (period == 10.0), "anchor": 2.0, "beta_0": 0.0}
        for name in names
        for period in (20.0, 15.0, 10.0, 7.5, 5.0)
    ]
    write_filled(folder / "spectra.tsv", periodicity.SPECTRA, powers)


def write_variants(folder: Path, names: Sequence[str]) -> None:
    """What `maxent variants` writes, as far as a report reads it: in every anchor two changes at 7, one of a place."""
    tried = {"converged": True, "rhat": 1.01}
    write_filled(folder / "anchors.tsv", variants.ANCHORS, [{"record": name, "variants": 2, **tried} for name in names])
    effects = {
        "anchor_effect": -2.0,
        "effect_error": 0.25,
        "free_energy": 1.5,
        "free_energy_error": 0.125,
        "flips": 0.25,
    }
    effects |= {"effect_beta_0": -0.5, "effect_beta_0_error": 0.125, "position": 7, "ref": "A", "df": 9, **tried}
    rows = [
        {"record": name, **effects, "alt": alt, "effect": effect, **place}
        for name in names
        for alt, effect, place in (("C", -1.25, {}), ("G", -1.5, {"chromosome": "chr<1>", "pos": 108, "id": "rs<7>"}))
    ]
    write_filled(folder / "variants.tsv", variants.VARIANTS, rows)


def write_design(folder: Path, names: Sequence[str]) -> None:
    """What `maxent design --near` writes, as far as a report reads it."""
    folder.mkdir(exist_ok=True)
    told = {"law": "near", "to": 1.5, "output": 1.25, "output_error": 0.01, "bits": 7.5, "bits_error": 0.02}
    told |= {"edits": 3.5, "edits_error": 0.1, "smallest": 2, "reached": False}
    write_filled(folder / "summary.tsv", design.SUMMARY, [{"record": name, **told} for name in names])
    rows = [{"record": name, "position": place, "edited": place / 9} for name in names for place in range(9)]
    write_filled(folder / "edits.tsv", design.EDITS, rows)


def write_comparison(folder: Path, names: Sequence[str]) -> None:
    """What `maxent compare` writes, as far as a report reads it."""
    mean = {
        "anchors_a": 3,
        "anchors_b": 3,
        "mean_a": 7.5,
        "mean_b": 6.25,
        "low_a": 7.1,
        "high_a": 7.9,
        "difference": -1.25,
        "low": -2.0,
        "high": -0.5,
    }
    write_filled(folder / "summary.tsv", comparison.SUMMARY, [{"quantity": "bits", **mean}])
    motif = {"motif_a": "motif_1", "motif_b": "", "consensus_a": "CACGTG", "bits_a": 9.5, "bits_a_error": 0.25}
    write_filled(folder / "motifs.tsv", comparison.MOTIFS, [motif])
    write_filled(folder / "anchors.tsv", comparison.ANCHORS, [{"record": name} for name in names])


def write_crossing(folder: Path, names: Sequence[str], networks: Sequence[str]) -> str:
    """What `maxent compare` writes of networks that read each other's draws, as far as a report reads it."""
    folder.mkdir(exist_ok=True)
    told = {"t": 1.5, "t_low": 1.25, "t_high": 1.75, "own_t": 0.25, "own_t_low": 0.125, "own_t_high": 0.375}
    verdicts = ["own", "as others", "shared", "undecided"]
    rows = [{"network": name, **told, "verdict": verdicts[row % 4]} for row, name in enumerate(networks)]
    write_filled(folder / "networks.tsv", crossing.NETWORKS, rows)
    pairs = [{"drawn": a, "read": b, "t": 2.5 if a != b else 0.5} for a in networks for b in networks]
    write_filled(folder / "pairs.tsv", crossing.PAIRS, pairs)
    write_filled(folder / "crossed.tsv", crossing.CROSSED, [{"record": name} for name in names])
    excess, count = np.zeros((len(networks),) * 2), len(networks)
    excess[:] = np.arange(count)[:, None] + np.arange(count)
    write_filled(folder / "tree.tsv", crossing.TREE, tree_of(excess))
    return str(folder)


def write_dependence(folder: Path, names: Sequence[str]) -> None:
    """What `maxent dependence` writes, as far as a report reads it."""
    pair = {"first": 3, "second": 9, "first_letter": "A", "second_letter": "C", "bits": 0.25, "bits_error": 0.0125}
    write_filled(folder / "pairs.tsv", dependence.PAIRS, [{"record": name, **pair, "q": 1e-6} for name in names])
    told = {"refused": False, "pairs": 780, "dependent": 1}
    write_filled(folder / "anchors.tsv", dependence.ANCHORS, [{"record": name, **told} for name in names])


def write_learning(folder: Path) -> None:
    """What `maxent learning` writes with anchors, as far as a report reads it."""
    folder.mkdir(exist_ok=True)
    steps = [
        {"step": 4**number, "loss": 0.7 / (1 + number), "bits_held": number, "kept": number == 2} for number in range(4)
    ]
    write_filled(folder / "steps.tsv", learning.STEPS, steps)
    write_filled(folder / "layers.tsv", learning.LAYERS, [{"layer": layer} for layer in ("act", "all layers")])
    rows = [
        {"step": row["step"], "layer": layer, "class": name, "share": share, "units": 8, "dead": 2}
        for row in steps
        for layer in ("act", "all layers")
        for name, share in (("all", 0.5), ("negative", 0.5), ("positive", 0.25))
    ]
    write_filled(folder / "patterns.tsv", learning.PATTERNS, rows)
    draws = {"patterns": 10, "distinct": 5}
    regions = [{"step": row["step"], "layer": layer, **draws} for row in steps for layer in ("act", "all layers")]
    write_filled(folder / "regions.tsv", learning.REGIONS, regions)
    write_filled(folder / "learned.tsv", learning.LEARNED, [{"motif": "motif_1", "consensus": "TGACTCA"}])


def write_gc(folder: Path, names: Sequence[str]) -> None:
    """What `maxent gc-probe` writes, as far as a report reads it."""
    response = [
        {"record": name, "counted": "G and C", "share": True, "mu": mu, "anchor": 0.4, "draws": 0.5 + mu / 5}
        | {"beta_0": 0.5, "converged": True}
        for name in names
        for mu in (-1.0, 0.0, 1.0)
    ]
    write_filled(folder / "response.tsv", gc_probe.RESPONSE, response)
    numbers = {"low": 0.1, "high": 0.3, "least": 0.25, "beyond": 0.2, "q": 0.04}
    held = {"count": "A", "held": "yes", "rigidity": 0.723, **numbers}
    asked = {"count": "G and C", "held": "follows", "rigidity": 0.323, **numbers, "beyond": float("nan")}
    write_filled(folder / "answer.tsv", gc_probe.ANSWER, [held, asked])
    write_filled(folder / "checks.tsv", gc_probe.CHECKS, [{"z": 1.0}, {"z": -4.0}, {"z": float("nan")}])
