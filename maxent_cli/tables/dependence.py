"""The tables that `maxent dependence` writes."""

from maxent_cli.tables.columns import CONVERGED, CONVERGENCE, RECORD, RHAT
from maxent_cli.tables.schema import NUMBER, SHARE, TEXT, TRUTH, WHOLE, Column, File, Table, estimate

_PAIR = (
    RECORD,
    Column("first", WHOLE, "bp", "The position of the pair that comes first in the anchor, 0-based."),
    Column("second", WHOLE, "bp", "The other position, 0-based."),
)
_NO_NORM = "the energy is no norm (--law output), or too few draws count after reweighting"
_REFUSED = "the anchor was refused"
PAIRS = Table(
    "pairs.tsv",
    "a pair of positions of an anchor",
    "the pairs that depend most: bits, p, q, and bits_squared, with errors",
    (
        *_PAIR,
        Column("first_letter", TEXT, "", "The anchor's letter at the first position."),
        Column("second_letter", TEXT, "", "The anchor's letter at the second position."),
        *estimate(
            "bits",
            "bits",
            "Mutual information of the letters drawn at the two, corrected for the bias of finite draws.",
        ),
        Column("p", NUMBER, "", "Chance of as much between positions of different chains, which are independent."),
        Column("q", NUMBER, "", "False discovery rate over the anchor's pairs (Benjamini-Hochberg)."),
        *estimate(
            "bits_squared",
            "bits",
            "The same of draws reweighted to the squared energy, where features that merely add are independent.",
            _NO_NORM,
        ),
        Column("ess", NUMBER, "draws", "Effective sample size of the two letters together."),
        *CONVERGENCE,
    ),
    key=("record", "first", "second"),
)
LETTERS = Table(
    "letters.tsv",
    "two letters at a pair of positions",
    "how often each two letters stand together there, and would if apart",
    (
        *_PAIR,
        Column("first_letter", TEXT, "", "Letter at the first position."),
        Column("second_letter", TEXT, "", "Letter at the second position."),
        *estimate("share", "", "Share of draws with both."),
        Column("product", SHARE, "", "The share that it would be if the positions were independent."),
        *CONVERGENCE,
    ),
    key=("record", "first", "second", "first_letter", "second_letter"),
)
ANCHORS = Table(
    "anchors.tsv",
    "an anchor",
    "pairs tested and dependent (q up to 0.05) of each anchor, or why it was refused",
    (
        RECORD,
        Column("refused", TRUTH, "", "Whether its chains disagree, so that nothing is said of it."),
        CONVERGED,
        RHAT,
        Column("rhat_quantity", TEXT, "", "What has the worst R-hat: energy, output, or a letter at a position."),
        Column("pairs", WHOLE, "", "Pairs of positions that were tested.", _REFUSED),
        Column("dependent", WHOLE, "", "Pairs whose q is at most 0.05.", _REFUSED),
        Column(
            "squared_share",
            SHARE,
            "",
            "Share of draws that count after reweighting to the squared energy.",
            f"{_REFUSED}, or {_NO_NORM}",
        ),
        Column("map", TEXT, "", "Path of the heat map within the folder.", "none was drawn"),
    ),
    key=("record",),
)
FOLDER = (
    PAIRS,
    LETTERS,
    ANCHORS,
    File("maps/", "heat map of an anchor's pairs, below the diagonal the reference; tables of top pairs"),
)
