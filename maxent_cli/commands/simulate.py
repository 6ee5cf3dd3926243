"""maxent simulate: random sequences with planted motifs."""

import re
from typing import TYPE_CHECKING, Any

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, spoken
from maxent_cli.commands.params import FiniteRange, FrequenciesType

if TYPE_CHECKING:
    from maxent_cli.api.simulation import Plant

_KEYS = ("density", "position", "strand", "spacing")
_SPEC = re.compile(rf"(?P<names>.+?)(?::(?P<settings>(?:{'|'.join(_KEYS)})=.*))?", re.DOTALL)


class PlantType(click.ParamType[Any]):
    """NAME[,NAME...][:key=value,...]; given to the command as an api.simulation.Plant."""

    name = "NAME[,NAME...][:key=value,...]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return _parse_plant(value) if isinstance(value, str) else value
        except ValueError as error:
            return self.fail(f"{value!r}: {error}", param, ctx)


class Background(FrequenciesType):
    """Four letter frequencies."""

    name = "A,C,G,T"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "data":
            self.fail("there are no data to take frequencies from: give A,C,G,T", param, ctx)
        return super().convert(value, param, ctx)


@options.command("simulate")
@spoken
@options.option(
    "--count",
    default=1000,
    show_default=True,
    type=click.IntRange(1, 10**9),
    help="Number of sequences.",
    everyday=True,
)
@options.option(
    "--length",
    default=101,
    show_default=True,
    type=click.IntRange(1, 10**9),
    everyday=True,
    help="Sequence length, bp.",
)
@options.option(
    "--plant",
    "plants",
    multiple=True,
    type=PlantType(),
    everyday=True,
    help="Motifs to plant, see above; repeat for more.",
)
@options.option(
    "--motifs",
    everyday=True,
    help="MEME file (gzip too) that --plant names motifs of.  [default: JASPAR MA0139.1 CTCF, included]",
)
@options.option(
    "--gc",
    type=FiniteRange(0, 1, True, True),
    metavar="SHARE",
    everyday=True,
    help="G+C fraction.  [default: that of --background]",
)
@options.option(
    "--background",
    type=Background(),
    show_default="all alike",
    help="Letter frequencies, each in (0, 1).",
)
@options.seed_option
@options.out_option("FASTA of the sequences, '-' for standard output.", pipe=True)
@options.option(
    "--truth",
    section="Output",
    everyday=True,
    help="BED6 of the planted sites; score is the site's log2 odds in bits.  [default: none]",
)
def command(
    console: Console,
    count: int,
    length: int,
    plants: tuple["Plant", ...],
    motifs: str | None,
    gc: float | None,
    background: tuple[float, float, float, float] | None,
    seed: int,
    out: str,
    truth: str | None,
) -> None:
    """Draw random sequences with motifs planted in them, and say where.

    Letters are independent. Each --plant is NAME[,NAME...][:key=value,...], NAME being a motif's identifier or other
    name, with (-) behind it for its reverse complement. Keys:

    \b
      density=0.5      probability that a sequence has it, 0 to 1   [default: 1]
      position=40-60   0-based start, a number or a range           [default: anywhere]
      strand=both      +, - or both: turns all NAMEs together       [default: both]
      spacing=10-12    bp between neighbouring NAMEs                [default: 0]

    What is planted in one sequence does not overlap. Sequence i depends on the seed and i alone.

    \b
    Examples: CTCF in the middle of nine tenths; pairs 5 to 8 bp apart, tail to tail
      maxent simulate -o bound.fa --truth bound.bed --plant CTCF:density=0.9,position=41,strand=+
      maxent simulate -o pairs.fa --motifs my.meme --plant 'GATA1,TAL1(-):spacing=5-8' --gc 0.42
    """
    from maxent_cli.api.simulation import simulate

    simulate(
        count,
        length,
        plants,
        gc=gc,
        background=background,
        motifs=motifs,
        seed=seed,
        out=out,
        truth=truth,
        progress=console,
    )


def _parse_plant(text: str) -> "Plant":
    """Read NAME[,NAME...][:key=value,...]; raises ValueError saying what is wrong with how it is written."""
    from maxent_cli.api.simulation import Plant

    found = _SPEC.fullmatch(text)
    if not found or "=" in found["names"]:
        raise ValueError(f"write NAME[,NAME...][:key=value,...] with the keys {', '.join(_KEYS)}")
    settings = _parse_settings(found["settings"] or "")
    return Plant(
        tuple(name.strip() for name in found["names"].split(",")),
        _parse_density(settings.get("density", "1")),
        _parse_range("position", settings["position"]) if "position" in settings else None,
        settings.get("strand", "both"),
        _parse_range("spacing", settings.get("spacing", "0")),
    )


def _parse_settings(text: str) -> dict[str, str]:
    settings = dict[str, str]()
    for part in filter(None, text.split(",")):
        key, _, value = (piece.strip() for piece in part.partition("="))
        if key not in _KEYS or key in settings:
            raise ValueError(f"{key!r} {'is given twice' if key in settings else 'is none of ' + ', '.join(_KEYS)}")
        settings[key] = value
    return settings


def _parse_range(key: str, text: str) -> tuple[int, int]:
    from maxent_cli.io.windows import RANGE

    found = RANGE.fullmatch(text)
    if not found:
        raise ValueError(f"{key} is a whole number or a range such as 5-8, not {text!r}")
    return int(found[1]), int(found[2] or found[1])


def _parse_density(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"density is a number from 0 to 1, not {text!r}") from None
