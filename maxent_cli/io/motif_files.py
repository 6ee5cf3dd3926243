"""Motif files: MEME text in and out, JASPAR and log-odds tables out. Rows are motif positions, columns A, C, G, T."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from maxent_cli.alphabet import LETTERS, UNIFORM
from maxent_cli.data import Floats, Motif
from maxent_cli.errors import InputError
from maxent_cli.io.files import reading_text
from maxent_cli.io.outputs import writing
from maxent_cli.io.tables import Row, write_table
from maxent_cli.tables.motifs import MOTIF_PWM, PPM

_KNOWN = Path(__file__).parents[1] / "known"
CTCF_MOTIF = str(_KNOWN / "MA0139.1.meme")
_JASPAR = tuple(str(_KNOWN / f"jaspar-{taxon}.meme.gz") for taxon in ("vertebrates", "fungi"))
DATABASES = {"jaspar-vertebrates": _JASPAR[:1], "jaspar-fungi": _JASPAR[1:], "jaspar": _JASPAR}
DEFAULT_SITES = 20  # what MEME assumes where nsites is missing or 0
ROW_TOLERANCE = 0.01

_MATRIX = "letter-probability matrix"
_ATTRIBUTE = re.compile(r"(\w+)=\s*(\S+)")
_DNA = {"ACGT", "ACGU"}

Line = tuple[int, str]  # number in the file from 1, text


def databases(known: str | None) -> tuple[str, ...]:
    """The files of known motifs that a name stands for, or the file itself."""
    return () if known is None else DATABASES.get(known, (known,))


def read_meme(path: str) -> list[Motif]:
    """The motifs of a MEME text file, as read_meme_file."""
    return read_meme_file(path)[0]


def read_meme_file(path: str) -> tuple[list[Motif], Floats]:
    """Motifs and background (4,) of a MEME text file (plain, gzip or '-'), minimal or as MEME writes it.

    A motif's name is its identifier and, if it has one, its other name, with a space between and without the
    identifier; its counts are probabilities times nsites (20 where missing or 0). The background is uniform where
    missing. Raises InputError naming the line: letters other than DNA's, rows that are not four probabilities summing
    to 1, a wrong width.
    """
    with reading_text(path) as stream:
        lines = [(number, line.strip()) for number, line in enumerate(stream, 1)]
    starts = [index for index, (_, text) in enumerate(lines) if re.match(r"MOTIF(\s|$)", text)]
    if not starts:
        raise InputError(path, "", "holds no motif", "give MEME text, with lines that begin with MOTIF")
    head = lines[: starts[0]]
    _require_dna(path, head)
    return [_motif(path, lines[start:stop]) for start, stop in pairwise([*starts, len(lines)])], _background(path, head)


def write_meme(path: str, motifs: Iterable[Motif], background: Sequence[float] | Floats = UNIFORM) -> None:
    """Write minimal MEME text; nsites is the motif's sites as a whole number, at least 1. '-' is standard output.

    Probabilities have six decimals, and each row of them sums to exactly 1.
    """
    with writing(path) as stream:
        stream.write(meme_text(motifs, background))


def meme_text(motifs: Iterable[Motif], background: Sequence[float] | Floats) -> str:
    """What write_meme writes."""
    frequencies = " ".join(f"{letter} {value:.6g}" for letter, value in zip(LETTERS, background, strict=True))
    lines = [f"MEME version 4\n\nALPHABET= {LETTERS}\n\nstrands: + -\n\n"]
    lines.append(f"Background letter frequencies\n{frequencies}\n")
    for motif in motifs:
        size = f"alength= 4 w= {len(motif.counts)} nsites= {max(1, round(motif.sites))} E= 0"
        lines.append(f"\nMOTIF {_safe_name(motif.name)}\n{_MATRIX}: {size}\n")
        lines.extend(" ".join(f"{p:.6f}" for p in row) + "\n" for row in _rounded(motif.probabilities))
    return "".join(lines)


def write_jaspar(path: str, motifs: Iterable[Motif]) -> None:
    """Write counts in JASPAR's format, a line a letter; '-' is standard output."""
    with writing(path) as stream:
        for motif in motifs:
            stream.write(f">{_safe_name(motif.name)}\n")
            for letter, column in zip(LETTERS, motif.counts.T, strict=True):
                stream.write(f"{letter} [ {' '.join(f'{count:.6g}' for count in column)} ]\n")


def write_ppm_table(path: str, motifs: Iterable[Motif]) -> None:
    """Write probabilities as TSV: motif, position (0-based), A, C, G, T. '-' is standard output."""
    write_table(path, _columns((motif.name, motif.probabilities) for motif in motifs), PPM)


def write_pwm_table(path: str, motifs: Iterable[Motif], background: Sequence[float] | Floats) -> None:
    """Write log2 odds in bits as TSV: motif, position (0-based), A, C, G, T. '-' is standard output.

    Odds are (count + q) / (total + 1) / q for background q: one pseudocount a position, shared out as q.
    """
    rows = _columns((motif.name, motif.log_odds(background)) for motif in motifs)
    write_table(path, rows, MOTIF_PWM)


def _columns(matrices: Iterable[tuple[str, Floats]]) -> Iterator[Row]:
    for name, matrix in matrices:
        for position, row in enumerate(matrix):
            yield PPM.row(name, position, *row.tolist())


def _require_dna(path: str, head: list[Line]) -> None:
    for number, text in head:
        plain = re.match(r"ALPHABET\s*=\s*(\S*)", text)
        if plain and plain[1].upper() not in _DNA:
            problem = f"the alphabet {plain[1][:40]!r} is not {LETTERS}"
            raise InputError(path, f"line {number}", problem, "give DNA motifs")


def _background(path: str, head: list[Line]) -> Floats:
    for index, (number, text) in enumerate(head):
        if text.startswith("Background letter frequencies"):
            following = " ".join(text for _, text in head[index + 1 : index + 5])
            found = re.match(r"\s*A\s+(\S+)\s+C\s+(\S+)\s+G\s+(\S+)\s+[TU]\s+(\S+)", following)
            return _probabilities(path, number, found.groups() if found else ())
    return np.array(UNIFORM)


def _motif(path: str, section: list[Line]) -> Motif:
    name = _name(path, section[0])
    at = next((index for index, (_, text) in enumerate(section) if text.startswith(_MATRIX)), None)
    if at is None:
        problem = f"motif {name[:80]} has no {_MATRIX}"
        raise InputError(path, f"line {section[0][0]}", problem, "give its probabilities below such a line")
    number, header = section[at]
    size = dict(_ATTRIBUTE.findall(header))
    rows = _rows(section[at + 1 :])
    matrix = [_probabilities(path, line, text.split()) for line, text in rows]
    width = size.get("w", str(len(rows)))
    if not rows or width != str(len(rows)) or size.get("alength", "4") != "4":
        problem = f"{len(rows)} rows of 4 where the header says w= {width} alength= {size.get('alength', '4')}"
        raise InputError(path, f"line {number}", problem, "give as many rows as the header says")
    sites = _sites(path, number, size.get("nsites", "0"))
    return Motif(name, np.stack(matrix) * sites, sites)


def _name(path: str, line: Line) -> str:
    words = line[1].split()[1:3]
    if not words:
        raise InputError(path, f"line {line[0]}", "a motif without a name", "give MOTIF lines an identifier")
    alone = words[-1] == words[0] or words[-1].startswith("width")  # MEME's own output goes on with 'width = 11 ...'
    return words[0] if alone else f"{words[0]} {words[1].removeprefix(f'{words[0]}.')}"  # JASPAR repeats some


def _rows(section: list[Line]) -> list[Line]:
    """The lines of numbers that come first, blank lines before them passed over."""
    rows = list[Line]()
    for number, text in section:
        if re.match(r"[-+]?[.\d]|nan|inf", text, re.IGNORECASE):
            rows.append((number, text))
        elif rows or text:
            break
    return rows


def _probabilities(path: str, number: int, cells: Sequence[str]) -> Floats:
    try:
        values = np.array([float(cell) for cell in cells])
    except ValueError:
        values = np.zeros(0)
    good = values.shape == (4,) and bool((values >= 0).all()) and abs(values.sum() - 1) <= ROW_TOLERANCE
    if not good:
        problem = "is not four probabilities (A, C, G, T) that sum to 1"
        raise InputError(path, f"line {number}", problem, "give probabilities, not counts")
    return values


def _sites(path: str, number: int, text: str) -> float:
    try:
        sites = float(text)
    except ValueError:
        sites = float("nan")
    if not 0 <= sites < 1e15:
        raise InputError(path, f"line {number}", f"nsites= {text[:40]} is not a number of sites", "correct it")
    return sites or float(DEFAULT_SITES)


def _safe_name(name: str) -> str:
    """At most two words, the identifier and the other name, without control characters."""
    words = "".join(c if c.isprintable() else " " for c in name).split() or ["motif"]
    return " ".join([words[0], *(["_".join(words[1:])] if len(words) > 1 else [])])


def _rounded(probabilities: Floats) -> Floats:
    rounded = np.round(probabilities, 6)
    largest = rounded.argmax(axis=1)
    rounded[np.arange(len(rounded)), largest] += 1 - rounded.sum(axis=1)
    return rounded
