"""What draws and what DeepLIFT with TF-MoDISco find in BPNets of a known grammar, and at which cost.

python -m workflows.grammar.experiment OUT [--modisco PATH] [--train 90] [--anchors 4] [--records 200]

Two networks (networks.py): one heeds the spacing of two words, its twin reads the same sequences and does not. Each
is asked for motifs and for the pair's preferred distance: by `sample` and `motifs --syntax`, and by `attribute`
(DeepLIFT) and TF-MoDISco, whose command PATH names (`pip install modisco-lite`, in an environment of its own).
OUT/results.tsv has a row a network and way; what is there is not made again.
"""

import argparse
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import numpy as np
import pandas as pd
import torch
from scipy import stats

import maxent_cli as mx
from maxent_cli.alphabet import decode, encode, reverse_complement
from maxent_cli.analysis import best_match
from maxent_cli.data import Motif
from maxent_cli.io import read_meme, write_meme

from .networks import KINDS, LENGTH, SPACING, WIDEST, WORDS, learned, simulated, trained

ALIKE = 0.65  # Pearson r from which a motif found is the one planted
UNIFORM = (0.25,) * 4
CONTEXTS, FARTHEST = 32, 20  # sequences an anchor and bp, for the pair's distances: a pass each of the network
LEAST_PAIRS = 3  # records at a distance, to speak of their mean
Row = dict[str, object]


def main() -> None:
    """Make what is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--modisco", help="TF-MoDISco's command (without it, DeepLIFT is not asked)")
    parser.add_argument("--train", type=float, default=90, help="CPU seconds a network (90)")
    parser.add_argument("--anchors", type=int, default=4, help="that draws are made around (4)")
    parser.add_argument("--records", type=int, default=200, help="that DeepLIFT reads (200)")
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    table = given.out / "results.tsv"
    rows = pd.read_table(table).to_dict("records") if table.is_file() else []
    for file, names in (("words", tuple(WORDS)), ("pair", ("one", "two"))):
        write_meme(str(given.out / f"{file}.meme"), [planted(name) for name in names], np.array(UNIFORM))
    ways = {"draws": by_draws, **({"deeplift": by_deeplift} if given.modisco else {})}
    for kind in KINDS:
        model = trained(kind, given.train, given.out)
        for way, ask in ways.items():
            if not any((row["network"], row["way"]) == (kind, way) for row in rows):
                rows.append(
                    {"network": kind, **learned(model, kind), "way": way, **ask(mx.network(model, LENGTH), kind, given)}
                )
                pd.DataFrame(rows).to_csv(table, sep="\t", index=False, float_format="%.4g")
                print(rows[-1], flush=True)


def planted(name: str) -> Motif:
    """A word as a motif of 100 sites."""
    shares = np.full((len(WORDS[name]), 4), 0.03)
    shares[np.arange(len(shares)), encode(WORDS[name])] = 0.91
    return Motif(name, 100 * shares, 100)


def likeness(found: list[Motif]) -> Row:
    """Of each word, the best r among what was found; and how many more there are that are like none of the three."""
    r = np.array([[best_match(motif, planted(name)).similarity for name in WORDS] for motif in found]).reshape(
        -1, len(WORDS)
    )
    best = dict(zip(WORDS, r.max(axis=0, initial=0.0).tolist(), strict=True))
    return {**{f"r_{name}": value for name, value in best.items()}, "others": int((r.max(axis=1) < ALIKE).sum())}


def by_draws(network: mx.Network, kind: str, given: argparse.Namespace) -> Row:
    """Motifs and the preferred distance, from draws around records that hold the pair as preferred, and the decoy."""
    started, folder = time.process_time(), given.out / kind
    codes, places = simulated(400, np.random.default_rng(3))
    chosen = codes[(places[:, 2] == SPACING) & (places[:, 3] == 1)][: given.anchors]
    anchors = {f"anchor_{number}": decode(row) for number, row in enumerate(chosen)}
    law = mx.Law(background=UNIFORM)
    path, seconds = given.out / f"{kind}.npz", given.out / f"{kind}.seconds"
    if not seconds.exists():
        mx.sample(network, anchors, law, preset="quick", out=str(path), threads=1, progress=False).close()
        seconds.write_text(f"{time.process_time() - started:.0f}")
    drawn, summary = time.process_time(), pd.read_table(f"{path}.tsv")
    syntax = mx.Syntax(motifs=str(given.out / "pair.meme"), contexts=CONTEXTS, max_distance=FARTHEST)
    asked = {"unconverged": True, "logos": "none", "threads": 1, "progress": False, "out": str(folder)}
    answer = mx.motifs(str(path), syntax=syntax, test=str(given.out / "words.meme"), network=network, **asked)  # type: ignore[arg-type]
    (pair,) = answer["interactions"].query("motif_a == 'one' and motif_b == 'two'").to_dict("records")
    held = answer["motifs"].query("kind == 'held'")["motif"].tolist()
    tested = answer["tested"].set_index("motif")["verdict"]
    return {
        **likeness([motif for motif in read_meme(str(folder / "motifs.meme")) if motif.name in held]),
        **{f"asked_{name}": tested[name] for name in WORDS},
        "arrangement": pair["arrangement"],
        "distance": pair["distance"],
        "effect": pair["excess"],
        "effect_error": pair["excess_error"],
        "p": pair["preference_p"],
        "converged": f"{int((summary['converged'] == 'yes').sum())} of {len(summary)}",
        "kernel": summary["kernel"].iloc[0],
        "cpu": float(seconds.read_text()),
        "cpu_reading": time.process_time() - drawn,
    }


def by_deeplift(network: mx.Network, kind: str, given: argparse.Namespace) -> Row:
    """TF-MoDISco's patterns of DeepLIFT scores; and at which distance a pair's own letters score most."""
    started, folder = time.process_time(), given.out / f"{kind}_deeplift"
    codes, _ = simulated(given.records, np.random.default_rng(4))
    records = {f"record_{number}": decode(row) for number, row in enumerate(codes)}
    asked = {"logos": "none", "threads": 1, "progress": False, "out": str(folder)}
    if not folder.exists():
        mx.attribute(network, records, "deeplift", mx.Law(background=UNIFORM), **asked)  # type: ignore[arg-type]
    scored, before = time.process_time(), getrusage(RUSAGE_CHILDREN)
    patterns = given.out / f"{kind}_patterns"
    arrays = [f"{folder}/modisco/{name}.npz" for name in ("one_hot", "attributions")]
    run = [
        given.modisco,
        "motifs",
        "-s",
        arrays[0],
        "-a",
        arrays[1],
        "-n",
        "2000",
        "-w",
        str(LENGTH),
        "-o",
        f"{patterns}.h5",
    ]
    subprocess.run(run, check=True)
    subprocess.run([given.modisco, "meme", "-i", f"{patterns}.h5", "-t", "PFM", "-o", f"{patterns}.meme"], check=True)
    after = getrusage(RUSAGE_CHILDREN)
    scores = pd.read_table(folder / "positions.tsv")["score"].to_numpy().reshape(len(codes), LENGTH)
    return {
        **likeness([motif for motif in read_meme(f"{patterns}.meme") if motif.name.startswith("pos")]),
        **preferred(codes, scores),
        "cpu": scored - started,
        "cpu_reading": after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime,
    }


def preferred(codes: np.ndarray, scores: np.ndarray) -> Row:
    """The distance of one> two> at which their letters' scores are most above those of pairs at other distances.

    Words are looked for as they were planted, which nobody knows beforehand. p: of Welch's test, times the distances.
    """
    found = [
        (apart, row[sites].sum()) for letters, row in zip(codes, scores, strict=True) for apart, sites in pairs(letters)
    ]
    apart, total = np.array([one for one, _ in found]), np.array([one for _, one in found])
    tried = [d for d in range(WIDEST + 1) if (apart == d).sum() >= LEAST_PAIRS]
    if not tried:
        return {"arrangement": "a> b>", "pairs": len(found)}
    tests = {
        d: stats.ttest_ind(total[apart == d], total[apart != d], equal_var=False, alternative="greater") for d in tried
    }
    best = min(tests, key=lambda d: tests[d].pvalue)
    here, there = total[apart == best], total[apart != best]
    error = np.hypot(here.std(ddof=1) / np.sqrt(len(here)), there.std(ddof=1) / np.sqrt(len(there)))
    shown = {"arrangement": "a> b>", "distance": best, "effect": here.mean() - there.mean(), "effect_error": error}
    return {**shown, "p": min(1.0, tests[best].pvalue * len(tried)), "pairs": len(found)}


def pairs(codes: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Of one record (L,), on both strands: bp from each `one` to a `two` after it, and the letters of both."""
    for turned in (False, True):
        text = decode(reverse_complement(codes) if turned else codes)
        one, two, width = text.find(WORDS["one"]), text.find(WORDS["two"]), len(WORDS["one"])
        if one >= 0 and width <= two - one <= width + WIDEST:
            sites = np.concatenate([one + np.arange(width), two + np.arange(width)])
            yield two - one - width, LENGTH - 1 - sites if turned else sites


if __name__ == "__main__":
    main()
