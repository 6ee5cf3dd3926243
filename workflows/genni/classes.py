"""Parameters of equal function (GENNI; Lengyel et al. 2020), of networks of one hidden layer of ReLU units.

Networks are trained from random starts on J, the mean square difference of their outputs from a target's. The first is
the centre; where the others lie from it spans a subspace, in which J is found on a grid, and kept where it is small.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float64]
AT_ONCE = 1 << 24  # numbers of hidden units


@dataclass(frozen=True)
class Shape:
    """Inputs and ReLU units of a network with one output and no biases; parameters are W (units, inputs), then v."""

    inputs: int
    units: int

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return self.units * (self.inputs + 1)

    def outputs(self, parameters: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Outputs (G, N) of networks with parameters (G, P) for inputs (N, d)."""
        weights = parameters[:, : -self.units].reshape(-1, self.inputs)
        hidden = (x @ weights.T).relu().reshape(len(x), -1, self.units)
        return (hidden * parameters[:, -self.units :]).sum(-1).T

    def units_of(self, parameters: Floats) -> tuple[Floats, Floats]:
        """What each unit reads, of length 1 (units, d), and its size |w| v (units,), which equal functions share."""
        weights, v = parameters[: -self.units].reshape(self.units, -1), parameters[-self.units :]
        lengths = np.linalg.norm(weights, axis=1)
        return weights / lengths[:, None], lengths * v


@dataclass(frozen=True)
class Task:
    """The outputs (N,) of a target network for inputs (N, d)."""

    shape: Shape
    x: torch.Tensor
    wanted: torch.Tensor

    def loss(self, parameters: Floats) -> Floats:
        """J (G,) of networks with parameters (G, P)."""
        some = max(1, AT_ONCE // (len(self.x) * self.shape.units))
        given = torch.split(torch.from_numpy(parameters).to(self.x), some)
        return torch.cat([((self.shape.outputs(each, self.x) - self.wanted) ** 2).mean(1) for each in given]).numpy()

    def trained(self, random: np.random.Generator, steps: int) -> Floats:
        """Parameters (P,) where J is least, from a random start."""
        scale = np.repeat(
            [self.shape.inputs, self.shape.units], [self.shape.units * self.shape.inputs, self.shape.units]
        )
        start = random.normal(0, 1 / np.sqrt(scale))[None]
        own = torch.from_numpy(start).to(self.x).requires_grad_()
        small = {"tolerance_grad": 1e-14, "tolerance_change": 1e-18, "history_size": 50}
        optimizer = torch.optim.LBFGS([own], max_iter=steps, line_search_fn="strong_wolfe", **small)

        def again() -> torch.Tensor:
            optimizer.zero_grad()
            found = ((self.shape.outputs(own, self.x) - self.wanted) ** 2).mean()
            found.backward()  # type: ignore[no-untyped-call]
            return found

        optimizer.step(again)  # type: ignore[no-untyped-call]
        return own.detach().double().numpy()[0]

    def members(self, random: np.random.Generator, count: int, most: float, steps: int = 2000) -> tuple[Floats, int]:
        """So many networks (count, P) with J at most this, from random starts; and how many starts that took."""
        found, starts = list[Floats](), 0
        while len(found) < count:
            starts += 1
            each = self.trained(random, steps)
            if self.loss(each[None])[0] <= most:
                found.append(each)
        return np.array(found), starts


def task_of(shape: Shape, target: Floats, count: int, random: np.random.Generator) -> Task:
    """A target with parameters (P,), and so many inputs N(0, I)."""
    x = torch.from_numpy(random.normal(size=(count, shape.inputs)))
    return Task(shape, x, shape.outputs(torch.from_numpy(target[None]), x)[0])


@dataclass(frozen=True)
class Grid:
    """A grid in a subspace: centre (P,), orthonormal directions (D, P), coefficients along each (M,), J (M, ..., M)."""

    centre: Floats
    directions: Floats
    along: tuple[Floats, ...]
    values: Floats

    @property
    def spacing(self) -> float:
        """The diagonal of a cell: no point of the box is further than half of it from the grid."""
        return float(np.sqrt(sum((each[1] - each[0]) ** 2 for each in self.along)))

    def coefficients(self, parameters: Floats) -> Floats:
        """Coefficients (G, D) of parameters (G, P)."""
        return (parameters - self.centre) @ self.directions.T

    def kept(self, most: float) -> Floats:
        """Parameters (G, P) of the points where J is at most this."""
        return _points(self.centre, self.directions, self.along)[self.values.ravel() <= most]


def _points(centre: Floats, directions: Floats, along: tuple[Floats, ...]) -> Floats:
    return centre + np.array(list(product(*along))) @ directions


def grid_of(task: Task, members: Floats, points: int, room: float = 0.4) -> Grid:
    """J on a grid of the subspace that members (1 + D, P) span, from the first; room: beyond them, as a share."""
    directions = np.linalg.qr((members[1:] - members[0]).T)[0].T
    placed = (members - members[0]) @ directions.T
    low, high = placed.min(axis=0), placed.max(axis=0)
    wide = room * (high - low)
    along = tuple(np.linspace(a, b, points) for a, b in zip(low - wide, high + wide, strict=True))
    values = task.loss(_points(members[0], directions, along)).reshape([points] * len(along))
    return Grid(members[0], directions, along, values)


def bound(task: Task, grid: Grid, members: Floats) -> float:
    """J half a cell from a network of the class, where it is most: up to it, a point counts as of the class.

    Half a cell: the corner of one whose middle is the network, by J's curvature there.
    """
    steps = np.array([each[1] - each[0] for each in grid.along]) / 2
    corners, small, found = np.array(list(product(*([-1.0, 1.0],) * len(steps)))) * steps, 1e-5, []
    for own in members:
        ends = torch.from_numpy(np.stack([own + sign * small * grid.directions for sign in (1, -1)]))
        above, below = (task.shape.outputs(each.to(task.x), task.x).double().numpy() for each in ends)
        slopes = corners @ (above - below) / (2 * small)
        found.append((slopes**2).mean(axis=1).max())
    return float(max(found))


def to_class(shape: Shape, parameters: Floats, target: Floats) -> Floats:
    """The distance (G,) of networks from a target's class, which is known in closed form.

    A unit may be t times as large and what reads it t times as small, and units may be exchanged: a hyperbola for each
    unit, to which the nearest root of a quartic leads.
    """
    reads, sizes = shape.units_of(target)
    found = []
    for given in parameters:
        weights, v = given[: -shape.units].reshape(shape.units, -1), given[-shape.units :]
        each = [
            sum(_to_branch(weights[a], v[a], reads[b], sizes[b]) ** 2 for a, b in enumerate(order))
            for order in permutations(range(shape.units))
        ]
        found.append(np.sqrt(min(each)))
    return np.array(found)


def _to_branch(w: Floats, v: float, reads: Floats, size: float) -> float:
    """The distance of a unit from all (t · reads, size / t) with t > 0."""
    along = float(w @ reads)
    roots = np.roots([1.0, -along, 0.0, v * size, -(size**2)])
    t = roots[np.abs(roots.imag) < 1e-7 * (1 + np.abs(roots))].real
    t = t[t > 0]
    return float(np.sqrt(np.sum((w - along * reads) ** 2) + np.min((t - along) ** 2 + (size / t - v) ** 2)))


def class_in(shape: Shape, grid: Grid, target: Floats, fine: int = 400) -> Floats:
    """Parameters (n, P) of a class of two units that lie in a grid's box of three dimensions.

    The class is a surface by two scales. Where it lies in a space of one dimension more than the grid's, they meet in a
    curve: where the distance from the subspace changes sign between neighbours, by interpolation.
    """
    found = [np.zeros((0, shape.size)), *_met(shape, grid, target, np.geomspace(0.02, 50, fine))]
    points = np.concatenate(found)
    placed = grid.coefficients(points)
    inside = [(placed[:, d] >= each[0]) & (placed[:, d] <= each[-1]) for d, each in enumerate(grid.along)]
    return np.asarray(points[np.all(inside, axis=0)])


def _met(shape: Shape, grid: Grid, target: Floats, scales: Floats) -> Iterator[Floats]:
    reads, sizes = shape.units_of(target)
    first, second = np.meshgrid(scales, scales, indexing="ij")
    for order in ([0, 1], [1, 0]):
        t = np.stack([first, second], -1)
        weights = (t[..., None] * reads)[..., order, :]
        surface = np.concatenate([weights.reshape(*first.shape, -1), (sizes / t)[..., order]], -1)
        beside = surface - grid.centre
        beside = beside - beside @ grid.directions.T @ grid.directions
        strengths, ways = np.linalg.svd(beside[::20, ::20].reshape(-1, shape.size), full_matrices=False)[1:]
        if strengths[1] > 1e-6 * strengths[0]:
            continue  # they meet in points at most
        off = beside @ ways[0]
        for axis in (0, 1):
            (a, b), (low, high) = (
                [np.take(values, range(s, len(scales) - 1 + s), axis) for s in (0, 1)] for values in (off, surface)
            )
            crossing = a * b < 0
            share = (a / (a - b))[crossing][:, None]
            yield low[crossing] * (1 - share) + high[crossing] * share
