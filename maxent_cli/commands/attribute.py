"""maxent attribute: which letters of each anchor the output is put down to."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from maxent_cli.commands import options

if TYPE_CHECKING:
    from pathlib import Path

POOLED = ("scores.bedgraph", "modisco/one_hot.npz", "modisco/attributions.npz")  # made of the table of all anchors
METHODS = ("saliency", "input-x-gradient", "deeplift", "integrated-gradients", "mutagenesis")
# options that only some methods heed
HEEDED = {
    "references": METHODS[2:4],
    "steps": METHODS[3:4],
    "most_delta": METHODS[2:4],
}


@click.command("attribute")
@options.anchors_argument
@options.model_options
@options.out_option(
    "Folder for the results; an older one is replaced. '-' prints positions.tsv, for a pipe.", pipe=True
)
@click.option("--method", required=True, type=click.Choice(METHODS), help="How scores are found: see above.")
@options.genome_options
@options.window_options
@options.asked_options
@click.option(
    "--references",
    default=20,
    show_default=True,
    type=click.IntRange(2),
    help="Sequences drawn from q, letter by letter, that deeplift and integrated-gradients compare with, from 2.",
)
@click.option(
    "--steps",
    default=50,
    show_default=True,
    type=click.IntRange(2),
    help="Points on the way from a reference at which integrated-gradients takes the gradient, from 2.",
)
@click.option(
    "--most-delta",
    type=options.FiniteRange(0),
    help="Share of the difference of outputs by which a sum of scores may be off, from 0.  [default: 0.001 for "
    "deeplift, 0.05 for integrated-gradients]",
)
@options.logo_options
@click.option("--strict", is_flag=True, help="Exit with 3 if an anchor's scores are incomplete (results are written).")
@options.device_option
@options.seed_option
@options.threads_option
@options.shard_option
def command(model: str, out: str, **given: Any) -> None:
    """Which letters of each anchor a network's output is put down to.

    ANCHORS is FASTA ('-' for stdin), or BED with --genome. What is attributed is the output or contrast f, before the
    sigmoid or softmax. A score of each position, and one of each letter that could stand there, by --method:

    \b
    saliency              |gradient of f| with respect to the letter; of a position, the largest
    input-x-gradient      gradient of f with respect to the letter; of a position, that of the anchor's letter
    deeplift              DeepLIFT's contribution by the rescale rule, a mean over references drawn from q
    integrated-gradients  the mean gradient on the way from a reference, instead of at the end; a mean likewise
    mutagenesis           f with the letter there, less its mean over letters drawn from q there

    By the last three, a position's score is that of the anchor's letter. By deeplift and integrated-gradients scores
    must sum to f less its mean over the references: whether they do is checked for every anchor. Errors are standard
    errors over references. Positions that are held (--fix, --flank) have no score. In the folder:

    \b
    positions.tsv    letter, score, error, and the scores of A, C, G and T, a position a line
    anchors.tsv      output, sum of scores, output of the references, how far the sum is off (delta, and its share of
                     the mean difference from the references); drift: of the compiled kernel from full passes
    scores.bedgraph  scores where coordinates are known, 0-based half-open; where anchors overlap, their mean
    logos/           the anchor's letters, as high as their scores
    modisco/         one_hot.npz and attributions.npz, each (anchors, 4, positions), for `modisco motifs`
    """
    options.before_torch()
    from maxent_cli.commands import attribution_results as results
    from maxent_cli.commands.drawing import inputs_asked, take_up, watched
    from maxent_cli.interpret.attribution import AttributionSettings, attribute
    from maxent_cli.io.files import PIPE
    from maxent_cli.io.outputs import folder_or_pipe, planned

    check_heeded(given)
    beside = None if out == PIPE else given["shard"].rejected_table(out)
    outputs = planned(inputs_asked(model, given), folders=[out], implied=[beside])
    subject = take_up(model, None if out == PIPE else out, given)
    outputs = outputs.reading(*subject.inputs)
    plain = {name: given[name] for name in ("method", "references", "steps", "seed", "device")}
    settings = AttributionSettings(contrast=subject.contrast, background=subject.background, **plain)
    found = attribute(subject.model, subject.anchors, settings, given["threads"])
    made = {"seed": given["seed"], "device": given["device"], "part": subject.part | {"kind": "folder"}}
    with folder_or_pipe(out, results.TABLE, outputs, **made) as folder:
        numbers = subject.anchors.numbered.tolist()
        job = results.Job(folder, settings, given["most_delta"], "none" if out == PIPE else given["logos"], numbers)
        progress = options.Progress("attributing", len(subject.anchors), "anchors")
        each = watched(progress, found, subject.anchors, subject.inputs[0])
        rows = results.write(each, job, given["max_logos"])
        lines = [] if out == PIPE else list(pool(folder, {}))
    for line in (*results.report(rows, job), *lines):
        options.say(f"{out}: {line}")
    sys.exit(3 if given["strict"] and not all(row["complete"] in (True, None) for row in rows) else 0)


def pool(folder: "Path", _settings: dict[str, Any]) -> Iterator[str]:
    """Write into a folder what its table of positions says over all anchors, if there are any; and say it."""
    from maxent_cli.commands.attribution_results import TABLE
    from maxent_cli.io.attribution_files import read_scores, write_arrays, write_bedgraph

    table = read_scores(str(folder / TABLE))
    if not len(table):
        return
    (folder / "modisco").mkdir(exist_ok=True)
    write_arrays(folder / "modisco", table)
    if not table["chromosome"].any():
        yield "no scores.bedgraph, since no anchor has coordinates"
        return
    places, several = write_bedgraph(folder / "scores.bedgraph", table)
    yield f"scores.bedgraph: {places} bp" + (f", {several} of them the mean of several anchors" if several else "")


def check_heeded(given: dict[str, Any]) -> None:
    """Refuse options that would have no effect."""
    for name, methods in HEEDED.items():
        if given["method"] not in methods and options.given_by_user(name):
            raise click.UsageError(f"--{name.replace('_', '-')} is heeded by {' and '.join(methods)} alone")
