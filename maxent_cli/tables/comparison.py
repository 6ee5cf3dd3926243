"""The tables that `maxent compare` writes."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from maxent_cli.tables.columns import BEFORE, CONVERGENCE, FEW, KNOWN_COLUMNS, NO_LADDER, RECORD
from maxent_cli.tables.motifs import MOTIFS as FOUND
from maxent_cli.tables.motifs import OCCUPANCY
from maxent_cli.tables.schema import NUMBER, TEXT, TRUTH, WHOLE, Column, File, Table

ALONE = "one side alone has the motif"
_UNKNOWN = "it is not known on one side"
PARTS = ("a", "a_error", "b", "b_error", "difference", "difference_error", "z")  # of a number set side by side


def side_by_side(name: str, unit: str, what: str, missing: str = _UNKNOWN) -> tuple[Column, ...]:
    """A number of A and of B with their errors, B less A with its error, and that in errors."""
    meanings = (
        f"{what} in A.",
        f"Monte Carlo standard error of {name}_a.",
        f"{what} in B.",
        f"Monte Carlo standard error of {name}_b.",
        f"{what} in B less that in A.",
        f"Standard error of {name}_difference.",
        f"The difference {name}_difference in its errors, as a standard normal score.",
    )
    return tuple(
        Column(f"{name}_{part}", NUMBER, "" if part == "z" else unit, meaning, missing)
        for part, meaning in zip(PARTS, meanings, strict=True)
    )


def _of(side: str, column: Column, missing: str = "") -> Column:
    """A column of another table for one side."""
    name, meaning = f"{column.name}_{side.lower()}", f"{column.meaning[:-1]}, in {side}."
    return replace(column, name=name, meaning=meaning, missing=missing or column.missing)


def _of_sides(columns: Iterable[Column], missing: str = "") -> Iterator[Column]:
    """Columns of another table, each for A and for B."""
    return (_of(side, column, missing) for column in columns for side in "AB")


def _side_after_side(columns: Iterable[Column]) -> Iterator[Column]:
    """All of these columns for A, then all of them for B."""
    return (_of(side, column) for side in "AB" for column in columns)


def _named(table: Table, *names: str) -> list[Column]:
    return [column for column in table.columns if column.name in names]


DESCRIBED = _named(FOUND, "consensus", "anchors", "sites")
BEST_PLACE = _named(OCCUPANCY, "best_start", "best_end", "best_strand", "best_occupancy")
MOTIFS = Table(
    "motifs.tsv",
    "a motif of both sides, or of one alone",
    "motifs that are the same: similarity, anchors, sites, bits, anchors with one place",
    (
        Column("motif_a", TEXT, "", "Name of the motif in A.", "B alone has it"),
        Column("motif_b", TEXT, "", "Name of the motif in B.", "A alone has it"),
        Column("similarity", NUMBER, "", "Pearson correlation of the two motifs' aligned columns.", ALONE),
        Column("offset", WHOLE, "bp", "Column of B's motif that the first of A's lies on.", ALONE),
        Column("strand", TEXT, "", "Strand of A's motif on B's, + or -.", ALONE),
        *_of_sides(DESCRIBED, missing="this side does not have it"),
        *side_by_side("bits", "bits", "Information of the motif", ALONE),
        Column(
            "held_by_both",
            WHOLE,
            "",
            "Shared anchors of which half of the draws or more hold it on either side.",
            ALONE,
        ),
        Column("same_place", WHOLE, "", "Of these, anchors that have it at one place.", ALONE),
        *_side_after_side(KNOWN_COLUMNS),
    ),
)
PLACES = Table(
    "places.tsv",
    "a shared anchor and a motif of both sides",
    "where each shared anchor's draws have each of these motifs, and how often",
    (
        RECORD,
        Column("motif_a", TEXT, "", "Name of the motif in A."),
        Column("motif_b", TEXT, "", "Name of the motif in B."),
        *side_by_side("occupancy", "", "Share of the anchor's draws that have the motif anywhere"),
        Column("same_place", TRUTH, "", "Whether the best places overlap by half of the narrower one.", _UNKNOWN),
        Column("same_strand", TRUTH, "", "Whether the motif reads on one strand there.", "they are not at one place"),
        *_of_sides(BEST_PLACE),
        *_side_after_side(CONVERGENCE),
    ),
    key=("record", "motif_a"),
)
ANCHORS = Table(
    "anchors.tsv",
    "a shared anchor",
    "bits of the positions, and bits held, of each shared anchor",
    (
        RECORD,
        *side_by_side("bits", "bits", "Information of the letters at each position, summed,"),
        *side_by_side("bits_held", "bits", "Divergence of the whole law from its background", NO_LADDER),
        *_side_after_side(CONVERGENCE),
    ),
    key=("record",),
)
SUMMARY = Table(
    "summary.tsv",
    "a quantity",
    "means over anchors, and their differences with intervals",
    (
        Column("quantity", TEXT, "", "What is compared."),
        Column("anchors_a", WHOLE, "", "Anchors of A that it is known of."),
        Column("anchors_b", WHOLE, "", "Anchors of B that it is known of."),
        Column("paired", TRUTH, "", "Whether the same anchors are compared one by one; else means are."),
        Column("mean_a", NUMBER, "as said", "Mean over the anchors of A.", FEW),
        Column("mean_b", NUMBER, "as said", "Mean over the anchors of B.", FEW),
        *(
            Column(f"{end}_{side}", NUMBER, "as said", f"{word} end of the 95 % interval of mean_{side}.", FEW, BEFORE)
            for side in "ab"
            for end, word in (("low", "Lower"), ("high", "Upper"))
        ),
        Column("difference", NUMBER, "as said", "Mean of B less that of A.", FEW),
        Column("low", NUMBER, "as said", "Lower end of the difference's 95 % interval over anchors.", FEW),
        Column("high", NUMBER, "as said", "Upper end of that interval.", FEW),
    ),
    key=("quantity",),
)
FOLDER = (
    MOTIFS,
    PLACES,
    ANCHORS,
    SUMMARY,
    File("compare.png", "anchors' bits and occupancies of A against those of B, motifs above each other"),
)
