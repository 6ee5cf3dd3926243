"""A network whose units are exchanged and rescaled is the same function, and its law does not move: for every layer."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from engine.test_incremental import NETWORKS
from small import anchor, anchors, law, run, small_model
from torch import nn

from maxent_cli.alphabet import encode
from maxent_cli.data import Floats
from maxent_cli.interpret import checkup, equivalents
from maxent_cli.interpret.checkup import NOTE, OK, WRONG, Patient, copies
from maxent_cli.interpret.equivalents import Moved, equivalent
from maxent_cli.interpret.law import AnchoredLaw, anchored_law, evaluate
from maxent_cli.interpret.plan import HANDLERS, read
from maxent_cli.models.adapter import AS_IS, AdaptedNetwork
from maxent_cli.models.architectures import build
from maxent_cli.models.consensus import Consensus
from maxent_cli.models.protocol import SequenceModel, one_hot

MOST_OFF = 1e-5
JOINED = "several widths side by side"  # units that are joined stay as they are, and it has no others


class Headed(nn.Module):
    """A network and a linear head."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body
        with torch.no_grad():
            units = body.representation(torch.zeros(1, 4, body.input_length)).numel()
        self.end = nn.Linear(units, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.end(self.body.representation(x).flatten(1))


def adapted(name: str) -> AdaptedNetwork:
    body = NETWORKS[name]()
    torch.manual_seed(1)
    return AdaptedNetwork(Headed(body), body.input_length, AS_IS, name)


def moved(model: SequenceModel, seed: int = 1) -> tuple[float, Moved]:
    """How far energies of a copy are from the network's, as a share of their mean, and what was moved."""
    found, what = equivalent(model, torch.Generator().manual_seed(seed))
    codes = np.random.default_rng(2).integers(0, 4, (200, model.input_length), dtype=np.uint8)
    word = ("GATTACA" * 10)[: model.input_length]
    energy: list[Floats] = [
        evaluate(anchored_law(each, anchor(word), law(1.0)).terms.energy, codes) for each in (model, found)
    ]
    return float(np.abs(energy[0] - energy[1]).max() / energy[0].mean()), what


@pytest.mark.parametrize("name", NETWORKS)
def test_energies_of_a_copy_are_the_networks(name: str) -> None:
    off, what = moved(adapted(name))
    assert off < MOST_OFF
    assert what.ordered > 0 or name == JOINED or "LSTM" in name, what  # whose states stay as they are


def test_units_are_moved_around_every_layer_that_is_read() -> None:
    """Those of torch, and what stands for functions: additions, crops, means and exchanged axes."""
    around = {type(step) for name in NETWORKS for _, step in read(adapted(name)).layers}
    assert set(HANDLERS) <= around


@pytest.mark.parametrize("architecture", ["finnegan2017", "convnet", "nucleosome", "residual"])
def test_every_architecture_is_moved_and_rescaled(architecture: str) -> None:
    model = build(architecture, 60, {"filters": 6, "hidden": 7}, seed=3).eval()
    off, what = moved(model)
    assert off < MOST_OFF
    assert what.rescaled >= 7
    with torch.no_grad():
        changed = equivalent(model, torch.Generator().manual_seed(1))[0].state_dict()
    assert sum(not torch.equal(value, changed[name]) for name, value in model.state_dict().items()) >= 3


def test_networks_that_read_positions_first_and_several_at_once() -> None:
    class PositionsFirst(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scan, self.dense, self.end = nn.Conv1d(4, 5, 3), nn.Linear(30, 6), nn.Linear(6, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            scanned = self.scan(x.transpose(1, 2)).relu().transpose(1, 2)
            return self.end(torch.flatten(self.dense(torch.flatten(scanned, 1)).relu(), 1))

    torch.manual_seed(2)
    reading = type(AS_IS)(channels_last=True)
    model = AdaptedNetwork(PositionsFirst(), 8, reading, "positions first")
    off, what = moved(model)
    assert off < MOST_OFF
    assert (what.ordered, what.rescaled) == (11, 11)
    several = Consensus([small_model(seed=1), small_model(seed=2)], [[0, 1]] * 2)
    off, what = moved(several)
    assert off < MOST_OFF
    assert what.ordered == 28


class Depthwise(nn.Module):
    """Separable convolutions, one of them used twice, that add to what they read."""

    def __init__(self) -> None:
        super().__init__()
        self.scan, self.norm, self.end = nn.Conv1d(4, 6, 3), nn.BatchNorm1d(6), nn.Linear(6, 2)
        self.each, self.mix = nn.Conv1d(6, 6, 3, padding=1, groups=6), nn.Conv1d(6, 6, 1)
        with torch.no_grad():
            self.norm.running_mean.uniform_(-1, 1)
            self.norm.running_var.uniform_(0.5, 2)
            self.norm.weight.uniform_(0.5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.scan(x)).relu()
        for _ in range(2):
            x = x + self.mix(self.each(x).relu())
        return self.end(x.relu().mean(2))


def test_units_of_groups_and_of_layers_used_twice_are_moved_together() -> None:
    torch.manual_seed(3)
    off, what = moved(AdaptedNetwork(Depthwise(), 12, AS_IS, "depthwise"))
    assert off < MOST_OFF
    # what is added, in one order and of one size; each channel by itself has a size of its own, and not the scan,
    # since the norm sees it
    assert (what.ordered, what.rescaled) == (0, 12)


def test_what_is_read_otherwise_stays_as_it_is() -> None:
    """A norm of all that was flattened; a layer of no kind that is known."""
    for head, count in (
        ([nn.Flatten(), nn.BatchNorm1d(60), nn.Linear(60, 5), nn.ReLU()], 5),
        ([nn.Softmax(1), nn.Conv1d(6, 5, 10), nn.ReLU(), nn.Flatten()], 5),
    ):
        torch.manual_seed(4)
        layers = nn.Sequential(nn.Conv1d(4, 6, 3), nn.ReLU(), *head)
        network = nn.Sequential(layers, nn.Linear(count, 2)).eval()
        off, what = moved(AdaptedNetwork(network, 12, AS_IS, "odd"))
        assert off < MOST_OFF
        assert what.ordered == count


def forgets_to_divide(module, order, _size, turned) -> None:
    """A broken twin: units are rescaled, and what reads them is not."""
    READ(module, order, torch.ones(len(order)), turned)


def forgets_the_order(module, order, size, turned) -> None:
    """A broken twin: units are exchanged, and what reads them is not."""
    READ(module, torch.arange(len(order)), size, turned)


READ = equivalents._read


@pytest.mark.parametrize("broken", [forgets_to_divide, forgets_the_order])
def test_a_copy_that_is_another_function_is_told(broken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equivalents, "_read", broken)
    assert moved(build("finnegan2017", 35, {"filters": 6, "hidden": 7}, seed=3).eval())[0] > 1000 * MOST_OFF


def test_added_units_that_move_each_by_themselves_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equivalents, "_tie", lambda *_: None)
    assert moved(adapted("a residual block"))[0] > 1000 * MOST_OFF


def finding(model: SequenceModel) -> tuple[str, str]:
    """The verdict and the text of what the doctor says of copies."""
    word = ("GATTACA" * 10)[: model.input_length]
    found = copies(Patient(model, ("no", "yes"), anchors(word), law(1.0), run(), 1))
    return found.verdict, found.text


def test_the_doctor_blames_no_network_for_a_copy_that_it_could_not_make(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build("finnegan2017", 35, {"filters": 6, "hidden": 7}, seed=3).eval()
    assert finding(model)[0] == OK
    monkeypatch.setattr(equivalents, "_read", forgets_to_divide)
    status, said = finding(model)
    assert (status, said.partition(":")[0]) == (NOTE, "no copy could be made that is the same function")


def test_the_doctor_tells_energies_that_see_how_a_function_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken twin: a distance of the representation as it stands, which rescaled units change."""
    made = checkup.anchored_law

    def unweighted(model: SequenceModel, *given: object) -> AnchoredLaw:
        found, at = made(model, *given), model.representation(one_hot(torch.from_numpy(encode("GATTACA" * 5)[None])))

        def energy(codes: torch.Tensor) -> torch.Tensor:
            return torch.linalg.vector_norm(model.representation(one_hot(codes)) - at, dim=1)

        return replace(found, terms=replace(found.terms, energy=energy))

    monkeypatch.setattr(checkup, "anchored_law", unweighted)
    status, said = finding(build("finnegan2017", 35, {"filters": 6, "hidden": 7}, seed=3).eval())
    assert (status, "energies differ by" in said) == (WRONG, True)
