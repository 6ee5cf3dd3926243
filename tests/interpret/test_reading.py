"""An anchor read from left to right: by listing all that may follow, and by running a recurrent network by hand."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from small import SKEWED, anchors, attributed, outputs_held, small_model, words
from torch import nn

from maxent_cli.alphabet import encode
from maxent_cli.data import Floats, Sequences
from maxent_cli.interpret import attribution, reading
from maxent_cli.interpret.attribution import Attribution, AttributionSettings
from maxent_cli.interpret.reading import ReadThrough
from maxent_cli.models.adapter import AdaptedNetwork, Reading
from maxent_cli.models.architectures import build
from maxent_cli.models.protocol import SequenceModel, one_hot

WORD = "GATCA"
MODEL = small_model(len(WORD))
FEW = 4.0  # errors


def read(model: SequenceModel, references: int = 20, around: Sequences | None = None) -> Attribution:
    settings = AttributionSettings("prefix", outputs_held("1-0"), SKEWED, references, 50, 1)
    (found,) = attributed(model, around or anchors(WORD), settings)
    return found


def outputs(model: SequenceModel, inputs: torch.Tensor) -> Floats:
    with torch.no_grad():
        return (model(inputs) @ torch.tensor([-1.0, 1.0])).double().numpy()


def listed() -> Floats:
    """The mean output (2, L) over everything that may stand after each prefix, and before each suffix."""
    every = np.array([encode(word) for word in words(len(WORD))])
    values, anchor = outputs(MODEL, one_hot(torch.from_numpy(every))), encode(WORD)
    weights = np.array(SKEWED)[every]

    def mean(fixed: slice) -> float:
        free = np.ones(len(WORD), bool)
        free[fixed] = False
        kept = (every[:, fixed] == anchor[fixed]).all(axis=1)
        return float(values[kept] @ weights[kept][:, free].prod(axis=1))

    places = range(len(WORD))
    return np.array([[mean(slice(0, j + 1)) for j in places], [mean(slice(j, None)) for j in places]])


def check(found: ReadThrough) -> None:
    """Within errors of what listing gives, and these are of the size that differences have."""
    known = found.errors > 1e-9
    off = np.abs(found.outputs - listed())
    assert known.sum() == 2 * len(WORD) - 2  # all but the whole anchor
    assert off[~known].max() < 1e-5
    assert (off[known] / found.errors[known]).max() < FEW
    assert found.errors[known].max() < 0.05 * np.ptp(listed())


def test_means_over_the_background_are_those_of_listing() -> None:
    found = read(MODEL, 3000).given
    assert found.reading is not None
    check(found.reading)
    assert found.reading.running is None


WRONG: dict[str, Callable[..., Floats]] = {
    "read from the other end": lambda values, anchor, some, before: reading._grown(values, anchor, some, not before),
    "a letter late": lambda values, anchor, some, before: np.roll(reading._grown(values, anchor, some, before), 1, 0),
    "all letters are as frequent": lambda values, anchor, some, before: reading._grown(
        values, anchor, np.random.default_rng(1).integers(0, 4, some.shape, np.uint8), before
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_means_are_found(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_through(*given: object) -> Floats:
        return np.stack([WRONG[wrong](*given, before) for before in (True, False)])

    monkeypatch.setattr(attribution, "read_through", read_through)
    found = read(MODEL, 3000).given.reading
    assert found is not None
    with pytest.raises(AssertionError):
        check(found)


def test_scores_are_half_of_what_is_gained_from_either_side(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(MODEL)
    monkeypatch.setattr(reading, "AT_ONCE", 1)  # a position at a time
    found = read(MODEL).given
    assert found.reading is not None
    assert found.completeness is not None
    np.testing.assert_array_equal(found.scores, whole.given.scores)
    start = found.completeness.reference_output
    left = np.diff(found.reading.outputs[0], prepend=start)
    right = -np.diff(found.reading.outputs[1], append=start)
    np.testing.assert_allclose(found.scores, (left + right) / 2, atol=1e-6)
    assert found.scores.sum() == pytest.approx(whole.output - start, abs=1e-5)
    assert found.completeness.share < 1e-5
    own = found.hypothetical[encode(WORD), np.arange(len(WORD))]
    np.testing.assert_array_equal(own, found.scores)
    assert np.isnan(found.hypothetical).sum() == 3 * len(WORD)


def test_held_positions_and_unknown_letters_add_nothing() -> None:
    mutable = np.array([[True, False, True, True, True]])
    held = read(MODEL, around=Sequences(("a",), encode(WORD)[None], (None,), mutable))
    assert held.given.scores[1] == 0
    assert (np.abs(held.given.scores[[0, 2, 3, 4]]) > 1e-6).all()


class Recurrent(nn.Module):
    """Recurrent layers of a kind, of which `told` gives what the head reads."""

    def __init__(self, layers: nn.Module, told: Callable[..., torch.Tensor], units: int) -> None:
        super().__init__()
        self.layers, self.told, self.output = layers, told, nn.Linear(units, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.output(self.told(self.layers, inputs.transpose(1, 2)))


def last_state(layers: nn.Module, steps: torch.Tensor) -> torch.Tensor:
    return layers(steps.transpose(0, 1))[0][-1]


@pytest.mark.parametrize("name", ["deepmotif-rnn", "gru"])
def test_running_outputs_are_those_of_the_letters_alone(name: str) -> None:
    """As a network that reads any length gives them."""
    torch.manual_seed(1)
    plain = build(name, 5, {"states": 4}, 1) if name != "gru" else Recurrent(nn.GRU(4, 3), last_state, 3)
    model = plain.eval() if name != "gru" else AdaptedNetwork(plain.eval(), 5, Reading(), "net")
    found = read(model).given.reading
    assert found is not None
    assert found.running is not None
    inputs = one_hot(torch.from_numpy(encode(WORD))[None])
    alone = plain if name == "gru" else lambda part: plain.head(plain.layers(part))
    wanted = [
        [outputs(alone, inputs[..., : end + 1])[0] for end in range(5)],
        [outputs(alone, inputs[..., start:])[0] for start in range(5)],
    ]
    np.testing.assert_allclose(found.running, wanted, atol=1e-6)
    assert np.ptp(found.running, axis=1).min() > 1e-3


def test_convolutions_before_the_recurrent_layer_see_the_whole_anchor() -> None:
    model = build("deepmotif-cnn-rnn", 5, {"filters": 6, "states": 4}, 1).eval()
    found = read(model).given.reading
    assert found is not None
    assert found.running is not None
    with torch.no_grad():
        maps = model.layers[:2](one_hot(torch.from_numpy(encode(WORD))[None]))
    alone = lambda part: model.head(model.layers[2](part))  # noqa: E731
    wanted = [outputs(alone, maps[..., : end + 1])[0] for end in range(5)]
    np.testing.assert_allclose(found.running[0], wanted, atol=1e-6)


class Stacked(nn.Module):
    """Recurrent layers of their own, one reading what the other gives, both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = (nn.LSTM(n, 3, batch_first=True, bidirectional=True) for n in (4, 6))
        self.between = nn.GRU(6, 6, batch_first=True)

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        return self.second(self.between(self.first(steps)[0].relu())[0])[0]


def mean_state(layers: nn.Module, steps: torch.Tensor) -> torch.Tensor:
    return layers(steps).mean(1)


def test_stacked_recurrent_layers_run_along_together() -> None:
    torch.manual_seed(2)
    plain = Recurrent(Stacked(), mean_state, 6).eval()
    found = read(AdaptedNetwork(plain, 5, Reading(), "net")).given.reading
    assert found is not None
    assert found.running is not None
    inputs = one_hot(torch.from_numpy(encode(WORD))[None])
    parts = [[inputs[..., : end + 1] for end in range(5)], [inputs[..., start:] for start in range(5)]]
    wanted = [[outputs(plain, part)[0] for part in row] for row in parts]
    np.testing.assert_allclose(found.running, wanted, atol=1e-6)
    assert np.ptp(found.running, axis=1).min() > 1e-4


def flat_states(layers: nn.Module, steps: torch.Tensor) -> torch.Tensor:
    return layers(steps)[0].flatten(1)


def twice(layers: nn.Module, steps: torch.Tensor) -> torch.Tensor:
    return torch.cat([layers(steps)[0][:, -1], layers(steps.flip(1))[0][:, -1]], 1)


@pytest.mark.parametrize(
    ("told", "units"), [(flat_states, 15), (twice, 6)], ids=["all states are read", "two readings"]
)
def test_networks_that_cannot_be_run_along_have_no_running_output(
    told: Callable[..., torch.Tensor], units: int
) -> None:
    plain = Recurrent(nn.LSTM(4, 3, batch_first=True), told, units).eval()
    found = read(AdaptedNetwork(plain, 5, Reading(), "net")).given.reading
    assert found is not None
    assert found.running is None
