"""Which views find the known motif of a network's set, and how often they would find that of another set.

A view names a number of sequences; it has found a motif where most names are of it, and more than chance would have: a
binomial test over all sequences, one-sided, at LEVEL. Chance is how often the view names that motif in the networks of
all other sets whose own motif is another, the network's own set left out, and no less than the motif's share of all
known ones.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binom

from maxent_cli.data import Floats
from maxent_cli.interpret import PRESETS
from maxent_cli.io import read_provenance

from .cell import VIEWS, is_expected, known_motifs

LEVEL = 0.01
NETWORK = ["set", "architecture", "seed"]
RULE = f"""\
Each view gives one motif a sequence at most, and that has the name of the known motif most like it, if Tomtom tells it
from chance. *Saliency* and *prefix*: of each anchor the window of {{width}} bp with the highest sum of scores. *Class
optimisation*: of each optimised sequence the window of words that it shares with the others more than with their
shuffles. Such a window is aligned with the site most like it in each of the network's anchors, or designs, on either
strand; the letters of all these sites are the motif. *Random window*: the same of scores at random, which no network
gave: what anchors alone tell, since they are peaks. *Draws*: of each anchor the motif with the most sites in its draws;
other anchors do not help. By all views but draws, the names of one network are not independent of each other.

**Found**: most names are of the set's motif, and there are more of these than by chance, by a one-sided binomial test
at {LEVEL} over all sequences, whatever their number. Chance is how often the same view names that motif in networks of
sets that are known for another, the network's own set left out; at least the motif's share of all known ones. The same
rule asks every network for the motifs of those other sets: *another set's motif found*. Some of these may be there,
since factors share peaks: it is a bound on what is found falsely."""


def networks(out: Path) -> pd.DataFrame:
    """Set, architecture and seed of each network that was looked at, and its folder."""
    rows = []
    for path in sorted(out.glob("*/*.*/views.tsv")):
        architecture, _, seed = path.parent.name.rpartition(".")
        rows.append((path.parent.parent.name, architecture, int(seed), path.parent))
    return pd.DataFrame(rows, columns=[*NETWORK, "folder"])


def judged(looked: pd.DataFrame, known: dict[str, list[str]]) -> pd.DataFrame:
    """A row for each network, view, and motif of its own or another set: its names, their chance, whether it is found.

    Columns: set, architecture, seed, view, motif (as the set that is known for it), sequences, names, named (as it),
    commonest (name), chance, found.
    """
    rows = tallied(looked, known)
    other = rows[rows["motif"] != rows["set"]]
    whole, own = (summed(other, rows, by) for by in (["view", "motif"], ["view", "motif", "set"]))
    named, sequences = (whole - own).T
    share = np.divide(named, sequences, out=np.zeros(len(rows)), where=sequences > 0)
    chance = np.maximum(share, rows["motif"].map(shares_of_known(known)))
    beyond = binom.sf(rows["named"] - 1, rows["sequences"], chance)
    return rows.assign(chance=chance, found=(2 * rows["named"] > rows["names"]) & (beyond <= LEVEL))


def tallied(looked: pd.DataFrame, known: dict[str, list[str]]) -> pd.DataFrame:
    """What each view of each network names as the motif of its own set, and as each of another motif."""
    rows = []
    for network in looked.itertuples():
        name, table = str(network.set), pd.read_csv(f"{network.folder}/views.tsv", sep="\t", keep_default_na=False)
        asked = [motif for motif in known if motif == name or not set(known[motif]) & set(known[name])]
        for view in VIEWS:
            names = table.loc[table["view"] == view, "known"].tolist()
            told = sorted(filter(None, names))
            commonest = max(told, key=told.count, default="")
            start = (name, network.architecture, network.seed, view)
            for motif in asked:
                count = sum(is_expected(one, known[motif]) for one in names)
                rows.append((*start, motif, len(names), len(told), count, commonest))
    columns = [*NETWORK, "view", "motif", "sequences", "names", "named", "commonest"]
    return pd.DataFrame(rows, columns=columns)


def summed(other: pd.DataFrame, rows: pd.DataFrame, by: list[str]) -> Floats:
    """Sums (n, 2) of what is named, and of all sequences, over those others that are like each of n rows."""
    sums = other.groupby(by)[["named", "sequences"]].sum()
    return sums.reindex(pd.MultiIndex.from_frame(rows[by]), fill_value=0).to_numpy(float)


def shares_of_known(known: dict[str, list[str]]) -> dict[str, float]:
    """Of each set the share of all known motifs that count as its own."""
    names = [motif.name.partition(" ")[2] or motif.name for motif in known_motifs()]
    return {name: float(np.mean([is_expected(one, some) for one in names])) for name, some in known.items()}


def short(architecture: str) -> str:
    """Without what all of them begin with."""
    return architecture.removeprefix("deepmotif-")


def percent(count: float, whole: float) -> str:
    """So many of so many, and their share."""
    return f"{count} of {whole}" + (f" ({count / whole:.1%})" if whole else "")


def table_of_networks(looked: pd.DataFrame, rows: pd.DataFrame) -> Iterator[str]:
    """What each view names in each network."""
    yield "| set | network | " + " | ".join(VIEWS) + " | draws converged |"
    yield "|---" * (3 + len(VIEWS)) + "|"
    own = rows[rows["motif"] == rows["set"]].set_index([*NETWORK, "view"])
    for network in looked.itertuples():
        cells = []
        for view in VIEWS:
            row = own.loc[(network.set, network.architecture, network.seed, view)]
            told = f"; {row['commonest']}" if row["commonest"] else ""
            cells.append(f"{'**found**' if row['found'] else 'not found'}: {row['named']} of {row['sequences']}{told}")
        name = f"{short(str(network.architecture))}.{network.seed}"
        yield f"| {network.set} | {name} | " + " | ".join([*cells, settled([summary(network.folder)])]) + " |"


def table_of_views(rows: pd.DataFrame, architectures: list[str]) -> Iterator[str]:
    """In how many networks each view finds the set's motif, and that of another set, which is chance."""
    some = [name for name in architectures if name in set(rows["architecture"])]
    told = ["found, of networks", "named so, of sequences", "another set's motif found", "named so, of sequences"]
    yield "| view | " + " | ".join([*map(short, some), *told]) + " |"
    yield "|---" * (5 + len(some)) + "|"
    for view in VIEWS:
        mine = rows[rows["view"] == view]
        own, other = mine[mine["motif"] == mine["set"]], mine[mine["motif"] != mine["set"]]
        each = [own[own["architecture"] == name]["found"] for name in some]
        cells = [f"{one.sum()} of {len(one)}" for one in each]
        for part in (own, other):
            cells.append(percent(part["found"].sum(), len(part)))
            cells.append(percent(part["named"].sum(), part["sequences"].sum()))
        yield f"| {view} | " + " | ".join(cells) + " |"


def comparisons(rows: pd.DataFrame) -> Iterator[str]:
    """In how many networks draws find what another view does not, and the other way round."""
    own = rows[rows["motif"] == rows["set"]].pivot(index=NETWORK, columns="view", values="found")
    for view in VIEWS[:-1] if len(own) else ():
        sides = [own[own[one] & ~own[two]] for one, two in (("draws", view), (view, "draws"))]
        sets = [side.index.get_level_values("set").nunique() for side in sides]
        told = [f"{len(side)}, in sets: {count}" for side, count in zip(sides, sets, strict=True)]
        yield f"- networks of which draws find it, and {view} does not: {told[0]}; the other way round: {told[1]}"
    for view in VIEWS if len(own) else ():
        names = sorted(set(own[own[view]].index.get_level_values("set")))
        yield f"- sets whose motif is found in any network by {view}: {len(names)} ({', '.join(names) or 'none'})"


def table_of_chances(rows: pd.DataFrame) -> Iterator[str]:
    """Of each set the chance that a sequence of a network of its own is named as its motif."""
    yield "| set | " + " | ".join(VIEWS) + " |"
    yield "|---" * (1 + len(VIEWS)) + "|"
    own = rows[rows["motif"] == rows["set"]].groupby(["set", "view"])["chance"].first()
    for name in sorted(set(rows["set"])):
        yield f"| {name} | " + " | ".join(f"{own[name, view]:.1%}" for view in VIEWS) + " |"


def summary(folder: Path) -> pd.DataFrame:
    """A row for each anchor that was drawn around: whether draws have converged."""
    path = folder / "draws.npz.tsv"
    return pd.read_csv(path, sep="\t") if path.exists() else pd.DataFrame({"converged": [], "rhat": []})


def settled(summaries: list[pd.DataFrame]) -> str:
    """Around how many anchors draws have converged, of how many, and the median of their worst R-hat."""
    rows = pd.concat(summaries)
    converged = int((rows["converged"] == "yes").sum())
    return f"{converged} of {len(rows)}, R-hat {rows['rhat'].median():.2f}" if len(rows) else "none drawn"


def lines_of_draws(looked: pd.DataFrame) -> Iterator[str]:
    """As run: anchors a network, presets, and how many draws have converged, by architecture."""
    for architecture, some in looked.groupby("architecture", sort=False):
        anchors = Counter(len(summary(folder)) for folder in some["folder"])
        presets = Counter(preset_of(folder) for folder in some["folder"])
        told = [", ".join(f"{key} (of {count})" for key, count in sorted(each.items())) for each in (anchors, presets)]
        seeds = ", ".join(map(str, sorted(set(some["seed"]))))
        drawn = settled([summary(folder) for folder in some["folder"]])
        yield (
            f"- {short(str(architecture))}: networks {len(some)}, of seeds {seeds}; anchors a network {told[0]}; preset"
            f" {told[1]}; anchors around which draws converged: {drawn} at the median"
        )


def preset_of(folder: Path) -> str:
    """The preset that draws were made by, 'none' where there are no draws."""
    record = read_provenance(str(folder / "draws.npz"))
    if record is None:
        return "none"
    settings = record["part"]["run"]["settings"]
    names = ("chains", "draws", "warmup", "max_steps")
    alike = (all(getattr(run, one) == settings[f"sampling.{one}"] for one in names) for run in PRESETS.values())
    return next((name for name, same in zip(PRESETS, alike, strict=True) if same), "other")
