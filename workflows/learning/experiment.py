"""Does order form from the first layer up, and does the entropy of patterns dip in plain networks alone?

python workflows/learning/experiment.py OUT [--positives 3000] [--checkpoints 30] [--records 600] [--quick]

The claims of Hartmann et al. (Front. Artif. Intell. 4:642374, 2021), asked of two networks on DNA that differ in one
thing: whether each of four dilated convolutions adds to what it reads (towers.py). Each is trained from five seeds on
simulated sequences with and without a CTCF site, and its running mean of the weights is kept at thirty steps, spaced
logarithmically. Patterns are counted over records that were held out.

Bottom-up: Kendall's tau between a layer's depth and how late it comes to its last patterns; 1 if each layer comes after
the one below it. Late is the mean over checkpoints of 1 - (J - J_0) / (1 - J_0), J being the Jaccard similarity to the
end and J_0 that of the start. A dip: how far the entropy of a layer falls below the lower of its start and its end, in
bits, the largest of the five convolutions.

When was the motif learned? Around held-out positives every checkpoint of a convnet, one that samples fast, is drawn
from too: bits and motifs by step.

Writes a model and a folder of `learning` for each network and seed, learned_*.png and results.md into OUT; a folder
that is there is not made again. Intervals are 95 %, by t over seeds.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

import maxent_cli as mx
from maxent_cli.analysis import mean_over_anchors

NETWORKS, DRAWN = ("plain", "residual"), "convnet"
ALL = "all layers"
DEPTH = 5  # convolutions, the wide one first


class Asked(NamedTuple):
    """How much of it: seeds, positives and checkpoints of a training, records of patterns, anchors drawn around."""

    seeds: int = 5
    positives: int = 3000
    checkpoints: int = 30
    records: int = 600
    anchors: int = 6


QUICK = Asked(2, 300, 6, 140, 2)


def main(out: Path, asked: Asked) -> None:
    """Train, look and write the page."""
    out.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(Path(__file__).parent))
    rows = []
    for seed in range(1, asked.seeds + 1):
        for network in NETWORKS:
            model, folder = trained(out, network, seed, asked), out / f"learned_{network}_{seed}"
            if not folder.is_dir():
                mx.learning(str(model), records=asked.records, trust_code=True, out=str(folder), threads=1)
            rows.append({"network": network, "seed": seed, **measured(folder), "auroc": auroc(model)})
    model, folder = trained(out, DRAWN, 1, asked), out / f"learned_{DRAWN}_1"
    if not folder.is_dir():
        law, known, around = mx.Law(tether=None), "jaspar-vertebrates", anchors(model, asked.anchors)
        mx.learning(str(model), around, law, run(), records=asked.records, known=known, out=str(folder), threads=1)
    for network in (*NETWORKS, DRAWN):
        shutil.copyfile(out / f"learned_{network}_1" / "learning.png", out / f"learned_{network}.png")
    (out / "results.md").write_text("\n".join(page(out, pd.DataFrame(rows), asked)) + "\n", encoding="utf-8")


def run() -> mx.Sampling:
    """Draws of some seconds an anchor."""
    return mx.Sampling(chains=8, replicas=6, draws=100, max_steps=8000, warmup=1500)


def trained(out: Path, network: str, seed: int, asked: Asked) -> Path:
    """The model of a network and a seed; data are the same for all."""
    folder = out / f"model_{network}_{seed}"
    if not folder.is_dir():
        data = mx.simulate(asked.positives, 60, [mx.Plant("CTCF")], progress=False).sequences
        called = network if network == DRAWN else f"towers:{network}"
        training = mx.Training(called, epochs=25, patience=25, seed=seed, checkpoints=asked.checkpoints)
        mx.train(data, mx.Split(validation_share=0.2), training, out=str(folder), threads=1)
    return folder


def anchors(model: Path, count: int) -> dict[str, str]:
    """The first positives of the test part."""
    lines = (model / "test.positives.fa").read_text(encoding="utf-8").split()[: 2 * count]
    return {name[1:]: letters for name, letters in zip(lines[::2], lines[1::2], strict=True)}


def auroc(model: Path) -> float:
    """Of the test part."""
    rows = pd.read_csv(model / "metrics.tsv", sep="\t")
    return float(rows.query("part == 'test' and metric == 'AUROC'")["value"].iloc[0])


def measured(folder: Path) -> dict[str, float]:
    """What the claims are about, of one training."""
    patterns = pd.read_csv(folder / "patterns.tsv", sep="\t", na_values=[""]).query("`class` == 'all'")
    layers = pd.read_csv(folder / "layers.tsv", sep="\t")
    single = [layer for layer in layers["layer"] if layer != ALL]
    late = [lateness(patterns[patterns["layer"] == layer]["jaccard_end"].to_numpy()) for layer in single]
    dips = layers.set_index("layer")["dip"]
    deepest = dips[single[:DEPTH]].idxmax()
    return {
        "tau": float(kendalltau(range(len(single)), late).statistic),
        "tau_convolutions": float(kendalltau(range(DEPTH), late[:DEPTH]).statistic),
        "dip": float(dips[deepest]),
        "dip_of_layer": single.index(deepest) + 1,
        "dip_step": int(layers.set_index("layer").loc[deepest, "least_step"]),
        "last_half": float(layers.set_index("layer").loc[single[0], "halfway"]),
        **{f"late_{number}": value for number, value in enumerate(late, 1)},
        **{f"entropy_{number}": value for number, value in enumerate(layers.set_index("layer")["entropy_end"], 1)},
    }


def lateness(similarity: np.ndarray) -> float:
    """0 where a layer has its last patterns from the start on, 1 where it comes to them at the end alone."""
    return float(np.mean(1 - (similarity - similarity[0]) / (1 - similarity[0])))


def page(out: Path, rows: pd.DataFrame, asked: Asked) -> list[str]:
    """The page: tables and what they say."""
    told = ["# Learning: order from below, and dips of entropy", ""]
    told += ["`python workflows/learning/experiment.py OUT` made this page; how, its first lines say.", ""]
    told += [f"Asked for: {', '.join(f'{name} {value}' for name, value in asked._asdict().items())}.", ""]
    told += ["## Each training", ""]
    names = ["network", "seed", "auroc", "tau", "tau_convolutions", "dip", "dip_of_layer", "dip_step"]
    told += table(rows[names].round(3).to_numpy().tolist(), names)
    told += ["", "## Over seeds", "", "Mean and 95 % interval.", ""]
    body = []
    what = (("tau", "tau, all layers"), ("tau_convolutions", "tau, convolutions"), ("dip", "largest dip, bits"))
    for column, name in what:
        wide = rows.pivot_table(index="seed", columns="network", values=column)
        several = (wide["plain"], wide["residual"], wide["plain"] - wide["residual"])
        body.append([name, *(spoken(values.to_numpy()) for values in several)])
    told += table(body, ["", "plain", "residual", "plain less residual, by seed"])
    told += ["", "How late each layer comes to its last patterns, the first layer first (0 early, 1 late).", ""]
    late = [name for name in rows if str(name).startswith("late_")]
    body = [[network, *(spoken(of[name].to_numpy()) for name in late)] for network, of in rows.groupby("network")]
    told += table(body, ["network", *(f"layer {number}" for number in range(1, len(late) + 1))])
    told += ["", "## What was seen", "", *answers(rows), "", "## When the motif was learned", ""]
    return [*told, *motif_lines(out / f"learned_{DRAWN}_1", asked.anchors)]


def spoken(values: np.ndarray) -> str:
    """Mean and interval over seeds."""
    found = mean_over_anchors(values)
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def answers(rows: pd.DataFrame) -> list[str]:
    """The claims, each with what the intervals allow to be said."""
    lines = []
    for network, of in rows.groupby("network"):
        tau, dip = (mean_over_anchors(of[name].to_numpy()) for name in ("tau_convolutions", "dip"))
        order = "from below" if tau.low > 0 else "from above" if tau.high < 0 else "undecided"
        lines.append(
            f"- {network}: order {order} (tau of the convolutions {tau.value:.2f}, {tau.low:.2f} to {tau.high:.2f}); "
            f"entropy dips by more than 0.1 bits in {int((of['dip'] > 0.1).sum())} of {len(of)} trainings "
            f"(mean {dip.value:.2f} bits, {dip.low:.2f} to {dip.high:.2f})"
        )
    wide = rows.pivot_table(index="seed", columns="network", values="dip")
    apart = mean_over_anchors((wide["plain"] - wide["residual"]).to_numpy())
    said = "deeper in the plain network" if apart.low > 0 else "deeper in the residual one" if apart.high < 0 else ""
    return [
        *lines,
        f"- the dip is {said or 'not told apart between the two'} ({apart.low:.2f} to {apart.high:.2f} bits)",
    ]


def motif_lines(folder: Path, count: int) -> list[str]:
    """Bits and motifs of a training that was drawn from."""
    steps = pd.read_csv(folder / "steps.tsv", sep="\t")
    learned = pd.read_csv(folder / "learned.tsv", sep="\t")
    some = steps.iloc[np.unique(np.linspace(0, len(steps) - 1, 8).astype(int))]
    names = ["step", "loss", "bits_held", "bits_held_error", "bits", "bits_error", "regions", "like_anchor"]
    lines = [*table(some[names].round(3).to_numpy().tolist(), names), ""]
    for row in learned.to_dict("records"):
        known = f", like {row['known_1']} (q {row['q_1']:.2g})" if isinstance(row["known_1"], str) else ""
        lines.append(
            f"- {row['motif']} {row['consensus']}{known}: in {row['anchors']} of {count} anchors; first found at step "
            f"{row['first_step']}, at every checkpoint from step {row['lasting_step']} on"
        )
    return [*lines, *([] if len(learned) else ["- no motif at the last checkpoint"]), ""]


def table(rows: Sequence[Sequence[object]], names: Sequence[str]) -> list[str]:
    """A table of Markdown."""
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return lines + [f"| {' | '.join(map(str, row))} |" for row in rows]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--quick", action="store_true", help="Two seeds of little data: whether it runs at all.")
    for name, default in Asked()._asdict().items():
        parser.add_argument(f"--{name}", type=int, help=f"[default: {default}]")
    given = vars(parser.parse_args())
    basis = QUICK if given.pop("quick") else Asked()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    main(given.pop("out"), basis._replace(**{name: value for name, value in given.items() if value is not None}))
