"""Draws by the ways of a card, with the CPU in its place: cpu:0."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from small import anchor, law, run, small_model

from maxent_cli.data import Anchor, SampleSet
from maxent_cli.engine import card, gathering
from maxent_cli.engine.blocks import BlockRun, Work
from maxent_cli.engine.sampling import Block, Journal
from maxent_cli.interpret import sampling
from maxent_cli.interpret.law import LawSettings
from maxent_cli.interpret.sampling import anchors_together, prepare, sample_anchor
from maxent_cli.laws import LAWS
from maxent_cli.models.architectures import build

MODEL, DEVICE = small_model(8), "cpu:0"
RUN = run(chains=4, replicas=3, draws=12, thin=5, warmup=240, device=DEVICE)
ANCHORS = [anchor(word, f"a{row}") for row, word in enumerate(("GATCCGTA", "ACGTTGCA", "CCGATAGG"))]
KINDS = {
    "anchor": law(None, keep=0.5),
    "output": law(1.0, kind=LAWS["output"], to=None),
    "wanted output": law(None, kind=LAWS["output"], to=0.3),
}


def drawn(anchor: Anchor, settings: LawSettings, device: str = DEVICE, **given: object) -> SampleSet:
    return sample_anchor(MODEL, anchor, settings, replace(RUN, device=device), **given)  # type: ignore[arg-type]


def same(one: SampleSet, other: SampleSet) -> None:
    np.testing.assert_array_equal(one.codes, other.codes)
    np.testing.assert_allclose(one.energy, other.energy, atol=1e-5)
    assert one.beta == pytest.approx(other.beta, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_anchors_beside_each_other_draw_what_each_draws_on_the_cpu(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "compiled", lambda setting, *_: setting)
    monkeypatch.setattr(sampling, "learns", lambda _: False)
    with ThreadPoolExecutor(len(ANCHORS)) as pool:
        found = list(pool.map(lambda one: drawn(one, KINDS[kind]), ANCHORS))
    for one, samples in zip(ANCHORS, found, strict=True):
        same(samples, drawn(one, KINDS[kind], "cpu"))


def test_a_run_goes_on_from_its_blocks() -> None:
    blocks, again = list[Block](), list[Block]()
    whole = drawn(ANCHORS[0], KINDS["anchor"], journal=Journal(iter(()), blocks.append))
    assert len(blocks) > 20
    rest = drawn(ANCHORS[0], KINDS["anchor"], journal=Journal(iter(blocks[:17]), again.append))
    same(whole, rest)
    assert len(again) == len(blocks) - 17


def test_as_many_anchors_go_together_as_memory_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [anchors_together(RUN, 100, memory, 0) for memory in (1.0, 1e7, 2e7, 1e15)]
    assert found[0] == 1 < found[1] < found[2] < found[3] == sampling.MOST_TOGETHER
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (4 * RUN.chains * RUN.replicas * 100 * 600, 0))
    on_card = replace(RUN, device="cuda")
    assert anchors_together(on_card, 100, 1e15, 0) == 4
    assert anchors_together(on_card, 100, 1e15, sampling.LETTER_BYTES * 100 // sampling.BYTES_A_VALUE) == 2


def test_what_a_kernel_keeps_is_of_the_network_or_of_its_first_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    device = torch.device("cuda")
    assert sampling.values_on_card(MODEL, device) == 0
    monkeypatch.setattr(card, "is_ready", lambda _: True)
    whole = sampling.values_on_card(MODEL, device)
    monkeypatch.setattr(card, "launcher", lambda _: seen)
    sizes = list[int]()

    def seen(given: BlockRun, work: Work, *rest: object) -> None:
        sizes.append(work.values.shape[1])
        card.by_one_thread(given, work, *rest)  # type: ignore[arg-type]

    drawn(ANCHORS[0], law(1.0))
    assert whole <= max(sizes) < whole + 16  # units of the last layer are filled up to sixteen
    monkeypatch.setattr(sampling, "MOST_COMPILED", 0)
    assert 0 < sampling.values_on_card(MODEL, device) < whole


def test_where_passes_are_the_price_a_surrogate_runs_on_a_card(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same as on the CPU, where a block of threads takes the steps that the compiled chain takes there."""
    launched = list[int]()

    def launch(given: BlockRun, *rest: object) -> None:
        launched.append(given.thin)
        card.by_one_thread(given, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(card, "is_ready", lambda device: device.index == 0)
    monkeypatch.setattr(card, "launcher", lambda _: launch)
    monkeypatch.setattr(sampling, "MOST_COMPILED", 0)
    monkeypatch.setattr(sampling, "LEAST_ACCEPTED", 0.0)
    found = drawn(ANCHORS[0], law(1.0))
    assert found.kernel.startswith(sampling.SURROGATE)
    assert max(launched) >= RUN.thin
    same(found, drawn(ANCHORS[0], law(1.0), "cpu"))


def test_where_a_surrogate_is_no_help_anchors_share_full_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "is_ready", lambda _: True)
    monkeypatch.setattr(card, "launcher", lambda _: card.by_one_thread)
    monkeypatch.setattr(sampling, "MOST_COMPILED", 0)
    monkeypatch.setattr(sampling, "LEAST_ACCEPTED", 1.1)
    assert drawn(ANCHORS[0], law(1.0)).kernel.startswith("full passes; ")


def test_nothing_is_read_back_between_the_steps_of_a_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, names = gathering.burst, ("cpu", "numpy", "item", "tolist", "__bool__", "__int__", "__float__")

    def refuse(*_: object) -> None:
        raise AssertionError("a number is read back")

    def burst(*given: object) -> object:
        with pytest.MonkeyPatch.context() as inside:
            for name in names:
                inside.setattr(torch.Tensor, name, refuse)
            return whole(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(gathering, "burst", burst)
    assert drawn(ANCHORS[1], law(1.0)).codes.shape == (4, 12, 8)


def test_a_stack_runs_in_blocks_of_threads_where_there_is_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """By one thread of the CPU, in place of the card's."""
    monkeypatch.setattr(card, "is_ready", lambda _: True)
    monkeypatch.setattr(card, "launcher", lambda _: card.by_one_thread)
    found = drawn(ANCHORS[0], law(1.0))
    assert found.kernel == sampling.ON_CARD
    same(found, drawn(ANCHORS[0], law(1.0), "cpu"))


def test_the_kernel_of_a_card_is_not_given_an_lstm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "is_ready", lambda _: True)
    monkeypatch.setattr(card, "launcher", lambda _: card.by_one_thread)
    model, settings = build("deepmotif-rnn", 8, {"states": 4}, seed=1).eval(), law(1.0)
    assert prepare(model, ANCHORS[0], settings, replace(RUN, device="cpu"), 1).kernel_name == sampling.COMPILED
    assert "an LSTM" in prepare(model, ANCHORS[0], settings, RUN, 1).kernel_name


def test_without_one_nothing_of_it_is_asked() -> None:
    assert not card.is_ready(torch.device("cpu"))
    assert not card.is_ready(torch.device("cuda"))
