"""Outputs that are parts of one run, known by their provenance, and put together."""

import math
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from maxent_cli.data import Shard
from maxent_cli.errors import InputError
from maxent_cli.io.outputs import writing
from maxent_cli.io.provenance import require_provenance
from maxent_cli.io.samples import draws_into, open_draws

KINDS = ("draws", "summary", "series", "networks", "fasta", "scores", "folder")
DRAWS, *_, FASTA, SCORES, FOLDER = KINDS
BESIDE = (".tsv", ".series.tsv", ".networks.tsv")  # ends of the paths of tables that lie beside draws
BESIDE_REJECTED = (DRAWS, SCORES, FOLDER)
TOLD = {"seed", "packages", "machine", "wall_seconds", "peak_memory_mib"}  # what the provenance of the whole says on
MOST_NAMED = 5  # of the parts that are missing

_TOGETHER = "give all parts of one run, each once"


@dataclass(frozen=True)
class Part:
    """An output of a run over a shard of the records; made: its provenance."""

    path: str
    shard: Shard
    made: dict[str, Any]

    @property
    def kind(self) -> str:
        """One of KINDS."""
        return str(self.made["part"]["kind"])

    @property
    def rejected(self) -> int:
        """How many of its records were rejected."""
        return int(self.made["part"]["rejected"])

    @property
    def run(self) -> dict[str, Any]:
        """What all parts of a run have in common, by words that a message can hold."""
        part = self.made["part"]
        run = part["run"]
        program = {"version of maxent": self.made["version"], "code of maxent": self.made.get("code")}
        common = program | {"command": run["command"]}
        counts = {"number of parts": self.shard.count, "records": part["read"]}
        settings = {f"setting {name}": value for name, value in run["settings"].items()}
        return common | settings | counts | {f"digest of {name}": value for name, value in run["digests"].items()}


def read_parts(paths: Sequence[str]) -> list[Part]:
    """The parts of one run, in order, whatever the order of their paths.

    Raises InputError where one has no provenance or is not as it was written, is of another run or kind, is there
    twice, or is missing.
    """
    parts = [_read_part(path) for path in paths]
    for part in parts[1:]:
        require_alike(parts[0], part)
        if part.kind != parts[0].kind:
            problem = f"is {part.kind} and {parts[0].path} is {parts[0].kind}"
            raise InputError(part.path, "", problem, "merge each by itself; the tables come along with the draws")
    found = dict[int, Part]()
    for part in parts:
        other = found.setdefault(part.shard.number, part)
        if other is not part:
            raise InputError(part.path, "", f"is part {part.shard}, as {other.path} is", _TOGETHER)
    missing = sorted(set(range(1, parts[0].shard.count + 1)) - set(found))
    if missing:
        some = ", ".join(map(str, missing[:MOST_NAMED])) + (", ..." if len(missing) > MOST_NAMED else "")
        problem = f"of {parts[0].shard.count} parts, {len(missing)} are missing: {some}"
        raise InputError(parts[0].path, "", problem, _TOGETHER)
    return [found[number] for number in sorted(found)]


def require_alike(one: Part, other: Part) -> None:
    """Raise InputError where two parts are not of one run."""
    for name in one.run | other.run:
        here, there = one.run.get(name), other.run.get(name)
        if here != there:
            problem = f"is not of the run of {one.path}: {name} is {_short(there)}, and there {_short(here)}"
            raise InputError(other.path, "", problem, _TOGETHER)


def rejected_tables(parts: Sequence[Part]) -> list[str]:
    """The tables of records that were rejected, each beside its part."""
    if parts[0].kind not in BESIDE_REJECTED:
        return []
    tables = []
    for part in (part for part in parts if part.rejected):
        path = f"{part.path.rstrip('/')}.rejected.tsv"
        if not Path(path).is_file():
            problem = f"is not there, and {part.rejected} records were rejected"
            raise InputError(path, "", problem, "put it beside its part")
        tables.append(path)
    return tables


def renew_rejected_of(tables: Sequence[str], kind: str, out: str) -> None:
    """Join the tables of rejected records to OUT.rejected.tsv; or, where there is none, remove an older one."""
    renewed = f"{out.rstrip('/')}.rejected.tsv"
    if tables:
        with writing(renewed, "wb") as stream:
            join_tables(stream, tables)
    elif kind in BESIDE_REJECTED:
        Path(renewed).unlink(missing_ok=True)


def tables_of(parts: Sequence[Part], end: str) -> list[Part]:
    """The tables of such a name beside draws, unless they were put elsewhere."""
    paths = [f"{part.path}{end}" for part in parts]
    if parts[0].kind != DRAWS or not any(Path(path).exists() for path in paths):
        return []
    tables = read_parts(paths)
    require_alike(parts[0], tables[0])
    return tables


def join(stream: IO[bytes], kind: str, paths: Iterable[str]) -> None:
    """Put parts of a kind that are files together, byte for byte what the whole run would have written."""
    {DRAWS: join_draws, FASTA: join_texts}.get(kind, join_tables)(stream, paths)


def join_draws(stream: IO[bytes], paths: Iterable[str]) -> None:
    """The anchors of draws files, one at a time, under the header that they share."""
    header = dict[str, Any]()
    with draws_into(stream, header) as writer:
        for path in paths:
            with open_draws(path) as draws:
                header |= {name: value for name, value in draws.header.items() if name not in ("schema", "anchors")}
                for samples in draws:
                    writer.add(samples)


def join_tables(stream: IO[bytes], paths: Iterable[str]) -> None:
    """Rows of tables under one header; a part without records may have none, or nothing but a line's end.

    Raises InputError where headers differ.
    """
    known, where = b"", ""
    for path in paths:
        with Path(path).open("rb") as part:
            header = part.readline()
            if header.strip() and known and header != known:
                raise InputError(path, "line 1", f"has other columns than {where}", _TOGETHER)
            if header.strip() and not known:
                known, where = header, path
                stream.write(header)
            shutil.copyfileobj(part, stream)
    stream.write(b"" if known else b"\n")


def join_texts(stream: IO[bytes], paths: Iterable[str]) -> None:
    """The files one after another."""
    for path in paths:
        with Path(path).open("rb") as part:
            shutil.copyfileobj(part, stream)


def join_folders(folder: Path, paths: Iterable[str], without: Sequence[str]) -> None:
    """Fill a folder from others: tables row under row, FASTA after FASTA, all else as it is.

    What `without` names is left out; a name that ends in / is a folder, of which what is in it is left out.

    Raises InputError where two folders have a file of one name that is neither.
    """
    having, inside = dict[Path, list[str]](), tuple(name for name in without if name.endswith("/"))
    for path in paths:
        for entry in sorted(Path(path).rglob("*")):
            having.setdefault(entry.relative_to(path), []).append(str(entry))
    for name, entries in having.items():
        if Path(entries[0]).is_dir():
            (folder / name).mkdir()
        elif str(name) in without or name.as_posix().startswith(inside):
            continue
        elif name.suffix in (".tsv", ".fa"):
            with (folder / name).open("wb") as stream:
                join(stream, FASTA if name.suffix == ".fa" else FOLDER, entries)
        else:
            if len(entries) > 1:
                raise InputError(entries[1], "", f"{entries[0]} has the same name", _TOGETHER)
            shutil.copyfile(entries[0], folder / name)


def _read_part(path: str) -> Part:
    made = require_provenance(path)
    try:
        number, _, count = made["part"]["shard"].partition("/")
        part = Part(path, Shard(int(number), int(count)), made)
        sound = 1 <= part.shard.number <= part.shard.count and part.kind in KINDS and part.rejected >= 0
        if not (sound and made.keys() >= TOLD and _is_told(made) and part.run):
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        problem = "is not from a command that takes --shard, or of another version of maxent"
        raise InputError(path, "", problem, _TOGETHER) from error
    return part


def _is_told(made: dict[str, Any]) -> bool:
    """Whether what merge reads is of its kind."""
    named = made["part"]["run"]
    tables = (made["machine"], made["packages"], made["inputs"], named["settings"], named["digests"])
    numbers = (made["wall_seconds"], made["peak_memory_mib"], made["part"]["records"], made["part"]["read"])
    real = all(isinstance(number, int | float) and math.isfinite(number) for number in numbers)
    return real and all(isinstance(table, dict) for table in tables) and isinstance(named["command"], str)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
