"""Which known motif tells a set's held-out peaks from their shuffles? python -m workflows.tfs.sets.

No network is asked: of each set and each motif of JASPAR, the AUROC of a record's best site on either strand. Prints
the best motif, and the best of those that the set is known for (tfs.toml) with its rank among all.
"""

from pathlib import Path

import numpy as np

from maxent_cli.alphabet import UNIFORM, Codes, encode
from maxent_cli.analysis import auroc
from maxent_cli.data import Floats, Motif

from .cell import is_expected, known_motifs, read_config, records, sets

PSEUDO = 0.001  # share of each letter, so that none is impossible


def best_sites(motif: Motif, codes: Codes) -> Floats:
    """Log odds in bits of the best site of each record (B,), against letters that are all as likely."""
    shares = motif.counts / motif.counts.sum(axis=1, keepdims=True) + PSEUDO
    odds = np.log2(shares / np.array(UNIFORM))
    places = codes.shape[1] - len(odds) + 1
    sums = [
        np.sum([row[codes[:, at : at + places]] for at, row in enumerate(strand)], axis=0)
        for strand in (odds, odds[::-1, ::-1])
    ]
    return np.max(sums, axis=(0, 2))


def ranked(motifs: list[Motif], codes: Codes, labels: Floats) -> list[tuple[float, str]]:
    """AUROC and name of each motif that fits, the best first."""
    fitting = [motif for motif in motifs if len(motif.counts) <= codes.shape[1]]
    areas = [auroc(labels.astype(np.int64), best_sites(motif, codes))[0] for motif in fitting]
    return sorted(((area, motif.name.split()[-1]) for area, motif in zip(areas, fitting, strict=True)), reverse=True)


def main() -> None:
    """Print a row a set."""
    motifs, known = known_motifs(), read_config()["known"]
    print("| set | best motif | best of those it is known for | rank, of all |")
    print("|---|---|---|---|")
    for name, path in sets().items():
        letters, labels = records(Path(str(path).replace("_AC.", "_B.")))
        found = ranked(motifs, np.array([encode(one) for one in letters]), labels)
        place = next(at for at, (_, motif) in enumerate(found) if is_expected(motif, known[name]))
        cells = [f"{motif} {area:.3f}" for area, motif in (found[0], found[place])]
        print(f"| {name} | {cells[0]} | {cells[1]} | {place + 1} of {len(found)} |")


if __name__ == "__main__":
    main()
