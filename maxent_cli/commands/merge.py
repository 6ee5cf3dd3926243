"""maxent merge: parts of a run put together."""

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, spoken


@options.command("merge")
@spoken
@click.argument("parts", nargs=-1, required=True)
@options.out_option("What the whole run would have written: a file, or a folder where the parts are folders.")
def command(console: Console, parts: tuple[str, ...], out: str) -> None:
    """Put PARTS together, which one command wrote with --shard 1/n to n/n: the bytes are those of the run in one.

    Parts may come in any order. With draws come their summaries and beta series, where they are beside them, and
    OUT.rejected.tsv. What a part is lies beside it in its .provenance.json: a part that is missing, there twice,
    changed since it was written, or of another run (settings, model, records, version) is an error that names it.
    """
    from maxent_cli.api.merging import merge

    merge(parts, out, progress=console)
