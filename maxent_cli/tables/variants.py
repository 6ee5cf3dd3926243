"""The tables that `maxent variants` writes."""

from maxent_cli.tables.columns import CONVERGENCE, NO_PLACE, POSITION, RECORD
from maxent_cli.tables.schema import NUMBER, TEXT, WHOLE, Column, File, Output, Table, estimate

_NO_SIGN = "the effect in the anchor is 0"
_NOTHING = "there was nothing to try"
_FULL = "full passes gave them"
VARIANTS = Table(
    "variants.tsv",
    "an allele in an anchor",
    "each change in each anchor: its effect there and over contexts, sign flips, free energy, and nulls, with errors",
    (
        RECORD,
        POSITION,
        Column("chromosome", TEXT, "", "Chromosome that the anchor lies on.", NO_PLACE),
        Column("pos", WHOLE, "bp", "Position in the genome, 1-based as in VCF.", NO_PLACE),
        Column("id", TEXT, "", "The variant's ID in the VCF.", "it has none"),
        Column(
            "ref", TEXT, "", "Letter that is changed, on the genome's + strand; the anchor's where it has no place."
        ),
        Column("alt", TEXT, "", "Letter that it is changed to, on the same strand."),
        Column("anchor_effect", NUMBER, "output", "Output with alt less output with ref, in the anchor itself."),
        *estimate("effect", "output", "The same averaged over draws, with either letter put there."),
        *estimate(
            "flips",
            "",
            "Share of draws in which the effect has the other sign than in the anchor (or a bound).",
            _NO_SIGN,
        ),
        *estimate(
            "free_energy",
            "bits",
            "What the law charges: -log2 of its mass with alt over that with ref, beyond the background's own.",
            "the law holds the position, or no draw has a letter that was tried",
        ),
        *estimate("effect_beta_0", "output", "Null: the effect averaged over sequences drawn from the background."),
        *estimate("flips_beta_0", "", "Null: share of those in which the effect has the other sign.", _NO_SIGN),
        Column("df", WHOLE, "", "Degrees of freedom of the errors of effect, flips and free_energy, for Student's t."),
        *CONVERGENCE,
    ),
    key=("record", "position", "alt"),
)
ANCHORS = Table(
    "anchors.tsv",
    "an anchor",
    "changes tried in each anchor, in how many draws, and whether these have converged",
    (
        RECORD,
        Column("variants", WHOLE, "", "Changes that were tried in it."),
        Column("contexts", WHOLE, "draws", "Draws that letters were put into, some perhaps twice.", _NOTHING),
        Column("effective", NUMBER, "draws", "How many of all draws are in effect as contexts are weighed.", _NOTHING),
        Column("firmer", NUMBER, "", "Most times that the odds of a letter of the anchor are raised by it.", _NOTHING),
        Column("backgrounds", WHOLE, "", "Sequences of its background, likewise.", _NOTHING),
        Column("kernel", TEXT, "", "What gave the outputs: compiled, or full passes.", _NOTHING),
        Column(
            "drift", NUMBER, "output", "Most that compiled outputs differed from full passes, of some tried.", _FULL
        ),
        *CONVERGENCE,
    ),
    key=("record",),
)
FIGURE: Output = File("effects.png", "effects in the anchors against those over contexts", pooled=True)
ANNOTATED: tuple[Output, ...] = tuple(
    File(f"annotated.{end}", about, pooled=True)
    for end, about in (
        ("vcf.gz", "the VCF with what was found in INFO, bgzip-compressed"),
        ("vcf.gz.tbi", "its index, where its records are in order"),
        ("vcf", "the same as plain text, where that was asked for"),
    )
)
FOLDER: tuple[Output, ...] = (VARIANTS, ANCHORS, FIGURE, *ANNOTATED)
