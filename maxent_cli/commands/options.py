"""Options that several commands share, declared once, and how a command speaks to people."""

import json
import math
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maxent_cli.errors import InputError, printable, shown

if TYPE_CHECKING:
    from maxent_cli.data import Rejected, Shard

Decorator = Callable[[Any], Any]

MOST_SAID = 5  # of a list, on stderr
REDRAWN, LOGGED = 0.5, 10.0  # seconds between figures of progress, on a terminal and in a log

seed_option = click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(0), help="Random seed; same seed, same answer."
)
threads_option = click.option(
    "--threads",
    default=lambda: granted_cpus(),
    show_default="the CPUs granted",
    type=click.IntRange(1),
    help="CPU threads.",
)
device_option = click.option(
    "--device",
    default="cpu",
    show_default=True,
    metavar="cpu|cuda|cuda:N",
    help="Where the network runs; elsewhere than on the CPU by full passes alone.",
)


class FiniteRange(click.FloatRange):
    """A number within bounds; infinities and nan, which compare as within any, are refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        return number if math.isfinite(number) else self.fail(f"{value} is not a finite number", param, ctx)


class Finite(FiniteRange):
    """Any number but infinities and nan."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "number"

    def _describe_range(self) -> str:
        return "any"


class InputPath(click.ParamType[Any]):
    """A file to read, or a folder; one that cannot be read is an input error and said so at once, before any work.

    pipe: '-' and named pipes will do, as the file is read once from its start.
    """

    def __init__(self, folder: bool = False, pipe: bool = False) -> None:
        self.folder, self.pipe = folder, pipe
        self.name = "folder" if folder else "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        if value != "-" or not self.pipe:
            look_at(value, self.folder, self.pipe)
        return value


def look_at(path: str, folder: bool, pipe: bool) -> None:
    """io.files.check_input, imported when it is wanted."""
    from maxent_cli.io.files import check_input

    check_input(path, folder, pipe)


def granted_cpus() -> int:
    """CPUs this process may use: the least of affinity, the control group's quota and SLURM_CPUS_PER_TASK."""
    granted = [len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1]
    if os.environ.get("SLURM_CPUS_PER_TASK", "").isdigit():
        granted.append(int(os.environ["SLURM_CPUS_PER_TASK"]))
    quota = Path("/sys/fs/cgroup/cpu.max")
    if quota.is_file():
        allowed, period = quota.read_text().split()
        if allowed != "max":
            granted.append(-(-int(allowed) // int(period)))
    return max(1, min(granted))


def before_torch() -> None:
    """Settle, before torch is imported, that waiting threads sleep: spinning ones crawl on a shared machine."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def contrast_asked(contrast: tuple[int, int] | None, output: int | None, names: tuple[str, ...]) -> tuple[int, ...]:
    """The outputs that --contrast or --output name: by default 1 less 0 of two outputs, or the only one."""
    count = len(names)
    if contrast is not None and output is not None:
        raise click.UsageError("--contrast and --output exclude each other: give one of them")
    if contrast is None and output is None and count > 2:
        raise click.UsageError(f"the model has {count} outputs: say which with --contrast a,b or one output")
    chosen = contrast or ((output,) if output is not None else (1, 0)[2 - count :])
    if max(chosen) >= count:
        raise click.UsageError(f"the model's outputs are numbered 0 to {count - 1} ({', '.join(names)})")
    return chosen


def say(message: str) -> None:
    """One line for people, on stderr; who no longer reads that does not stop a run."""
    with suppress(OSError):
        click.echo(printable(message), err=True)


def account(
    kept: int, rejected: "Sequence[Rejected]", where: str, table: str | None, shard: "Shard | None" = None
) -> None:
    """Say how many records were kept and rejected, with the commonest reasons, and write the rejected into a table.

    Without a table the first few are said. Raises InputError where none was kept, unless they are a shard's.
    """
    from maxent_cli.io.tables import renew_rejected

    reasons = Counter(record.reason for record in rejected).most_common()
    why = [f"{count} {reason}" for reason, count in reasons[:MOST_SAID]]
    more = [f"{len(reasons) - MOST_SAID} other reasons"] if len(reasons) > MOST_SAID else []
    why_not = f" ({'; '.join(why + more)})" if reasons else ""
    say(f"{where}: {kept + len(rejected)} records = {kept} kept + {len(rejected)} rejected{why_not}")
    if table is not None:
        renew_rejected(table, rejected)
    for record in rejected[:MOST_SAID] if table is None else ():
        say(f"  {shown(record.name)} ({record.place}): {record.reason}")
    if shard is not None and shard.count > 1:
        return
    if not kept and not rejected:
        raise InputError(where, "", "holds nothing that can be used", "see the options that choose among its records")
    if not kept:
        first = next(record for record in rejected if record.reason == reasons[0][0])
        problem = f"all {len(rejected)} records were rejected (first: {shown(first.name)}: {first.reason})"
        raise InputError(where, "", problem, first.cure or "correct them")


def rejected_beside(out: str) -> str:
    """Where the records are listed that an output is not of."""
    return f"{out.rstrip('/')}.rejected.tsv"


def given_by_user(name: str) -> bool:
    """Whether an option stands on the command line."""
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE


class Progress:
    """Phase, i/N, rate and time left on stderr: one line redrawn on a terminal, else a line every ten seconds.

    A thread of its own writes them, so that a log shows life while one unit takes minutes. note: what is at work now.
    """

    def __init__(self, phase: str, total: int, unit: str, note: str = "") -> None:
        self.phase, self.total, self.unit, self.done, self.note = phase, total, unit, 0, note
        self.started, self.ended = time.monotonic(), threading.Event()
        self.terminal = sys.stderr.isatty()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Progress":
        self.thread.start()
        return self

    def advance(self, count: int = 1) -> None:
        """Count some more units as done."""
        self.done += count

    def __exit__(self, error: object, *_: object) -> None:
        self.ended.set()
        self.thread.join()
        self.note = ""
        if error is None or self.done:
            self._show()
        if self.terminal:
            with suppress(OSError):
                click.echo(err=True)

    def _beat(self) -> None:
        while not self.ended.wait(REDRAWN if self.terminal else LOGGED):
            self._show()

    def _show(self) -> None:
        rate = self.done / max(time.monotonic() - self.started, 1e-9)
        left = f"{(self.total - self.done) / rate:.0f} s left" if rate else "time left unknown"
        figures = f"{self.done}/{self.total} {self.unit}, {rate:.3g} {self.unit}/s, {left}"
        line = printable("; ".join(filter(None, (f"{self.phase}: {figures}", self.note))))
        with suppress(OSError):
            click.echo(f"\r\x1b[K{line}" if self.terminal else line, err=True, nl=not self.terminal)


class ShardType(click.ParamType[Any]):
    """i/n, part i of n; given to the command as a data.Shard."""

    name = "i/n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number, _, count = str(value).partition("/")
        plain = all(part.isascii() and part.isdigit() and len(part) < 10 for part in (number, count))
        if not plain or not 1 <= int(number) <= int(count):
            self.fail(f"{value} is not i/n with i from 1 to n, as in 3/20", param, ctx)
        return shard_of(int(number), int(count))


def shard_of(number: int, count: int) -> "Shard":
    """data.Shard, imported when it is wanted."""
    from maxent_cli.data import Shard

    return Shard(number, count)


shard_option = click.option(
    "--shard",
    type=ShardType(),
    default="1/1",
    show_default="1/1, all",
    help="Only part i of n, from 1: consecutive records, as many in each part as can be; `maxent merge` puts the parts "
    "together.",
)


NOT_SHAPING = {"out", "summary_path", "fasta_path", "select", "model", "threads", "shard"}  # what a run gives


def settings_asked() -> dict[str, Any]:
    """The options that shape what a command gives; files count by what they hold, and are digested where read."""
    context = click.get_current_context()
    files = (InputPath, click.Path)
    shaping = (p for p in context.command.params if p.name not in NOT_SHAPING and not isinstance(p.type, files))
    return {str(p.name): context.params[str(p.name)] for p in shaping}


def part_asked(shard: "Shard", read: int, records: int, rejected: int, digests: dict[str, object]) -> dict[str, Any]:
    """What an output says in its provenance, so that merge can tell which run it is a part of, and which part.

    read: how many records there are in all parts; records, rejected: of them in this one, kept and left out. digests:
    of all that was read and shapes the output.
    """
    if shard.count > 1:
        say(f"part {shard}: {records + rejected} of {read} records")
    run = {"command": click.get_current_context().info_name, "settings": settings_asked(), "digests": digests}
    return {"shard": str(shard), "read": read, "records": records, "rejected": rejected, "run": run}


anchors_argument = click.argument("anchors", type=InputPath(pipe=True))


def out_option(help_text: str, pipe: bool = False) -> Decorator:
    """The output that every command has; '-' only where it may be a pipe."""

    def check(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
        if value == "-" and not pipe:
            raise click.BadParameter("this output cannot be a pipe: give a path")
        return value

    return click.option("--out", "-o", required=True, callback=check, help=help_text)


def stack(*decorators: Decorator) -> Decorator:
    """Several options as one decorator, shown in this order."""

    def apply(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


class Arguments(click.ParamType[Any]):
    """A JSON object: arguments by name."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            found = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError) as error:
            return self.fail(f"is not JSON ({error})", param, ctx)
        return found if isinstance(found, dict) else self.fail('give a JSON object, as in {"filters": 64}', param, ctx)


class Letters(click.ParamType[Any]):
    """The four letters in some order."""

    name = "order"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        letters = str(value).upper()
        return letters if sorted(letters) == sorted("ACGT") else self.fail("give A, C, G, T in an order", param, ctx)


logo_options = stack(
    click.option(
        "--logos",
        type=click.Choice(["png", "svg", "pdf", "none"]),
        default="png",
        show_default=True,
        help="Format of the logos, about half a second each.",
    ),
    click.option(
        "--max-logos", default=100, show_default=True, type=click.IntRange(0), help="Logos of the first anchors."
    ),
)
model_options = stack(
    click.option(
        "--model",
        required=True,
        metavar="FOLDER|MODULE:FACTORY",
        help="Model folder, as train writes it; or a function (or class) that gives a torch module, looked up from "
        "this folder and PYTHONPATH.",
    ),
    click.option(
        "--model-args", type=Arguments(), default="{}", help="Arguments of the factory, a JSON object.  [default: none]"
    ),
    click.option(
        "--weights",
        type=InputPath(),
        help="Weights for the factory's network: safetensors, a state dict, or a checkpoint that holds one.  [default: "
        "as the factory gives it]",
    ),
    click.option(
        "--weights-prefix",
        default="",
        help="Take the weights whose names begin so, and cut it off, as in 'model.' for Lightning.  [default: none]",
    ),
    click.option(
        "--trust-pickle", is_flag=True, help="Also read files that can run code: pickled modules, TorchScript, .pt2."
    ),
    click.option(
        "--input-length",
        type=click.IntRange(1),
        help="Letters that the factory's network reads, in bp, from 1.  [default: its input_length, or the first "
        "record's length]",
    ),
    click.option(
        "--letters", type=Letters(), default="ACGT", show_default=True, help="Order of the network's four channels."
    ),
    click.option(
        "--layout",
        type=click.Choice(["channels-first", "channels-last"]),
        default="channels-first",
        show_default=True,
        help="The network reads (batch, 4, length) or (batch, length, 4).",
    ),
    click.option(
        "--head", help="Which of several outputs to take: the key of a dict, or the number from 0 in a tuple."
    ),
    click.option(
        "--layer",
        help="Module whose input is the representation.  [default: the last linear layer through whose input alone "
        "the sequence reaches the outputs]",
    ),
    click.option(
        "--final",
        default="auto",
        show_default=True,
        metavar="auto|none|NAME",
        help="Sigmoid or softmax at the end, before which outputs are taken: found, left alone, or the module or "
        "function of that name.",
    ),
)
genome_options = stack(
    click.option("--genome", type=InputPath(), help="FASTA that BED intervals refer to."),
    click.option(
        "--centre",
        type=click.Choice(["centre", "summit"]),
        default="centre",
        show_default=True,
        help="What of a BED interval the window is centred on; a narrowPeak without summit takes the centre.",
    ),
    click.option("--crop", is_flag=True, help="Keep the middle of longer records; without it they are rejected."),
)


window_options = stack(
    click.option(
        "--flank",
        type=click.Choice(["genome", "background"]),
        help="Anchors are shorter than the network's input: put them into windows of the genome around them, or into "
        "letters drawn from the background once; these do not change.  [default: anchors fill the input]",
    ),
    click.option(
        "--fix",
        metavar="BED|POSITIONS",
        help="Positions that do not change: BED (chromosomes are the anchors' or their names), or as in 3,40-60 "
        "(0-based in the network's input, ends excluded).  [default: none]",
    ),
    click.option(
        "--n-policy",
        type=click.Choice(["reject", "fix", "sample"]),
        default="reject",
        show_default=True,
        help="Records with N (or R, Y and the like): reject them; fix: N stays, as a column of zeros; sample: N may "
        "change, and is a column of zeros in what is held of the anchor.",
    ),
)


class Frequencies(click.ParamType[Any]):
    """Four positive letter frequencies, one G+C fraction, or 'data'."""

    name = "A,C,G,T|GC|data"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "data" or not isinstance(value, str):
            return value
        try:
            numbers = [float(part) for part in value.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) == 1 and 0 < numbers[0] < 1:
            gc = numbers[0]
            return ((1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2)
        if len(numbers) == 4 and all(0 < number < 1 for number in numbers) and abs(sum(numbers) - 1) < 1e-3:
            return tuple(number / sum(numbers) for number in numbers)
        return self.fail("give four positive frequencies A,C,G,T that sum to 1, a G+C fraction, or 'data'", param, ctx)


class Contrast(click.ParamType[Any]):
    """Two output numbers whose difference is held."""

    name = "a,b"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        parts = str(value).split(",")
        if len(parts) != 2 or not all(part.isdigit() for part in parts) or parts[0] == parts[1]:
            self.fail("give two different outputs, counted from 0, as in 1,0", param, ctx)
        return int(parts[0]), int(parts[1])


asked_options = stack(
    click.option(
        "--contrast",
        type=Contrast(),
        help="Output a less output b (numbers from 0, before the softmax).  [default: 1,0 of two outputs]",
    ),
    click.option("--output", type=click.IntRange(0), help="One output (number from 0) instead of a contrast."),
    click.option(
        "--background",
        type=Frequencies(),
        default="data",
        show_default=True,
        help="Letter frequencies q: four numbers, a G+C fraction, or those of the training data.",
    ),
    click.option(
        "--gc", type=FiniteRange(0, 1, True, True), help="G+C fraction of q; as --background with one number."
    ),
)
law_options = stack(
    click.option(
        "--law",
        "held",
        type=click.Choice(["anchor", "output"]),
        default="anchor",
        show_default=True,
        help="anchor: hold the representation of the anchor. output: q(x)·exp(beta·output(x)), which needs a --beta; "
        "the anchor is then only a start.",
    ),
    asked_options,
)
AUTO, NONE = "auto", "none"


class Tether(click.ParamType[Any]):
    """A frequency in (0, 1), 'auto' or 'none'."""

    name = "auto|none|frequency"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value in (AUTO, NONE) else FiniteRange(0, 1, True, True).convert(value, param, ctx)


def tether_option(default: str) -> Decorator:
    """How far q leans to the anchor; what is best depends on what the draws are for."""
    return click.option(
        "--tether",
        type=Tether(),
        default=default,
        show_default=True,
        help="How far q leans to the anchor. none: not at all, the published law; what the network holds anywhere, on "
        "either strand. A frequency in (0, 1), that of the anchor's letter in q: what it holds in place, for logos. "
        "auto: a letter has twice the odds that it has in q (0.4 where it has 0.25); none under --law output.",
    )


class NumberOrAuto(click.ParamType[Any]):
    """A number from 0, or 'auto'."""

    name = "auto|number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == AUTO else FiniteRange(0).convert(value, param, ctx)


beta_options = stack(
    click.option(
        "--beta",
        type=NumberOrAuto(),
        default=AUTO,
        show_default=True,
        help="Inverse temperature, in 1/energy, from 0 (background only); auto: found for each anchor by --keep.",
    ),
    click.option(
        "--keep",
        type=FiniteRange(0, 1, True, True),
        default=0.75,
        show_default=True,
        help="With --beta auto: the share, between 0 and 1, by which the mean energy falls from its background value.",
    ),
)
run_options = stack(
    click.option("--chains", default=16, show_default=True, type=click.IntRange(2), help="Chains an anchor, from 2."),
    click.option(
        "--rungs",
        default=5,
        show_default=True,
        type=click.IntRange(1, 64),
        help="Betas from 0 up that each chain exchanges states with, 1 to 64; 1: none. All but the top rung serve to "
        "mix and to integrate.",
    ),
    click.option("--draws", default=200, show_default=True, type=click.IntRange(4), help="Draws kept of each chain."),
    click.option("--thin", default=60, show_default=True, type=click.IntRange(1), help="Steps between kept draws."),
    click.option(
        "--warmup",
        default=4000,
        show_default=True,
        type=click.IntRange(0),
        help="Steps of each rung discarded first, from 0; the ladder and the moves settle in them.",
    ),
    click.option(
        "--start",
        type=click.Choice(["both", "anchor", "background"]),
        default="both",
        show_default=True,
        help="Where chains start: at the anchor, at random background, or half and half.",
    ),
    click.option(
        "--moves",
        type=click.Choice(["all", "letters"]),
        default="all",
        show_default=True,
        help="Proposals: single letters with shifted, reverse-complemented and refilled windows, or single letters as "
        "published.",
    ),
    click.option(
        "--until-ess",
        type=FiniteRange(1),
        help="Go on until every ESS is at least this (from 1) and every R-hat at most --most-rhat; the same number of "
        "draws is held, further apart.  [default: stop after the draws]",
    ),
    click.option(
        "--max-steps",
        default=200_000,
        show_default=True,
        type=click.IntRange(1),
        help="With --until-ess: steps of each rung at which to stop all the same, from 1.",
    ),
    click.option(
        "--most-rhat",
        default=1.05,
        show_default=True,
        type=FiniteRange(1, min_open=True),
        help="R-hat up to which an anchor counts as converged, above 1.",
    ),
    device_option,
    seed_option,
    threads_option,
)
