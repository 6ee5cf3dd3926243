"""The tables that `maxent train` and `maxent predict` write."""

from dataclasses import replace

from maxent_cli.tables.sampling import REJECTED
from maxent_cli.tables.schema import NUMBER, SHARE, TEXT, TRUTH, WHOLE, Column, File, Table

_ONE_CLASS = "a class is missing"
METRICS = Table(
    "metrics.tsv",
    "a measure of a part of the data",
    "AUROC and AUPRC of validation and test part, with 95 % intervals",
    (
        Column("part", TEXT, "", "Part of the data: validation or test."),
        Column("metric", TEXT, "", "AUROC, or AUPRC (average precision)."),
        Column("value", SHARE, "", "The area under the curve.", _ONE_CLASS),
        Column(
            "lower",
            SHARE,
            "",
            "Lower end of its 95 % interval, by bootstrap over groups of related records.",
            _ONE_CLASS,
        ),
        Column("upper", SHARE, "", "Upper end of that interval.", _ONE_CLASS),
        Column("positives", WHOLE, "", "Positives in the part."),
        Column("negatives", WHOLE, "", "Negatives in the part."),
    ),
    key=("part", "metric"),
)
_NO_VALIDATION = "there is no validation part"
CURVE = Table(
    "learning_curve.tsv",
    "an epoch",
    "learning rate and losses by epoch",
    (
        Column("epoch", WHOLE, "", "Which pass over the training part, from 1."),
        Column("learning_rate", NUMBER, "", "Learning rate at its end."),
        Column("training_loss", NUMBER, "nats", "Mean cross entropy of the training part."),
        Column(
            "validation_loss",
            NUMBER,
            "nats",
            "Mean cross entropy of the validation part, by the averaged weights.",
            _NO_VALIDATION,
        ),
        Column("validation_auroc", SHARE, "", "AUROC of the validation part.", _NO_VALIDATION),
        Column("best", TRUTH, "", "Whether no earlier epoch was as good; the last such weights are kept."),
    ),
    key=("epoch",),
)
LEFT_OUT = replace(REJECTED, file="rejected.tsv", about="records that were rejected, by name, place and reason")
TRAIN = (
    File("weights.safetensors", "the weights"),
    File("model.json", "architecture, input length, letter frequencies, settings, metrics, digests of the data"),
    METRICS,
    CURVE,
    File("learning_curve.png", "the same as a picture"),
    File("{train,validation,test}.{positives,negatives}.fa", "the three parts, and .bed where coordinates are known"),
    LEFT_OUT,
    File("checkpoints/step_*/", "with --checkpoints: a model folder of the weights after each of these steps"),
)
_LABELLED = "the records' labels are not known"
_NOT_ABLE, _NOT_DIVERSE = "it could not be selected", "records are not selected by --diverse"
_NO_CLASS = "the contrast is a weighted sum of outputs"
SCORES = Table(
    "OUT",
    "a record",
    "the network's outputs for each record",
    (
        Column("record", TEXT, "", "The record's name."),
        Column(
            "contrast",
            NUMBER,
            "output",
            "The output asked for, or a weighted sum: above 0 calls the first class.",
        ),
        Column("probability", SHARE, "", "Probability of the contrast's first class.", missing=_NO_CLASS),
        Column("label", WHOLE, "", "The record's class, 0 or 1.", optional=_LABELLED),
        Column("correct", TRUTH, "", "Whether contrast is above 0 exactly where label is 1.", optional=_LABELLED),
        Column(
            "anchor",
            TEXT,
            "",
            "The record selected that stands for this one.",
            missing=_NOT_ABLE,
            optional=_NOT_DIVERSE,
        ),
        Column(
            "stands_for",
            SHARE,
            "",
            "Share of the records that could be selected which this one stands for.",
            missing="it was not selected",
            optional=_NOT_DIVERSE,
        ),
    ),
    named=Column("OUTPUT", NUMBER, "output", "An output of the network by its name, before any sigmoid or softmax."),
)
PREDICT = (SCORES, File("SELECT", "the records selected, FASTA or BED"), REJECTED)
