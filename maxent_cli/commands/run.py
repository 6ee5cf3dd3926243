"""maxent run: from peaks to a page."""

from typing import TYPE_CHECKING, Any, Literal

import click

from maxent_cli.choices import METHODS
from maxent_cli.commands import options, requests
from maxent_cli.commands.console import Console, resumable
from maxent_cli.commands.params import AUTO, InputPath

if TYPE_CHECKING:
    from maxent_cli.analysis.discovery import Calling
    from maxent_cli.api.anchors import Anchors
    from maxent_cli.api.networks import Network
    from maxent_cli.api.probing import Probe
    from maxent_cli.api.training import Training
    from maxent_cli.api.training_data import Split, TrainingData
    from maxent_cli.interpret.law import Law
    from maxent_cli.interpret.sampling import Sampling

RARE = ("device", "motif_bits", "feature", "mu", "beta", "tether", "keep", "test_chromosomes", "negatives")
# whose sections of a file are heeded
STEPS = ("train", "predict", "sample", "motifs", "gc-probe", "attribute", "report")


def _given(
    records: str | None,
    model: str | None,
    negatives: str | None,
    negatives_away: int | None,
    top_score: float | None,
    bottom_score: float | None,
    match_gc: bool,
    length: int | None,
    genome: str | None,
    centre: Literal["centre", "summit"],
    crop: bool,
    map_chromosomes: bool,
) -> "TrainingData | Anchors":
    from maxent_cli.api.anchors import anchors
    from maxent_cli.api.chain import data_of
    from maxent_cli.io.records import BED, kind_of

    if records is None:
        raise click.UsageError("Missing argument 'RECORDS': BED with --genome, FASTA, or a table with labels.")
    how: dict[str, Any] = {"genome": genome, "centre": centre, "crop": crop, "map_chromosomes": map_chromosomes}
    chosen = {"negatives": negatives, "negatives_away": negatives_away, "top_score": top_score}
    chosen |= {"bottom_score": bottom_score, "length": length}
    if model is None:
        return data_of(records, **how, **chosen, match_gc=match_gc)
    how["centre"] = centre if kind_of(records) == BED else "centre"
    useless = [name for name, value in chosen.items() if value is not None] + ["match_gc"] * match_gc
    if useless:
        name = useless[0].replace("_", "-")
        raise click.UsageError(f"--{name} is of training, and --model comes trained: leave it out")
    return anchors(records, **how)


def _network(model: str | None, trust_code: bool) -> "Network | None":
    from maxent_cli.api.networks import network

    return None if model is None else network(model, trust_code=trust_code)


DETAILS = """
RECORDS are known by their names and first lines: .bed, .narrowPeak and .broadPeak are intervals, which need
--genome; a first line with the columns sequence and label is a table; all else is FASTA. Windows around
intervals have 101 bp unless --length says otherwise. With --model they are what anchors are chosen from.

Steps: train, predict (anchors: those of what was held out that are called rightly), doctor, sample, motifs,
gc-probe, attribute, report. OUT/commands.sh has the command of each, and OUT/run.toml all that was asked, which
--config reads, as the workflow for clusters does. A step whose outputs are there, made by the same command and
version from the same inputs, is not done again. All options of the steps may stand in their sections of a file.
"""


@options.command("run", rare=RARE, details=DETAILS, steps=STEPS)
@click.argument("records", required=False, type=InputPath())
@resumable
@options.group(
    "network",
    _network,
    options.option(
        "--model",
        metavar="FOLDER",
        section="Network",
        everyday=True,
        help="Model folder, instead of training one.",
    ),
    options.trust_option,
)
@options.group("given", _given, *requests.CHOOSING, *options.reading_options("summit"))
@options.group("split", requests.split_of, *requests.SPLIT)
@options.group("training", requests.training_of, *requests.TRAINING)
@options.law_options(AUTO)
@options.sampling_options
@options.option(
    "--diverse",
    default=12,
    show_default=True,
    type=click.IntRange(1),
    section="Anchors",
    everyday=True,
    help="So many anchors, which stand for all records that they are chosen from.",
)
@options.known_option("jaspar")
@options.asked_motifs_option(" and, without it, those")
@requests.calling_options
@requests.probe_options
@options.option(
    "--method",
    type=click.Choice(METHODS),
    default="mutagenesis",
    show_default=True,
    metavar="NAME",
    help=f"Attribution: {', '.join(METHODS)}.",
)
@options.threads_option
@options.assembly_option
@options.out_option("Folder of all that is found; report.html in it is the page.")
def command(
    console: Console,
    given: "TrainingData | Anchors",
    network: "Network | None",
    split: "Split",
    training: "Training",
    law: "Law",
    sampling: "Sampling",
    diverse: int,
    known: str,
    test: str | None,
    calling: "Calling",
    probe: "Probe",
    method: str,
    threads: int | None,
    assembly: str,
    out: str,
) -> None:
    """From peaks to a page: train, choose anchors, sample, read motifs, probe, attribute, report.

    RECORDS are positives: BED with --genome, or FASTA; or a table with labels. With --model FOLDER no network is
    trained, and anchors are chosen from RECORDS. The plan is said first, with the time and memory that it will take.
    Stopped at any moment, the same command goes on. OUT/commands.sh has the single commands that do the same.
    """
    from maxent_cli.api.chain import run

    run(
        given,
        network,
        out=out,
        split=split,
        training=training,
        law=law,
        sampling=sampling,
        probe=probe,
        calling=calling,
        known=known,
        test=test,
        method=method,
        diverse=diverse,
        assembly=assembly,
        threads=threads,
        progress=console,
    )
