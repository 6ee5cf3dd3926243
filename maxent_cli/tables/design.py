"""The tables that `maxent design` writes."""

from maxent_cli.tables.columns import CONVERGENCE, POSITION, RECORD
from maxent_cli.tables.schema import NUMBER, SHARE, TEXT, TRUTH, WHOLE, Column, File, Table, estimate

_BEST = "with --best, which finds sequences and no law"
_NOT_EDITS = "what is written are no edits (without --near)"
_UNTOLD = Column("converged", TRUTH, "", "Whether R-hat and effective sample size stay within the bounds.", _BEST)
_RHAT = CONVERGENCE[1]
_OUTPUT = Column("output", NUMBER, "output", "The network's output, before any sigmoid or softmax.")
_SEQUENCE = Column("sequence", TEXT, "", "Its letters.")

SUMMARY = Table(
    "summary.tsv",
    "a record",
    "what was asked for and reached, and at what price",
    (
        RECORD,
        Column("law", TEXT, "", "What was drawn from: the law of a mean output, near an output, or the best found."),
        Column("to", NUMBER, "output", "The output that is wanted.", _BEST),
        *estimate("output", "output", "Mean output of the draws; with --best the highest.", _BEST),
        Column(
            "reached",
            TRUTH,
            "",
            "Whether it is the one that is wanted; of the law near: whether a draw is near it.",
            _BEST,
        ),
        Column("output_anchor", NUMBER, "output", "Output of the record itself.", "there is no record"),
        Column("output_background", NUMBER, "output", "Mean output of background sequences within the constraints."),
        Column(
            "gamma",
            NUMBER,
            "1/output",
            "Strength of the law, p ∝ q·exp(gamma·output); below 0 where less than the background's is wanted.",
            "it is no law of a mean output",
        ),
        Column("gamma_error", NUMBER, "1/output", "Monte Carlo standard error of gamma.", "gamma is not known"),
        *estimate("bits", "bits", "Price: divergence of the law from its background within the constraints.", _BEST),
        Column(
            "bits_constraints", NUMBER, "bits", "Price of the constraints: minus the log share of background inside."
        ),
        Column("designs", WHOLE, "", "Sequences written."),
        Column("distance", NUMBER, "letters", "Mean number of letters in which two of them differ.", "fewer than two"),
        *estimate("edits", "letters", "Mean number of edits of the draws.", _NOT_EDITS),
        Column("edits_background", NUMBER, "letters", "The same at beta = 0, before any constraints.", _NOT_EDITS),
        Column("smallest", WHOLE, "letters", "Edits of the smallest set that was found.", "none was, or no edits are"),
        Column("chains", WHOLE, "", "Cooled chains that came to the best.", "without --best"),
        _UNTOLD,
        _RHAT,
        Column("ess", NUMBER, "draws", "Least effective sample size of output and letters.", "nothing ever changed"),
        Column("kernel", TEXT, "", "What drew: the compiled chain, or full passes and why."),
        Column("steps", WHOLE, "", "Steps of each replica after the warm-up that draws are from."),
    ),
    key=("record",),
)
DESIGNS = Table(
    "designs.tsv",
    "a sequence",
    "the designs, draws of the law or optima, a sequence a line",
    (
        RECORD,
        Column("design", TEXT, "", "Its name in designs.fa."),
        _OUTPUT,
        Column("edits", WHOLE, "letters", "Letters that differ from the record's.", "there is no record"),
        Column("gc", SHARE, "", "Share of G and C."),
        Column(
            "nearest", WHOLE, "letters", "Letters in which it differs from the nearest other one.", "it is the only one"
        ),
        _SEQUENCE,
        _UNTOLD,
        _RHAT,
    ),
    key=("design",),
)
EDITS = Table(
    "edits.tsv",
    "a position of a record",
    "with --near: how often each position is edited",
    (
        RECORD,
        POSITION,
        Column("letter", TEXT, "", "The record's letter there."),
        *estimate("edited", "", "Probability that it is edited."),
        Column("background", NUMBER, "", "That probability at beta = 0, before any constraints."),
        Column("excess", NUMBER, "", "By how much it is edited more often than that."),
        *(Column(f"to_{letter}", SHARE, "", f"Share of draws with {letter} there.") for letter in "ACGT"),
        *CONVERGENCE,
    ),
    key=("record", "position"),
)
NUMBERS = Table(
    "edit_numbers.tsv",
    "a record and a number of edits",
    "with --near: how many edits there are",
    (
        RECORD,
        Column("edits", WHOLE, "letters", "Number of edits."),
        *estimate("share", "", "Share of draws with so many."),
        Column("background", SHARE, "", "That share at beta = 0, before any constraints."),
        *CONVERGENCE,
    ),
    key=("record", "edits"),
)
SETS = Table(
    "edit_sets.tsv",
    "a record and a set of edits",
    "with --near: the smallest sets of edits that were found, none of which can lose one and stay near",
    (
        RECORD,
        Column("set", WHOLE, "", "Its number, from 1: the fewest edits first, then the nearest."),
        Column("edits", WHOLE, "letters", "Number of edits."),
        Column("changes", TEXT, "", "The edits: position from 0, letter, new letter.", "none are needed"),
        _OUTPUT,
        Column("missed", NUMBER, "output", "Output less the one that is wanted."),
        _SEQUENCE,
        *CONVERGENCE,
    ),
    key=("record", "set"),
)
BY_RECORD = (SUMMARY, DESIGNS, EDITS, NUMBERS, SETS)
OF_EDITS = (EDITS, NUMBERS, SETS)
FOLDER = (SUMMARY, DESIGNS, File("designs.fa", "the designs as FASTA, named record/number"), *OF_EDITS)
