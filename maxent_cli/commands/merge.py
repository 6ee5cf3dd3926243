"""maxent merge: parts of a run put together."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maxent_cli.commands import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maxent_cli.io.outputs import Outputs
    from maxent_cli.io.parts import Part

    Together = dict[str, list[Part]]  # path -> its parts, the main output first


@click.command("merge")
@click.argument("parts", nargs=-1, required=True)
@options.out_option("What the whole run would have written: a file, or a folder where the parts are folders.")
def command(parts: tuple[str, ...], out: str) -> None:
    """Put PARTS together, which one command wrote with --shard 1/n to n/n: the bytes are those of the run in one.

    Parts may come in any order. With draws come their summaries, where they are beside them, and OUT.rejected.tsv.
    What a part is lies beside it in its .provenance.json: a part that is missing, there twice, changed since it was
    written, or of another run (settings, model, records, version) is an error that names it.
    """
    from maxent_cli.io.outputs import planned
    from maxent_cli.io.parts import FOLDER, read_parts, rejected_tables, renew_rejected_of, summaries_of

    beside = [options.rejected_beside(out), f"{out.rstrip('/')}.tsv"]
    folders = all(Path(path).is_dir() for path in parts)
    outputs = planned(parts, *(([], [out]) if folders else ([out], [])), beside, noting=False)
    with options.Progress("merging", len(parts), "parts") as progress:
        found = read_parts(parts)
        together = {out: found, f"{out}.tsv": summaries_of(found)}
        kind, rejected = found[0].kind, rejected_tables(found)
        (join_folder if kind == FOLDER else join_files)(outputs, together, progress)
        renew_rejected_of(rejected, kind, out)
    options.say(f"{out}: {len(found)} parts, {sum(part.made['part']['records'] for part in found)} records")
    kinds = {str((part.made["machine"].get("cpu"), part.made["packages"])) for part in found}
    if len(kinds) > 1:
        options.say(f"NOTE: {len(kinds)} kinds of CPU or versions of packages: in one run, other bytes may be drawn")


def join_files(outputs: "Outputs", together: "Together", progress: options.Progress) -> None:
    """Join the parts of each output that is a file."""
    from maxent_cli.io.parts import join

    with outputs.writing() as opening:
        for path, parts in together.items():
            if parts:
                made = {"inputs": inputs_of(parts), **made_of(parts)}
                join(opening(path, "wb", **made), parts[0].kind, counted(parts, progress))


def counted(parts: "Sequence[Part]", progress: options.Progress) -> Iterator[str]:
    """The paths of parts; those of the main output, which come first, count as progress."""
    for part in parts:
        yield part.path
        progress.advance(progress.done < progress.total)


def join_folder(outputs: "Outputs", together: "Together", progress: options.Progress) -> None:
    """Join folders; what pools all records, the command's POOLED, is made anew from the tables by its `pool`."""
    from maxent_cli.commands import COMMANDS
    from maxent_cli.errors import InputError
    from maxent_cli.io.parts import join_folders

    out, parts = next(iter(together.items()))
    run = parts[0].made["part"]["run"]
    if run["command"] not in COMMANDS:
        raise InputError(parts[0].path, "", f"is of {run['command']}, which is no command", "give what maxent wrote")
    module = importlib.import_module(f"maxent_cli.commands.{run['command'].replace('-', '_')}")
    pooled = getattr(module, "POOLED", ())
    with outputs.writing_folder(out, inputs=inputs_of(parts), **made_of(parts)) as folder:
        join_folders(folder, counted(parts, progress), pooled)
        if pooled:
            list(module.pool(folder, run["settings"]))


def inputs_of(parts: "Sequence[Part]") -> dict[str, object]:
    """What the whole run would have read; the parts themselves may go once they are merged."""
    return {path: digest for part in parts for path, digest in part.made["inputs"].items()}


def made_of(parts: "Sequence[Part]") -> dict[str, Any]:
    """What the provenance of the whole says of its parts."""
    first = parts[0].made
    took = {
        "wall_seconds": round(sum(part.made["wall_seconds"] for part in parts), 3),
        "peak_memory_mib": max(part.made["peak_memory_mib"] for part in parts),
        "outputs": {part.path: part.made["output"] for part in parts},
    }
    kept = {name: first[name] for name in ("seed", "device") if name in first}
    counts = {name: sum(part.made["part"][name] for part in parts) for name in ("records", "rejected")}
    return kept | {"part": first["part"] | counts | {"shard": "1/1"}, "parts": took}
