"""From a network and anchors to draws: the law by listing, the beta that is found, what draws do not depend on."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from exact import ODD, law_probability
from small import SKEWED, Listed, anchor, anchors, law, run, small_model

from maxent_cli.alphabet import encode, is_gc
from maxent_cli.analysis.diagnostics import ess_mean, mcse_mean
from maxent_cli.analysis.free_energy import bits_held
from maxent_cli.analysis.information import information_of
from maxent_cli.data import SampleSet
from maxent_cli.engine.proposals import SINGLE_LETTERS
from maxent_cli.engine.sampling import Block, Journal
from maxent_cli.engine.tuning import tune
from maxent_cli.errors import InputError
from maxent_cli.interpret import sampling
from maxent_cli.interpret.sampling import LONGER, MOVES, Sampling, over_anchors, ready, sample_anchor, sample_potentials

ANCHOR = "GATCA"
MODEL = small_model()
BETA = 80.0  # about 0.3 of the mean energy is kept out


def probability(samples: SampleSet, listed: Listed, beta: float) -> float:
    """p-value of the draws under the listed law, counted as their effective number."""
    counts = listed.counts(samples.codes)
    independent = min(1.0, ess_mean(samples.energy) / counts.sum())
    assert independent > 0.5
    return law_probability(counts * independent, listed.law(beta))


WEIGHTED = (((0, 0.5), (1, -2.0)),)
TWO_SUMS = (((0, 0.5), (1, 1.0)), ((1, -2.0),))
LAWS = {
    "published": {},
    "tethered": {"tether": 0.4},
    "one output": {"output": "0"},
    "two outputs": {"output": "0,1"},
    "an output and a difference": {"output": "0,1-0"},
    "weighted sum": {"output": WEIGHTED},
    "two weighted sums": {"output": TWO_SUMS},
    "mu": {"mu": 0.8},
    "tether and mu": {"tether": 0.3, "mu": -0.8},
}


@pytest.mark.parametrize("given", LAWS.values(), ids=LAWS)
def test_draws_follow_the_listed_law(given: dict) -> None:
    samples = sample_anchor(MODEL, anchor(ANCHOR), law(BETA, **given), run(thin=40))
    listed = Listed(MODEL, ANCHOR, **given)
    assert probability(samples, listed, BETA) > ODD
    assert probability(samples, listed, 0.5 * BETA) < ODD  # so many draws can tell
    np.testing.assert_allclose(samples.energy, listed.energy[rows(samples)], atol=1e-5)


def rows(samples: SampleSet) -> np.ndarray:
    return samples.codes.astype(int) @ 4 ** np.arange(samples.codes.shape[-1])[::-1]


@pytest.mark.parametrize(
    "given", [{"moves": SINGLE_LETTERS}, {"replicas": 1, "moves": SINGLE_LETTERS}, {"replicas": 1}]
)
@pytest.mark.parametrize("start", ["anchor", "background", "both"])
def test_the_law_does_not_depend_on_how_it_is_drawn_from(given: dict, start: str) -> None:
    samples = sample_anchor(MODEL, anchor(ANCHOR), law(BETA), run(thin=40, start=start, **given))
    assert probability(samples, Listed(MODEL, ANCHOR), BETA) > ODD


def test_a_network_that_is_no_stack_follows_the_same_law_by_full_passes() -> None:
    plainly = {"chains": 60, "replicas": 2, "draws": 20, "moves": SINGLE_LETTERS}
    samples = sample_anchor(Opaque(), anchor(ANCHOR), law(BETA), run(**plainly))
    assert samples.kernel.startswith("full passes (")
    assert probability(samples, Listed(MODEL, ANCHOR), BETA) > ODD
    assert samples.drift == 0


def test_scattered_redraws_by_full_passes_follow_the_same_law_and_go_on_as_if_never_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "learns", lambda _: False)
    blocks: list[Block] = []
    asked = (Opaque(), anchor(ANCHOR), law(BETA), run(chains=60, replicas=2, draws=20))
    setting, tuned = sampling.warmed_up(sampling.prepare(*asked, 1))
    assert setting.scattering is not None
    assert tuned.scattered != 1
    samples = sample_anchor(*asked, journal=Journal(iter(()), blocks.append))
    assert samples.kernel.startswith("full passes (")
    assert probability(samples, Listed(MODEL, ANCHOR), BETA) > ODD
    assert same(samples, sample_anchor(*asked, threads=2, journal=Journal(iter(blocks[:7]), lambda _: None)))


def test_a_network_that_cannot_be_read_has_a_student_and_follows_the_same_law(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = (Opaque(), anchor(ANCHOR), law(BETA), run(), 1)
    assert sampling.prepare(*asked).kernel_name.startswith("full passes (")  # too few positions for a student
    monkeypatch.setattr(sampling, "LEAST_TAUGHT", 0)
    blocks: list[Block] = []
    asked = (Opaque(), anchor(ANCHOR), law(BETA), run(chains=30, replicas=2, draws=20))
    samples = sample_anchor(*asked, journal=Journal(iter(()), blocks.append))
    assert re.fullmatch(r"surrogate \(a student; \d+ steps at once, \d+% accepted\)", samples.kernel)
    assert probability(samples, Listed(MODEL, ANCHOR), BETA) > ODD
    assert same(samples, sample_anchor(*asked, threads=2, journal=Journal(iter(blocks[:7]), lambda _: None)))


def test_a_surrogate_follows_the_same_law_and_a_run_goes_on_with_it_as_if_it_had_never_stopped() -> None:
    blocks: list[Block] = []
    asked = (Unread(), anchor(ANCHOR), law(BETA), run(chains=30, replicas=2, draws=20))
    samples = sample_anchor(*asked, journal=Journal(iter(()), blocks.append))
    assert re.fullmatch(r"surrogate \(cut after 1 convolution; \d+ steps at once, \d+% accepted\)", samples.kernel)
    assert probability(samples, Listed(MODEL, ANCHOR), BETA) > ODD
    assert samples.drift == 0
    for done in (7, len(blocks)):
        new: list[Block] = []
        again = sample_anchor(*asked, threads=2, journal=Journal(iter(blocks[:done]), new.append))
        assert len(new) == len(blocks) - done
        assert same(samples, again)


def test_where_a_surrogate_is_to_serve_the_compiled_chain_is_not_tried_but_for_want_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried, real = list[str](), sampling.compiled
    monkeypatch.setattr(sampling, "compiled", lambda *given: tried.append("once") or real(*given))
    monkeypatch.setattr(sampling, "MOST_COMPILED", 0)
    setting = sampling.prepare(MODEL, anchor(ANCHOR), law(BETA), run(), 1)
    assert (setting.kernel_name, tried) == ("surrogate", [])
    assert setting.plain.kernel_name == "compiled"
    assert tried == ["once"]


def test_a_network_of_too_many_values_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST_HELD", 1000)
    setting = sampling.prepare(MODEL, anchor(ANCHOR), law(BETA), run(), 1)
    assert setting.kernel_name == "surrogate"
    assert setting.plain.kernel_name == "full passes (the compiled chain would hold 0.0 GiB)"


def test_a_surrogate_that_is_of_no_help_gives_way_to_full_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "LEAST_ACCEPTED", 1.1)
    samples = sample_anchor(Unread(), anchor(ANCHOR), law(BETA), run(chains=20, replicas=2, draws=4))
    assert re.fullmatch(r"full passes \(.*\); \d+% of a surrogate's proposals were accepted", samples.kernel)


class Opaque(torch.nn.Module):
    """The small network behind code that no layer plan can be read off."""

    input_length = len(ANCHOR)

    def representation(self, inputs: torch.Tensor) -> torch.Tensor:
        return MODEL.representation(inputs) if float(inputs.sum()) >= 0 else inputs

    def head(self, representation: torch.Tensor) -> torch.Tensor:
        return MODEL.head(representation)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.head(self.representation(inputs))


class Unread(Opaque):
    """The same, whose modules can be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = MODEL


def test_the_numbers_of_a_sample_set_are_those_of_the_list() -> None:
    samples = sample_anchor(MODEL, anchor(ANCHOR), law(BETA), run())
    listed = Listed(MODEL, ANCHOR)
    assert samples.energy_background == pytest.approx(listed.mean_energy(0), rel=0.05)
    error = float(mcse_mean(samples.energy))
    assert samples.energy.mean() == pytest.approx(listed.mean_energy(BETA), abs=4.5 * error)
    assert (samples.beta, samples.thin, samples.name) == (BETA, 20, "a0")
    assert samples.codes.shape == (40, 100, 5)
    assert 0 < samples.acceptance < 1
    assert samples.replicas.betas[0] == 0
    assert (np.diff(samples.replicas.betas) > 0).all()
    assert samples.replicas.betas[-1] == BETA
    assert samples.replicas.letters.sum(axis=-1).tolist() == np.full((40, 4, 5), 100).tolist()


@pytest.mark.parametrize("replica", range(4))
def test_every_replica_has_its_own_law(replica: int) -> None:
    replicas = sample_anchor(MODEL, anchor(ANCHOR), law(BETA), run(thin=40)).replicas
    listed, beta = Listed(MODEL, ANCHOR), float(replicas.betas[replica])
    energy = replicas.energy[..., replica]
    assert energy.mean() == pytest.approx(listed.mean_energy(beta), abs=4.5 * float(mcse_mean(energy)))
    share = replicas.letters[:, replica].sum(axis=0) / 4000
    letters = np.array([encode(word) for word in listed.words])
    expected = [[listed.law(beta) @ (letters[:, p] == code) for code in range(4)] for p in range(5)]
    np.testing.assert_allclose(share, expected, atol=4.5 * np.sqrt(0.25 / 3000))


@pytest.mark.parametrize("keep", [0.25, 0.5, 0.7])
@pytest.mark.parametrize("given", [{}, {"tether": 0.4}], ids=["published", "tethered"])
def test_the_found_beta_keeps_the_asked_share(keep: float, given: dict) -> None:
    samples = sample_anchor(MODEL, anchor(ANCHOR), law(None, keep=keep, **given), run(warmup=4800, draws=100))
    listed = Listed(MODEL, ANCHOR, **given)
    assert 1 - listed.mean_energy(samples.beta) / listed.mean_energy(0) == pytest.approx(keep, abs=0.03)


def test_where_warm_up_has_left_the_beta_far_off_a_longer_one_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def far_off(*given, **more):
        steps.append(given[-1])
        found = tune(*given, **more)
        return found if len(steps) > 1 else found._replace(betas=4 * found.betas)

    steps: list[int] = []
    monkeypatch.setattr(sampling, "tune", far_off)
    samples = sample_anchor(MODEL, anchor(ANCHOR), law(None, keep=0.5), run(warmup=2400, draws=100))
    listed = Listed(MODEL, ANCHOR)
    assert steps == [2400, LONGER * 2400]
    assert 1 - listed.mean_energy(samples.beta) / listed.mean_energy(0) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("given", [{}, {"tether": 0.4}], ids=["published", "tethered"])
def test_bits_held_are_those_of_the_list(given: dict) -> None:
    replicas = sample_anchor(MODEL, anchor(ANCHOR), law(BETA, **given), run(thin=40, draws=200)).replicas
    held, listed = bits_held(replicas.betas, replicas.energy), Listed(MODEL, ANCHOR, **given)
    expected = [listed.bits(float(beta)) for beta in replicas.betas]
    assert 0 < held.error[-1] < 0.1 * expected[-1]
    np.testing.assert_array_less(np.abs(held.value - expected), 4.5 * held.error + 1e-12)


@pytest.mark.parametrize("draws", [10, 100, 1000])
def test_beta_0_is_the_background_and_holds_no_bits(draws: int) -> None:
    samples = sample_anchor(MODEL, anchor(ANCHOR), law(0.0), run(chains=10, draws=draws, thin=10))
    bits = information_of(samples)
    assert abs(bits.total) < 4.5 * bits.total_error
    held = bits_held(samples.replicas.betas, samples.replicas.energy)
    assert held.value.tolist() == [0, 0, 0, 0]
    shares = [(samples.codes == code).mean() for code in range(4)]
    np.testing.assert_allclose(shares, SKEWED, atol=4.5 * 0.5 / np.sqrt(10 * draws * 5 / 2))
    content = is_gc(samples.codes).sum(axis=-1)
    assert content.mean() == pytest.approx(5 * 0.3, abs=4.5 * float(mcse_mean(content)))
    assert content.var() == pytest.approx(5 * 0.3 * 0.7, abs=4.5 * 1.5 / np.sqrt(10 * draws / 2))


def test_beta_0_of_a_tether_is_the_tethered_background() -> None:
    samples = sample_anchor(MODEL, anchor(ANCHOR), law(0.0, tether=0.4), run())
    kept = (samples.codes == encode(ANCHOR)).mean()
    assert kept == pytest.approx(0.4, abs=4.5 * np.sqrt(0.24 / 10_000))
    bits = information_of(samples)
    assert abs(bits.total) < 4.5 * bits.total_error


def test_distinguishable_is_the_anchors_output_outside_the_central_95_per_cent() -> None:
    listed = Listed(MODEL, ANCHOR)
    outputs = MODEL.output.weight.detach().double().numpy()
    from small import hidden_units

    represent = hidden_units(MODEL)
    shift = MODEL.output.bias.detach().double().numpy()
    margins = np.array([(outputs[1] - outputs[0]) @ represent(word) for word in listed.words]) + shift[1] - shift[0]
    order = np.argsort(margins)
    below = np.cumsum(listed.law(0.0)[order])
    extreme, middle = (listed.words[order[np.searchsorted(below, share)]] for share in (0.999, 0.5))
    samples = {word: sample_anchor(MODEL, anchor(word), law(1.0), run(chains=2, draws=4)) for word in (extreme, middle)}
    assert samples[extreme].distinguishable
    assert not samples[middle].distinguishable
    points = margins[order[np.searchsorted(below, [0.025, 0.5, 0.975])]]
    np.testing.assert_allclose(samples[middle].output_background, points, atol=0.2 * margins.std())


def same(first: SampleSet, second: SampleSet) -> bool:
    return bool((first.codes == second.codes).all() and (first.energy == second.energy).all())


def draw_all(*words: str, threads: int, names: tuple[str, ...] = (), seed: int = 1) -> list[SampleSet]:
    task = lambda anchor, n: sample_anchor(MODEL, anchor, law(None, keep=0.5), run(draws=10, seed=seed), n)  # noqa: E731
    ready(MODEL)
    return list(over_anchors(task, anchors(*words, names=names), threads))


def test_draws_depend_on_no_thread_count_and_no_neighbour() -> None:
    words = ("GATCA", "CCGTA", "TTTGC")
    whole = draw_all(*words, threads=1)
    assert [samples.name for samples in whole] == ["a0", "a1", "a2"]
    assert [samples.beta for samples in whole] == [samples.beta for samples in draw_all(*words, threads=2)]
    assert all(map(same, whole, draw_all(*words, threads=2)))
    assert all(map(same, whole, draw_all(*words, threads=5)))
    (alone,) = draw_all("TTTGC", threads=1, names=("a2",))
    assert same(whole[2], alone)


def test_threads_that_start_together_read_the_network_alike() -> None:
    for _ in range(5):
        model = small_model()
        task = lambda anchor, n, model=model: sample_anchor(model, anchor, law(40.0), run(draws=4, warmup=0), n)  # noqa: E731
        ready(model)
        found = list(over_anchors(task, anchors(*["GATCA"] * 8), 8))
        assert {samples.kernel for samples in found} == {"compiled"}


def test_identical_records_draw_the_same_and_others_do_not() -> None:
    first, again, named, turned = draw_all(ANCHOR, ANCHOR, ANCHOR, ANCHOR[::-1], threads=2, names=("x", "x", "y", "x"))
    assert same(first, again)
    assert not same(first, named)
    assert not same(first, turned)
    assert not same(first, draw_all(ANCHOR, threads=1, names=("x",), seed=2)[0])


def test_chains_start_where_they_are_asked_to() -> None:
    kept = {}
    for start in ("anchor", "background", "both"):
        settings = run(chains=60, replicas=1, draws=4, thin=1, warmup=0, start=start, moves=SINGLE_LETTERS)
        samples = sample_anchor(small_model(40), anchor("GATTACA" * 5 + "CCCCC"), law(0.0), settings)
        kept[start] = (samples.codes[:, 0] == samples.anchor).mean(axis=1)
    assert kept["anchor"].min() >= 39 / 40  # one step has changed at most one letter
    assert kept["background"].max() < 0.7
    assert kept["both"][::2].min() >= 39 / 40
    assert kept["both"][1::2].max() < 0.7


def test_fields_are_drawn_at_the_beta_of_none() -> None:
    potentials = (-1.0, 0.0, 1.0)
    sample = lambda law: sample_anchor(MODEL, anchor(ANCHOR), law, run(thin=40))  # noqa: E731
    low, none, high = sample_potentials(sample, law(None, keep=0.3), potentials)
    assert low.beta == none.beta == high.beta
    for samples, mu in ((low, -1.0), (none, 0.0), (high, 1.0)):
        assert probability(samples, Listed(MODEL, ANCHOR, mu=mu), none.beta) > ODD
    assert probability(high, Listed(MODEL, ANCHOR), none.beta) < ODD
    assert probability(high, Listed(MODEL, ANCHOR, mu=0.7), none.beta) < ODD


def test_a_network_that_does_not_read_its_input_is_an_error() -> None:
    model = small_model()
    with torch.no_grad():
        model.layers[0].weight.zero_()
    with pytest.raises(InputError, match="the energy of background sequences is always the same"):
        sample_anchor(model, anchor(ANCHOR), law(1.0), run())


def test_an_error_in_one_anchor_ends_the_run() -> None:
    def task(anchor, _):
        if anchor.name == "a1":
            raise InputError("anchors.fa", "a1", "is odd", "leave it out")
        return anchor.name

    with pytest.raises(InputError, match="a1: is odd"):
        list(over_anchors(task, anchors(*["ACGT"] * 6), 2))


def test_settings_are_left_as_given() -> None:
    settings = law(None, keep=0.5)
    before = replace(settings)
    sample_anchor(MODEL, anchor(ANCHOR), settings, run(draws=4))
    assert settings == before
    assert not MODEL.training
    assert all(weights.requires_grad for weights in MODEL.parameters())


def test_moves_are_values_and_a_name_stands_for_one() -> None:
    assert Sampling(moves="letters") == Sampling(moves=SINGLE_LETTERS)  # type: ignore[arg-type]
    assert Sampling(moves="all") == Sampling()  # type: ignore[arg-type]
    with pytest.raises(InputError, match="moves: there are none named sideways; give all or letters"):
        Sampling(moves="sideways")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="does not support item assignment"):
        MOVES["mine"] = SINGLE_LETTERS  # type: ignore[index]
