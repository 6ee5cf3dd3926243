"""Training: it learns, repeats itself exactly, keeps the best weights and stops in time."""

import copy
import itertools
import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from maxent_cli.alphabet import encode, one_hot
from maxent_cli.models import training
from maxent_cli.models.architectures import LayeredModel
from maxent_cli.models.prediction import inputs_of, predict
from maxent_cli.models.training import (
    Checkpoints,
    DivergedError,
    Examples,
    Settings,
    Snapshot,
    evaluate,
    fit,
)

LENGTH = 20
SETTINGS = Settings(epochs=6, batch=32, learning_rate=0.02, shift=2, seed=5)


def planted(count: int, seed: int) -> Examples:
    """Random letters; the positives hold GATTACA at 5."""
    chance = np.random.default_rng(seed)
    codes = chance.integers(0, 4, (count, LENGTH), np.uint8)
    labels = np.arange(count) % 2
    codes[labels == 1, 5:12] = encode("GATTACA")
    return Examples(codes, labels)


def small(seed: int = 1) -> LayeredModel:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = nn.Sequential(
            nn.Conv1d(4, 8, 7), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(4), nn.Flatten(), nn.Dropout(0.2)
        )
        return LayeredModel(LENGTH, layers)


def train(settings: Settings, model: LayeredModel | None = None, validation: int = 200) -> tuple:
    model = model or small()
    data = planted(600, 1)
    return model, list(fit(model, lambda _: data, planted(validation, 2), settings))


def test_learns_a_planted_motif() -> None:
    model, epochs = train(SETTINGS)
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3, 4, 5, 6]
    assert epochs[-1].training_loss < epochs[0].training_loss
    assert evaluate(model, planted(500, 3))[1] > 0.97
    assert not model.training


def test_same_seed_same_weights_and_global_generator_untouched() -> None:
    first, _ = train(SETTINGS)
    torch.manual_seed(123)
    before = torch.random.get_rng_state()
    second, _ = train(SETTINGS)
    assert torch.equal(torch.random.get_rng_state(), before)
    other, _ = train(Settings(**{**SETTINGS.__dict__, "seed": 6}))
    codes = planted(50, 4).codes
    assert np.array_equal(predict(first, codes), predict(second, codes))
    assert not np.array_equal(predict(first, codes), predict(other, codes))


def test_best_epoch_is_kept_and_the_wait_ends_the_training() -> None:
    settings = Settings(epochs=40, batch=32, learning_rate=0.05, weight_decay=0, patience=2, averaging=0)
    noise = Examples(planted(600, 1).codes, np.random.default_rng(0).integers(0, 2, 600))  # labels that mean nothing
    model = small()
    epochs = list(fit(model, lambda _: noise, planted(200, 2), settings))
    best = min(epochs, key=lambda epoch: epoch.validation_loss)
    assert len(epochs) == best.epoch + 2 < 40
    assert [epoch for epoch in epochs if epoch.best][-1] == best
    assert evaluate(model, planted(200, 2)) == (best.validation_loss, best.validation_auroc)


def test_as_published_the_rate_is_halved_and_gradients_are_clamped() -> None:
    halved = replace(training.DEEPMOTIF, epochs=5, batch=32, halved_every=2)
    _, epochs = train(halved)
    assert [epoch.learning_rate for epoch in epochs] == [0.01, 0.005, 0.005, 0.0025, 0.0025]
    trainer = training._Training(small(), replace(halved, clamp=1e-3), 600)
    gradients = list[float]()
    trainer.optimiser.register_step_pre_hook(lambda *_: gradients.append(_largest(trainer.model)))
    data = planted(64, 1)
    trainer._step(trainer._inputs(data.codes, np.random.default_rng(1)), torch.from_numpy(data.labels))
    assert gradients == [pytest.approx(1e-3)]
    trained, mean = trainer.model.state_dict(), trainer.averaged.state_dict()
    assert all(torch.equal(trained[name], mean[name]) for name in trained)  # nothing is averaged


def _largest(model: nn.Module) -> float:
    return max(float(weights.grad.abs().max()) for weights in model.parameters())


def test_leaving_early_keeps_the_best_so_far() -> None:
    model, data = small(), planted(600, 1)
    two = list(itertools.islice(fit(model, lambda _: data, planted(200, 2), SETTINGS), 2))
    assert evaluate(model, planted(200, 2))[0] == two[-1].validation_loss


def test_without_validation_the_last_weights_stay() -> None:
    _, epochs = train(SETTINGS, validation=0)
    assert len(epochs) == SETTINGS.epochs
    assert all(np.isnan(epoch.validation_loss) and np.isnan(epoch.validation_auroc) for epoch in epochs)
    assert all(epoch.best for epoch in epochs)


def test_each_epoch_gets_its_own_examples_and_progress_is_heard() -> None:
    asked: list[int] = []
    heard: list[int] = []

    def examples(epoch: int) -> Examples:
        asked.append(epoch)
        return planted(100, epoch)

    list(fit(small(), examples, planted(0, 2), SETTINGS, heard.append))
    assert set(asked) == set(range(6))
    assert sum(heard) == 6 * 96  # three whole batches of 32 an epoch


def test_batch_larger_than_the_data() -> None:
    model = small()
    data = planted(20, 1)
    epochs = list(fit(model, lambda _: data, planted(0, 2), Settings(epochs=2, batch=512)))
    assert np.isfinite(epochs[-1].training_loss)


def test_divergence_is_an_error_of_its_own() -> None:
    data = planted(64, 1)
    model = small()
    nn.init.constant_(model.output.weight, float("nan"))
    with pytest.raises(DivergedError, match="loss nan at step 0"):
        list(fit(model, lambda _: data, planted(10, 2), SETTINGS))


def test_enough_epochs() -> None:
    assert [training.enough_epochs(size, 128) for size in (200_000, 64_000, 1_000)] == [10, 20, 200]


def test_enough_patience() -> None:
    assert [training.enough_patience(epochs) for epochs in (1, 10, 30, 200)] == [1, 5, 15, 15]


@pytest.mark.parametrize("turn", [True, False])
def test_reverse_complement_turns_about_half(turn: bool) -> None:
    trainer = training._Training(small(), Settings(reverse_complement=turn, shift=0), 1000)
    codes = planted(1000, 7).codes
    inputs = trainer._inputs(codes, np.random.default_rng(1)).numpy()
    straight, turned = one_hot(codes), one_hot(3 - codes[:, ::-1])
    same = (inputs == straight).all(axis=(1, 2))
    assert np.array_equal(inputs[~same], turned[~same])
    assert 400 < same.sum() < 600 if turn else same.all()


def test_rotation_is_even_and_loses_nothing() -> None:
    codes = np.tile(np.arange(5, dtype=np.uint8), (7000, 1))
    first = training.rotated(codes, 1, np.random.default_rng(1))[:, 0]
    assert np.bincount(first, minlength=5) / 7000 == pytest.approx([1 / 3, 1 / 3, 0, 0, 1 / 3], abs=0.03)
    assert (np.sort(training.rotated(codes, 9, np.random.default_rng(2))) == np.arange(5)).all()
    assert training.rotated(codes, 0, np.random.default_rng(1)) is codes


def test_averaging_is_the_mean_that_it_says() -> None:
    trainer = training._Training(small(), Settings(averaging=0.5), 64)
    trainer.step = 1000
    start = copy.deepcopy(trainer.averaged.output.weight)
    with torch.no_grad():
        trainer.model.output.weight += 1
    trainer._average()
    assert torch.allclose(trainer.averaged.output.weight, start + 0.5)


def test_evaluate_by_hand() -> None:
    model, data = small().eval(), planted(40, 9)
    margin = np.diff(predict(model, data.codes).astype(np.float64))[:, 0]
    by_hand = np.log1p(np.exp(-np.where(data.labels == 1, margin, -margin))).mean()
    loss, area = evaluate(model, data)
    assert loss == pytest.approx(by_hand, rel=1e-5)
    assert area == roc_auc_score(data.labels, margin.astype(np.float32))
    assert np.isnan(evaluate(model, Examples(data.codes[1::2], data.labels[1::2]))[1])


def test_predict_leaves_the_mode_and_does_not_depend_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    model, codes, heard = small().train(), planted(50, 9).codes, []
    whole = predict(model, codes, heard.append)
    assert model.training
    assert sum(heard) == 50
    monkeypatch.setattr("maxent_cli.models.prediction.BATCH", 7)
    assert np.allclose(predict(model, codes), whole, atol=1e-5)
    assert predict(model, codes[:0]).shape == (0, 2)
    with torch.no_grad():
        assert np.allclose(model.eval()(inputs_of(codes)).numpy(), whole, atol=1e-6)


class EndedError(Exception):
    """Where a test ends a training."""


@pytest.mark.parametrize("steps", [1, 18, 19, 41], ids=["first step", "end of an epoch", "next epoch", "later"])
def test_a_training_goes_on_from_a_snapshot_as_if_it_had_never_stopped(steps: int) -> None:
    data, settings = planted(600, 1), replace(SETTINGS, patience=2)

    def stop(take: Callable[[], Snapshot]) -> None:
        nonlocal count
        count += 1
        if count == steps:
            tensors, facts = take()
            taken.append(Snapshot(tensors, json.loads(json.dumps(facts))))
            raise EndedError("after a step")

    whole = small()
    expected = list(fit(whole, lambda _: data, planted(200, 2), settings))
    count, taken = 0, list[Snapshot]()
    with pytest.raises(EndedError, match="after a step"):
        list(fit(small(), lambda _: data, planted(200, 2), settings, checkpoints=Checkpoints(None, stop)))
    other, heard = small(seed=9), list[int]()
    past = Checkpoints(taken[0], lambda _: None)
    found = list(fit(other, lambda _: data, planted(200, 2), settings, heard.append, past))
    assert [replace(epoch, seconds=0) for epoch in found] == [replace(epoch, seconds=0) for epoch in expected]
    for name, weights in whole.state_dict().items():
        assert torch.equal(other.state_dict()[name], weights), name
    assert sum(heard) == 18 * 32 * len(found)
