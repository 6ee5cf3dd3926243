"""Every table that a command writes, declared once, and the other files beside them."""

from maxent_cli.tables import (
    attribution,
    comparison,
    crossing,
    dependence,
    design,
    gc_probe,
    motifs,
    periodicity,
    sampling,
    training,
    variants,
)
from maxent_cli.tables.schema import Column, File, Output, Table

WRITTEN: dict[str, tuple[Output, ...]] = {
    "train": training.TRAIN,
    "predict": training.PREDICT,
    "sample": sampling.SAMPLE,
    "motifs": motifs.FOLDER,
    "dependence": dependence.FOLDER,
    "variants": (*variants.FOLDER, sampling.REJECTED),
    "compare": (*comparison.FOLDER, *crossing.FOLDER),
    "periodicity": periodicity.FOLDER,
    "gc-probe": (*gc_probe.FOLDER, sampling.REJECTED),
    "design": (*design.FOLDER, sampling.REJECTED),
    "attribute": (*attribution.FOLDER, sampling.REJECTED),
}

# folders that the report takes, by the command that wrote them: what it shows of each
SHOWN = {
    "train": "how well the network tells positives from negatives that were held out",
    "motifs": "motifs, and the hundred most telling anchors drawn",
    "periodicity": "where anchors peak, and mean spectra",
    "variants": "the changes of most effect, in the anchors and over contexts",
    "gc-probe": "the response to a chemical potential on a count, and what is held of it",
    "attribute": "scores of positions below the logos of the draws, and how far the two agree",
    "design": "what was reached at what price, and where edits lie",
}

__all__ = ["SHOWN", "WRITTEN", "Column", "File", "Output", "Table"]
