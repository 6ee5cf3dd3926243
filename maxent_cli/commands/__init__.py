"""The command line: one file a command, each imported only when it is called."""

import importlib
import os
import time
from contextlib import suppress
from pathlib import Path

import click

from maxent_cli import __version__
from maxent_cli.commands.faults import told
from maxent_cli.commands.stopping import keep_as_it_is, tidy_at_sigterm
from maxent_cli.errors import EndedError, InputError

# command name -> one line for `maxent --help`; the command lives in the module of the same name
COMMANDS = {
    "run": "From peaks to a page, all of it in one command.",
    "simulate": "Random sequences with planted motifs, and where they were planted.",
    "train": "Train a network on positives against negatives.",
    "adopt": "Describe a network of your own once, as a model folder.",
    "learning": "When a network learned what: layers, bits and motifs by training step.",
    "predict": "Outputs of a network for every record; choose anchors by them.",
    "doctor": "Examine a network before a run, and test the sampler on it.",
    "sample": "Draw sequences that the network cannot tell from each anchor.",
    "motifs": "Frequencies, information, motifs and logos from draws.",
    "dependence": "Which positions depend on each other in the draws.",
    "variants": "What single-letter changes do, in the anchors and over their contexts.",
    "periodicity": "Does a class of letters repeat with the turn of DNA?",
    "compare": "Two models, or two sets of anchors, side by side.",
    "gc-probe": "Does the network constrain GC content, or another count?",
    "design": "Sequences of a wanted output, or edits that lead to one.",
    "attribute": "Attribution scores per position: gradients, DeepLIFT, mutagenesis and others.",
    "report": "One HTML page of what was found.",
    "merge": "Put the parts of a run together that --shard has parted.",
    "provenance": "How an output was made; whether it is still what was written.",
}


class CommandTable(click.Group):
    """A group that imports a command's module only when the command is named, so that help is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        return load(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            with tidy_at_sigterm():
                begin()
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):  # click ends quietly
            raise
        except (Exception, SystemExit, EndedError) as error:
            code, line = told(error)
            if isinstance(error, EndedError):
                keep_as_it_is(error, code)
            with suppress(OSError):
                click.echo(f"maxent: {line}", err=True)
            return ctx.exit(code)


def load(name: str) -> click.Command:
    """The command of that name."""
    module = importlib.import_module(f"maxent_cli.commands.{name.replace('-', '_')}")
    command: click.Command = module.command
    return command


def begin() -> None:
    """Note when the command began.

    Settle, before torch is imported, that waiting threads sleep: spinning ones crawl on a shared machine.
    """
    from maxent_cli.commands.console import say
    from maxent_cli.io import digests
    from maxent_cli.io.machine import place_for_code
    from maxent_cli.io.provenance import configured, started

    try:
        Path.cwd()
    except OSError as error:
        cure = "go to one that is there, and run the command again"
        raise InputError("the working folder", "", "is gone", cure) from error
    digests.saying.set(say)
    digests.forget()
    started.set(time.time())
    configured.set(None)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    home = os.path.expanduser("~")  # noqa: PTH111  # which is '~' itself where there is none
    place_for_code(Path(__file__).parents[1] / "engine", home.removeprefix("~"))


@click.group(cls=CommandTable, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="maxent")
def maxent() -> None:
    """Show what a neural network on DNA has learned, by maximum-entropy sampling.

    `maxent run` does it all: it trains a network (or takes yours), chooses anchors with predict, samples around
    them, and reads motifs and the GC response off the draws; each step is a command of its own. Inputs and outputs
    may be '-' for a pipe; progress goes to stderr.

    Exit codes: 0 done; 1 an input is wrong; 2 usage; 3 not converged under --strict (results are written); 4
    stopped by a signal, and the same command goes on from there; 5 a fault of maxent itself.
    """
