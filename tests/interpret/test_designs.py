"""Laws of a mean output, laws near an output, and optima, on supports, against lists of every sequence."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.optimize import brentq
from small import SKEWED, anchor, law, run, small_model, twin_energy, words

from maxent_cli.alphabet import decode, encode
from maxent_cli.analysis.designs import edited, number_of_edits
from maxent_cli.analysis.free_energy import bits_of_law
from maxent_cli.analysis.listing import agreement
from maxent_cli.data import SampleSet
from maxent_cli.engine import full_passes, incremental
from maxent_cli.engine.support import Support, no_support
from maxent_cli.errors import InputError, SettingsError
from maxent_cli.interpret import sampling
from maxent_cli.interpret.annealing import anneal
from maxent_cli.interpret.constraints import Constraints, log_share_inside
from maxent_cli.interpret.edits import smallest_sets
from maxent_cli.interpret.law import Law, LawSettings, evaluate, output_term
from maxent_cli.interpret.sampling import Sampling, sample_anchor
from maxent_cli.laws import LAWS, Energy, beta_of_spread

LENGTH = 5
MODEL = small_model(LENGTH)
WORDS = words(LENGTH)
CODES = np.array([encode(word) for word in WORDS])
ASKED = law(None)
OUTPUT = evaluate(output_term(MODEL, ASKED.outputs), CODES)
ANCHOR = "CCACA"
CONSTRAINTS = Constraints(("GA",), gc=(0.2, 0.6))
INSIDE = np.array(["GA" not in w and "TC" not in w and 1 <= sum(x in "GC" for x in w) <= 3 for w in WORDS])
BACKGROUND = np.array([np.prod([SKEWED["ACGT".index(letter)] for letter in word]) for word in WORDS]) * INSIDE
MEAN = float(BACKGROUND @ OUTPUT / BACKGROUND.sum())
SPREAD = float(np.sqrt(BACKGROUND @ (OUTPUT - MEAN) ** 2 / BACKGROUND.sum()))
ODD = 1e-5


def tilted(gamma: float) -> np.ndarray:
    weight = BACKGROUND * np.exp(gamma * (OUTPUT - MEAN))
    return weight / weight.sum()


def gamma_of(to: float) -> float:
    most = 20 / SPREAD
    return float(brentq(lambda gamma: tilted(gamma) @ OUTPUT - to, -most, most))


def bits_of(law_listed: np.ndarray, background: np.ndarray) -> float:
    some, share = law_listed > 0, background / background.sum()
    return float(np.sum(law_listed[some] * np.log2(law_listed[some] / share[some])))


def probability(samples: SampleSet, listed: np.ndarray) -> float:
    """p-value of the draws; 0 where one is that cannot be."""
    numbers = samples.codes.astype(np.int64) @ 4 ** np.arange(LENGTH)[::-1]
    if (listed[numbers.ravel()] == 0).any():
        return 0.0
    counts = np.array([np.bincount(chain, minlength=len(WORDS)) for chain in numbers])
    possible = listed > 0
    return agreement(counts[:, possible], listed[possible]).p


def designed(to: float, asked: Sampling | None = None, **given: object) -> SampleSet:
    settings = law(None, kind=LAWS["output"], to=to, constraints=CONSTRAINTS)
    return sample_anchor(MODEL, anchor(ANCHOR), replace(settings, **given), asked or run(thin=40))


UP, DOWN = MEAN + SPREAD, MEAN - 0.8 * SPREAD
designs = cache(designed)


@pytest.mark.parametrize("to", [UP, DOWN], ids=["more", "less"])
def test_the_mean_output_is_found_with_its_gamma_price_and_law(to: float) -> None:
    gamma, samples = gamma_of(to), designs(to)
    assert samples.output.mean() == pytest.approx(to, abs=1e-3 * SPREAD)
    assert samples.beta == pytest.approx(abs(gamma), abs=4.5 * samples.beta_error)
    assert samples.beta_error < 0.1 * abs(gamma)
    assert samples.energy_background == pytest.approx(-MEAN if to > MEAN else MEAN, abs=0.2 * SPREAD)
    price = bits_of_law(samples)
    assert float(price.value) == pytest.approx(bits_of(tilted(gamma), BACKGROUND), abs=4.5 * float(price.error))
    numbers = samples.codes.reshape(-1, LENGTH).astype(int) @ 4 ** np.arange(LENGTH)[::-1]
    np.testing.assert_allclose(samples.output.ravel(), OUTPUT[numbers], atol=1e-5)
    assert probability(samples, tilted(gamma)) > ODD
    assert samples.anchor_output == pytest.approx(OUTPUT[WORDS.index(ANCHOR)], abs=1e-6)


def test_the_mean_of_the_background_needs_no_gamma() -> None:
    samples = designed(MEAN)
    assert abs(samples.output.mean() - MEAN) < 0.2 * SPREAD
    assert samples.beta < 0.3 / SPREAD


def _one_strand(constraints: Constraints, length: int) -> Support | None:
    right = Constraints.support(constraints, length)
    assert right is not None
    after = right.after.copy()
    after[after == len(after) - 1] = np.where(np.nonzero(after == len(after) - 1)[1] == 1, 0, len(after) - 1)
    return right._replace(after=after)


BROKEN: dict[str, Callable[[pytest.MonkeyPatch], dict[str, object]]] = {
    "gamma has the wrong sign": lambda _: {
        "kind": replace(LAWS["output"], energy=lambda around: Energy(around.output, around.anchor_output))
    },
    "the reverse complement is forgotten": lambda _: {"constraints": _OneStrand(("GA",), gc=(0.2, 0.6))},
    "limits on G and C are forgotten": lambda _: {"constraints": Constraints(("GA",))},
    "constraints are looked at where chains start alone": lambda patch: (
        patch.setattr(
            incremental, "constraints_of", lambda _: incremental.KnownConstraints(incremental.no_field(), no_support())
        )
        or {}
    ),
}


class _OneStrand(Constraints):
    def support(self, length: int) -> Support | None:
        return _one_strand(self, length)


@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_law_is_told_from_the_list(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = BROKEN[name](monkeypatch)
    assert probability(designed(UP, **given), tilted(gamma_of(UP))) < ODD


def test_full_passes_keep_to_the_support_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "compiled", lambda setting, *_: setting)
    short = run(chains=8, draws=20, thin=10, warmup=240)
    settings = law(None, kind=LAWS["output"], to=UP, constraints=CONSTRAINTS)
    plain = replace(short, moves=sampling.SINGLE_LETTERS)  # which learn no surrogate
    samples = sample_anchor(MODEL, anchor(ANCHOR), settings, plain)
    assert samples.kernel == "full passes"
    allowed = set(np.flatnonzero(INSIDE))
    numbers = samples.codes.reshape(-1, LENGTH).astype(int) @ 4 ** np.arange(LENGTH)[::-1]
    assert set(numbers) <= allowed
    monkeypatch.setattr(full_passes, "_constrained", lambda _, codes: codes[:, 0].double() * 0)
    outside = sample_anchor(MODEL, anchor(ANCHOR), settings, plain).codes.reshape(-1, LENGTH)
    assert not set(outside.astype(int) @ 4 ** np.arange(LENGTH)[::-1]) <= allowed


def test_a_surrogate_keeps_to_the_support(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST_COMPILED", 0)
    samples = designed(UP, run(thin=40, chains=16, draws=60))
    assert samples.kernel.startswith("surrogate")
    assert samples.output.mean() == pytest.approx(UP, abs=1e-3 * SPREAD)
    assert probability(samples, tilted(gamma_of(UP))) > ODD


def near(to: float, spread: float, tether: float) -> LawSettings:
    return law(beta_of_spread(spread), kind=LAWS["near"], to=to, tether=tether, constraints=CONSTRAINTS)


@pytest.mark.parametrize("kernel", ["compiled", "surrogate"])
def test_edits_are_those_of_listing(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kernel == "surrogate":
        monkeypatch.setattr(sampling, "MOST_COMPILED", 0)
    own = float(OUTPUT[WORDS.index(ANCHOR)])
    to, spread = own + 1.5 * SPREAD, 0.4 * SPREAD
    few = {"chains": 16, "draws": 60} if kernel == "surrogate" else {}
    samples = sample_anchor(MODEL, anchor(ANCHOR), near(to, spread, 0.8), run(thin=40, **few))
    assert samples.kernel.startswith(kernel)
    share = {letter: SKEWED["ACGT".index(letter)] for letter in "ACGT"}
    odds = lambda a, b: 0.8 if a == b else 0.2 * share[a] / (1 - share[b])  # noqa: E731
    leaning = np.array([np.prod([odds(a, b) for a, b in zip(word, ANCHOR, strict=True)]) for word in WORDS])
    leaning = leaning * INSIDE
    listed = leaning * np.exp(-((OUTPUT - to) ** 2) / (2 * spread**2))
    listed /= listed.sum()
    assert probability(samples, listed) > ODD
    assert probability(samples, leaning / leaning.sum()) < ODD
    exact = listed @ (encode(ANCHOR) != CODES)
    found = edited(samples)
    np.testing.assert_array_less(np.abs(found.probability - exact), 4.5 * np.nan_to_num(found.error) + 2e-3)
    price = bits_of_law(samples)
    assert float(price.value) == pytest.approx(bits_of(listed, leaning), abs=4.5 * float(price.error))
    sets = smallest_sets(samples, to, spread, lambda codes: evaluate(output_term(MODEL, ASKED.outputs), codes), _inside)
    reached = INSIDE & (np.abs(OUTPUT - to) <= spread)
    numbers = (encode(ANCHOR) != CODES).sum(axis=1)
    assert (sets.codes[0] != encode(ANCHOR)).sum() == numbers[reached].min()
    for one in sets.codes:
        assert reached[WORDS.index(decode(one))]


def _inside(codes: np.ndarray) -> np.ndarray:
    return INSIDE[codes.astype(int) @ 4 ** np.arange(LENGTH)[::-1]]


def test_one_output_is_held_while_another_moves() -> None:
    hold, moved = (((0, 1.0),),), (((1, 1.0),),)
    output, distance = evaluate(output_term(MODEL, moved), CODES), twin_energy(MODEL, ANCHOR, hold)
    base = np.log(BACKGROUND, where=INSIDE, out=np.full(len(WORDS), -np.inf))
    base = base - 30.0 * np.array([distance(word) for word in WORDS])
    law_of = lambda gamma: np.exp(base + gamma * output) / np.exp(base + gamma * output).sum()  # noqa: E731
    mean = law_of(0.0) @ output
    to = mean - np.sqrt(law_of(0.0) @ (output - mean) ** 2)
    gamma = brentq(lambda gamma: law_of(gamma) @ output - to, -1000, 1000)
    settings = law(None, output="1", kind=LAWS["output"], to=float(to), constraints=CONSTRAINTS)
    asked = run(chains=16, draws=60, thin=20)
    samples = sample_anchor(MODEL, anchor(ANCHOR), replace(settings, hold=hold, hold_beta=30.0), asked)
    assert samples.output.mean() == pytest.approx(to, abs=2e-3 * abs(gamma) ** -1 + 1e-3)
    assert samples.beta == pytest.approx(abs(gamma), abs=4.5 * samples.beta_error)
    assert probability(samples, law_of(gamma)) > ODD
    assert probability(samples, tilted(0.0)) < ODD
    price = bits_of_law(samples)
    assert float(price.value) == pytest.approx(bits_of(law_of(gamma), law_of(0.0)), abs=4.5 * float(price.error))


def test_a_law_near_an_output_has_a_spread_of_its_own() -> None:
    settings = law(None, kind=LAWS["near"], to=1.0, tether=0.8)
    own = float(OUTPUT[WORDS.index(ANCHOR)])
    setting = sampling.prepare(MODEL, anchor(ANCHOR), settings, run(), 1)
    assert setting.settings.beta == pytest.approx(1 / (2 * (0.1 * (1.0 - own)) ** 2))
    with pytest.raises(SettingsError, match="to: is the anchor's own output, so that no spread follows from it"):
        sampling.prepare(MODEL, anchor(ANCHOR), replace(settings, to=setting.law.anchor_output), run(), 1)


def test_the_best_is_the_best_of_all() -> None:
    settings = law(1.0, kind=LAWS["output"], constraints=CONSTRAINTS)
    found = anneal(MODEL, anchor(ANCHOR), settings, run(chains=8, draws=20))
    best = np.where(INSIDE, OUTPUT, -np.inf)
    assert decode(found.codes[0]) == WORDS[best.argmax()]
    assert found.output[0] == pytest.approx(best.max(), abs=1e-6)
    assert found.chains.sum() == 8 * 4
    assert (np.diff(found.output) <= 0).all()
    for one, value in zip(found.codes, found.output, strict=True):  # none has a better neighbour
        apart = (one != CODES).sum(axis=1)
        assert value >= best[apart == 1].max() - 1e-6
    assert WORDS[np.argmax(OUTPUT)] != WORDS[best.argmax()], "the constraints do not matter here"


def test_an_empty_support_says_what_leaves_nothing() -> None:
    fixed = np.array([False, False, True, True, True])
    rows = np.tile(SKEWED, (LENGTH, 1))
    with pytest.raises(InputError, match="a0: no sequence is left by the forbidden words, for GA stands at 0, where"):
        log_share_inside(anchor("GACCC", mutable=fixed), rows, CONSTRAINTS)
    with pytest.raises(InputError, match="no sequence is left by the limits on G and C; forbid less"):
        log_share_inside(anchor("CCCCC", mutable=~fixed), rows, Constraints(("TTT",), gc=(0.0, 0.5)))
    with pytest.raises(InputError, match="by the forbidden words and the limits on G and C"):
        log_share_inside(anchor(ANCHOR), rows, Constraints(("S",), gc=(0.2, 1.0)))
    share = log_share_inside(anchor(ANCHOR), rows, CONSTRAINTS)
    assert np.exp(share) == pytest.approx(BACKGROUND.sum())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"held": "near"}, "to: is needed by the law near"),
        ({"held": "output"}, "beta or to: is needed by the law output"),
        ({"held": "output", "beta": 1.0, "to": 2.0}, "to: excludes beta"),
        ({"held": "anchor", "to": 2.0}, "to: is nothing that the law anchor has"),
        ({"held": "output", "to": 2.0, "hold": "0"}, "hold-beta: goes with hold"),
        ({"hold": "0", "hold_beta": 2.0}, "hold: is nothing that the law anchor has"),
        ({"held": "output", "to": float("nan")}, "to: nan is not from"),
    ],
)
def test_laws_that_cannot_be_are_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Law(**given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"forbid": ("GX",)}, "forbid: 'GX' is no word that could be forbidden"),
        ({"forbid": ("",)}, "forbid: '' is no word"),
        ({"forbid": ("NN",)}, "forbid: 'NN' is no word"),
        ({"forbid": ("A" * 101,)}, "is no word"),
        ({"forbid": ("ACNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNGTC",)}, "forbid: the words are too many to be read together"),
        ({"sites": ("EcoR",)}, "sites: there is no enzyme named EcoR"),
        ({"gc": (0.6, 0.5)}, "gc-limits: 0.6,0.5 is no range of shares"),
        ({"gc": (float("nan"), 0.5)}, "gc-limits: nan,0.5 is no range"),
    ],
)
def test_constraints_that_cannot_be_are_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Constraints(**given)


def test_an_enzyme_is_its_site_on_both_strands() -> None:
    assert Constraints(sites=("bsai",)).words == {"bsai": "GGTCTC"}
    support = Constraints(sites=("BsaI",)).support(8)
    assert support is not None
    for letters, allowed in (("AGGTCTCA", False), ("AGAGACCA", False), ("AGGTCTTA", True)):
        assert (float(support(sampling.torch.from_numpy(encode(letters)))) == 0) is allowed


@pytest.mark.slow
def test_edits_of_12_letters_are_those_of_listing() -> None:
    model, letters = small_model(12), "GATCATTGCCAG"
    term, own_codes = output_term(model, ASKED.outputs), encode(letters)
    random = np.random.default_rng(1).integers(0, 4, (2000, 12), np.uint8)
    own, deviation = float(evaluate(term, own_codes[None])[0]), float(evaluate(term, random).std())
    to, spread = own + 2 * deviation, 0.5 * deviation
    settings = law(beta_of_spread(spread), kind=LAWS["near"], to=to, tether=0.9)
    rows = np.array([[0.1 * share / (1 - SKEWED[held]) for share in SKEWED] for held in own_codes])
    rows[np.arange(12), own_codes] = 0.9
    tails = np.array(np.meshgrid(*[np.arange(4)] * 8, indexing="ij")).reshape(8, -1).T.astype(np.uint8)
    total, counts, numbers = 0.0, np.zeros(12), np.zeros(13)
    for head in np.ndindex(4, 4, 4, 4):
        codes = np.hstack([np.tile(np.array(head, np.uint8), (len(tails), 1)), tails])
        weight = rows[np.arange(12), codes].prod(axis=1)
        weight *= np.exp(-((evaluate(term, codes) - to) ** 2) / (2 * spread**2))
        edits = codes != own_codes
        total += weight.sum()
        counts += weight @ edits
        numbers += np.bincount(edits.sum(axis=1), weight, 13)
    samples = sample_anchor(model, anchor(letters), settings, run(thin=40))
    found = edited(samples)
    np.testing.assert_array_less(np.abs(found.probability - counts / total), 4.5 * found.error + 1e-3)
    share, error, _ = number_of_edits(samples)
    listed = numbers[: len(share)] / total
    np.testing.assert_array_less(np.abs(share - listed), 4.5 * np.nan_to_num(error) + 2e-3)
    assert np.abs(counts / total - found.background).max() > 0.2, "nothing has to be edited here"
