"""maxent simulate: random sequences with planted motifs."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from maxent_cli.commands.options import FiniteRange, Frequencies, Progress, out_option, say, seed_option

if TYPE_CHECKING:
    from maxent_cli.data import Motif
    from maxent_cli.engine.simulation import Planting, Simulation, Site
    from maxent_cli.io.bed import BedRow
    from maxent_cli.io.outputs import Opening

_KEYS = ("density", "position", "strand", "spacing")
_SPEC = re.compile(rf"(?P<names>.+?)(?::(?P<settings>(?:{'|'.join(_KEYS)})=.*))?", re.DOTALL)
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


@dataclass(frozen=True)
class PlantRequest:
    """A --plant option as given: motifs (name, turned round), and how to plant them."""

    text: str
    elements: tuple[tuple[str, bool], ...]
    density: float
    position: tuple[int, int] | None
    strand: str
    spacing: tuple[int, int]


def _parse_plants(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> tuple[PlantRequest, ...]:
    requests = list[PlantRequest]()
    for text in texts:
        try:
            requests.append(_parse_plant(text))
        except ValueError as error:
            raise click.BadParameter(f"{text!r}: {error}", ctx, param) from error
    return tuple(requests)


def _checked_prefix(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[\w.-]*", value, re.ASCII):
        raise click.BadParameter("use letters, digits and _ . - only", ctx, param)
    return value


class Background(Frequencies):
    """Four letter frequencies or one G+C fraction."""

    name = "A,C,G,T|GC"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "data":
            self.fail("there are no data to take frequencies from: give A,C,G,T or a G+C fraction", param, ctx)
        return super().convert(value, param, ctx)


@click.command("simulate")
@out_option("FASTA of the sequences, '-' for standard output.", pipe=True)
@click.option("--truth", help="BED6 of the planted sites; score is the site's log2 odds in bits.  [default: none]")
@click.option("--length", default=101, show_default=True, type=click.IntRange(1, 10**9), help="Sequence length, bp.")
@click.option("--count", default=1000, show_default=True, type=click.IntRange(1, 10**9), help="Number of sequences.")
@click.option("--gc", type=FiniteRange(0, 1, True, True), help="G+C fraction; as --background with one number.")
@click.option(
    "--background",
    type=Background(),
    default="0.25,0.25,0.25,0.25",
    show_default=True,
    help="Letter frequencies, each in (0, 1), or one G+C fraction.",
)
@click.option(
    "--motifs", help="MEME file (gzip too) that --plant names motifs of.  [default: JASPAR MA0139.1 CTCF, included]"
)
@click.option(
    "--plant",
    "plants",
    multiple=True,
    callback=_parse_plants,
    metavar="NAME[,NAME...][:key=value,...]",
    help="Motifs to plant, see above; repeat for more.",
)
@click.option(
    "--prefix",
    default="seq",
    show_default=True,
    callback=_checked_prefix,
    help="Names are this and a number from 000001; letters, digits and _ . -",
)
@seed_option
def command(**given: Any) -> None:
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
      maxent simulate -o pairs.fa --motifs my.meme --plant 'GATA1,TAL1(-):spacing=5-8' --length 200 --gc 0.42
    """
    from maxent_cli.io.motif_files import CTCF_MOTIF
    from maxent_cli.io.outputs import planned

    if given["out"] == given["truth"]:
        raise click.BadParameter("is the same place as --out", param_hint="--truth")
    motif_file = given["motifs"] or CTCF_MOTIF
    outputs = planned([motif_file], [given["out"], given["truth"]])
    drawn = _draw(_simulation(given, motif_file), given["count"], given["seed"])
    with outputs.writing(seed=given["seed"]) as opening:
        _write(opening, given["out"], given["truth"], given["prefix"], drawn)
    say(f"{given['out']}: {len(drawn)} sequences, {sum(len(sites) for _, sites in drawn)} sites planted")


def _simulation(given: dict[str, Any], motif_file: str) -> "Simulation":
    from maxent_cli.engine.simulation import Simulation
    from maxent_cli.io.motif_files import read_meme

    background = given["background"]
    if given["gc"] is not None:
        background = ((1 - given["gc"]) / 2, given["gc"] / 2, given["gc"] / 2, (1 - given["gc"]) / 2)
    motifs = read_meme(motif_file) if given["plants"] else []
    plantings = tuple(_planting(request, motifs, motif_file, given["length"]) for request in given["plants"])
    return Simulation(given["length"], background, plantings)


def _planting(request: PlantRequest, motifs: "list[Motif]", motif_file: str, length: int) -> "Planting":
    from maxent_cli.engine.simulation import Element, Planting

    elements = tuple(
        Element(motif.name.replace(" ", "_"), motif.probabilities, turned)
        for name, turned in request.elements
        for motif in [_find_motif(name, motifs, motif_file)]
    )
    planting = Planting(elements, request.density, request.position, request.strand, request.spacing)
    last = (request.position or (0, 0))[1]
    if last + planting.longest > length:
        room = length - planting.longest
        last_start = f"the last start that fits is {room}" if room >= 0 else "it does not fit at all"
        problem = f"takes up to {planting.longest} bp; in --length {length} {last_start}"
        raise click.BadParameter(f"{request.text!r}: {problem}", param_hint="--plant")
    return planting


def _find_motif(name: str, motifs: "list[Motif]", motif_file: str) -> "Motif":
    """The motif of that whole name, or whose identifier or other name it is."""
    found = [m for m in motifs if name == m.name] or [m for m in motifs if name in m.name.split()]
    if len(found) == 1:
        return found[0]
    known = ", ".join(motif.name for motif in (found or motifs)[:5])
    more = ", ..." if len(found or motifs) > 5 else ""
    problem = f"names {len(found)} motifs" if found else "is not there"
    raise click.BadParameter(f"motif {name!r} {problem} in {motif_file} ({known}{more})", param_hint="--plant")


def _draw(simulation: "Simulation", count: int, seed: int) -> "list[tuple[str, list[Site]]]":
    from maxent_cli.alphabet import decode
    from maxent_cli.engine.simulation import simulate

    drawn = []
    with Progress("simulate", count, "sequences") as progress:
        try:
            for codes, sites in simulate(simulation, count, seed):
                drawn.append((decode(codes), sites))
                progress.advance()
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--plant") from error
    return drawn


def _write(opening: "Opening", out: str, truth: str | None, prefix: str, drawn: "list[tuple[str, list[Site]]]") -> None:
    from maxent_cli.io.bed import bed_lines
    from maxent_cli.io.fasta import fasta_lines

    names = [f"{prefix}{number:06d}" for number in range(1, len(drawn) + 1)]
    rows = (_truth_row(name, site) for name, (_, sites) in zip(names, drawn, strict=True) for site in sites)
    opening(out).writelines(fasta_lines(names, (sequence for sequence, _ in drawn)))
    if truth is not None:
        opening(truth).writelines(bed_lines(rows))


def _truth_row(record: str, site: "Site") -> "BedRow":
    from maxent_cli.data import Interval
    from maxent_cli.io.bed import BedRow

    return BedRow(Interval(record, site.start, site.end, site.strand), site.name, site.score)


def _parse_plant(text: str) -> PlantRequest:
    """Read NAME[,NAME...][:key=value,...]; raises ValueError saying what is wrong with it."""
    found = _SPEC.fullmatch(text)
    if not found or "=" in found["names"]:
        raise ValueError(f"write NAME[,NAME...][:key=value,...] with the keys {', '.join(_KEYS)}")
    settings = _parse_settings(found["settings"] or "")
    elements = tuple(_parse_element(name.strip()) for name in found["names"].split(","))
    if "spacing" in settings and len(elements) == 1:
        raise ValueError("spacing is between motifs; there is one")
    position = _parse_range("position", settings["position"]) if "position" in settings else None
    spacing = _parse_range("spacing", settings.get("spacing", "0"))
    strand = settings.get("strand", "both")
    if strand not in ("+", "-", "both"):
        raise ValueError(f"strand is +, - or both, not {strand!r}")
    return PlantRequest(text, elements, _parse_density(settings.get("density", "1")), position, strand, spacing)


def _parse_settings(text: str) -> dict[str, str]:
    settings = dict[str, str]()
    for part in filter(None, text.split(",")):
        key, _, value = (piece.strip() for piece in part.partition("="))
        if key not in _KEYS or key in settings:
            raise ValueError(f"{key!r} {'is given twice' if key in settings else 'is none of ' + ', '.join(_KEYS)}")
        settings[key] = value
    return settings


def _parse_element(text: str) -> tuple[str, bool]:
    found = re.fullmatch(r"(.+?)(?:\(([+-])\))?", text, re.DOTALL)
    if not found:
        raise ValueError("a motif's name is missing")
    return found[1], found[2] == "-"


def _parse_range(key: str, text: str) -> tuple[int, int]:
    found = _RANGE.fullmatch(text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if last < first:
        raise ValueError(f"{key} is a whole number or a range such as 5-8, not {text!r}")
    return first, last


def _parse_density(text: str) -> float:
    try:
        density = float(text)
    except ValueError:
        density = float("nan")
    if not 0 <= density <= 1:
        raise ValueError(f"density is a number from 0 to 1, not {text!r}")
    return density
