"""maxent provenance: how an output was made."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

import click


@click.command("provenance")
@click.argument("output")
@click.option(
    "--check", is_flag=True, help="Say nothing, and exit with 1 where the output or one of its inputs has changed."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, as it lies beside the output.")
def command(output: str, check: bool, as_json: bool) -> None:
    """How OUTPUT, a file or a folder, was made: command, versions, seed, digests, seconds and memory.

    It is an error where nothing is beside OUTPUT that says so, or OUTPUT is not what was written. With --check, that
    and whether its inputs are what they were is all that is asked, so that a rule of a workflow can require it.
    """
    from maxent_cli.io.provenance import require_inputs, require_provenance

    record = require_provenance(output)
    if check:
        require_inputs(output, record)
        return
    click.echo(json.dumps(record, indent=2) if as_json else "\n".join(lines_of(record)))


def lines_of(record: dict[str, Any]) -> Iterator[str]:
    """What people ask for, a line each; lists of files below each other."""
    from maxent_cli.errors import printable

    machine, part = record.get("machine") or {}, record.get("part") or {}
    told = {
        "command": shlex.join(map(str, record.get("command", ()))),
        "version": f"maxent {record.get('version')}, Python {record.get('python')}",
        "packages": ", ".join(f"{name} {version}" for name, version in record.get("packages", {}).items()),
        "machine": ", ".join(str(machine[name]) for name in machine if machine[name]),
        "device": record.get("device"),
        "seed": record.get("seed"),
        "part": part and f"{part.get('shard')} of {part.get('records')} records, {part.get('rejected')} rejected",
        "took": took(record) + (f"; its parts {took(record['parts'])}" if "parts" in record else ""),
    }
    yield from (printable(f"{name:9} {value}") for name, value in told.items() if value not in (None, {}))
    for name, found in (("output", record.get("output")), *record["inputs"].items()):
        files = found.items() if isinstance(found, dict) else [("", found)]
        kind = "output" if name == "output" else "input"
        place = "" if name == "output" else name
        for inside, digest in files:
            path = "/".join(filter(None, (place.rstrip("/"), inside)))
            yield printable(f"{kind:9} {' '.join(filter(None, (path, f'sha256 {digest}' if digest else 'a pipe')))}")


def took(record: dict[str, Any]) -> str:
    """Time and memory; of parts, all together and the most."""
    return f"{record.get('wall_seconds')} s, {record.get('peak_memory_mib')} MiB"
