"""--config: a TOML file that says what options would, in the sections that --help shows them in."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from maxent_cli.errors import InputError

WORKFLOW = "workflow"  # the Snakefile's own section


def read_config(ctx: click.Context, _param: click.Parameter, path: str | None) -> None:
    """Make what the file says the defaults of a command's options.

    [law], [sampling] and the other sections are of all commands that have such options; [sample], [motifs], ... are of
    one command, and go before them. Raises InputError for what no command knows.
    """
    if path is None:
        return
    from maxent_cli.io.provenance import configured

    found = _read(path)
    _check(path, found)
    own = {option: name for option, (name, _) in _options_of(ctx.command)}
    shared = {
        name: value
        for section, values in found.items()
        for name, value in values.items()
        if any(option == name and section == _section(kind) for option, (_, kind) in _options_of(ctx.command))
    }
    asked = shared | found.get(str(ctx.info_name), {})
    ctx.default_map = {own[name]: _plain(value, ctx.command, own[name]) for name, value in asked.items()}
    configured.set(path)


def _read(path: str) -> dict[str, dict[str, Any]]:
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        raise InputError(path, "", problem, "check the path and its permissions") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            path, "", f"is not TOML ({error})", "write sections such as [law] and lines such as keep = 0.8"
        ) from error
    for name, value in found.items():
        if not isinstance(value, dict):
            raise InputError(path, name, "stands in no section", "put it below one, such as [sampling]")
    return found


def _check(path: str, found: dict[str, dict[str, Any]]) -> None:
    """Raise InputError for a section or option that no command has."""
    from maxent_cli.commands import COMMANDS, load

    known: dict[str, set[str]] = {}
    for command in COMMANDS:
        for option, (_, section) in _options_of(load(command)):
            known.setdefault(_section(section), set()).add(option)
            known.setdefault(command, set()).add(option)
    for section, values in found.items():
        if section == WORKFLOW:
            continue
        if section not in known:
            raise InputError(path, f"[{section}]", "is no section", f"sections are {', '.join(sorted(known))}")
        for name in values:
            if name not in known[section]:
                some = ", ".join(sorted(known[section]))
                raise InputError(path, f"[{section}]", f"{name} is no option there", f"options are {some}")


def _options_of(command: click.Command) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each option's long name, and its parameter's name and section."""
    for param in command.params:
        if isinstance(param, click.Option) and param.name != "config" and param.expose_value:
            long = next(name for name in param.opts if name.startswith("--"))
            yield long.removeprefix("--"), (str(param.name), getattr(param, "section", "Options"))


def _section(title: str) -> str:
    return title.lower()


def _plain(value: Any, command: click.Command, name: str) -> Any:
    """A list as on the command line, but for options that are given several times or take several values."""
    param = next(param for param in command.params if param.name == name)
    several = getattr(param, "multiple", False) or param.nargs != 1
    return ",".join(map(str, value)) if isinstance(value, list) and not several else value
