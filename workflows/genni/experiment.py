"""Parameters of equal function, as GENNI finds them (Lengyel et al. 2020), and what the law makes of them.

    python -m workflows.genni.experiment OUT [--table TABLE]

First networks of 1-2-1 and 12-2-1 units, whose classes are known in closed form: networks found from random starts, J
on a 2-D and a 3-D grid of the subspace that they span, and how far what is kept lies from the class. Then, with a TABLE
of labelled sequences (columns sequence and label, tab-separated, .gz), a CTCF network: what is behind its convolutions,
a layer of ReLU units and the head, is found again from random starts; J(A, B) = E_pA (f_A - f_B)² is measured on the
law's own draws, of exact copies (units exchanged and rescaled), of the class, and of networks trained from other seeds;
and so are the bits of the motif. What is there already is not made again. The page is OUT/results.md, beside pictures.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from scipy.spatial import cKDTree
from torch import nn

import maxent_cli as mx
from maxent_cli.alphabet import encode
from maxent_cli.analysis import mean_over_anchors
from maxent_cli.interpret import equivalent
from maxent_cli.io import BLUE, INK, ORANGE, load_model, save_model, write_figure, writing_folder
from maxent_cli.models import LayeredModel, one_hot, predict

from ..crossing.experiment import HELD_OUT, Labelled
from .classes import Floats, Grid, Shape, Task, bound, class_in, grid_of, task_of, to_class

TOYS = {"1-2-1": (Shape(1, 2), 3, 500), "12-2-1": (Shape(12, 2), 3, 2048)}  # a seed, and inputs
EXACT = 1e-10  # J up to which a network is found
FLAT, DEEP = 61, 31  # points along a direction of the grids
SIZE, EPOCHS, FILTERS, READ = 6400, 12, 16, 8000  # the CTCF network, and sequences on which J is found
SEEDS, COPIES, CLASS, STEPS = (1, 2, 3, 4, 5, 6), 3, 6, 400
SHARE = 0.02  # of the output's variance: J up to which a last layer is of the class
ANCHORS = 10
GROUPS = {"own": "drawn again", "copy": "exact copies", "class": "last layer, found again", "seed": "other seeds"}


def main() -> None:
    """Make what is not there yet, and the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--table")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    page = ["# Parameters of equal function", "", *toys(asked.out)]
    if asked.table:
        page += Ctcf(asked.table, asked.out).page()
    (asked.out / "results.md").write_text("\n".join(page) + "\n", encoding="utf-8")


def toys(out: Path) -> list[str]:
    """Lines of the page on networks whose class is known; their pictures."""
    columns = ["network", "starts for six", "J of the worst", "off the class", "grid", "kept: J at most", "points kept"]
    columns += ["off the class, in cells: median, most", "class off what is kept, in cells: most"]
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for name, (shape, seed, inputs) in TOYS.items():
        random = np.random.default_rng(seed)
        target = random.normal(size=shape.size)
        if shape.inputs == 1:
            target[:2] = abs(target[0]), -abs(target[1])  # each side of 0 has a unit, or there is more in the class
        task = task_of(shape, target, inputs, random)
        found, starts = task.members(random, 6, EXACT)
        found = in_one_order(shape, found)
        off = to_class(shape, found, target).max()
        grids = [grid_of(task, found[: 1 + ways], points) for ways, points in ((2, FLAT), (3, DEEP))]
        for grid in grids:
            most = bound(task, grid, found)
            kept, known = grid.kept(most), class_in(shape, grid, target) if grid.values.ndim == 3 else found[:3]
            beside = to_class(shape, kept, target) / grid.spacing
            missed = cKDTree(kept).query(known)[0].max() / grid.spacing
            cells = [name, starts, f"{task.loss(found).max():.0e}", f"{off:.0e}", "x".join(map(str, grid.values.shape))]
            cells += [f"{most:.2g}", len(kept), f"{np.median(beside):.2f}, {beside.max():.2f}", f"{missed:.2f}"]
            lines.append(f"| {' | '.join(map(str, cells))} |")
        draw(
            str(out / f"{name}.png"),
            grids,
            found,
            [bound(task, grid, found) for grid in grids],
            class_in(shape, grids[1], target),
        )
    return [*lines, ""]


def in_one_order(shape: Shape, found: Floats) -> Floats:
    """Networks with the units in the order of the first's, by what they read."""
    first, own = shape.units_of(found[0])[0], []
    for parameters in found:
        order = (first @ shape.units_of(parameters)[0].T).argmax(axis=1)
        weights = parameters[: -shape.units].reshape(shape.units, -1)[order]
        own.append(np.concatenate([weights.ravel(), parameters[-shape.units :][order]]))
    return np.array(own)


def draw(
    path: str,
    grids: Sequence[Grid],
    found: Floats,
    most: Sequence[float],
    known: Floats | None = None,
    called: str = "found from random starts",
) -> None:
    """J in the plane as contours, what is kept there, and what is kept in three dimensions."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    flat, deep = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2, projection="3d")
    shown = flat.contourf(*grids[0].along, np.log10(np.maximum(grids[0].values, 1e-12)).T, 24, cmap="Blues_r")
    figure.colorbar(shown, ax=flat, label="log10 J", shrink=0.8)
    flat.scatter(*grids[0].coefficients(grids[0].kept(most[0])).T, s=3, color=ORANGE, label="kept")
    flat.scatter(*grids[0].coefficients(found[:3]).T, s=36, color=INK, marker="x", label=called)
    flat.set(xlabel="first direction", ylabel="second direction", title="J, two directions")
    deep.scatter(*grids[1].coefficients(grids[1].kept(most[1])).T, s=3, color=ORANGE, alpha=0.5, label="kept")
    deep.scatter(*grids[1].coefficients(found[:4]).T, s=36, color=INK, marker="x", label=called)
    if known is not None:
        deep.scatter(*grids[1].coefficients(known).T, s=3, color=BLUE, label="the class, in closed form")
    deep.set(title="Kept, three directions")
    for axes in (flat, deep):
        axes.legend(fontsize=7, framealpha=0.8, edgecolor="none", loc="upper right")
    write_figure(path, figure)


class Ctcf:
    """A CTCF network, its copies, its class, and networks of other seeds; what their laws are."""

    def __init__(self, table: str, out: Path) -> None:
        self.out, self.data = out, Labelled(table)
        for name in ("models", "draws"):
            (out / name).mkdir(exist_ok=True)
        for seed in SEEDS:
            self.train(seed)
        self.model, self.card = load_model(str(self.path("seed 1")))
        self.codes = np.stack([encode(each) for some in self.data.of for each in some[HELD_OUT : HELD_OUT + READ // 2]])
        self.task, self.found = self.last_layers()
        self.names = [
            *(f"{kind} {number}" for kind, count in (("copy", COPIES), ("class", CLASS)) for number in range(count))
        ]
        self.names += [f"seed {seed}" for seed in SEEDS[1:]]
        self.anchors = self.chosen()

    def path(self, name: str) -> Path:
        """The model folder of a network."""
        return self.out / "models" / name.replace(" ", "_")

    def train(self, seed: int) -> None:
        """A network from a seed."""
        how = {"reverse_complement": False, "shift": 0, "weight_decay": 0.0, "batch": 32}
        sizes = {"filters": FILTERS, "hidden": FILTERS}
        training = mx.Training("convnet", EPOCHS, seed=seed, arguments=sizes, **how)  # type: ignore[arg-type]
        if not (folder := self.path(f"seed {seed}")).is_dir():
            split = mx.Split(test_share=0.05, validation_share=0.0)
            mx.train(self.data.training(SIZE), split, training, out=str(folder), threads=1, progress=False)

    def keep(self, name: str, model: nn.Module) -> None:
        """Write a network that is made from the first."""
        if not self.path(name).is_dir():
            with writing_folder(str(self.path(name))) as folder:
                save_model(Path(folder), model, self.card)

    def last_layers(self) -> tuple[Task, Floats]:
        """J of the last layer, and parameters of equal function (1 + CLASS, P), the network's own first."""
        assert isinstance(self.model, LayeredModel)
        layers = list(self.model.layers)
        last = max(number for number, layer in enumerate(layers) if isinstance(layer, nn.Linear))
        dense, head = layers[last], self.model.output
        with torch.no_grad():
            x = torch.cat(
                [nn.Sequential(*layers[:last])(one_hot(each)) for each in torch.from_numpy(self.codes).split(500)]
            )
            x = torch.cat([x, torch.ones(len(x), 1)], 1)  # which the biases go with
            own = torch.cat(
                [torch.cat([dense.weight, dense.bias[:, None]], 1).ravel(), head.weight[1] - head.weight[0]]
            )
        shape, target = Shape(x.shape[1], dense.out_features), own[None]
        task = Task(shape, x, shape.outputs(target, x)[0].detach())
        kept = self.out / "class.npy"
        if not kept.is_file():
            most = SHARE * float(task.wanted.var())
            found, starts = task.members(np.random.default_rng(0), CLASS, most, STEPS)
            np.save(kept, np.concatenate([own.numpy()[None].astype(float), found]))
            (self.out / "starts.txt").write_text(f"{starts}\n")
        for number in range(COPIES):
            self.keep(f"copy {number}", equivalent(self.model, torch.Generator().manual_seed(number))[0])
        for number, parameters in enumerate(np.load(kept)[1:]):
            self.keep(f"class {number}", self.with_last(last, parameters))
        return task, np.load(kept)

    def with_last(self, last: int, parameters: Floats) -> nn.Module:
        """The network with another last layer."""
        model = load_model(str(self.path("seed 1")))[0]
        assert isinstance(model, LayeredModel)
        dense, head, values = model.layers[last], model.output, torch.from_numpy(parameters).float()
        assert isinstance(dense, nn.Linear)
        with torch.no_grad():
            weights = values[: -dense.out_features].reshape(dense.out_features, -1)
            dense.weight.copy_(weights[:, :-1])
            dense.bias.copy_(weights[:, -1])
            head.weight.copy_(torch.stack([torch.zeros(dense.out_features), values[-dense.out_features :]]))
        return model

    def chosen(self) -> dict[str, str]:
        """Held-out positives that the network calls so."""
        some = self.data.of[1][:HELD_OUT]
        outputs = self.outputs("seed 1", np.stack([encode(each) for each in some]))
        return {f"anchor_{row}": str(some[row]) for row in np.flatnonzero(outputs > 0)[:ANCHORS]}

    def outputs(self, name: str, codes: np.ndarray) -> Floats:
        """Differences of a network's outputs (N,) for codes (N, L)."""
        found = predict(mx.network(str(self.path(name))).reader(codes.shape[1]), codes)  # type: ignore[arg-type]
        return np.asarray(found[:, 1] - found[:, 0], dtype=float)

    def drawn(self, name: str, seed: int = 1) -> mx.Draws:
        """Draws of a network's law."""
        path = self.out / "draws" / f"{name.replace(' ', '_')}_{seed}.npz"
        if not path.is_file():
            asked = mx.Sampling(draws=100, warmup=2000, max_steps=8000, max_replicas=8, seed=seed)
            mx.sample(
                mx.network(str(self.path(name))), self.anchors, sampling=asked, out=str(path), threads=1, progress=False
            )
        return mx.open_draws(str(path))

    def apart(self, name: str) -> Floats:
        """J(A, B) of each anchor, A being the first network."""
        found = []
        for samples in self.drawn("seed 1"):
            codes = samples.codes.reshape(-1, samples.codes.shape[-1])
            found.append(np.mean((self.outputs("seed 1", codes) - self.outputs(name, codes)) ** 2))
        return np.array(found)

    def bits(self, name: str, seed: int = 1) -> dict[str, float]:
        """Bits of the first motif and of all that the law holds, a mean over anchors, with Monte Carlo errors."""
        draws = self.drawn(name, seed)
        rows, motif = draws.to_frame(), mx.motifs(draws, logos="none", progress=False).to_frame().iloc[0]
        held = {"held": rows["bits_held"].mean(), "held_error": np.linalg.norm(rows["bits_held_error"]) / len(rows)}
        return {"bits": motif["bits"], "bits_error": motif["bits_error"], "converged": rows["converged"].sum(), **held}

    def page(self) -> list[str]:
        """Lines of the page; the picture."""
        self.picture()
        js = {name: self.apart(name) for name in self.names}
        rows = [
            {"group": "own", "network": f"drawn with seed {seed}", "j": 0.0, **self.bits("seed 1", seed)}
            for seed in range(1, 5)
        ]
        rows += [
            {"group": name.split()[0], "network": name, "j": js[name].mean(), **self.bits(name)} for name in self.names
        ]
        table = pd.DataFrame(rows)
        table.to_csv(self.out / "networks.tsv", sep="\t", index=False, float_format="%.6g")
        header = [
            "networks",
            "number",
            "J on the law's draws, mean (95 % over anchors)",
            "motif's bits: mean, sd over them",
        ]
        header += ["error of one", "bits held: mean, sd over them", "error of one"]
        lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
        for group, title in GROUPS.items():
            some = table[table["group"] == group]
            each = [js[name] for name in self.names if name.startswith(group)]
            mean = mean_over_anchors(np.mean(each, axis=0)) if each else None
            j = f"{mean.value:.2g} ({mean.low:.2g} to {mean.high:.2g})" if mean else "0"
            cells = [title, len(some), j]
            for what in ("bits", "held"):
                cells += [f"{some[what].mean():.2f}, {some[what].std():.2f}", f"{some[f'{what}_error'].mean():.2f}"]
            lines.append(f"| {' | '.join(map(str, cells))} |")
        of_seeds, of_copies, of_class = (
            np.mean([js[name] for name in self.names if name.startswith(kind)], axis=0)
            for kind in ("seed", "copy", "class")
        )
        z = [_z(of_seeds - of_copies), _z(of_seeds - of_class), _z(of_class - of_copies)]
        said = f"J of seeds above copies: z = {z[0]:.1f}; above the class: {z[1]:.1f}; class above copies: {z[2]:.1f}"
        variance = float(self.task.wanted.var())
        size = (
            f"{(self.out / 'starts.txt').read_text().strip()} starts for {CLASS} last layers with J at most {SHARE:g}"
        )
        size += f" of the output's variance ({variance:.3g}) over {len(self.codes)} sequences"
        return [*lines, "", f"{said} ({len(of_seeds)} anchors).", "", f"{size}.", ""]

    def picture(self) -> None:
        """J around the network's own last layer: in the plane of exact copies, and towards those found."""
        shape = self.task.shape
        grids = [grid_of(self.task, self.found[: 1 + ways], points) for ways, points in ((2, FLAT), (3, 21))]
        most = [SHARE * float(self.task.wanted.var())] * 2
        draw(str(self.out / "ctcf.png"), grids, self.found, most)
        ways = np.random.default_rng(0).uniform(-1, 1, (3, shape.units))
        copies = np.array([rescaled(shape, self.found[0], np.exp(each)) for each in (np.zeros(shape.units), *ways)])
        grids = [grid_of(self.task, copies[: 1 + ways], points) for ways, points in ((2, FLAT), (3, 21))]
        most = [bound(self.task, grid, copies) for grid in grids]
        draw(str(self.out / "ctcf_copies.png"), grids, copies, most, called="exact copies")


def rescaled(shape: Shape, parameters: Floats, scales: Floats) -> Floats:
    """The same function, its units so many times as large."""
    weights = parameters[: -shape.units].reshape(shape.units, -1) * scales[:, None]
    return np.concatenate([weights.ravel(), parameters[-shape.units :] / scales])


def _z(values: Floats) -> float:
    return float(values.mean() / (values.std(ddof=1) / np.sqrt(len(values))))


if __name__ == "__main__":
    main()
