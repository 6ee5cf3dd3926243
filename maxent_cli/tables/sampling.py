"""The tables that `maxent sample` writes, and that of rejected records."""

from maxent_cli.tables.columns import BETA, CONVERGED, CONVERGENCE, NO_DISTANCE, NO_LADDER, RECORD, RHAT
from maxent_cli.tables.schema import NUMBER, SHARE, TEXT, TRUTH, WHOLE, Column, File, Table, estimate

_UNWATCHED = "nothing ever changed in any chain"

SUMMARY = Table(
    "OUT.tsv",
    "an anchor",
    "convergence, energy, output and information of each anchor's draws",
    (
        RECORD,
        BETA,
        Column("beta_error", NUMBER, "1/energy", "Standard error of beta; 0 where beta was given.", "it is not known"),
        Column(
            "acceptance",
            SHARE,
            "",
            "Share of proposed moves that were accepted, all replicas together.",
            "none was proposed",
        ),
        CONVERGED,
        RHAT,
        Column("rhat_quantity", TEXT, "", "What has the worst R-hat: energy, output, or a letter at a position."),
        Column(
            "ess",
            NUMBER,
            "draws",
            "Least effective sample size: how many independent draws they are worth.",
            _UNWATCHED,
        ),
        Column("ess_quantity", TEXT, "", "What has the least effective sample size."),
        Column(
            "frequency_error",
            NUMBER,
            "",
            "Largest Monte Carlo error of a letter's frequency at a position.",
            _UNWATCHED,
        ),
        Column("frequency_error_quantity", TEXT, "", "Which letter and position has it."),
        *estimate(
            "energy", "energy", "Mean energy of the draws: how far the network's representation is from the anchor's."
        ),
        Column("energy_background", NUMBER, "energy", "Mean energy of background sequences (beta 0)."),
        *estimate(
            "energy_reduction",
            "",
            "Share by which the mean energy is below the background's: 0 is background, 1 the anchor itself.",
            NO_DISTANCE,
        ),
        Column(
            "distinguishable",
            TRUTH,
            "",
            "Whether the anchor's output lies outside the central 95 % of the untethered background's.",
        ),
        Column(
            "output_anchor", NUMBER, "output", "The network's output for the anchor, before any sigmoid or softmax."
        ),
        Column("output_background", NUMBER, "output", "Median output of the untethered background."),
        *estimate("output", "output", "Mean output of the draws."),
        *estimate("bits", "bits", "Information of the letters at each position against the background in use, summed."),
        *estimate(
            "bits_held",
            "bits",
            "Divergence of the whole law from its background, of which a logo shows the bits alone.",
            NO_LADDER,
        ),
        Column("bits_held_df", WHOLE, "", "Degrees of freedom of the error of bits_held."),
        Column(
            "kernel",
            TEXT,
            "",
            "What drew: the compiled kernel; a surrogate, of what, the steps at once and the share accepted; or "
            "full passes and why.",
        ),
        Column(
            "drift_start", NUMBER, "energy", "Most that the kernel's energies differed from full passes before a block."
        ),
        Column(
            "drift",
            NUMBER,
            "energy",
            "Most that the kernel's energies differed from full passes at the end of a block.",
        ),
        Column("unknown", WHOLE, "bp", "How many of the anchor's letters are not A, C, G or T."),
        Column("steps", WHOLE, "steps", "Steps of each chain after the warm-up."),
    ),
    key=("record",),
)
SERIES = Table(
    "OUT.series.tsv",
    "a replica of an anchor, from beta 0 up",
    "the beta series: energy, output and bits at each replica's beta",
    (
        RECORD,
        Column("beta", NUMBER, "1/energy", "Inverse temperature of the replica."),
        *estimate("energy", "energy", "Mean energy of the replica's draws."),
        Column("energy_reduction", NUMBER, "", "Share by which it is below the background's.", NO_DISTANCE),
        *estimate("output", "output", "Mean output of the replica's draws."),
        *estimate("bits", "bits", "Information of the letters at each position against the background, summed."),
        *estimate("bits_held", "bits", "Divergence of the law at this beta from its background.", NO_LADDER),
        *estimate("beyond_positions", "bits", "What is held that no logo shows: bits_held less bits.", NO_LADDER),
        *CONVERGENCE,
    ),
    key=("record", "beta"),
)
NETWORKS = Table(
    "OUT.networks.tsv",
    "a network of an anchor",
    "what each network makes of the draws; not there where the law is of one",
    (
        RECORD,
        Column("network", WHOLE, "", "Number of the network, from 1, in the order of --model."),
        *estimate("distance", "distance", "Mean distance of the draws from the anchor, by this network alone."),
        Column(
            "distance_background",
            NUMBER,
            "distance",
            "Mean distance of background sequences, in which the law counts it.",
        ),
        Column("reduction", NUMBER, "", "Share by which the draws' distance is below the background's."),
        Column("output_anchor", NUMBER, "output", "The network's output for the anchor."),
        *estimate("output", "output", "Mean output of the draws."),
    ),
    key=("record", "network"),
)
REJECTED = Table(
    "OUT.rejected.tsv",
    "a record that was left out",
    "records that were rejected, by name, place and reason; not there if there are none",
    (
        Column("record", TEXT, "", "The record's name."),
        Column("place", TEXT, "", "File and line that it stood in."),
        Column("reason", TEXT, "", "Why it cannot be used."),
    ),
)
SAMPLE = (
    File("OUT", "the draws, .npz; docs/draws-format.md says what is in it"),
    SUMMARY,
    SERIES,
    NETWORKS,
    REJECTED,
)
