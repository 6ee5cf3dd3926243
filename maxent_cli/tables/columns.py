"""Columns that several tables have."""

from maxent_cli.tables.schema import ANY_NUMBER, NUMBER, TEXT, TRUTH, WHOLE, Column

BEFORE = "a file that was written before there was such a column"
FEW = "there are too few anchors"
NO_DISTANCE = "the law's energy is no distance (--law output)"
NO_LADDER = "there is no ladder of replicas from beta 0 up"
NO_PLACE = "the anchor's place in a genome is not known"
RECORD = Column("record", TEXT, "", "The anchor's name, as its record is called.")
POSITION = Column("position", WHOLE, "bp", "Position in the anchor, 0-based.")
LETTER = Column("letter", TEXT, "", "The anchor's own letter there.")
PLACE = (
    Column("chromosome", TEXT, "", "Chromosome of the position.", NO_PLACE),
    Column("chromosome_position", WHOLE, "bp", "Position in the chromosome, 0-based.", NO_PLACE),
)
BETA = Column("beta", NUMBER, "1/energy", "Inverse temperature of the law that was drawn from.")
CONVERGED = Column(
    "converged", TRUTH, "", "Whether R-hat and effective sample size of the draws stay within the bounds."
)
RHAT = Column(
    "rhat",
    ANY_NUMBER,
    "",
    "Worst R-hat of energy, output and letter frequencies: 1 where chains agree, infinite where they stand apart.",
    missing="nothing ever changed in any chain",
)
CONVERGENCE = (CONVERGED, RHAT)
ANCHORS_CONVERGED = (
    Column("anchors_converged", WHOLE, "", "Of how many of these anchors the draws have converged."),
    Column("rhat", ANY_NUMBER, "", "Worst R-hat of these anchors' draws.", missing="none is known"),
)
LOGO = Column("logo", TEXT, "", "Path of the logo within the folder.", missing="none was drawn")
MOTIF = Column("motif", TEXT, "", "Name of the motif, motif_1 being that of most anchors.")
KNOWN = (
    ("known", TEXT, "", "Family of known motifs that is number {} in likeness: the first names in it."),
    ("p", NUMBER, "", "Tomtom's p of the best of family {}: chance of a match as good."),
    ("q", NUMBER, "", "False discovery rate of that over the known motifs (Benjamini-Hochberg)."),
    ("overlap", WHOLE, "bp", "Columns in which the motif and the best of family {} overlap."),
    ("orientation", TEXT, "", "How the motif is like the best of family {}: + as both stand, - where one is turned."),
)
BEST = 3  # families of known motifs that each found one is named by
KNOWN_COLUMNS = tuple(
    Column(f"{name}_{rank}", kind, unit, meaning.format(rank), missing="no known motif is like it, or none were given")
    for rank in range(1, BEST + 1)
    for name, kind, unit, meaning in KNOWN
)


def letters(prefix: str, unit: str, meaning: str, missing: str = "") -> tuple[Column, ...]:
    """A column for each of the four letters; meaning names it by {}."""
    return tuple(Column(f"{prefix}{letter}", NUMBER, unit, meaning.format(letter), missing) for letter in "ACGT")


def matrix(of: Column, unit: str, meaning: str) -> tuple[Column, ...]:
    """A matrix row by row: what it is of, its position, and the four letters."""
    position = Column("position", WHOLE, "bp", "Column of the motif, 0-based.") if of is MOTIF else POSITION
    return of, position, *letters("", unit, meaning)
