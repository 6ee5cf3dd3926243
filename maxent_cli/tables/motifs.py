"""The tables that `maxent motifs` writes."""

from dataclasses import replace

from maxent_cli.tables.columns import (
    ANCHORS_CONVERGED,
    BEFORE,
    CONVERGENCE,
    KNOWN_COLUMNS,
    LETTER,
    LOGO,
    MOTIF,
    NO_LADDER,
    NO_PLACE,
    PLACE,
    POSITION,
    RECORD,
    letters,
    matrix,
)
from maxent_cli.tables.sampling import REJECTED
from maxent_cli.tables.schema import ANY_NUMBER, NUMBER, SHARE, TEXT, TRUTH, WHOLE, Column, File, Table, estimate

TELLING_P = TELLING_Q = 0.05  # up to which more than chance is spoken of: of coming again, a name, a distance
MOTIFS = Table(
    "motifs.tsv",
    "a motif",
    "the motifs: consensus, anchors, sites, bits, the known ones most like each, and p of coming again in so many "
    "converged anchors, by shuffled columns",
    (
        MOTIF,
        Column(
            "kind", TEXT, "", "Whether it is held or avoided: draws have it more often than the background, or less."
        ),
        Column("consensus", TEXT, "", "The letters that its columns hold, in IUPAC's code."),
        Column("width", WHOLE, "bp", "How many columns it has."),
        Column("anchors", WHOLE, "", "Anchors whose draws hold it more often than their background, or avoid it."),
        Column(
            "sites",
            WHOLE,
            "",
            "Sites of it in those anchors' draws; of an avoided one, sites missing in the draws that it was found in.",
        ),
        *estimate("bits", "bits", "Information of its columns against the untethered background, summed."),
        *KNOWN_COLUMNS,
        LOGO,
        Column(
            "anchors_found",
            WHOLE,
            "",
            "Anchors in whose own draws it was found, before all were searched for it.",
            missing="it is avoided, and was found in the draws of all together",
        ),
        Column(
            "recurrence_p",
            NUMBER,
            "",
            "Chance that any motif comes again in so many converged anchors, were columns in random order.",
            missing="it was found in fewer than two converged anchors, or is avoided",
        ),
        Column("threshold", NUMBER, "bits", "Log2 odds from which a place counts as a site."),
        Column("background_share", SHARE, "", "Mean share of background draws (beta 0) that have a site."),
        *estimate(
            "cost",
            "bits",
            "What a site costs where no held motif stands: log2 of background over draws, in sites.",
            "it is held",
        ),
        *ANCHORS_CONVERGED,
        Column(
            "stands_for",
            SHARE,
            "",
            "Share of the data for which the anchors whose draws hold it stand (`predict --diverse`).",
            missing="anchors were not chosen to stand for data",
            optional=BEFORE,
        ),
    ),
    key=("motif",),
)
PPM = Table(
    "motifs_ppm.tsv",
    "a column of a motif",
    "the motifs as letter probabilities",
    matrix(MOTIF, "", "Probability of {}."),
    key=("motif", "position"),
)
MOTIF_PWM = Table(
    "motifs_pwm.tsv",
    "a column of a motif",
    "the motifs as log2 odds",
    matrix(MOTIF, "bits", "Log2 odds of {} against the untethered background, with one pseudocount."),
    key=("motif", "position"),
)
KNOWN = Table(
    "known.tsv",
    "a known motif that a motif is like",
    "the known motifs of the three families that each motif is most like",
    (
        MOTIF,
        Column("family", WHOLE, "", "Which family, 1 being the most like: known motifs that are like each other."),
        Column("known", TEXT, "", "The known motif: identifier and other name."),
        Column("p", NUMBER, "", "Tomtom's p: chance of a match as good."),
        Column("q", NUMBER, "", "False discovery rate over the known motifs (Benjamini-Hochberg)."),
        Column("overlap", WHOLE, "bp", "Columns in which the two overlap."),
        Column("orientation", TEXT, "", "How they are alike: + as both stand, - where one is turned."),
    ),
    key=("motif", "known"),
)
SITES = Table(
    "sites.tsv",
    "a place of a motif",
    "places of motifs in 5 % or more of an anchor's draws; genomic if anchors are",
    (
        Column("chromosome", TEXT, "", "Chromosome where the anchor's place is known, else the anchor's name."),
        Column("start", WHOLE, "bp", "Start of the site, 0-based, in the genome or in the anchor."),
        Column("end", WHOLE, "bp", "End of the site, not included."),
        MOTIF,
        Column("score", WHOLE, "", "1000 times the occupancy, rounded, as BED has scores."),
        Column("strand", TEXT, "", "Strand that the motif reads on, + or -."),
        RECORD,
        Column("occupancy", SHARE, "", "Share of the anchor's draws that have the motif at this place and strand."),
        Column("occupancy_error", NUMBER, "", "Monte Carlo standard error of occupancy.", "it is not known"),
        Column("log_odds", NUMBER, "bits", "Mean log2 odds of the sites there."),
        *CONVERGENCE,
    ),
    key=("record", "motif", "start", "strand"),
)
_NOWHERE = "no place has it"
OCCUPANCY = Table(
    "occupancy.tsv",
    "an anchor and a motif",
    "share of each anchor's draws with each motif, also at beta 0; the best place",
    (
        RECORD,
        MOTIF,
        Column("occupancy", SHARE, "", "Share of the anchor's draws that have the motif anywhere, on either strand."),
        Column("occupancy_error", NUMBER, "", "Monte Carlo standard error of occupancy.", "it is not known"),
        Column("occupancy_background", SHARE, "", "The same share of draws from the anchor's background (beta 0)."),
        Column(
            "occupancy_background_error",
            NUMBER,
            "",
            "Standard error of occupancy_background, whose draws are independent.",
            missing="it is avoided",
            optional=BEFORE,
        ),
        Column("present", TRUTH, "", "Whether draws have it more often than the background, beyond error."),
        Column("best_start", WHOLE, "bp", "Start of the most frequent place in the anchor, 0-based.", _NOWHERE),
        Column("best_end", WHOLE, "bp", "End of that place, not included.", _NOWHERE),
        Column("best_strand", TEXT, "", "Strand of that place, + or -.", _NOWHERE),
        Column("best_occupancy", SHARE, "", "Share of draws that have the motif there.", _NOWHERE),
        Column("best_occupancy_error", NUMBER, "", "Monte Carlo standard error of best_occupancy.", _NOWHERE),
        LOGO,
        *CONVERGENCE,
    ),
    key=("record", "motif"),
)
SPACING = Table(
    "spacing.tsv",
    "an arrangement and distance of two motifs",
    "distances that draws prefer: bp between the facing ends of two motifs (0: side by side), seen with motif_a on the "
    "plus strand",
    (
        Column("motif_a", TEXT, "", "The motif with the lower number, taken to be on the plus strand."),
        Column("motif_b", TEXT, "", "The other motif; it may be the same."),
        Column("arrangement", TEXT, "", "Order and strands: a> <b is a, then b on the minus strand."),
        Column("distance", WHOLE, "bp", "Between facing ends: 0 is side by side, below 0 they overlap."),
        Column("share", SHARE, "", "Share of pairs in the same draw that have this arrangement and distance."),
        Column("share_error", NUMBER, "", "Standard error of share less expected, over chains.", optional=BEFORE),
        Column(
            "expected", SHARE, "", "The same share of pairs from draws of different chains, which keep no distance."
        ),
        Column("p", NUMBER, "", "Chance of as large a share, by Student's t over the chains of all anchors."),
        Column(
            "q", NUMBER, "", "False discovery rate over the pair's arrangements and distances (Benjamini-Hochberg)."
        ),
        Column("anchors", WHOLE, "", "Anchors whose draws hold both motifs."),
        *ANCHORS_CONVERGED,
    ),
)
RATES = Table(
    "rates.tsv",
    "something that was counted",
    "how often motifs are found and come again, and how often by chance",
    (
        Column("quantity", TEXT, "", "What was counted."),
        Column("found", WHOLE, "", "How many there are."),
        Column("of", WHOLE, "", "Of how many."),
    ),
    key=("quantity",),
)
_RATIO = "log2 of draws over background"
TESTED = Table(
    "tested.tsv",
    "a motif that was asked about",
    "with --test: whether each given motif is held, not held or avoided, beside the background's sites",
    (
        Column("motif", TEXT, "", "The given motif: identifier and other name."),
        Column("verdict", TEXT, "", "Whether it is held, avoided, not held, or undecided."),
        Column("anchors_held", WHOLE, "", "Anchors whose own draws hold it by half a bit and three errors more."),
        Column("anchors_avoided", WHOLE, "", "Anchors whose own draws avoid it by as much."),
        Column("occupancy", SHARE, "", "Share of draws with a site anywhere, over anchors."),
        Column("occupancy_background", SHARE, "", "The same share of background draws (beta 0)."),
        Column("bits", NUMBER, "bits", f"Occupancy as {_RATIO}: above 0 it is held."),
        Column("low", NUMBER, "bits", "Lower end of the 95 % interval of bits, over chains."),
        Column("high", NUMBER, "bits", "Upper end of the 95 % interval of bits, over chains."),
        Column("elsewhere", NUMBER, "bits", f"Sites where no held motif stands, as {_RATIO}: below 0 it is avoided."),
        Column("elsewhere_low", NUMBER, "bits", "Lower end of the 95 % interval of elsewhere, over chains."),
        Column("elsewhere_high", NUMBER, "bits", "Upper end of the 95 % interval of elsewhere, over chains."),
        Column("p", NUMBER, "", "Two-sided p of being held or avoided by no more than half a bit (Student's t)."),
        Column("q", NUMBER, "", "False discovery rate over the motifs asked about (Benjamini-Hochberg)."),
        Column(
            "threshold", NUMBER, "bits", "Log2 odds from which a place is a site: --rate of random sequences have one."
        ),
        *ANCHORS_CONVERGED,
    ),
    key=("motif",),
)
ANCHORS = Table(
    "anchors.tsv",
    "an anchor",
    "bits of each anchor in place and of the whole law, its informative segments, and its logo",
    (
        RECORD,
        *estimate("bits", "bits", "Information of the letters at each position against the background in use, summed."),
        *estimate("bits_held", "bits", "Divergence of the whole law from its background.", NO_LADDER),
        Column("bits_held_df", WHOLE, "", "Degrees of freedom of the error of bits_held."),
        Column("segments", WHOLE, "", "Informative stretches of the anchor, as segments.tsv lists them."),
        Column(
            "ess_median",
            NUMBER,
            "draws",
            "Median effective sample size of the letters' frequencies.",
            "no position may change",
        ),
        LOGO,
        *CONVERGENCE,
    ),
    key=("record",),
)
_FIXED = "the position is fixed"
POSITIONS = Table(
    "positions.tsv",
    "a position of an anchor",
    "letter frequencies and information of each position, with errors and ESS",
    (
        RECORD,
        POSITION,
        LETTER,
        *PLACE,
        *estimate("information", "bits", "Information of the letters drawn there against the background.", _FIXED),
        Column("ess", NUMBER, "draws", "Effective sample size of the letters' frequencies.", _FIXED),
        *letters("p_", "", "Frequency of {} in the draws.", _FIXED),
        *letters("error_", "", "Monte Carlo standard error of p_{}.", _FIXED),
        *letters("background_", "", "Frequency of {} in the background in use, tether included.", _FIXED),
        *CONVERGENCE,
    ),
    key=("record", "position"),
)
PWM = Table(
    "pwm.tsv",
    "a position of an anchor",
    "log2 odds of each position's letters against its background",
    (
        *matrix(RECORD, "bits", "Log2 odds of {} against the position's background; 0 where the position is fixed."),
        *PLACE,
        *CONVERGENCE,
    ),
    key=("record", "position"),
)
SEGMENTS = Table(
    "segments.tsv",
    "an informative stretch of an anchor",
    "informative stretches in place, in the anchor and in the genome",
    (
        RECORD,
        Column("start", WHOLE, "bp", "Start in the anchor, 0-based."),
        Column("end", WHOLE, "bp", "End in the anchor, not included."),
        Column("bits", NUMBER, "bits", "Information of its positions, summed."),
        Column("sites", NUMBER, "draws", "Effective number of draws that its frequencies rest on.", "it is not known"),
        Column("consensus", TEXT, "", "The letters that it holds, in IUPAC's code."),
        Column("chromosome", TEXT, "", "Chromosome of the stretch.", NO_PLACE),
        Column("chromosome_start", WHOLE, "bp", "Start in the chromosome, 0-based.", NO_PLACE),
        Column("chromosome_end", WHOLE, "bp", "End in the chromosome, not included.", NO_PLACE),
        *CONVERGENCE,
    ),
    key=("record", "start"),
)
_COMMON = "its best site is too common by chance, or wider than records are"
RECORDS = Table(
    "records.tsv",
    "a motif",
    "with --records: the share of records that have each motif, on either strand, beside that of their shuffles",
    (
        MOTIF,
        Column("records", WHOLE, "", "Records that were looked through.", _COMMON),
        Column("holding", WHOLE, "", "Records that have a site of it, on either strand.", _COMMON),
        Column("share", SHARE, "", "Share of records that have one.", _COMMON),
        Column("low", SHARE, "", "Lower end of its 95 % interval (Wilson), related records counting as one.", _COMMON),
        Column("high", SHARE, "", "Upper end of that interval.", _COMMON),
        Column("shuffled", SHARE, "", "Share of the records' dinucleotide shuffles that have one.", _COMMON),
        Column("shuffled_low", SHARE, "", "Lower end of its 95 % interval.", _COMMON),
        Column("shuffled_high", SHARE, "", "Upper end of that interval.", _COMMON),
        Column(
            "enrichment",
            ANY_NUMBER,
            "",
            "The records' share over the shuffles', half a record added to each.",
            _COMMON,
        ),
        Column("enrichment_low", NUMBER, "", "Lower end of its 95 % interval (Katz).", _COMMON),
        Column("enrichment_high", NUMBER, "", "Upper end of that interval.", _COMMON),
        Column(
            "record_threshold",
            NUMBER,
            "bits",
            "Log2 odds from which a place of a record counts: so high that --rate of independent sequences have one.",
            _COMMON,
        ),
    ),
    key=("motif",),
)
_NO_ROOM = "two sites do not fit at this distance where letters may change"
_FEW = "fewer than three anchors"
_PAIR = (
    Column("motif_a", TEXT, "", "The first motif of the pair, taken to be on the plus strand."),
    Column("motif_b", TEXT, "", "The other motif; it may be the same."),
)
_ARRANGED = (
    Column("arrangement", TEXT, "", "Order and strands: a> <b is a, then b on the minus strand."),
    Column("distance", WHOLE, "bp", "Between facing ends: 0 is side by side."),
)


def _over_anchors(name: str, unit: str, meaning: str) -> tuple[Column, Column]:
    """A mean over anchors and its standard error over them."""
    error = f"Standard error of {name} over anchors."
    return Column(name, NUMBER, unit, meaning, _NO_ROOM), Column(f"{name}_error", NUMBER, unit, error, _FEW)


SYNTAX = Table(
    "syntax.tsv",
    "an arrangement and distance of two motifs",
    "with --syntax: what two motifs together are worth beyond each by itself, in sequences of the background",
    (
        *_PAIR,
        *_ARRANGED,
        *_over_anchors(
            "interaction",
            "bits",
            "F(both) - F(left) - F(right) + F(neither) at beta_share of beta: below 0 the law favours both.",
        ),
        Column(
            "context_error",
            NUMBER,
            "bits",
            "Part of that error that is of the finite contexts, by jackknife over these.",
            _NO_ROOM,
        ),
        *_over_anchors("first_order", "bits", "The same at small beta: beta times the interaction of the mean energy."),
        *_over_anchors(
            "output_interaction", "output", "The same of the mean output: 0 where the network adds them up."
        ),
        Column(
            "contexts",
            NUMBER,
            "",
            "Contexts that interaction rests on (Kish), of --contexts an anchor; few: distrust it.",
            _NO_ROOM,
        ),
        Column("anchors", WHOLE, "", "Anchors that it is a mean over."),
    ),
    key=("motif_a", "motif_b", "arrangement", "distance"),
)
INTERACTIONS = Table(
    "interactions.tsv",
    "a pair of motifs",
    "with --syntax: how two motifs go together at all distances, and whether one distance stands out",
    (
        *_PAIR,
        Column("anchors", WHOLE, "", "Anchors whose law was asked."),
        Column(
            "beta_share",
            SHARE,
            "",
            "Share of the law's beta at which free energies are, so that enough sequences of the background count.",
        ),
        *_over_anchors("interaction", "bits", "Mean interaction free energy over arrangements and distances."),
        *_over_anchors("output_a", "output", "What motif_a by itself adds to the mean output of the background."),
        *_over_anchors("output_b", "output", "What motif_b by itself adds to it."),
        Column(
            "opposed_p",
            NUMBER,
            "",
            "Chance of both as large and of opposite sign (t over anchors), times the pairs; 1 where of one sign.",
            _FEW,
        ),
        *_over_anchors("output_interaction", "output", "Mean interaction of the output: below 0 less than their sum."),
        Column("p", NUMBER, "", "Chance of as large an output interaction (t over anchors), times the pairs.", _FEW),
        *_ARRANGED,
        Column("preferred_by", TEXT, "", "By what this arrangement and distance stand out more surely: law or output."),
        *_over_anchors(
            "excess", "bits", "First-order interaction there less the median of the arrangement's distances."
        ),
        *_over_anchors("output_excess", "output", "Interaction of the output there less the median likewise."),
        Column(
            "preference_p",
            NUMBER,
            "",
            "Chance of as much at any arrangement and distance, by either, were none preferred, times the pairs.",
            "too few anchors or distances",
        ),
        Column("preferred", TRUTH, "", "Whether that is 0.05 or less."),
    ),
    key=("motif_a", "motif_b"),
)
DRAW_SITES = Table(
    "draw_sites.tsv.gz",
    "a site in a draw",
    "every site of every draw, with --draw-sites",
    (
        RECORD,
        Column("chain", WHOLE, "", "Number of the chain, from 0."),
        Column("draw", WHOLE, "", "Number of the draw in its chain, from 0."),
        MOTIF,
        Column("start", WHOLE, "bp", "Start in the anchor, 0-based."),
        Column("end", WHOLE, "bp", "End in the anchor, not included."),
        Column("strand", TEXT, "", "Strand that the motif reads on, + or -."),
        Column("log_odds", NUMBER, "bits", "Log2 odds of the site against the untethered background."),
    ),
    key=("record", "chain", "draw", "motif", "start", "strand"),
)
BED = File("sites.bed", "the same places as BED6, sorted, called by the known motif that each is like")
LEFT_OUT = replace(REJECTED, file="rejected.tsv", about="records of --records that were left out, and why")
FOLDER = (
    MOTIFS,
    File("motifs.meme", "the same as matrices, letter probabilities, in MEME's format"),
    File("motifs.jaspar", "the same as counts, in JASPAR's format"),
    PPM,
    MOTIF_PWM,
    KNOWN,
    SITES,
    BED,
    OCCUPANCY,
    SPACING,
    TESTED,
    File("avoided.meme", "the motifs that draws avoid, as letters at the sites that are missing"),
    File("anchor_motifs.meme", "the motifs as each anchor's draws have them"),
    RATES,
    RECORDS,
    LEFT_OUT,
    INTERACTIONS,
    SYNTAX,
    File("syntax.png", "with --syntax: interactions by distance, an arrangement a panel"),
    ANCHORS,
    POSITIONS,
    PWM,
    SEGMENTS,
    DRAW_SITES,
    File("information.bedgraph", "information of each position in the genome, where anchors have places"),
    File("information.bw", "the same as bigWig"),
    File("igv.xml", "opens that and the sites in IGV"),
    File("logos/", "of anchors in place (logo_), their best motif aligned (aligned_), and motifs"),
    File("modisco/", "one_hot.npz and attributions.npz for `modisco motifs`"),
)
