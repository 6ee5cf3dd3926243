"""The tables that `maxent attribute` writes."""

from maxent_cli.tables.columns import BEFORE, LETTER, LOGO, PLACE, POSITION, RECORD, letters
from maxent_cli.tables.schema import NUMBER, TRUTH, Column, File, Table, estimate

_HELD = "the position is held"
_NOT_SUMMED = "the method has no references"
_NO_DRAWS = "no draws were given"
_NOT_RECURRENT = "the network has no recurrent layer, or none that can be read so"
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
        *letters("", "output", "Score of {} there.", f"{_HELD}, or the method scores the anchor's own letter alone"),
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
        Column(
            "score_sum_error", NUMBER, "output", "Standard error of score_sum over references.", _NOT_SUMMED, BEFORE
        ),
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
        *estimate("bits", "bits", "Sum of the letters' bits given those before them, of the draws' law.", _NO_DRAWS),
        *estimate(
            "law_bits",
            "bits",
            "What that must be, by the draws' replicas: bits held and beta <E> / ln 2, less "
            "beta times the anchor's energy.",
            f"{_NO_DRAWS}, or these have no replica at beta 0",
        ),
        Column(
            "converged",
            TRUTH,
            "",
            "Whether the draws' R-hat and effective sample size stay within the bounds.",
            _NO_DRAWS,
        ),
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
READING = Table(
    "reading.tsv",
    "a position of an anchor",
    "by --method prefix: the output as far as the letters up to each position, and from each on, tell it; with --draws "
    "the bits by which their law holds each letter given those before it, and each prefix",
    (
        RECORD,
        POSITION,
        LETTER,
        *estimate("prefix", "output", "Mean output where this letter and those before it are the anchor's."),
        *estimate("suffix", "output", "Mean output where this letter and those after it are the anchor's."),
        Column(
            "saliency", NUMBER, "output", "Size of the gradient of the output by the letter.", "there is no gradient"
        ),
        Column("running_prefix", NUMBER, "output", "Output on this letter and those before it alone.", _NOT_RECURRENT),
        Column("running_suffix", NUMBER, "output", "Output on this letter and those after it alone.", _NOT_RECURRENT),
        *estimate(
            "bits",
            "bits",
            "Log2 of the law's probability of the letter given those before it, over the background's.",
            f"{_NO_DRAWS}, or the position is held",
        ),
        *estimate(
            "prefix_bits",
            "bits",
            "Sum of bits up to here: the prefix's free energy, with its sign turned.",
            f"{_NO_DRAWS}, or the position is held",
        ),
        *PLACE,
    ),
    key=("record", "position"),
)
FOLDER = (
    POSITIONS,
    READING,
    ANCHORS,
    File(
        "scores.bedgraph",
        "scores where coordinates are known, 0-based half-open; where anchors overlap, their mean",
        pooled=True,
    ),
    File("scores.bw", "the same as bigWig", pooled=True),
    File("bits.bedgraph", "bits of reading.tsv, likewise", pooled=True),
    File("bits.bw", "the same as bigWig", pooled=True),
    File("igv.xml", "opens that in IGV", pooled=True),
    File("reading/", "pictures of reading.tsv, an anchor each"),
    File("logos/", "the anchor's letters, as high as their scores"),
    File("modisco/", "one_hot.npz and attributions.npz, each (anchors, 4, positions)", pooled=True),
)
