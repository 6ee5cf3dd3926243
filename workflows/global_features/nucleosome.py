"""What do networks of nucleosomes hold: the 10 bp of A and T, GC content, or both?

python workflows/global_features/nucleosome.py workflows/global_features/nucleosome.toml

Networks are trained on dyads of a BED file with scores and their genome, by the options that the configuration lists;
around confident dyads of held-out chromosomes sequences are drawn, by the network and by one with fresh weights at the
beta at which it keeps as much energy. OUT/results.tsv and results.md have a row a network and seed: AUROC; the share of
anchors whose highest point between 5 and 20 bp lies at 9.5 to 11 bp in draws, anchors, beta = 0 and draws of the
untrained network; slope and rigidity of GC outside local features, and what the probe says. What has been run is not
run again.
"""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from steps import Row, auroc, probe_row, run, save_untrained, surest, table, write_results

from maxent_cli.io.bed import read_intervals, write_bed

Config = dict[str, Any]


def experiment(config: Config) -> Iterator[Row]:
    """Train, draw and probe; a row a network and seed."""
    out = Path(config["out"])
    out.mkdir(parents=True, exist_ok=True)
    dyads = out / "dyads.bed"
    rows = read_intervals(config["dyads"])
    write_bed(str(dyads), (row for row in rows if row.interval.chromosome not in config["drop"]))
    for seed in config["seeds"]:
        for number, (name, choice) in enumerate(config["networks"].items(), 1):
            yield _network(out / f"network_{number}" / f"seed_{seed}", (name, choice), dyads, config | {"seed": seed})


def _network(folder: Path, named: tuple[str, str], dyads: Path, config: Config) -> Row:
    folder.mkdir(parents=True, exist_ok=True)
    options, seed = config["options"], f"--seed {config['seed']}"
    files = (("positives", dyads), ("genome", config["genome"]))
    model = run(folder / "model", f"train {named[1]} {options['train']} {seed}", *files)
    fresh = save_untrained(model, folder / "untrained", config["seed"])
    anchors = surest(folder, model, config["anchors"])
    shares: Row = {}
    for name, network in (("trained", model), ("untrained", fresh)):
        draws = run(folder / f"{name}.npz", f"sample {options['sample']} {seed}", ("", anchors), ("model", network))
        found = run(folder / f"{name}_periodicity", f"periodicity {seed}", ("", draws))
        shares |= _shares(found, "" if name == "trained" else "untrained_")
        shares |= _settled(Path(f"{draws}.tsv"), "" if name == "trained" else "untrained_")
    probed = surest(folder, model, config["probed"])
    gc = run(folder / "gc", f"gc-probe {options['gc-probe']} {seed}", ("", probed), ("model", model))
    measured = auroc(model)
    return {
        "network": named[0],
        "seed": config["seed"],
        "auroc": measured["value"],
        "auroc_low": measured["lower"],
        "auroc_high": measured["upper"],
        **shares,
        **probe_row(gc),
    }


def _shares(folder: Path, prefix: str) -> Row:
    """Shares of anchors that peak in the band, by source, and the height of the draws' mean spectrum."""
    rows = {row["source"]: row for row in table(folder / "answer.tsv")}
    named = {"draws": "draws"} if prefix else {"draws": "draws", "anchor": "anchors", "beta = 0": "beta_0"}
    shares: Row = {f"{prefix}{name}_in_band": rows[source]["share"] for source, name in named.items()}
    return shares | {f"{prefix}period": rows["draws"]["period"], f"{prefix}height": rows["draws"]["height"]}


def _settled(summary: Path, prefix: str) -> Row:
    """Medians over anchors of the worst R-hat and the least ESS."""
    rows = table(summary)
    return {f"{prefix}{name}": median(float(row[name]) for row in rows) for name in ("rhat", "ess")}


if __name__ == "__main__":
    with Path(sys.argv[1]).open("rb") as stream:
        asked = tomllib.load(stream)
    write_results(Path(asked["out"]), "What networks of nucleosomes hold", experiment(asked))
