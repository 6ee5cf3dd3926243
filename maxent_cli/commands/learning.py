"""maxent learning: when a network learned what."""

from functools import partial
from typing import TYPE_CHECKING, Literal

import click

from maxent_cli.commands import options, requests
from maxent_cli.commands.console import Console, resumable
from maxent_cli.commands.params import AUTO, InputPath

if TYPE_CHECKING:
    from maxent_cli.analysis.discovery import Calling
    from maxent_cli.api.anchors import Anchors
    from maxent_cli.interpret.law import Law
    from maxent_cli.interpret.sampling import Sampling

DETAILS = """
A pattern says which units of a layer are on at a position of a record (at all, where a layer has no positions); of all
layers together there is one a record: its linear region, where all layers are ReLU and no maximum is pooled. Up to 128
units it is kept as it is, of more a hash of 128 bits. Entropy is that of the patterns counted; it can be no more than
the number of units or log2 of the patterns, and more records have more. A unit is dead that is on in no pattern. A
network without a ReLU-like layer has no patterns: with ANCHORS all else is written, without them it is refused.

Steps and the step that was kept are as train left them; of other networks, checkpoints are numbered from 0.

There is no --shard: motifs are pooled over anchors and patterns over records, at a checkpoint and between them. `maxent
doctor` says what records and anchors take at one checkpoint; time is that by the number of checkpoints, memory is the
same.
"""


def _read_classes(
    positives: str | None,
    negatives: str | None,
    genome: str | None,
    centre: Literal["centre", "summit"],
    crop: bool,
    map_chromosomes: bool,
) -> "tuple[Anchors | None, Anchors | None]":
    """Records of both classes, read as anchors are: of the same genome, cropped alike."""
    read = partial(options.read_anchors, genome=genome, centre=centre, crop=crop, map_chromosomes=map_chromosomes)
    return read(positives), read(negatives)


classes_options = options.group(  # within those of anchors, with which they share how records are read
    "classes",
    _read_classes,
    options.option(
        "--positives",
        type=InputPath(pipe=True),
        everyday=True,
        help="FASTA or BED: records that patterns are counted over.  [default: validation part in the first folder]",
    ),
    options.option("--negatives", type=InputPath(pipe=True), everyday=True, help="Those of the other class."),
)


@options.command(
    "learning", rare=("genome", "fix", "negatives", "gc", "beta", "keep", "motif_bits", "device"), details=DETAILS
)
@resumable
@options.option(
    "--model",
    "models",
    required=True,
    multiple=True,
    type=InputPath(folder=True),
    metavar="FOLDER",
    section="Network",
    everyday=True,
    help="Folder that train --checkpoints wrote; or repeat it: two or more model folders, in the order of training.",
)
@options.trust_option
@options.anchors_if_any_options
@classes_options
@options.option(
    "--records",
    default=1000,
    show_default=True,
    type=click.IntRange(2, 1_000_000),
    everyday=True,
    help="Count patterns over at most so many, half of each class, drawn at random.",
)
@options.known_option()
@options.similarity_option("Motifs are one if their", everyday=False)
@requests.calling_options
@options.law_options(AUTO)
@options.sampling_options
@options.threads_option
@options.out_option("Folder for the results; an older one is replaced.")
def command(
    console: Console,
    models: tuple[str, ...],
    trust_code: bool,
    anchors: "Anchors | None",
    classes: "tuple[Anchors | None, Anchors | None]",
    records: int,
    known: str | None,
    similarity: float,
    calling: "Calling",
    law: "Law",
    sampling: "Sampling",
    threads: int | None,
    out: str,
) -> None:
    """When a network learned what: on/off patterns of its layers, bits and motifs by training step.

    Of each ReLU-like layer: entropy of its patterns over records, distinct patterns, Jaccard similarity to
    start, previous and end, and dead units, by class too. With ANCHORS, FASTA or BED with --genome, every
    checkpoint is drawn from around them, as by sample: bits, motifs, and the patterns of the draws.
    """
    from maxent_cli.api.learning import learning

    learning(
        models,
        anchors,
        law,
        sampling,
        positives=classes[0],
        negatives=classes[1],
        records=records,
        calling=calling,
        known=known,
        similarity=similarity,
        trust_code=trust_code,
        out=out,
        threads=threads,
        progress=console,
    )
