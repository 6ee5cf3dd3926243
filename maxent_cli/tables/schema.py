"""What a table is: columns, each of a kind, with a unit and a sentence; writers, readers and the manual go by it."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property


def _number(cell: str) -> float:
    value = float(cell)
    if math.isinf(value):
        raise ValueError(cell)
    return value


def _share(cell: str) -> float:
    value = float(cell)
    if not 0 <= value <= 1:
        raise ValueError(cell)
    return value


def _truth(cell: str) -> bool:
    if cell not in ("yes", "no"):
        raise ValueError(cell)
    return cell == "yes"


@dataclass(frozen=True)
class Kind:
    """What a cell may be: its name, what reads one (ValueError: it is none), and what stands for an empty one."""

    name: str
    read: Callable[[str], object]
    nothing: object = math.nan


TEXT = Kind("text", str, "")
WHOLE = Kind("whole number", int, None)
NUMBER = Kind("number", _number)
ANY_NUMBER = Kind("number, may be infinite", float)
SHARE = Kind("share, 0 to 1", _share)
TRUTH = Kind("yes or no", _truth, None)


@dataclass(frozen=True)
class Column:
    """A column; missing: when its cells are empty or nan, in words, or '': never; optional: when the column is absent.

    Raises ValueError where there is no sentence.
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    missing: str = ""
    optional: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z0-9+].+\.", self.meaning):
            raise ValueError(f"{self.name} is not explained in a sentence")

    def read(self, cell: str) -> object:
        """The value of a cell. Raises ValueError where it is none of this column's."""
        if cell == "" and self.missing:
            return self.kind.nothing
        if cell == "nan" and self.missing and self.kind is SHARE:
            return math.nan
        if cell == "" and self.kind is not TEXT:
            raise ValueError(cell)
        return self.kind.read(cell)


@dataclass(frozen=True)
class Table:
    """A table: the name of its file, what each row is, what it is for, its columns, and those that tell rows apart.

    pooled: it rests on all records together, so that parts of a run do not add up to it. named: stands for columns
    that are called as something outside is, such as a network's outputs.
    """

    file: str
    each: str
    about: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    pooled: bool = False
    named: Column | None = None

    def __post_init__(self) -> None:
        names = self.names
        if len(set(names)) < len(names) or set(self.key) - set(names):
            raise ValueError(f"{self.file}: {names} are not columns of one name each that hold the key")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)

    def row(self, *values: object) -> dict[str, object]:
        """A row from the values of all columns, in their order."""
        return dict(zip(self.names, values, strict=True))

    @property
    def required(self) -> set[str]:
        """Names of columns that are always there."""
        return {column.name for column in self.columns if not column.optional}

    def with_columns(self, present: Iterable[str]) -> "Table":
        """The table as it is with these columns: those in their order, and what is called as something outside is.

        Raises ValueError where one is missing or none of the table's.
        """
        found = list(present)
        fault = self.fault(found)
        if fault:
            raise ValueError(f"{self.file} {fault}")
        known = {column.name: column for column in self.columns}
        return replace(self, columns=tuple(known.get(name) or self._called(name) for name in found), named=None)

    def fault(self, present: Iterable[str]) -> str:
        """What is wrong with a header, in words, or nothing."""
        found = list(present)
        missing = [name for name in self.names if name in self.required - set(found)]
        if missing:
            return f"has no column named {missing[0]}"
        if len(set(found)) < len(found):
            return f"has two columns named {max(found, key=found.count)}"
        others = [name for name in found if name not in self.names]
        return f"has a column named {others[0]}, which is none of {self.file}" if others and not self.named else ""

    def check(self, row: Mapping[str, object]) -> None:
        """Raise ValueError for a row with other columns, or with None where something must be."""
        if row.keys() != self._own:
            raise ValueError(f"{self.file}: {sorted(row.keys() ^ self._own)} are not in both the row and the table")
        for name in self._never_empty:
            if row[name] is None:
                raise ValueError(f"{self.file}: nothing in column {name}")

    @cached_property
    def _own(self) -> frozenset[str]:
        return frozenset(self.names)

    @cached_property
    def _never_empty(self) -> list[str]:
        return [column.name for column in self.columns if not column.missing]

    def _called(self, name: str) -> Column:
        assert self.named is not None
        return replace(self.named, name=name)


@dataclass(frozen=True)
class File:
    """Something else that a command writes: its name, or that of a folder, and what it is. pooled: as of a table."""

    file: str
    about: str
    pooled: bool = False


Output = Table | File


def estimate(name: str, unit: str, meaning: str, missing: str = "") -> tuple[Column, Column]:
    """A number and its Monte Carlo standard error."""
    error = f"Monte Carlo standard error of {name}."
    return (
        Column(name, NUMBER, unit, meaning, missing),
        Column(f"{name}_error", NUMBER, unit, error, missing or "it is not known, as with too few draws"),
    )
