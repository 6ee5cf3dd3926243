"""Every table that a command writes, declared once, and the other files beside them."""

from maxent_cli.tables import (
    attribution,
    comparison,
    crossing,
    dependence,
    design,
    gc_probe,
    learning,
    motifs,
    periodicity,
    sampling,
    training,
    variants,
)
from maxent_cli.tables.schema import Column, File, Output, Table

WRITTEN: dict[str, tuple[Output, ...]] = {
    "train": training.TRAIN,
    "learning": (*learning.FOLDER, sampling.REJECTED),
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

# Folders that the report takes, by the command that wrote them: what it shows of each. The one list of them: the
# command's options, the function's keywords and the page's parts go by it.
SHOWN = {
    "train": "how well the network tells positives from negatives that were held out",
    "learning": "what was learned when: loss, entropy of layers, bits and motifs by training step",
    "motifs": "motifs in groups, what is avoided, how they are arranged, and each anchor as a card",
    "periodicity": "where anchors peak, and mean spectra",
    "variants": "the changes of most effect, in the anchors and over contexts",
    "gc-probe": "the response to a chemical potential on a count, and what is held of it",
    "compare": "two networks or sets of draws side by side, or networks on each other's draws; these being of one",
    "attribute": "scores of positions on the cards of anchors, and how far they and the draws agree",
    "dependence": "the pairs of positions that depend most on each other",
    "design": "what was reached at what price, and where edits lie",
}

__all__ = ["SHOWN", "WRITTEN", "Column", "File", "Output", "Table"]
