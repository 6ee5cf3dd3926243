"""The tables that `maxent attribute` writes."""

from maxent_cli.tables.columns import LETTER, LOGO, PLACE, POSITION, RECORD, letters
from maxent_cli.tables.schema import NUMBER, TRUTH, Column, File, Table

_HELD = "the position is held"
_NOT_SUMMED = "the method has no references"
POSITIONS = Table(
    "positions.tsv",
    "a position of an anchor",
    "letter, score, error, and the scores of A, C, G and T, a position a line",
    (
        RECORD,
        POSITION,
        LETTER,
        Column("score", NUMBER, "output", "The position's score.", _HELD),
        Column("error", NUMBER, "output", "Standard error of score over references.", f"{_HELD}, or {_NOT_SUMMED}"),
        *letters("", "output", "Score of {} there.", _HELD),
        *PLACE,
    ),
    key=("record", "position"),
)
ANCHORS = Table(
    "anchors.tsv",
    "an anchor",
    "output, sum of scores, output of the references, how far the sum is off (delta, and its share of the mean "
    "difference from the references); drift: of the compiled kernel from full passes",
    (
        RECORD,
        Column("output", NUMBER, "output", "The network's output for the anchor, before any sigmoid or softmax."),
        Column("score_sum", NUMBER, "output", "Sum of the positions' scores."),
        Column("reference_output", NUMBER, "output", "Mean output of the references.", _NOT_SUMMED),
        Column("reference_output_error", NUMBER, "output", "Standard error of reference_output.", _NOT_SUMMED),
        Column(
            "delta",
            NUMBER,
            "output",
            "Mean distance of each reference's sum of scores from what it must be.",
            _NOT_SUMMED,
        ),
        Column("delta_share", NUMBER, "", "That as a share of the mean difference of outputs.", _NOT_SUMMED),
        Column("complete", TRUTH, "", "Whether delta_share is within --max-delta.", _NOT_SUMMED),
        Column(
            "drift",
            NUMBER,
            "output",
            "Most that the compiled kernel's outputs differed from full passes.",
            "it did not serve",
        ),
        LOGO,
    ),
    key=("record",),
)
FOLDER = (
    POSITIONS,
    ANCHORS,
    File(
        "scores.bedgraph",
        "scores where coordinates are known, 0-based half-open; where anchors overlap, their mean",
        pooled=True,
    ),
    File("scores.bw", "the same as bigWig", pooled=True),
    File("igv.xml", "opens that in IGV", pooled=True),
    File("logos/", "the anchor's letters, as high as their scores"),
    File("modisco/", "one_hot.npz and attributions.npz, each (anchors, 4, positions)", pooled=True),
)
