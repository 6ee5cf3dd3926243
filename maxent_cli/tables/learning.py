"""The tables that `maxent learning` writes."""

from maxent_cli.tables.columns import CONVERGENCE, KNOWN_COLUMNS, RECORD
from maxent_cli.tables.schema import NUMBER, SHARE, TEXT, TRUTH, WHOLE, Column, File, Table, estimate

ALL_LAYERS = "all layers"  # what all of them together are called
_NO_ANCHORS = "no anchors were given"
_NO_LAYER = "no layer is ReLU-like"
_NOT_DRAWN = f"{_NO_ANCHORS}, or {_NO_LAYER}"
_ONE_CLASS = "a class is missing, or the network has neither one nor two outputs"
_NO_PATTERN = "there is none"
STEP = Column("step", WHOLE, "", "Step of the training that the weights are of; the checkpoint's number if not known.")
LAYER = Column("layer", TEXT, "", f"The ReLU-like layer, by its module; '{ALL_LAYERS}': all of them and all positions.")
_ENTROPY = (
    Column("patterns", WHOLE, "", "Patterns counted: one a sequence and position; of all layers one a sequence."),
    Column("distinct", WHOLE, "", "Distinct patterns among them."),
    Column("entropy", NUMBER, "bits", "Entropy of these patterns, by how often each came."),
    Column("most", NUMBER, "bits", "The most that it can be: the number of units, or log2 of patterns counted."),
    Column("share", SHARE, "", "The entropy as a share of that.", _NO_PATTERN),
)
STEPS = Table(
    "steps.tsv",
    "a checkpoint",
    "loss, AUROC, bits and entropy of all layers, by step",
    (
        STEP,
        Column("checkpoint", TEXT, "", "The model folder."),
        Column("kept", TRUTH, "", "Whether no later checkpoint is as near below the step that the training kept."),
        *estimate("loss", "nats", "Mean cross entropy over the records.", _ONE_CLASS),
        Column("auroc", SHARE, "", "AUROC of the records.", _ONE_CLASS),
        Column("entropy", NUMBER, "bits", "Entropy of the patterns of all layers together.", _NO_LAYER),
        Column("anchors", WHOLE, "", "Anchors drawn around."),
        Column("anchors_converged", WHOLE, "", "Of how many of them the draws have converged."),
        *estimate("bits", "bits", "Bits that positions hold, the mean over anchors.", _NO_ANCHORS),
        *estimate("bits_held", "bits", "Bits that the law holds, the mean over anchors.", _NO_ANCHORS),
        *estimate("like_anchor", "", "Share of all units that are as in the anchor, over draws.", _NOT_DRAWN),
        Column("regions", SHARE, "", "Distinct patterns of all layers, of a draw each, the mean.", _NOT_DRAWN),
    ),
    key=("step",),
)
PATTERNS = Table(
    "patterns.tsv",
    "a layer at a checkpoint, for a class of records",
    "entropy, distinct patterns, Jaccard similarities and dead units of each ReLU-like layer by step and class",
    (
        STEP,
        LAYER,
        Column("class", TEXT, "", "Records counted: all, negative or positive."),
        Column("units", WHOLE, "", "Units of the layer: bits of a pattern."),
        *_ENTROPY,
        Column("jaccard_start", SHARE, "", "Patterns shared with the first checkpoint, of those of either."),
        Column("jaccard_previous", SHARE, "", "The same with the checkpoint before.", "it is the first"),
        Column("jaccard_end", SHARE, "", "The same with the last checkpoint."),
        Column("dead", WHOLE, "", "Units that are on in no pattern."),
    ),
    key=("step", "layer", "class"),
)
LAYERS = Table(
    "layers.tsv",
    "a layer",
    "when each layer came half of its way to its last patterns, and whether its entropy dips",
    (
        LAYER,
        Column("units", WHOLE, "", "Units of the layer."),
        Column(
            "halfway",
            WHOLE,
            "",
            "First step from which on Jaccard similarity to the end is at least midway between the start's and 1.",
        ),
        Column("entropy_start", NUMBER, "bits", "Entropy at the first checkpoint, of all records."),
        Column("entropy_least", NUMBER, "bits", "The least entropy of any checkpoint."),
        Column("least_step", WHOLE, "", "The step of that."),
        Column("entropy_end", NUMBER, "bits", "Entropy at the last checkpoint."),
        Column("dip", NUMBER, "bits", "How far the least lies below the lower of the first and the last."),
        Column("dead_start", WHOLE, "", "Dead units at the first checkpoint."),
        Column("dead_end", WHOLE, "", "Dead units at the last checkpoint."),
    ),
    key=("layer",),
)
ANCHORS = Table(
    "anchors.tsv",
    "an anchor at a checkpoint",
    "with ANCHORS: bits of each anchor by step",
    (
        STEP,
        RECORD,
        *estimate("bits", "bits", "Bits that the positions hold, summed."),
        *estimate("bits_held", "bits", "Bits that the whole law holds."),
        Column("motifs", WHOLE, "", "Motifs that its draws hold."),
        *CONVERGENCE,
    ),
    key=("step", "record"),
)
REGIONS = Table(
    "regions.tsv",
    "a layer at a checkpoint, for draws around an anchor",
    "with ANCHORS: on/off patterns over draws: how many regions the law visits, and how far it stays in the anchor's",
    (
        STEP,
        RECORD,
        LAYER,
        *_ENTROPY,
        *estimate("like_anchor", "", "Share of units and positions that are on or off as in the anchor, over draws."),
    ),
    key=("step", "record", "layer"),
)
_MOTIF = (
    Column("consensus", TEXT, "", "Its consensus in IUPAC letters."),
    Column("bits", NUMBER, "bits", "Information of its columns against the background."),
    Column("anchors", WHOLE, "", "Anchors whose draws hold it."),
)
MOTIFS = Table(
    "motifs.tsv",
    "a motif at a checkpoint",
    "with ANCHORS: the motifs at each step, and which of the last step each is",
    (
        STEP,
        Column("motif", TEXT, "", "Its name at this step, motif_1 being that of most anchors."),
        *_MOTIF,
        Column("same_as", TEXT, "", "The motif of the last step that it is.", "it is none of them"),
        Column("similarity", NUMBER, "", "Pearson correlation of the aligned columns with that.", "it is none of them"),
    ),
    key=("step", "motif"),
)
LEARNED = Table(
    "learned.tsv",
    "a motif of the last checkpoint",
    "with ANCHORS: when each motif was learned",
    (
        Column("motif", TEXT, "", "Its name, motif_1 being that of most anchors."),
        *_MOTIF,
        Column("first_step", WHOLE, "", "First step at which it is found."),
        Column("lasting_step", WHOLE, "", "First step from which on it is found at every checkpoint."),
        Column("loss", NUMBER, "nats", "Loss at that step.", _ONE_CLASS),
        *KNOWN_COLUMNS,
    ),
    key=("motif",),
)
FOLDER = (
    STEPS,
    PATTERNS,
    LAYERS,
    ANCHORS,
    REGIONS,
    MOTIFS,
    LEARNED,
    File(
        "learning.png",
        "all of it by step on one axis: loss, bits, entropy of layers and by class, dead units, regions, motifs",
    ),
)
