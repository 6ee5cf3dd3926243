"""What is made of a table of attribution scores: a bedGraph, and arrays for TF-MoDISco."""

from pathlib import Path

import numpy as np
import pandas as pd

from maxent_cli.alphabet import LETTERS, encode, one_hot
from maxent_cli.errors import InputError
from maxent_cli.io.modisco import write_modisco
from maxent_cli.io.outputs import writing
from maxent_cli.io.tables import text_of
from maxent_cli.tables.attribution import POSITIONS

_PLACE = ["chromosome", "chromosome_position"]
_NUMBERS = ["position", "score", "chromosome_position", *LETTERS]


def read_scores(path: str) -> pd.DataFrame:
    """Of a table of positions: position, letter, score, place in the genome and A, C, G, T; empty where not known."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    fault = POSITIONS.fault(table.columns)
    if fault:
        raise InputError(path, "line 1", fault, "give the folder that `maxent attribute` wrote")
    table["chromosome"] = table["chromosome"].map(text_of)
    return table.assign(**{name: pd.to_numeric(table[name]) for name in _NUMBERS})


def write_arrays(folder: Path, table: pd.DataFrame) -> None:
    """Letters and hypothetical scores (N, 4, L), 0 where there is none, as `modisco motifs` reads them."""
    length = int(table["position"].max()) + 1 if len(table) else 1
    codes = encode("".join(table["letter"])).reshape(-1, length)
    scores = table[list(LETTERS)].fillna(0).to_numpy(np.float32).reshape(-1, length, 4)
    write_modisco(str(folder), one_hot(codes), scores.transpose(0, 2, 1))


def write_bedgraph(path: Path, table: pd.DataFrame) -> tuple[int, int]:
    """Scores of places in the genome, sorted and each once: chromosome, start and end in bp (0-based half-open), score.

    Where several records have a score, their mean. Gives the number of places, and of those with several.
    """
    known = table[(table["chromosome"] != "") & table["score"].notna()]
    places = known.groupby(_PLACE, sort=True)["score"].agg(["mean", "size"]).reset_index()
    lines = pd.DataFrame({"chromosome": places["chromosome"], "start": places["chromosome_position"].astype(int)})
    lines = lines.assign(end=lines["start"] + 1, score=places["mean"])
    with writing(str(path)) as stream:
        lines.to_csv(stream, sep="\t", header=False, index=False, float_format="%.6g", lineterminator="\n")
    return len(places), int((places["size"] > 1).sum())
