"""Small networks and the laws around them, small enough to list."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maxent_cli.alphabet import UNKNOWN, Codes, encode
from maxent_cli.engine.layers import Plan
from maxent_cli.engine.matches import MatchField
from maxent_cli.engine.proposals import LETTER, REDRAW, REFILL, REVERSE_COMPLEMENT, SCATTER, SHIFT, TOGGLE, Move
from maxent_cli.engine.support import Support
from maxent_cli.engine.target import Target, Term, Terms
from maxent_cli.engine.terms import background_rows, distance_of
from maxent_cli.interpret.plan import NotAStack, read_plan
from maxent_cli.models.protocol import one_hot

SKEWED = np.array([0.4, 0.1, 0.2, 0.3])

# every kind of move alone, and together; widths and reaches fit on four letters
MOVE_SETS = {
    "letters": (Move(LETTER, 1.0),),
    "shift": (Move(SHIFT, 0.5, 3, 2), Move(SHIFT, 0.5, 10**6, 2)),
    "reverse complement": (Move(REVERSE_COMPLEMENT, 0.5, 2), Move(REVERSE_COMPLEMENT, 0.5, 3)),
    "redraw": (Move(REDRAW, 1.0, 2),),
    "refill": (Move(REFILL, 1.0, 2),),
    "toggle": (Move(TOGGLE, 0.5, 2), Move(TOGGLE, 0.5, 3)),
    "scattered": (Move(SCATTER, 0.5, 1), Move(SCATTER, 0.5, 3)),
    "mixture": (Move(LETTER, 0.4), Move(SHIFT, 0.2, 3, 2), Move(REVERSE_COMPLEMENT, 0.2, 2), Move(REDRAW, 0.2, 2)),
    "adapted mixture": (Move(LETTER, 0.4), Move(REFILL, 0.3, 2), Move(TOGGLE, 0.3, 3)),
}


# CG, and two of three letters of TNA: overlapping matches, and one place that counts for neither
TWO_WORDS = MatchField(
    0.8,
    np.array([[[0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0] * 5], [[0, 0, 0, 1, 0], [1] * 5, [1, 0, 0, 0, 0]]], np.int32),
    np.array([2, 2], np.int32),
)


# neither GA nor, on the other strand, TC; one to three of G and C: states are nothing, G, T, and what is forbidden
NO_GA = Support(
    np.array([[0, 0, 1, 2, 0], [3, 0, 1, 2, 0], [0, 3, 1, 2, 0], [3, 3, 3, 3, 3]]), width=2, least=1, most=3
)


class ToyNetwork(nn.Module):
    """A chain of layers; the representation is what the last of them gives."""

    def __init__(self, input_length: int, layers: nn.Module) -> None:
        super().__init__()
        self.input_length = input_length
        self.layers = layers

    def representation(self, inputs: Tensor) -> Tensor:
        return self.layers(inputs)

    def head(self, representation: Tensor) -> Tensor:
        return representation.flatten(1).sum(1, keepdim=True)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.representation(inputs))


class Written(ToyNetwork):
    """A network whose representation is a function of its input and layers."""

    def __init__(self, length: int, represent: Callable[..., Tensor], *layers: nn.Module) -> None:
        super().__init__(length, nn.ModuleList(layers))
        self.represent = represent

    def representation(self, inputs: Tensor) -> Tensor:
        return self.represent(inputs, *self.layers)


def network(length: int, *layers: nn.Module | int, seed: int = 1) -> ToyNetwork:
    """The layers on inputs (B, 4, length); an int is a linear layer with so many units. Same seed, same weights."""
    modules = nn.Sequential()
    for layer in layers:
        if isinstance(layer, int):
            layer = nn.Linear(modules.eval()(torch.zeros(2, 4, length)).shape[1], layer)
        modules.append(layer)
    return with_random_weights(ToyNetwork(length, modules), seed)


def with_random_weights(model: ToyNetwork, seed: int = 1) -> ToyNetwork:
    """Overwrite weights and running statistics, so that biases, gains and means are none of them 0 or 1."""
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for values in [*model.parameters(), *model.buffers()]:
            scale = 2 / math.sqrt(values[0].numel()) if values.dim() > 1 else 0.5
            values.copy_(torch.from_numpy(np.asarray(rng.normal(0, scale, tuple(values.shape)))))
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d) and module.running_var is not None:
                module.running_var.copy_(torch.from_numpy(rng.uniform(0.5, 2, module.num_features)))
    return model.eval()


def small_network(length: int, function: type[nn.Module] = nn.ReLU) -> ToyNetwork:
    """Convolution, batch norm, function, pooling, and one linear layer of four units with its function."""
    scan = (nn.Conv1d(4, 5, 3, padding=1), nn.BatchNorm1d(5), function(), nn.MaxPool1d(2, stride=1), nn.Flatten())
    return network(length, *scan, 4, function())


@dataclass(frozen=True)
class Law:
    """A law that can be listed: its target, the anchor (L,), and the layer plan if its network is a stack."""

    target: Target
    anchor: Codes
    plan: Plan | None

    @property
    def free(self) -> NDArray[np.intp]:
        """Positions that may change."""
        return np.flatnonzero(self.target.mutable)


def weighted_distance(model: ToyNetwork, weights: Tensor, reference: Tensor) -> Term:
    """Of codes (..., L): how far their representations are from a reference, as weighted."""

    def energy(codes: Tensor) -> Tensor:
        represented = representation_of(model)(codes.reshape(-1, codes.shape[-1]))
        return distance_of(represented, weights, -weights * reference).reshape(codes.shape[:-1])

    return energy


def law_around(
    model: ToyNetwork,
    anchor: str,
    beta: float = 1.5,
    tether: float | None = None,
    protected: tuple[int, ...] = (),
    field: MatchField | None = None,
    support: Support | None = None,
) -> Law:
    """The law of a network around an anchor; energies are scaled to a standard deviation of 1 over random letters."""
    codes = encode(anchor)
    with torch.no_grad():
        reference = model.representation(one_hot(torch.from_numpy(codes)[None]))[0]
    weights = torch.from_numpy(np.random.default_rng(2).normal(1, 0.5, tuple(reference.shape)).astype(np.float32))
    weights /= _spread(weighted_distance(model, weights, reference), len(codes))
    energy = weighted_distance(model, weights, reference)
    mutable = codes != UNKNOWN
    mutable[list(protected)] = False
    rows = background_rows(SKEWED, codes, tether)
    adapted = np.random.default_rng(4).dirichlet([2.0] * 4, len(codes))
    constraints = tuple(term for term in (field, support) if term is not None)
    target = Terms(energy, rows, mutable, constraints).at(np.array(beta), adapted)
    try:
        plan = read_plan(model, reference, weights)
    except NotAStack:
        plan = None
    return Law(target, codes, plan)


def representation_of(model: ToyNetwork) -> Callable[[Tensor], Tensor]:
    """Codes (B, L) -> representation (B, ...)."""
    return lambda codes: model.representation(one_hot(codes))


def _spread(energy: Term, length: int) -> Tensor:
    random = np.random.default_rng(3).integers(0, 4, (500, length), dtype=np.uint8)
    with torch.no_grad():
        return energy(torch.from_numpy(random)).std()


LAWS: dict[str, Callable[[], Law]] = {
    "background": lambda: law_around(small_network(4), "GATC"),
    "tethered": lambda: law_around(small_network(4), "GATC", tether=0.4),
    "tanh": lambda: law_around(small_network(4, nn.Tanh), "CCGA", tether=0.3),
    "unknown letter": lambda: law_around(small_network(5), "GCANT"),
    "protected letter": lambda: law_around(small_network(5), "GCATT", tether=0.4, protected=(1,)),
    "five letters": lambda: law_around(small_network(5), "GACTA", tether=0.3),
    "field on matches": lambda: law_around(small_network(5), "GACTA", tether=0.3, field=TWO_WORDS),
    "support": lambda: law_around(small_network(5), "GCATT", tether=0.3, support=NO_GA),
    "support and field": lambda: law_around(small_network(5), "GCATT", field=TWO_WORDS, support=NO_GA),
    "no energy": lambda: law_around(small_network(4), "GATC", beta=0.0),
}
