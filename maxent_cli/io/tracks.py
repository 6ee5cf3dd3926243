"""Tracks for genome browsers: numbers of single places as bedGraph and bigWig, and a session of IGV that opens them."""

import os
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyBigWig

from maxent_cli.io.outputs import writing

PLACE = ["chromosome", "chromosome_position"]
SESSION = "igv.xml"
_KINDS = {".bed": "bed", ".bedgraph": "bedgraph", ".bw": "bigwig"}
_NEWEST = "8"  # version of the format of sessions


def write_signal(folder: Path, stem: str, table: pd.DataFrame, column: str) -> tuple[int, int]:
    """Write a column's numbers at places in the genome, sorted and each once, as STEM.bedgraph and STEM.bw.

    table: chromosome ('' where there is none), chromosome_position (0-based) and the column, empty where not known.
    Where several rows have a place, their mean. A chromosome's size in the bigWig is where its last number ends, since
    nothing here says more. Gives the number of places, and of those with several; without any, nothing is written.
    """
    known = table[(table["chromosome"] != "") & table[column].notna()]
    places = known.groupby(PLACE, sort=True)[column].agg(["mean", "size"]).reset_index()
    if not len(places):
        return 0, 0
    starts = places["chromosome_position"].to_numpy(np.int64)
    lines = pd.DataFrame({"chromosome": places["chromosome"], "start": starts, "end": starts + 1})
    lines = lines.assign(value=places["mean"].to_numpy(np.float64))
    with writing(str(folder / f"{stem}.bedgraph")) as stream:
        lines.to_csv(stream, sep="\t", header=False, index=False, float_format="%.6g", lineterminator="\n")
    _write_bigwig(str(folder / f"{stem}.bw"), lines)
    return len(places), int((places["size"] > 1).sum())


def _write_bigwig(path: str, lines: pd.DataFrame) -> None:
    sizes = lines.groupby("chromosome", sort=True)["end"].max()
    file = pyBigWig.open(path, "w")
    try:
        file.addHeader([(str(name), int(size)) for name, size in sizes.items()])
        for name, part in lines.groupby("chromosome", sort=True):
            ends, values = (part[column].to_list() for column in ("end", "value"))
            file.addEntries([str(name)] * len(part), part["start"].to_list(), ends=ends, values=values)
    finally:
        file.close()


def write_session(path: str, tracks: Sequence[str]) -> None:
    """Write a session that opens tracks in IGV."""
    with writing(path) as stream:
        stream.write(session(path, tracks))


def session(path: str, tracks: Sequence[str], genome: str | None = None) -> str:
    """The text of a file that opens tracks in IGV, in this order, by their places relative to its own.

    genome: the FASTA that they refer to; without it they are shown on the genome that is open.
    """
    folder = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120  # which is not there yet, or a link
    known = {} if genome is None else {"genome": os.path.relpath(genome, folder)}
    root = ElementTree.Element("Session", {**known, "version": _NEWEST})
    resources = ElementTree.SubElement(root, "Resources")
    for track in tracks:
        place = {"path": os.path.relpath(track, folder), "type": _KINDS[Path(track).suffix]}
        ElementTree.SubElement(resources, "Resource", place)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, "unicode")}\n'
