"""maxent predict: a network's outputs for every record."""

from typing import IO, TYPE_CHECKING, Any

import click

from maxent_cli.commands import options

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from maxent_cli.data import Sequences

_choice_options = options.stack(
    click.option("--select", help="Also write records, highest contrast first: BED by suffix .bed, else FASTA."),
    click.option(
        "--at-least", type=options.Finite(), help="Select records with this contrast or more.  [default: any]"
    ),
    click.option("--correct", is_flag=True, help="Select correctly called records; needs --table or --label."),
    click.option("--top", type=click.IntRange(1), help="Of those, select so many with the highest contrast."),
)


@click.command("predict")
@click.argument("records", required=False, type=options.InputPath(pipe=True))
@options.model_options
@options.out_option("Scores, TSV; '-' for stdout.", pipe=True)
@click.option(
    "--table",
    type=options.InputPath(pipe=True),
    help="TSV with columns sequence and label (0 or 1), instead of RECORDS.",
)
@click.option("--label", type=click.IntRange(0, 1), help="The class of every record of RECORDS, 0 or 1, if known.")
@options.genome_options
@click.option(
    "--contrast",
    type=options.Contrast(),
    help="Output a less output b (numbers from 0, before the softmax).  [default: 1,0 of two outputs]",
)
@_choice_options
@options.shard_option
@options.threads_option
def command(model: str, out: str, select: str | None, **given: Any) -> None:
    """Outputs of a network for RECORDS: FASTA ('-' for stdin), or BED with --genome.

    OUT has a row a record: record, each output by its name (before the softmax), their contrast, the probability of
    the contrast's first class and, where labels are known, label and correct (the contrast is above 0 exactly for
    label 1). Records are selected by --at-least and --correct first, then --top. BED is 0-based half-open.
    """
    options.before_torch()
    import numpy as np
    import torch

    from maxent_cli.commands.networks import reading_asked, source_asked
    from maxent_cli.io.networks import load_network, network_digest
    from maxent_cli.io.outputs import planned
    from maxent_cli.io.tables import write_rows
    from maxent_cli.models.prediction import predict

    _check_choices(select, given)
    torch.set_num_threads(given["threads"])
    source = source_asked(model, given)
    rejects = None if out == "-" else given["shard"].rejected_table(out)
    read = [given[name] for name in ("records", "table", "genome")]
    outputs = planned([*source.files, *read], [out, select], implied=[rejects])
    network = load_network(source)
    wide, labelled, left_out, count = _read(given, network.input_length)
    block = given["shard"].block(count)
    sequences, rejected = wide.within(block), [record for record in left_out if record.number in block]
    options.account(len(sequences), rejected, given["records"] or given["table"], rejects, given["shard"])
    part = _part(count, len(sequences), len(rejected), given, network_digest(source))
    reader = network.read_as(reading_asked(given), sequences.codes.shape[1])
    with options.Progress("predicting", len(wide), "records") as progress:
        found = predict(reader, wide.codes, progress.advance, wide.numbered)
    within = np.isin(wide.numbered, sequences.numbered)
    found, labels = found[within], None if labelled is None else labelled[within]
    names = network.output_names(found.shape[1])
    columns = _columns(sequences, found, options.contrast_asked(given["contrast"], None, names), names, labels)
    rows = _chosen(columns, given)
    with outputs.reading(*source.files).writing() as opening:
        write_rows(opening(out, part=part), columns)
        if select is not None:
            _write_selected(opening, select, sequences.take(rows), columns["contrast"][rows])
    if select is not None:
        options.say(f"{select}: {len(rows)} of {len(sequences)} records selected")


def _check_choices(select: str | None, given: dict[str, Any]) -> None:
    if (given["records"] is None) == (given["table"] is None):
        raise click.UsageError("give either RECORDS or --table")
    if given["table"] is not None and given["label"] is not None:
        raise click.UsageError("--table holds labels: give it without --label")
    if select is None and (given["at_least"] is not None or given["top"] is not None or given["correct"]):
        raise click.UsageError("--at-least, --correct and --top choose what --select writes: give --select FILE")
    if select is not None and given["shard"].count > 1:
        raise click.UsageError("--select chooses among all records: give it without --shard")
    if given["correct"] and given["table"] is None and given["label"] is None:
        raise click.UsageError("--correct needs labels: give --table, or --label for all records")


def _read(given: dict[str, Any], length: int | None) -> "tuple[Sequences, NDArray[np.int64] | None, list[Any], int]":
    """The records of whole batches around the shard's, labels (N,) where known, those left out; how many in all."""
    import numpy as np

    from maxent_cli.commands.training_data import read_labelled_sequences
    from maxent_cli.io.records import RecordSource, read_part, read_sequences
    from maxent_cli.models.prediction import BATCH

    if given["table"] is not None:
        sequences, labels, rejected = read_labelled_sequences(given["table"], length, given["crop"])
        return sequences, labels, rejected, len(sequences) + len(rejected)
    source = RecordSource(given["records"], given["genome"], given["centre"])
    found = read_part(source, given["shard"], lambda some: read_sequences(some, length, given["crop"]), BATCH)
    called = None if given["label"] is None else np.full(len(found[0]), given["label"])
    return found[0], called, *found[1:]


def _part(read: int, records: int, rejected: int, given: dict[str, Any], model: object) -> dict[str, Any]:
    """What the scores say of the part that they are."""
    from maxent_cli.io.digests import run_digests

    paths = {name: given[name] for name in ("records", "table", "genome")}
    digests = {"model": model, **run_digests(**paths)}
    return options.part_asked(given["shard"], read, records, rejected, digests) | {"kind": "scores"}


def _columns(
    sequences: "Sequences",
    outputs: "NDArray[np.float32]",
    contrast: tuple[int, ...],
    names: tuple[str, ...],
    labels: "NDArray[np.int64] | None",
) -> dict[str, Any]:
    """The table: outputs (N, K) by name, contrast and probability (N,), and whether the call is right."""
    import numpy as np

    values = outputs.astype(np.float64)
    margin = values[:, contrast[0]] - (values[:, contrast[1]] if len(contrast) == 2 else 0)
    others = np.delete(values, contrast[0], axis=1) if len(contrast) == 2 else np.zeros_like(values)
    odds = np.logaddexp.reduce(others, axis=1) - values[:, contrast[0]]
    columns = {"record": sequences.names, **dict(zip(names, values.T, strict=True))}
    columns |= {"contrast": margin, "probability": np.exp(-np.logaddexp(0, odds))}
    if labels is not None:
        columns |= {"label": labels, "correct": (margin > 0) == (labels == 1)}
    return columns


def _chosen(columns: dict[str, Any], given: dict[str, Any]) -> "NDArray[np.intp]":
    """Rows that pass --at-least and --correct, highest contrast first, as many as --top says."""
    import numpy as np

    contrast = columns["contrast"]
    passes = np.ones(len(contrast), np.bool_)
    if given["at_least"] is not None:
        passes &= contrast >= given["at_least"]
    if given["correct"]:
        passes &= columns["correct"]
    order = np.argsort(-contrast, kind="stable")
    return order[passes[order]][: given["top"]]


def _write_selected(
    opening: "Callable[[str], IO[str]]", path: str, sequences: "Sequences", contrast: "NDArray[np.float64]"
) -> None:
    from maxent_cli.alphabet import decode
    from maxent_cli.commands.training_data import bed_rows
    from maxent_cli.errors import InputError
    from maxent_cli.io.bed import bed_lines
    from maxent_cli.io.fasta import fasta_lines

    if not path.lower().endswith(".bed"):
        opening(path).writelines(fasta_lines(sequences.names, map(decode, sequences.codes)))
        return
    rows = bed_rows(sequences, contrast.tolist())
    if len(rows) < len(sequences):
        raise InputError(path, "", "a selected record has no coordinates", "name a FASTA file instead")
    opening(path).writelines(bed_lines(rows))
