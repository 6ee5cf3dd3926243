"""Simulation: random sequences with planted motifs, and where they were planted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from maxent_cli.alphabet import UNIFORM, Frequencies, decode, frequencies_of
from maxent_cli.api.listening import Listener, Progress, listener_of
from maxent_cli.data import Interval, Motif
from maxent_cli.engine import simulation as engine
from maxent_cli.errors import SettingsError, require_range
from maxent_cli.io.bed import BedRow, bed_lines
from maxent_cli.io.fasta import fasta_lines
from maxent_cli.io.motif_files import CTCF_MOTIF, read_meme
from maxent_cli.io.outputs import planned

Range = tuple[int, int]  # both ends counted
MOST = 10**9  # sequences, bp
ROUNDING = 1e-9

_ELEMENT = re.compile(r"(.+?)(?:\(([+-])\))?", re.DOTALL)


@dataclass(frozen=True)
class Plant:
    """Motifs to plant side by side: identifiers or other names, with (-) behind one for its reverse complement.

    density: probability that a sequence has them. position: 0-based start, a number or a range with both ends counted;
    None: anywhere. strand: '+', '-' or 'both': turns all of them together. spacing: bp between neighbours, a number or
    a range. Raises SettingsError where one is out of range.
    """

    elements: str | tuple[str, ...]
    density: float = 1.0
    position: int | Range | None = None
    strand: str = "both"
    spacing: int | Range = 0

    def __post_init__(self) -> None:
        if not all(map(_ELEMENT.fullmatch, self.names)) or not self.names:
            raise SettingsError("plant", "", "a motif's name is missing", "give an identifier or other name of each")
        require_range(f"density of {self}", self.density, 0, 1)
        if self.strand not in engine.STRANDS:
            raise SettingsError(f"strand of {self}", "", f"{self.strand!r} is not +, - or both", "give one of them")
        for name, (first, last) in (("position", self.places or (0, 0)), ("spacing", self.gaps)):
            if not 0 <= first <= last:
                problem = f"{first} to {last} is no range of whole numbers"
                raise SettingsError(f"{name} of {self}", "", problem, "give a number from 0, or two, the lower first")
        if self.gaps != (0, 0) and len(self.names) == 1:
            raise SettingsError(f"spacing of {self}", "", "is between motifs; there is one", "leave it out")

    @property
    def names(self) -> tuple[str, ...]:
        """The motifs as they are named."""
        return (self.elements,) if isinstance(self.elements, str) else tuple(self.elements)

    @property
    def places(self) -> Range | None:
        """The starts that are allowed."""
        return None if self.position is None else _range(self.position)

    @property
    def gaps(self) -> Range:
        """The spacings that are allowed."""
        return _range(self.spacing)

    def __str__(self) -> str:
        return ",".join(self.names)


@dataclass(frozen=True)
class Simulated:
    """Sequences by name, and the planted sites: in intervals of these, with their log2 odds in bits."""

    sequences: dict[str, str]
    sites: tuple[BedRow, ...]

    def to_frame(self) -> pd.DataFrame:
        """A row a planted site: record, motif, start and end (bp, 0-based half-open), strand, score (bits)."""
        rows = [(s.interval.chromosome, s.name, s.interval.start, s.interval.end, s.interval.strand, s.score)
                for s in self.sites]  # fmt: skip
        return pd.DataFrame(rows, columns=["record", "motif", "start", "end", "strand", "score"])

    def __repr__(self) -> str:
        return f"<{len(self.sequences)} sequences, {len(self.sites)} sites planted>"


def simulate(
    count: int = 1000,
    length: int = 101,
    plants: Sequence[Plant] = (),
    *,
    gc: float | None = None,
    background: Frequencies | None = None,
    motifs: str | None = None,
    seed: int = 1,
    out: str | None = None,
    truth: str | None = None,
    progress: Progress = True,
) -> Simulated:
    """Draw random sequences with motifs planted in them, and say where.

    Letters are independent; what is planted in one sequence does not overlap; sequence i depends on the seed and i.

    Parameters
    ----------
    count, length
        Number of sequences, and their length in bp.
    plants, motifs
        What to plant, and the MEME file that names it; by default the CTCF matrix included (JASPAR MA0139.1).
    gc, background
        G+C fraction, or frequencies of A, C, G, T, that sum to 1; by default all alike.
    out, truth
        FASTA of the sequences, and BED6 of the sites (0-based half-open; score in bits); not written by default.

    Returns
    -------
    Simulated
        `sequences`, by name (seq000001, ...), as `train` and `anchors` take them; and a table of sites, `to_frame()`.

    Raises
    ------
    InputError
        Where a motif is not in the file, or what is planted does not fit.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.simulate(5, 30, [mx.Plant("CTCF", position=4, strand="+")], progress=False)
    >>> found
    <5 sequences, 5 sites planted>
    >>> found.to_frame()["start"].unique().tolist()
    [4]
    """
    require_range("count", count, 1, MOST)
    require_range("length", length, 1, MOST)
    if out is not None and out == truth:
        raise SettingsError("truth", "", "is the same place as out", "name each its own file")
    motif_file, listener = motifs or CTCF_MOTIF, listener_of(progress)
    outputs = planned([motif_file], [out, truth])
    known = read_meme(motif_file) if plants else []
    plantings = tuple(_planting(plant, known, motif_file, length) for plant in plants)
    law = engine.Simulation(length, _frequencies(gc, background), plantings)
    found = _draw(law, count, seed, listener)
    with outputs.writing(seed=seed) as opening:
        if out is not None:
            opening(out).writelines(fasta_lines(found.sequences, found.sequences.values()))
        if truth is not None:
            opening(truth).writelines(bed_lines(found.sites))
    listener.say(f"{out or 'simulated'}: {len(found.sequences)} sequences, {len(found.sites)} sites planted")
    return found


def _range(given: int | Range) -> Range:
    return (given, given) if isinstance(given, int) else given


def _frequencies(gc: float | None, background: Frequencies | None) -> Frequencies:
    if gc is not None and background is not None:
        raise SettingsError("gc", "", "excludes background", "give one of them")
    require_range("gc", gc, 0, 1, "()")
    for share in background or ():
        require_range("background", share, 0, 1, "()")
    if background is not None and abs(sum(background) - 1) > ROUNDING:
        raise SettingsError("background", "", "does not sum to 1", "give four frequencies that do")
    return (background or UNIFORM) if gc is None else frequencies_of(gc)


def _planting(plant: Plant, known: list[Motif], motif_file: str, length: int) -> engine.Planting:
    elements = tuple(_element(name, known, motif_file) for name in plant.names)
    planting = engine.Planting(elements, plant.density, plant.places, plant.strand, plant.gaps)
    if (plant.places or (0, 0))[1] + planting.longest > length:
        room = length - planting.longest
        last_start = f"the last start that fits is {room}" if room >= 0 else "it does not fit at all"
        problem = f"takes up to {planting.longest} bp; in {length} bp {last_start}"
        raise SettingsError(f"plant {plant}", "", problem, "plant less, or give a greater length")
    return planting


def _element(text: str, known: list[Motif], motif_file: str) -> engine.Element:
    """The motif of that whole name, or whose identifier or other name it is; turned where (-) stands behind it."""
    name, sign = _ELEMENT.fullmatch(text).groups()  # type: ignore[union-attr]  # Plant has seen to it
    found = [m for m in known if name == m.name] or [m for m in known if name in m.name.split()]
    if len(found) == 1:
        return engine.Element(found[0].name.replace(" ", "_"), found[0].probabilities, sign == "-")
    some = ", ".join(motif.name for motif in (found or known)[:5])
    more = ", ..." if len(found or known) > 5 else ""
    problem = f"motif {name!r} {f'names {len(found)} motifs' if found else 'is not there'} in {motif_file}"
    raise SettingsError("plant", "", problem, f"give one of {some}{more}")


def _draw(law: engine.Simulation, count: int, seed: int, listener: Listener) -> Simulated:
    sequences, sites = dict[str, str](), list[BedRow]()
    with listener.progress("simulating", count, "sequences") as ticker:
        try:
            for number, (codes, planted) in enumerate(engine.simulate(law, count, seed), 1):
                name = f"seq{number:06d}"
                sequences[name] = decode(codes)
                sites += [BedRow(Interval(name, s.start, s.end, s.strand), s.name, s.score) for s in planted]
                ticker.advance()
        except ValueError as error:
            raise SettingsError("plant", "", str(error), "plant less, or give a greater length") from error
    return Simulated(sequences, tuple(sites))
