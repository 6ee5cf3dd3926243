"""The tables that `maxent gc-probe` writes. N is the number of what is counted, mu the chemical potential on it."""

from maxent_cli.tables.columns import BETA, RECORD
from maxent_cli.tables.schema import ANY_NUMBER, NUMBER, TEXT, TRUTH, WHOLE, Column, File, Table, estimate

_FEW = "there are too few anchors"
_NO_DISTANCE = "the law's energy is no distance (--law output)"
_NONE = "no position is outside local features"
_MU = Column("mu", NUMBER, "natural-log units", "Chemical potential on each that is counted.")


def _counts(suffix: str, where: str, missing: str) -> tuple[Column, ...]:
    """What is told of N over some places."""
    spread = f"1 - variance{suffix} / independent_variance{suffix}: 0 for letters on their own, 1 if N is fixed."
    alone = f"Variance that N {where} would have if positions were independent."
    told = (
        *(
            ("anchor", "as counted", f"The anchor's own N {where}."),
            ("draws", "as counted", f"Mean N {where} of draws."),
        ),
        ("draws_error", "as counted", f"Monte Carlo standard error of draws{suffix}."),
        ("variance", "", f"Variance of N {where}, as a number."),
        ("variance_error", "", f"Monte Carlo standard error of variance{suffix}."),
        ("independent_variance", "", alone),
        ("rigidity", "", spread),
        ("rigidity_error", "", f"Monte Carlo standard error of rigidity{suffix}."),
    )
    nothing = missing or "N cannot vary, or chains are too few"
    return (
        Column(f"places{suffix}", WHOLE, "", f"Places {where}."),
        *(Column(f"{name}{suffix}", NUMBER, unit, meaning, nothing) for name, unit, meaning in told),
    )


_NUMBERS = (
    *_counts("", "that may change", ""),
    *_counts("_outside", "outside local features", _NONE),
    BETA,
    *estimate("energy", "energy", "Mean energy of the draws."),
    Column("energy_background", NUMBER, "energy", "Mean energy of background sequences (beta 0)."),
    Column("energy_reduction", NUMBER, "", "Share by which the mean energy is below the background's.", _NO_DISTANCE),
    *estimate("output", "output", "Mean output of the draws, before any sigmoid or softmax."),
    *estimate("output_kept", "", "Share of the way from the background's output to the anchor's that the draws keep."),
    Column("distinguishable", TRUTH, "", "Whether the anchor's output lies outside the background's central 95 %."),
    Column("rhat_counted", ANY_NUMBER, "", "R-hat of N.", "N never changed"),
    Column(
        "rhat", ANY_NUMBER, "", "Worst R-hat of N, energy, output and the letters' frequencies.", "nothing ever changed"
    ),
    Column("ess_counted", NUMBER, "draws", "Effective sample size of N.", "N never changed"),
    Column("ess", NUMBER, "draws", "Least effective sample size of anything.", "nothing ever changed"),
    Column("converged", TRUTH, "", "Whether N has converged."),
    Column("letters_converged", TRUTH, "", "Whether all else has converged."),
)
RESPONSE = Table(
    "response.tsv",
    "an anchor and a chemical potential",
    "N, its variance and rigidity, energy and output with Monte Carlo errors, an anchor and mu a line",
    (
        RECORD,
        Column("counted", TEXT, "", "What is counted."),
        Column("share", TRUTH, "", "Whether it is given as a share of the places; else as a number."),
        _MU,
        *_NUMBERS,
        Column("beta_0", NUMBER, "as counted", "Mean N of the background alone (beta 0) at this mu, exact."),
        Column("beta_0_outside", NUMBER, "as counted", "The same outside local features.", _NONE),
    ),
    key=("record", "mu"),
)
REFERENCES = Table(
    "references.tsv",
    "another network and an anchor",
    "the same of other networks, at mu = 0",
    (Column("reference", TEXT, "", "The network that was drawn from."), RECORD, *_NUMBERS),
    key=("reference", "record"),
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
            "z",
            NUMBER,
            "",
            "That distance as a standard normal score.",
            "too few counts are shared, or chains disagree on N",
        ),
    ),
    key=("record", "mu_low", "check"),
)
ANSWER = Table(
    "answer.tsv",
    "a quantity of a network or reference",
    "slopes and rigidities of network and references, with 95 % intervals over anchors; the answer",
    (
        Column("quantity", TEXT, "", "What it is; the last row is the answer in words."),
        Column("of", TEXT, "", "The network, or what it is held against."),
        Column("value", NUMBER, "", "The mean over anchors, or slope.", f"{_FEW}, or the row is the answer in words"),
        Column("low", NUMBER, "", "Lower end of its 95 % interval over anchors.", f"{_FEW}, or the row is the answer"),
        Column("high", NUMBER, "", "Upper end of that interval.", f"{_FEW}, or the row is the answer"),
    ),
    key=("quantity", "of"),
    pooled=True,
)
AVERAGED = (
    ("draws", "as counted", "mean N of the draws"),
    ("variance", "", "variance of N"),
    ("rigidity", "", "rigidity"),
    ("rigidity_outside", "", "rigidity outside local features"),
    ("energy", "energy", "mean energy"),
    ("output_kept", "", "share of the output that the draws keep"),
)
BY_MU = Table(
    "by_mu.tsv",
    "a chemical potential",
    "N, its variance and rigidity, energy and output over anchors, with intervals, a mu a line",
    (
        _MU,
        Column("anchors", WHOLE, "", "Anchors that were drawn around."),
        Column("beta_0", NUMBER, "as counted", "Mean N of the background alone (beta 0), exact."),
        *(
            column
            for name, unit, what in AVERAGED
            for column in (
                Column(name, NUMBER, unit, f"Over anchors: {what}.", _FEW),
                Column(f"{name}_low", NUMBER, unit, f"Lower end of the 95 % interval of {name} over anchors.", _FEW),
                Column(f"{name}_high", NUMBER, unit, f"Upper end of the 95 % interval of {name}.", _FEW),
            )
        ),
        Column("converged", WHOLE, "", "Anchors whose N has converged."),
        Column("rhat", ANY_NUMBER, "", "Median R-hat of N over anchors.", "N never changed"),
    ),
    key=("mu",),
    pooled=True,
)
FOLDER = (
    ANSWER,
    BY_MU,
    RESPONSE,
    REFERENCES,
    CHECKS,
    File(
        "response.png", "the response, the draws' N against the anchors', and rigidity beside references", pooled=True
    ),
)
