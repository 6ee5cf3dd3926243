"""Types of options: what may stand behind them, and what it becomes."""

import json
import math
from typing import Any

import click

from maxent_cli.laws import is_table

AUTO, NONE, PIPE = "auto", "none", "-"


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

    folder: None: either. pipe: '-' and named pipes will do, as the file is read once from its start.
    """

    def __init__(self, folder: bool | None = False, pipe: bool = False) -> None:
        self.folder, self.pipe = folder, pipe
        self.name = "folder" if folder else "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        if value != "-" or not self.pipe:
            look_at(value, self.folder, self.pipe)
        return value


class KnownMotifs(InputPath):
    """A database of motifs that comes with the package, or a file of them."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "database"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from maxent_cli.io.motif_files import DATABASES

        return value if value in DATABASES else super().convert(value, param, ctx)


class PairsOf(InputPath):
    """'found', or a file of motifs."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "found|FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == "found" else super().convert(value, param, ctx)


def look_at(path: str, folder: bool | None, pipe: bool) -> None:
    """io.files.check_input, imported when it is wanted."""
    from maxent_cli.io.files import check_input

    check_input(path, folder, pipe)


class ShardType(click.ParamType[Any]):
    """i/n, part i of n; given to the command as a data.Shard."""

    name = "i/n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number, _, count = str(value).partition("/")
        plain = all(part.isascii() and part.isdigit() and len(part) < 10 for part in (number, count))
        if not plain or not 1 <= int(number) <= int(count):
            self.fail(f"{value} is not i/n with i from 1 to n, as in 3/20", param, ctx)
        from maxent_cli.data import Shard

        return Shard(int(number), int(count))


class Arguments(click.ParamType[Any]):
    """A JSON object: arguments by name."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            found = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError) as error:
            return self.fail(f"is not JSON ({error})", param, ctx)
        return found if isinstance(found, dict) else self.fail('give a JSON object, as in {"filters": 64}', param, ctx)


class LettersType(click.ParamType[Any]):
    """The four letters in some order."""

    name = "order"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        letters = str(value).upper()
        return letters if sorted(letters) == sorted("ACGT") else self.fail("give A, C, G, T in an order", param, ctx)


class FrequenciesType(click.ParamType[Any]):
    """Four positive letter frequencies; 'data', which leaves them to the network, becomes None."""

    name = "A,C,G,T|data"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "data" or not isinstance(value, str):
            return None if value == "data" else value
        try:
            numbers = [float(part) for part in value.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) == 4 and all(0 < number < 1 for number in numbers) and abs(sum(numbers) - 1) < 1e-3:
            return tuple(number / sum(numbers) for number in numbers)
        return self.fail("give four positive frequencies A,C,G,T that sum to 1, or 'data'", param, ctx)


class OutputsType(click.ParamType[Any]):
    """Outputs by number or name, or a table of weights, which can be read."""

    name = "N|NAME|A-B|A,B,C|TSV"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        if is_table(value):
            look_at(str(value), folder=False, pipe=False)
        return value if value is None else str(value)


class Tether(click.ParamType[Any]):
    """A frequency in (0, 1), 'auto' or 'none'."""

    name = "auto|none|frequency"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value in (AUTO, NONE) else FiniteRange(0, 1, True, True).convert(value, param, ctx)


class NumberOrAuto(click.ParamType[Any]):
    """A number from 0, or 'auto'."""

    name = "auto|number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == AUTO else FiniteRange(0).convert(value, param, ctx)


class Names(click.ParamType[Any]):
    """Names, with commas between them."""

    name = "A,B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else tuple(value)
