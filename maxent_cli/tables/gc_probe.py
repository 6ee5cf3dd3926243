"""The tables that `maxent gc-probe` writes. N is the number of what is counted, mu the chemical potential on it."""

from maxent_cli.tables.columns import BETA, FEW, NO_DISTANCE, RECORD
from maxent_cli.tables.schema import ANY_NUMBER, NUMBER, TEXT, TRUTH, WHOLE, Column, File, Table, estimate

_STILL = "the count cannot vary, or chains are too few"
_MU = Column("mu", NUMBER, "natural-log units", "Chemical potential on each that is counted.")
_COUNT = Column(
    "count", TEXT, "", "What is counted: a letter, a class of letters, a half, a dinucleotide, homopolymers."
)

RESPONSE = Table(
    "response.tsv",
    "an anchor and a chemical potential",
    "N, its variance, energy and output with Monte Carlo errors, an anchor and mu a line",
    (
        RECORD,
        Column("counted", TEXT, "", "What is counted."),
        Column("share", TRUTH, "", "Whether it is given as a share of the places; else as a number."),
        _MU,
        Column("places", WHOLE, "", "Places that may change."),
        Column("anchor", NUMBER, "as counted", "The anchor's own N.", _STILL),
        *estimate("draws", "as counted", "Mean N of draws.", _STILL),
        *estimate("variance", "", "Variance of N, as a number.", _STILL),
        Column("beta_0", NUMBER, "as counted", "Mean N of the background alone (beta 0) at this mu, exact.", _STILL),
        Column("beta_0_variance", NUMBER, "", "Variance of that, as a number, exact.", _STILL),
        BETA,
        *estimate("energy", "energy", "Mean energy of the draws."),
        Column("energy_background", NUMBER, "energy", "Mean energy of background sequences (beta 0)."),
        Column(
            "energy_reduction", NUMBER, "", "Share by which the mean energy is below the background's.", NO_DISTANCE
        ),
        *estimate("output", "output", "Mean output of the draws, before any sigmoid or softmax."),
        *estimate(
            "output_kept", "", "Share of the way from the background's output to the anchor's that the draws keep."
        ),
        Column("distinguishable", TRUTH, "", "Whether the anchor's output lies outside the background's central 95 %."),
        Column("rhat_counted", ANY_NUMBER, "", "R-hat of N.", "N never changed"),
        Column("rhat", ANY_NUMBER, "", "Worst R-hat of N, energy, output and letters.", "nothing ever changed"),
        Column("ess_counted", NUMBER, "draws", "Effective sample size of N.", "N never changed"),
        Column("ess", NUMBER, "draws", "Least effective sample size of anything.", "nothing ever changed"),
        Column("converged", TRUTH, "", "Whether N has converged."),
        Column("letters_converged", TRUTH, "", "Whether all else has converged."),
    ),
    key=("record", "mu"),
)
COUNTS = Table(
    "counts.tsv",
    "an anchor and a count",
    "counts of letters, their classes and halves, dinucleotides and homopolymers, in the draws at mu = 0",
    (
        RECORD,
        Column("places", WHOLE, "", "Positions outside local features that may change."),
        _COUNT,
        Column("anchor", NUMBER, "a position", "The anchor's own count.", _STILL),
        *estimate("draws", "a position", "Mean count of the draws.", _STILL),
        *estimate("variance", "", "Variance of the count, as a number.", _STILL),
        Column("independent_variance", NUMBER, "", "Its variance if positions were drawn apart.", _STILL),
        Column("background_variance", NUMBER, "", "Its variance at beta = 0.", _STILL),
        *estimate(
            "rigidity",
            "",
            "1 - variance over the less of the two others: 0 for free letters, 1 if it is fixed.",
            _STILL,
        ),
        Column("rhat", ANY_NUMBER, "", "R-hat of the count.", "it never changed"),
        Column("ess", NUMBER, "draws", "Effective sample size of the count.", "it never changed"),
        Column("converged", TRUTH, "", "Whether the count has converged."),
    ),
    key=("record", "count"),
)
COVARIANCES = Table(
    "covariances.tsv",
    "an anchor and a pair of elementary counts",
    "covariances of elementary counts, which every other count is a sum of, at mu = 0",
    (
        RECORD,
        Column(
            "first", WHOLE, "", "Number of an elementary count, from 0: letters left and right, dinucleotides, others."
        ),
        Column("second", WHOLE, "", "Number of the other one."),
        Column("draws", NUMBER, "", "Their covariance in the draws.", _STILL),
        Column("independent", NUMBER, "", "Their covariance if positions were drawn apart.", _STILL),
        Column("background", NUMBER, "", "Their covariance at beta = 0.", _STILL),
    ),
    key=("record", "first", "second"),
)
CHECKS = Table(
    "checks.tsv",
    "a check of an anchor's draws at two neighbouring mu",
    "log P'(N)/P(N) must have the slope mu'-mu, and both, reweighted half-way, the same mean N; z-scores",
    (
        RECORD,
        Column("mu_low", NUMBER, "natural-log units", "The lower chemical potential."),
        Column("mu_high", NUMBER, "natural-log units", "The higher chemical potential."),
        Column("check", TEXT, "", "What is checked."),
        Column("found", NUMBER, "", "The number from the draws.", "the two share too few counts"),
        Column("expected", NUMBER, "", "What it must be.", "the two share too few counts"),
        Column("error", NUMBER, "", "Standard error of their distance.", "the two share too few counts"),
        Column(
            "z", NUMBER, "", "That distance as a standard normal score.", "few counts are shared, or chains disagree"
        ),
    ),
    key=("record", "mu_low", "check"),
)


def _interval(name: str, low: str, high: str, meaning: str) -> tuple[Column, ...]:
    """A number over anchors with its 95 % interval."""
    return (
        Column(name, NUMBER, "", meaning, FEW),
        Column(low, NUMBER, "", f"Lower end of the 95 % interval of {name} over anchors.", FEW),
        Column(high, NUMBER, "", f"Upper end of the 95 % interval of {name} over anchors.", FEW),
    )


ANSWER = Table(
    "answer.tsv",
    "a count",
    "which counts are held: rigidity, and slope of draws on anchors, with 95 % intervals over anchors",
    (
        _COUNT,
        Column("held", TEXT, "", "Whether it is held: yes, follows (from those that are), no, or undecided."),
        Column("anchors", WHOLE, "", "Anchors whose chains agree on it."),
        *_interval("rigidity", "low", "high", "Mean rigidity over anchors, weighted by their energy at beta = 0."),
        Column("least", NUMBER, "", "Rigidity that is asked for: more of a half than of the whole."),
        *_interval("beyond", "beyond_low", "beyond_high", "The same of what the counts named before do not explain."),
        Column("p", NUMBER, "", "One-sided p of beyond being no more than is asked for.", FEW),
        Column(
            "q",
            NUMBER,
            "",
            "False discovery rate among all counts (Benjamini-Hochberg); of the one that --feature asks about p.",
            FEW,
        ),
        *_interval("slope", "slope_low", "slope_high", "Slope of the draws' count on the anchor's."),
    ),
    key=("count",),
    pooled=True,
)
AVERAGED = (
    ("draws", "as counted", "mean N of the draws"),
    ("variance", "", "variance of N"),
    ("energy", "energy", "mean energy"),
    ("output_kept", "", "share of the output that the draws keep"),
)
BY_MU = Table(
    "by_mu.tsv",
    "a chemical potential",
    "N, its variance, energy and output over anchors, with intervals, a mu a line",
    (
        _MU,
        Column("anchors", WHOLE, "", "Anchors that were drawn around."),
        Column("beta_0", NUMBER, "as counted", "Mean N of the background alone (beta 0), exact."),
        *(
            column
            for name, unit, what in AVERAGED
            for column in (
                Column(name, NUMBER, unit, f"Over anchors: {what}.", FEW),
                Column(f"{name}_low", NUMBER, unit, f"Lower end of the 95 % interval of {name} over anchors.", FEW),
                Column(f"{name}_high", NUMBER, unit, f"Upper end of the 95 % interval of {name}.", FEW),
            )
        ),
        Column("converged", WHOLE, "", "Anchors whose N has converged."),
        Column("rhat", ANY_NUMBER, "", "Median R-hat of N over anchors.", "N never changed"),
    ),
    key=("mu",),
    pooled=True,
)
BY_ANCHOR = (RESPONSE, COUNTS, COVARIANCES, CHECKS)
FOLDER = (
    ANSWER,
    BY_MU,
    *BY_ANCHOR,
    File("response.png", "the response, the draws' N against the anchors', and the rigidity of counts", pooled=True),
)
