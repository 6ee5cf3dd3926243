"""--config: a TOML file that says what options would, in the sections that --help shows them in."""

import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import click

from maxent_cli.errors import InputError

WORKFLOW = "workflow"  # the Snakefile's own section

Sections = dict[str, dict[str, Any]]


def read_config(ctx: click.Context, _param: click.Parameter, path: str | None) -> None:
    """Make what the file says the defaults of a command's options.

    [law], [sampling] and the other sections are of all commands that have such options; [sample], [motifs], ... are of
    one command, and go before them. Raises InputError for what no command knows or would take.
    """
    if path is None:
        return
    from maxent_cli.io.provenance import configured

    found = _read(path)
    _check(path, found, ctx)
    own = dict(_options_of(ctx.command))
    shared = {
        name: value
        for section, values in found.items()
        for name, value in values.items()
        if name in own and section_of(own[name]) == section
    }
    asked = shared | _of_steps(path, found, ctx, shared) | found.get(str(ctx.info_name), {})
    ctx.default_map = {str(own[name].name): _plain(value, own[name]) for name, value in asked.items()}
    configured.set(path)


def _of_steps(path: str, found: Sections, ctx: click.Context, shared: dict[str, Any]) -> dict[str, Any]:
    """What the sections of the commands say that a command calls; InputError where it can give them one value alone.

    Its own section goes before all. What is not the command's to ask is said.
    """
    from maxent_cli.commands.console import say

    own, asked, settled = dict(_options_of(ctx.command)), dict(shared), found.get(str(ctx.info_name), {})
    for step in _steps_of(ctx.command):
        for name, value in found.get(step, {}).items():
            if name in settled:
                continue
            if name not in own:
                say(f"{path}: [{step}] {name} is for `maxent {step}`, and passed over")
            elif asked.setdefault(name, value) != value:
                problem = f"is another than what is asked elsewhere ({asked[name]})"
                raise InputError(path, f"[{step}] {name}", problem, "give one value, or the single commands")
    return asked


def _steps_of(command: click.Command) -> tuple[str, ...]:
    """The commands that a command calls."""
    return tuple(getattr(command, "steps", ()))


def yields_to(other: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback of an option of which the file's value gives way to another option on the command line."""

    def settle(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        sources = click.core.ParameterSource
        own, others = (ctx.get_parameter_source(str(name)) for name in (param.name, other))
        return None if own is sources.DEFAULT_MAP and others is sources.COMMANDLINE else value

    return settle


def section_of(option: click.Parameter) -> str:
    """The section that an option of several commands stands in."""
    return str(getattr(option, "section", "Options")).lower()


def _read(path: str) -> Sections:
    from maxent_cli.io.files import reading_text

    try:
        with reading_text(path) as stream:
            found = tomllib.loads(stream.read())
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        cure = "write sections such as [law] and lines such as keep = 0.8"
        raise InputError(path, "", f"is not TOML ({error})", cure) from error
    for name, value in found.items():
        if not isinstance(value, dict):
            raise InputError(path, name, "stands in no section", "put it below one, such as [sampling]")
    return found


def _check(path: str, found: Sections, ctx: click.Context) -> None:
    """Raise InputError for a section, option or value that no command takes."""
    known = _known()
    for section, values in found.items():
        if section == WORKFLOW:
            continue
        if section not in known:
            raise InputError(path, f"[{section}]", "is no section", f"sections are {', '.join(sorted(known))}")
        for name, value in values.items():
            if name not in known[section]:
                some = ", ".join(sorted(known[section]))
                raise InputError(path, f"[{section}]", f"{name} is no option there", f"options are {some}")
            option = known[section][name]
            if isinstance(value, bool) and not getattr(option, "is_flag", False):
                raise InputError(path, f"[{section}] {name}", "is no flag", "give it a value, see --help-all")
            try:
                option.type_cast_value(ctx, _plain(value, option))
            except (click.BadParameter, TypeError) as error:
                fault = error.message if isinstance(error, click.BadParameter) else f"{value!r} is no value of it"
                raise InputError(path, f"[{section}] {name}", fault, "see --help-all") from error


def _known() -> dict[str, dict[str, click.Parameter]]:
    """Options by name, of each section and each command."""
    from maxent_cli.commands import COMMANDS, load

    known = dict[str, dict[str, click.Parameter]]()
    for command in COMMANDS:
        for name, option in _options_of(load(command)):
            for section in (section_of(option), command):
                known.setdefault(section, {}).setdefault(name, option)
    return known


def _options_of(command: click.Command) -> Iterator[tuple[str, click.Parameter]]:
    """Each option by its long name; of a command that calls others, the argument too."""
    for param in command.params:
        if isinstance(param, click.Argument) and _steps_of(command):
            yield str(param.name), param
        if isinstance(param, click.Option) and param.expose_value:
            long = next(name for name in param.opts if name.startswith("--"))
            yield long.removeprefix("--"), param


def _plain(value: Any, option: click.Parameter) -> Any:
    """A list as on the command line, but for options that are given several times or take several values."""
    if option.multiple and not isinstance(value, list):
        return [value]
    several = option.multiple or option.nargs != 1
    return ",".join(map(str, value)) if isinstance(value, list) and not several else value
