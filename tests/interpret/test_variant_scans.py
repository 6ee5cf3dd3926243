"""Effects over contexts and free energies of changes: those of the listed law, and what broken estimators would say."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from analysis.sample_sets import sample_set
from scipy.optimize import brentq
from small import Listed, anchor, hidden_units, law, small_model
from thinned import thinned

from maxent_cli.alphabet import encode
from maxent_cli.analysis import contexts
from maxent_cli.analysis.contexts import contexts_of
from maxent_cli.data import SampleSet
from maxent_cli.interpret import variants
from maxent_cli.interpret.law import LawSettings, anchored_law, evaluate, output_term
from maxent_cli.interpret.sampling import COMPILED
from maxent_cli.interpret.variants import FULL, Scanned, VariantSettings, scan_anchor, single_sites
from maxent_cli.laws import LAWS as LAWS_OF

ANCHOR, BETA = "GATCA", 60.0
MODEL = small_model()
LAWS = {"published": {}, "tethered": {"tether": 0.4}}
CHANGES = [(p, "ACGT".index(own), alt) for p, own in enumerate(ANCHOR) for alt in range(4) if "ACGT"[alt] != own]


def settings_of(given: dict) -> LawSettings:
    return law(BETA, **given)


@cache
def listed_law(name: str) -> tuple[Listed, np.ndarray]:
    """A law of LAWS listed, and the codes of its words."""
    listed = Listed(MODEL, ANCHOR, **LAWS[name])
    return listed, np.array([encode(word) for word in listed.words])


def drawn(given: dict, seed: int, chains: int = 8, draws: int = 50) -> SampleSet:
    """Independent draws from the listed law."""
    listed, words = listed_law("tethered" if given else "published")
    terms = anchored_law(MODEL, anchor(ANCHOR), settings_of(given)).terms
    rows = np.random.default_rng(seed).choice(len(listed.words), (chains, draws), p=listed.law(BETA))
    codes = words[rows]
    given_too = {"anchor": encode(ANCHOR), "energy": listed.energy[rows], "beta": BETA}
    return sample_set(codes, terms.background, **given_too)


def scan(samples: SampleSet, given: dict, apart: bool = False, share: float = 1) -> Scanned:
    """All single changes; apart: each asked for by itself, so that only its two letters are tried."""
    settings = settings_of(given)
    asked = VariantSettings(settings, settings.outputs, 10_000, seed=1, share=share)
    sites = [(p, ((ref, alt),)) for p, ref, alt in CHANGES] if apart else list(single_sites(samples))
    return scan_anchor(MODEL, samples, sites, asked)


def output_of(word: str) -> float:
    """A slow twin of the output that is held."""
    weight, bias = (values.detach().double().numpy() for values in (MODEL.output.weight, MODEL.output.bias))
    return float((weight[1] - weight[0]) @ hidden_units(MODEL)(word) + bias[1] - bias[0])


def put(word: str, position: int, letter: int) -> str:
    return word[:position] + "ACGT"[letter] + word[position + 1 :]


class Truth:
    """Of every change what the listed law says: effect, flips, free energy, and effect at beta 0."""

    def __init__(self, given: dict, rows: np.ndarray | None = None) -> None:
        """Of another background (L, 4), if one is given."""
        self.listed, words = listed_law("tethered" if given else "published")
        law_now, background = self.listed.law(BETA), self.listed.law(0.0)
        if rows is not None:
            background = np.prod(rows[np.arange(len(ANCHOR)), words], axis=1)
            law_now = background * np.exp(-BETA * self.listed.energy)
            law_now /= law_now.sum()
        outputs = {word: output_of(word) for word in self.listed.words}
        rows = [self._of(change, law_now, background, outputs) for change in CHANGES]
        self.in_anchor, self.effect, self.flips, self.free_energy, self.effect_beta_0 = np.array(rows).T

    def _of(self, change: tuple[int, int, int], p: np.ndarray, q: np.ndarray, outputs: dict) -> tuple[float, ...]:
        position, ref, alt = change
        words = self.listed.words
        effect = np.array([outputs[put(w, position, alt)] - outputs[put(w, position, ref)] for w in words])
        here = outputs[put(ANCHOR, position, alt)] - outputs[ANCHOR]
        masses = [[law[[w[position] == "ACGT"[x] for w in words]].sum() for x in (ref, alt)] for law in (p, q)]
        charge = -np.log2(masses[0][1] / masses[0][0]) + np.log2(masses[1][1] / masses[1][0])
        return here, p @ effect, p @ (effect * here < 0), charge, q @ effect


@pytest.mark.parametrize("apart", [False, True], ids=["four letters", "two letters"])
@pytest.mark.parametrize("given", thinned(list(LAWS.values()), 2), ids=LAWS)
def test_over_many_runs_errors_are_what_they_say(given: dict, apart: bool) -> None:
    truth, scores = Truth(given), {name: [] for name in ("effect", "free_energy", "effect_beta_0")}
    for seed in range(10):
        found = scan(drawn(given, seed), given, apart)
        for name, all_scores in scores.items():
            values, errors = (
                np.array([float(getattr(getattr(e, name), part)) for e in found.effects]) for part in ("value", "error")
            )
            all_scores.append((values - getattr(truth, name)) / errors)
        np.testing.assert_allclose([e.in_anchor for e in found.effects], truth.in_anchor, atol=1e-5)
    for name in ("effect", "free_energy"):
        assert 0.8 < np.std(scores[name]) < 1.25, name
        assert abs(np.mean(scores[name])) < 0.3, name
    assert np.abs(scores["effect_beta_0"]).max() < 5


@pytest.mark.parametrize("given", LAWS.values(), ids=LAWS)
def test_many_draws_come_to_the_listed_values(given: dict) -> None:
    truth, found = Truth(given), scan(drawn(given, 3, 8, 500), given)
    for name in ("effect", "flips", "free_energy"):
        values, errors = (
            np.array([float(getattr(getattr(e, name), part)) for e in found.effects]) for part in ("value", "error")
        )
        assert np.abs((values - getattr(truth, name)) / errors).max() < 5, name
        assert np.corrcoef(values, getattr(truth, name))[0, 1] > 0.99, name


def firmer_rows(given: dict, share: float) -> np.ndarray:
    """The background (L, 4) of contexts, by all words of the listed law rather than by draws."""
    listed, words = listed_law("tethered")
    law_now, codes = listed.law(BETA), encode(ANCHOR)
    rows = np.array(anchored_law(MODEL, anchor(ANCHOR), settings_of(given)).terms.background)
    same = words == codes
    held = np.square(np.maximum(law_now @ same - rows[np.arange(len(ANCHOR)), codes], 0))

    def left(strength: float) -> float:
        weights = np.exp(strength * (same @ held - held.sum()))
        return float((law_now @ weights) ** 2 / (law_now @ weights**2)) - share

    rows[np.arange(len(ANCHOR)), codes] *= np.exp(brentq(left, 0, 1e6) * held)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def test_contexts_near_the_anchor_are_draws_of_a_firmer_tether(monkeypatch: pytest.MonkeyPatch) -> None:
    """Effects, flips and free energies are the listed ones of that law, and far from those of the draws' own."""
    monkeypatch.setattr(contexts, "STRONGEST", 1e6)  # the law of five letters holds little
    given, scores, apart = LAWS["tethered"], list[float](), list[float]()
    own, truth = Truth(given), Truth(given, firmer_rows(given, 0.5))
    for seed in range(10):
        found = scan(drawn(given, seed, 8, 500), given, share=0.5)
        assert found.contexts.effective == pytest.approx(2000, abs=1)
        assert len(found.contexts.blocks) == 2000
        for name in ("effect", "free_energy"):
            values, errors = (
                np.array([float(getattr(getattr(e, name), part)) for e in found.effects]) for part in ("value", "error")
            )
            scores += list((values - getattr(truth, name)) / errors)
            apart += list((values - getattr(own, name)) / errors)
    assert 0.8 < np.std(scores) < 1.25
    assert abs(np.mean(scores)) < 0.3
    assert np.std(apart) > 2


def test_where_draws_hold_nothing_contexts_are_as_drawn() -> None:
    background = np.full((len(ANCHOR), 4), 0.25)
    codes = np.random.default_rng(1).integers(0, 4, (8, 1000, len(ANCHOR)), np.uint8)
    samples = sample_set(codes, background, anchor=encode(ANCHOR), energy=np.zeros((8, 1000)), beta=BETA)
    found = contexts_of(samples, 200)
    assert found.firmer < 1.05
    assert found.effective > 7990
    assert len(found.codes) == 200
    assert set(np.bincount(found.blocks)) <= {12, 13}  # of 16 blocks
    np.testing.assert_allclose(found.samples.background, background, atol=0.01)
    plain = contexts_of(samples, 200, 1)
    assert (plain.firmer, plain.effective) == (1, pytest.approx(8000))
    np.testing.assert_array_equal(plain.samples.background, background)


FAULTS = ("", "every context", "background kept", "beta of the other sign", "own letter stays")


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_estimators_are_told(fault: str) -> None:
    """A slow twin on the same draws says the same; with a fault it is far from the listed law."""
    given: dict = {}
    truth, samples = Truth(given), drawn(given, 3, 8, 400)
    found = scan(samples, given, apart=True)
    energy, words = dict(zip(truth.listed.words, truth.listed.energy, strict=True)), truth.listed.words
    draws = Counter("".join("ACGT"[code] for code in row) for row in contexts_of(samples, 10_000, 1).codes)
    assert set(draws) <= set(words)
    bits, errors = [], [float(e.free_energy.error) for e in found.effects]
    for position, ref, alt in CHANGES:
        q, total = samples.background[position], np.zeros(2)
        for word, count in draws.items():
            if word[position] in ("ACGT"[ref], "ACGT"[alt]) or fault == "every context":
                tried = [word if fault == "own letter stays" else put(word, position, x) for x in (ref, alt)]
                sign = 1 if fault == "beta of the other sign" else -1
                weights = q[[ref, alt]] * np.exp(sign * BETA * np.array([energy[each] for each in tried]))
                total += count * weights / weights.sum()
        constant = 0.0 if fault == "background kept" else np.log2(q[alt] / q[ref])
        bits.append(-np.log2(total[1] / total[0]) + constant)
    off = np.abs(np.array(bits) - truth.free_energy) / errors
    if fault:
        assert off.max() > 6
    else:
        assert off.max() < 5
        same = np.array([float(e.free_energy.value) for e in found.effects])
        assert np.abs(bits - same).max() < 0.5 * max(errors)  # but for the jackknife's correction of bias


def test_compiled_and_full_passes_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = drawn({}, 1)
    compiled = scan(samples, {})
    monkeypatch.setattr(variants, "LEAST_COMPILED", 1000)
    full = scan(samples, {})
    assert (compiled.kernel, full.kernel, full.drift) == (COMPILED, FULL, None)
    assert compiled.drift is not None
    for one, other in zip(compiled.effects, full.effects, strict=True):
        assert float(one.effect.value) == pytest.approx(float(other.effect.value), abs=1e-6)
        assert float(one.free_energy.value) == pytest.approx(float(other.free_energy.value), abs=1e-3)


def test_a_compiled_chain_that_says_otherwise_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = drawn({}, 1)
    right = scan(samples, {}).effects[0].in_anchor
    broken = variants.single_changes
    monkeypatch.setattr(variants, "single_changes", lambda *given: broken(*given) * np.float32(1.3))
    found = scan(samples, {})
    assert found.kernel == FULL
    assert found.effects[0].in_anchor == pytest.approx(right, abs=1e-6)


def test_a_representation_is_asked_once_a_batch() -> None:
    calls = []

    class Counting:
        input_length, head = MODEL.input_length, MODEL.head

        def representation(self, one_hot):  # type: ignore[no-untyped-def]
            calls.append(len(one_hot))
            return MODEL.representation(one_hot)

        def __call__(self, one_hot):  # type: ignore[no-untyped-def]
            return self.head(self.representation(one_hot))

    samples, settings = drawn({}, 1), settings_of({})
    asked = VariantSettings(settings, settings.outputs, 40, seed=1, share=1)
    scan_anchor(Counting(), samples, [(2, ((3, 0),))], asked)  # no stack, so that all is by full passes
    put_into = contexts_of(samples, 40, 1).codes
    needed = sum(1 + (row[2] != 3) + (row[2] != 0) for row in put_into)
    most = 2 + needed + 3 * asked.backgrounds + 2  # the anchor and its change; two to find how many fit, and its view
    assert sum(calls) <= most


def test_positions_that_are_held_have_no_free_energy_and_errors_are_never_nothing() -> None:
    samples = drawn({}, 1)
    samples.mutable[1] = False
    settings = settings_of({})
    asked = VariantSettings(settings, settings.outputs, 100, seed=1, share=1)
    held, free = (scan_anchor(MODEL, samples, [(p, ((0, 1),))], asked).effects[0] for p in (1, 4))
    assert np.isnan(held.free_energy.value)
    assert np.isfinite(free.free_energy.value)
    for flips in (held.flips, free.flips):
        assert flips.error != 0
    assert [p for p, _ in single_sites(samples)] == [0, 2, 3, 4]


@pytest.mark.parametrize("kind", ["near", "more", "less"])
def test_of_the_laws_of_an_output_they_are_listed_too(kind: str) -> None:
    """Near an output, and of a mean output above and below the background's, which is drawn by the output times -1."""
    words, outputs = listed_law("published")[1], law(BETA).outputs
    output, beta = evaluate(output_term(MODEL, outputs), words), 4.0
    energy = {"near": np.square(output - 0.3), "more": -output, "less": output}[kind]
    law_kind = LAWS_OF["near" if kind == "near" else "output"]
    settings = LawSettings(outputs, law(BETA).background, 0.6, beta, kind=law_kind, to=0.3)
    background = anchored_law(MODEL, anchor(ANCHOR), settings).terms.background
    weight = np.prod(background[np.arange(len(ANCHOR)), words], axis=1) * np.exp(-beta * energy)
    rows = np.random.default_rng(3).choice(len(words), (8, 100), p=weight / weight.sum())
    given = {"anchor": encode(ANCHOR), "energy": energy[rows], "output": output[rows], "beta": beta}
    samples = sample_set(words[rows], background, **given)
    asked = VariantSettings(settings, outputs, 800, 1, share=1)
    found = scan_anchor(MODEL, samples, list(single_sites(samples)), asked)
    assert found.kernel == COMPILED
    z = []
    for (p, ref, alt), effect in zip(CHANGES, found.effects, strict=True):
        mass = [weight[words[:, p] == letter].sum() / background[p, letter] for letter in (ref, alt)]
        z.append((effect.free_energy.value + np.log2(mass[1] / mass[0])) / effect.free_energy.error)
    assert np.sqrt(np.mean(np.square(z))) < 2
