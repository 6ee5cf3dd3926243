"""The tables that `maxent compare` writes where networks read each other's draws."""

from maxent_cli.tables.columns import CONVERGENCE, FEW, NO_LADDER, RECORD
from maxent_cli.tables.schema import NUMBER, SHARE, TEXT, WHOLE, Column, File, Table, estimate

OWN, AS_OTHERS, SHARED, UNDECIDED = "own", "as others", "shared", "undecided"
VERDICTS = {
    OWN: "its invariances are its own",
    AS_OTHERS: "its invariances are no more its own than the others' are theirs",
    SHARED: "its invariances are shared",
    UNDECIDED: "undecided, for want of anchors",
}
_DRAWN = Column("drawn", TEXT, "", "Network A, from whose law the draws are.")
_READ = Column("read", TEXT, "", "Network B, which reads them.")
_CALLED = "Share of A's draws that B calls what it calls the anchor, by the side of the threshold"
_T = "Mean of |f_B(x) - f_B(x0)| over A's draws, in standard deviations of f_B over background sequences"
_EXCESS = "T less the same of B's own draws"
_DIVERGENCE = "Kullback-Leibler divergence of A's law from B's"
_APART = "Jensen-Shannon divergence of the two laws, from 0 to 1"


def _with_interval(name: str, unit: str, what: str, missing: str = "") -> tuple[Column, ...]:
    few = f"{FEW}, or {missing}" if missing else FEW
    return (
        Column(name, NUMBER, unit, f"{what}; mean over anchors.", missing),
        Column(f"{name}_low", NUMBER, unit, f"Lower end of the 95 % interval of {name} over anchors.", few),
        Column(f"{name}_high", NUMBER, unit, "Upper end of that interval.", few),
    )


PAIRS = Table(
    "pairs.tsv",
    "a network that was drawn from and one that reads its draws",
    "what each network makes of each one's draws",
    (
        _DRAWN,
        _READ,
        Column("anchors", WHOLE, "", "Anchors that the means are over."),
        *_with_interval("called", "", _CALLED),
        *_with_interval("t", "sd", _T),
        *_with_interval("excess", "sd", _EXCESS),
        *_with_interval("divergence", "bits", _DIVERGENCE, NO_LADDER),
        *_with_interval("apart", "bits", _APART, NO_LADDER),
    ),
    key=("drawn", "read"),
)
NETWORKS = Table(
    "networks.tsv",
    "a network",
    "what the others make of a network's draws, and a verdict: are its invariances its own?",
    (
        Column("network", TEXT, "", "Name of the network: that of its folder."),
        Column("anchors", WHOLE, "", "Anchors that the means are over."),
        *_with_interval("t", "sd", "T of this network's draws, mean over the others that read them"),
        *_with_interval("called", "", "Share of its draws that the others call what they call the anchor"),
        *_with_interval("excess", "sd", "Excess of its draws, mean over the others"),
        *_with_interval("own_t", "sd", "T of its own draws, by itself"),
        *_with_interval("read_t", "sd", "T of the others' draws, read by this network, mean over them"),
        Column("beyond", NUMBER, "sd", "Its excess less that among the others, where this is above 0."),
        Column("p", SHARE, "", "Chance of such a difference if there were none: one-sided t over anchors.", FEW),
        Column(
            "verdict", TEXT, "", "Whose its invariances are: own, as others, shared, or undecided for want of anchors."
        ),
    ),
    key=("network",),
)
CROSSED = Table(
    "crossed.tsv",
    "an anchor, a network that was drawn from and one that reads its draws",
    "the same anchor by anchor",
    (
        RECORD,
        _DRAWN,
        _READ,
        *estimate("called", "", f"{_CALLED}."),
        *estimate("t", "sd", f"{_T}."),
        Column("excess", NUMBER, "sd", f"{_EXCESS}."),
        *estimate("divergence", "bits", f"{_DIVERGENCE}; the error is that of the mean over draws.", NO_LADDER),
        Column("apart", NUMBER, "bits", f"{_APART}.", NO_LADDER),
        *CONVERGENCE,
    ),
    key=("record", "drawn", "read"),
)
TREE = Table(
    "tree.tsv",
    "a joint of the tree, those of the most alike first",
    "which networks are alike, by the mean of the two excesses of each pair (average linkage)",
    (
        Column("joint", WHOLE, "", "Number of the joint: networks come first, from 0, in the order of networks.tsv."),
        Column("first", WHOLE, "", "Number of a network or joint below it."),
        Column("second", WHOLE, "", "Number of the other."),
        Column("excess", NUMBER, "sd", "Mean excess between the networks below one and those below the other."),
        Column("networks", WHOLE, "", "How many networks are below it."),
    ),
    key=("joint",),
)
FOLDER = (
    PAIRS,
    NETWORKS,
    CROSSED,
    TREE,
    File(
        "crossing.png", "matrices of T, of the share called alike and of the laws' divergence, and the tree by excess"
    ),
)
