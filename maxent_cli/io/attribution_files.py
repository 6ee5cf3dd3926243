"""What is made of a table of attribution scores: arrays for TF-MoDISco."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from maxent_cli.alphabet import LETTERS, encode, one_hot
from maxent_cli.errors import InputError
from maxent_cli.io.modisco import write_modisco
from maxent_cli.io.tables import text_of
from maxent_cli.tables.attribution import POSITIONS, READING
from maxent_cli.tables.schema import Table

_NUMBERS = ["position", "score", "chromosome_position", *LETTERS]


def read_scores(path: str) -> pd.DataFrame:
    """Of a table of positions: position, letter, score, place in the genome and A, C, G, T; empty where not known."""
    return _read(path, POSITIONS, _NUMBERS)


def read_reading(path: str) -> pd.DataFrame:
    """Of a table of what was read: bits and their places in the genome; empty where not known."""
    return _read(path, READING, ["bits", "chromosome_position"])


def _read(path: str, kind: Table, numbers: Sequence[str]) -> pd.DataFrame:
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    fault = kind.fault(table.columns)
    if fault:
        raise InputError(path, "line 1", fault, "give the folder that `maxent attribute` wrote")
    table["chromosome"] = table["chromosome"].map(text_of)
    return table.assign(**{name: pd.to_numeric(table[name]) for name in numbers})


def write_arrays(folder: Path, table: pd.DataFrame) -> None:
    """Letters and hypothetical scores (N, 4, L), 0 where there is none, as `modisco motifs` reads them."""
    length = int(table["position"].max()) + 1 if len(table) else 1
    codes = encode("".join(table["letter"])).reshape(-1, length)
    scores = table[list(LETTERS)].fillna(0).to_numpy(np.float32).reshape(-1, length, 4)
    write_modisco(str(folder), one_hot(codes), scores.transpose(0, 2, 1))
