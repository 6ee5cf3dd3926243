"""maxent provenance: how an output was made."""

import click

from maxent_cli.commands import options


@options.command("provenance")
@click.argument("output")
@options.option(
    "--check", is_flag=True, help="Say nothing, and exit with 1 where the output or one of its inputs has changed."
)
@options.option("--json", "as_json", is_flag=True, help="As JSON, as it lies beside the output.")
def command(output: str, check: bool, as_json: bool) -> None:
    """How OUTPUT, a file or a folder, was made: command, versions, seed, digests, seconds and memory.

    It is an error where nothing is beside OUTPUT that says so, or OUTPUT is not what was written. With --check, that
    and whether its inputs are what they were is all that is asked, so that a rule of a workflow can require it.
    """
    from maxent_cli.api.origins import provenance

    origin = provenance(output)
    if check:
        origin.check_inputs()
        return
    click.echo(origin.json() if as_json else str(origin))
