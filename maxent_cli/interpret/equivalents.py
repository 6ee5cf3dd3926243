"""Copies of a network with other weights that are the same function: units exchanged and rescaled.

A unit behind a ReLU may be made s times as large, and what reads it s times as small; units may be put in another
order, and what reads them with them (Hecht-Nielsen 1990; Lengyel et al. 2020). The law of an anchor sees neither: its
w ∘ Phi stays as it is, but for the order of its terms.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from maxent_cli.interpret.plan import HANDLERS, Add, Back, Exponential, Join, Turn, read
from maxent_cli.models.adapter import AdaptedNetwork
from maxent_cli.models.architectures import LayeredModel
from maxent_cli.models.consensus import Consensus
from maxent_cli.models.protocol import SequenceModel
from maxent_cli.models.whole import copied

LEAST_SCALE, MOST_SCALE = 0.25, 4.0
UNITWISE = (nn.Sigmoid, nn.Tanh, nn.SiLU, nn.GELU, nn.ELU, nn.Softplus, Exponential)  # see how large units are


@dataclass
class Moved:
    """Numbers of units that were put in another order, and of those that were rescaled too."""

    ordered: int = 0
    rescaled: int = 0


@dataclass(eq=False)
class _Tie:
    """What units have in common that were added: their order, or their sizes. It may be fixed.

    blocks: in so many groups of units in a row, each of which stays together.
    """

    count: int
    free: bool = True
    blocks: int = 1
    with_: "_Tie | None" = None

    @property
    def root(self) -> "_Tie":
        """What stands for all that are tied to each other."""
        return self if self.with_ is None else self.with_.root


@dataclass(frozen=True)
class _Units:
    """Units that a step gives: their order, their sizes."""

    order: _Tie
    sizes: _Tie

    def fix(self) -> None:
        """Leave them as they are."""
        self.order.root.free = self.sizes.root.free = False


def _units(count: int, free: bool = True, blocks: int = 1) -> _Units:
    return _Units(_Tie(count, free, blocks), _Tie(count, free))


def _tie(one: _Units, other: _Units) -> None:
    """Have units move together, as those must that are added."""
    for a, b in ((one.order.root, other.order.root), (one.sizes.root, other.sizes.root)):
        a.free = b.free = a.free and b.free and a.count == b.count
        if a is not b and a.count == b.count:
            a.blocks, b.with_ = math.lcm(a.blocks, b.blocks), a


@dataclass
class _Walk:
    """A network's steps, gone through in order: the units at hand, those of earlier steps, what reads and gives which.

    turned: units come last, not second. named: by the step that gave them, None for the letters, with that.
    """

    units: _Units
    turned: bool
    named: dict[str | None, tuple[_Units, bool]] = field(default_factory=dict)
    used: dict[nn.Module, tuple[_Units, _Units, bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.named[None] = self.units, self.turned

    def take(self, name: str, step: nn.Module) -> None:
        """Go through a step."""
        if isinstance(step, nn.Conv1d | nn.Linear):
            self._weigh(step, getattr(step, "groups", 1))
        elif isinstance(step, nn.BatchNorm1d):
            into = self._read(step.num_features, step.num_features)
            into.sizes.root.free = False
            self._use(step, into, _Units(into.order, _Tie(step.num_features, step.affine)))
        elif isinstance(step, Turn):
            self.turned = not self.turned
        elif isinstance(step, Add):
            _tie(self.units, self.named[step.earlier][0])
        elif isinstance(step, Back):
            self.units, self.turned = self.named[step.earlier]
        elif isinstance(step, Join):  # whose units stay as they are
            parts = [self.named[each][0] for each in step.earlier]
            for part in parts:
                part.fix()
            self.units, self.turned = _units(sum(part.order.count for part in parts), free=False), False
        elif isinstance(step, UNITWISE) or (isinstance(step, nn.ConstantPad1d) and step.value):
            self.units.sizes.root.free = False
        elif isinstance(step, nn.LSTM):  # whose states stay as they are, and what they are made of
            self.units.fix()
            self.units = _units(step.hidden_size * (1 + step.bidirectional), free=False)
        elif type(step) not in HANDLERS:
            self.units.fix()
            self.units = _units(self.units.order.count, free=False)
        self.named[name] = self.units, self.turned

    def _weigh(self, step: nn.Conv1d | nn.Linear, groups: int) -> None:
        """A layer of weights, which reads the units at hand."""
        count = step.weight.shape[1] * groups
        into = self._read(count, count if isinstance(step, nn.Conv1d) else self.units.order.count)
        into.order.root.blocks = math.lcm(into.order.root.blocks, groups)
        self._use(step, into, _units(len(step.weight), blocks=groups))

    def _read(self, count: int, each: int) -> _Units:
        """The units at hand, where so many values are so many units at places; or else units that stay as they are."""
        if self.units.order.count == each and count % each == 0:
            return self.units
        self.units.fix()
        return _units(count, free=False)

    def _use(self, step: nn.Module, into: _Units, given: _Units) -> None:
        """A module that reads units and gives others; where it is used again, both are as before."""
        first = self.used.setdefault(step, (into, given, self.turned))
        _tie(first[0], into)
        _tie(first[1], given)
        if first[2] != self.turned:
            into.fix()
        self.units = given


def equivalent(model: SequenceModel, random: torch.Generator) -> tuple[SequenceModel, Moved]:
    """A copy of a network whose units are exchanged and rescaled, layer by layer, as far as its code can be read.

    Units that are added, as at a residual connection, move together; those of a group of a convolution stay together.
    Where layers are read as other than they are, it is another function, which outputs show.
    """
    found, moved = copied(model), Moved()
    parts = found.parts if isinstance(found, Consensus) else [found]
    for part in {id(part): part for part in parts}.values():
        _move(part, random, moved)
    return found, moved


def _move(model: SequenceModel, random: torch.Generator, moved: Moved) -> None:
    """Exchange and rescale units, each with what reads them."""
    reading, head = read(model), _head(model)
    walk = _Walk(_units(4, free=False), isinstance(model, AdaptedNetwork) and model.reading.channels_last)
    for name, step in reading.layers:
        walk.take(name, step)
    if reading.end is None and head is not None:
        walk.take("head", head)
    walk.units.fix()
    orders, sizes = dict[_Tie, Tensor](), dict[_Tie, Tensor]()
    with torch.no_grad():
        for module, (into, given, turned) in walk.used.items():
            for units in (into, given):
                _draw(units, orders, sizes, random, moved)
            (order_into, size_into), (order, size) = (
                (orders[units.order.root], sizes[units.sizes.root]) for units in (into, given)
            )
            _give(module, order, size)
            if isinstance(module, nn.Conv1d | nn.Linear):
                _read(module, order_into, size_into, turned)


def _draw(
    units: _Units, orders: dict[_Tie, Tensor], sizes: dict[_Tie, Tensor], random: torch.Generator, moved: Moved
) -> None:
    """An order and sizes of units, if they have none yet."""
    order, size = units.order.root, units.sizes.root
    if order not in orders:
        each = order.count // order.blocks if order.free else 1
        starts = torch.arange(0, order.count, each)
        orders[order] = torch.cat([start + torch.randperm(each, generator=random) for start in starts])
        moved.ordered += order.count if each > 1 else 0
    if size not in sizes:
        low, high = torch.log(torch.tensor([LEAST_SCALE, MOST_SCALE]))
        drawn = torch.exp(low + (high - low) * torch.rand(size.count, generator=random))
        sizes[size] = drawn if size.free else torch.ones(size.count)
        moved.rescaled += size.count if size.free else 0


def _give(module: nn.Module, order: Tensor, size: Tensor) -> None:
    """Have a module give its units in an order, so many times as large."""
    for name in ("weight", "bias", "running_mean", "running_var"):
        values = getattr(module, name, None)
        if isinstance(values, Tensor):
            values.copy_(values[order])
            if not name.startswith("running"):
                values.mul_(size.to(values).reshape(-1, *[1] * (values.dim() - 1)))


def _read(module: nn.Conv1d | nn.Linear, order: Tensor, size: Tensor, turned: bool) -> None:
    """Have a layer of weights read units in an order, so many times as large as before."""
    weight, groups = module.weight, getattr(module, "groups", 1)
    rows, each = len(weight) // groups, len(order) // groups
    turned = turned and isinstance(module, nn.Linear)
    for group in range(groups):
        own = weight[group * rows : (group + 1) * rows]
        by_unit = own.reshape(rows, -1, each).transpose(1, 2) if turned else own.reshape(rows, each, -1)
        some = slice(group * each, (group + 1) * each)
        moved = by_unit[:, order[some] - group * each] / size.to(weight)[some, None]
        own.copy_((moved.transpose(1, 2) if turned else moved).reshape(own.shape))


def _head(model: SequenceModel) -> nn.Linear | None:
    """The linear layer that reads the representation, if there is one."""
    if isinstance(model, LayeredModel):
        return model.output
    if isinstance(model, AdaptedNetwork) and model.layer is not None and not model.is_output:
        found = model.network.get_submodule(model.layer)
        return found if isinstance(found, nn.Linear) else None
    return None
