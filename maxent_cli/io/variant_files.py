"""VCF in, a single-letter change at a time, and out again with what was found in its INFO column.

pysam (htslib) reads and writes: it takes plain text, bgzip and BCF, writes bgzip and its index, needs no other package,
and is imported where a VCF is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from maxent_cli.alphabet import LETTERS
from maxent_cli.errors import InputError, said
from maxent_cli.io.digests import note, signature

Allele = tuple[str, int, str, str]  # chromosome, position (0-based), and the letters on the + strand: ref, alt

_CURE = "give VCF, plain or compressed by bgzip, with its header"
_LONGEST = 40  # letters of an allele that are shown
# INFO fields: name, type, what it says; each has a value an allele
FIELDS: tuple[tuple[str, str, str], ...] = (
    ("MAXENT_ANCHORS", "Integer", "Anchors of maxent variants that the allele was tried in"),
    ("MAXENT_ANCHOR", "String", "Of these the one with the largest effect over contexts, %-encoded; the rest is of it"),
    ("MAXENT_ANCHOR_EFFECT", "Float", "Output with the allele less output with REF, in the anchor"),
    ("MAXENT_EFFECT", "Float", "The same averaged over draws around the anchor"),
    ("MAXENT_EFFECT_ERROR", "Float", "Monte Carlo standard error of MAXENT_EFFECT"),
    ("MAXENT_FLIPS", "Float", "Share of the draws in which the effect has the other sign than in the anchor"),
    ("MAXENT_FREE_ENERGY", "Float", "What the law of the draws charges for the allele, in bits"),
    ("MAXENT_FREE_ENERGY_ERROR", "Float", "Monte Carlo standard error of MAXENT_FREE_ENERGY"),
    ("MAXENT_EFFECT_BETA_0", "Float", "Null: the effect averaged over sequences of the background"),
)
_INFO = 7  # the column

_COLUMNS = ("record", *(name.removeprefix("MAXENT_").lower() for name, *_ in FIELDS[2:]))


class _Record(NamedTuple):
    """What is read of a record; position: 0-based; line: all of it as text, if that was asked for."""

    chromosome: str
    position: int
    ref: str
    alts: tuple[str, ...]
    identifier: str
    line: str


@dataclass(frozen=True)
class Given:
    """An allele as a VCF has it: its record's number, from 1, ID, and why it is no single-letter change, if so."""

    allele: Allele
    record: int
    identifier: str
    fault: str = ""

    @property
    def name(self) -> str:
        """What messages call it."""
        chromosome, position, ref, alt = self.allele
        return f"{chromosome}:{position + 1}{shortened(ref)}>{shortened(alt)}"


def shortened(allele: str) -> str:
    """An allele, cut visibly where it is long."""
    return allele if len(allele) <= _LONGEST else f"{allele[: _LONGEST - 3]}..."


def read_vcf(path: str) -> Iterator[Given]:
    """Alleles of a VCF (plain, bgzip, BCF), one at a time, those of a record of several apart; its digest is noted.

    Raises InputError where it cannot be read, naming the record.
    """
    before = signature(path)
    with _open(path) as file:
        for number, record in enumerate(_records(path, file), 1):
            for alt in record.alts or (".",):
                fault = _fault(record.ref, alt, record.position)
                letters = (record.ref, alt) if fault else (record.ref.upper(), alt.upper())
                allele = (record.chromosome, record.position, *letters)
                yield Given(allele, number, record.identifier, fault)
    note(path, before=before)


def annotate(path: str, out: str, found: Mapping[Allele, Sequence[Mapping[str, Any]]]) -> bool:
    """Write a VCF as it is with INFO fields of what was found of its alleles, rows of variants.tsv.

    bgzip-compressed, with an index beside it, where OUT ends in .gz; whether that, or none, was to be had: records that
    are not in order have none. Raises InputError where an allele that was found is not in the VCF.
    """
    left = set(found)
    with _writing(out) as write, _open(path) as file:
        write(_header(path))
        for record in _records(path, file, whole=True):
            write(_line(record.line, _added(record, found, left)))
    if left:
        chromosome, position, ref, alt = min(left)
        problem = f"has no {chromosome}:{position + 1}{ref}>{alt}, which was found in it"
        raise InputError(path, "", problem, "give the VCF that the variants were read from, as it was")
    return _indexed(out) if out.endswith(".gz") else True


def _header(path: str) -> str:
    """The header of a VCF with the new fields, and with what its records have that it does not declare: htslib does."""
    with _open(path) as file:
        for _ in _records(path, file):
            pass
        for name, *_ in FIELDS:
            if name in file.header.info:
                problem = f"has an INFO field {name} already"
                raise InputError(path, "header", problem, "give the VCF without the annotation of another run")
        *lines, columns = str(file.header).splitlines(keepends=True)
    fields = (f'##INFO=<ID={name},Number=A,Type={kind},Description="{meaning}">\n' for name, kind, meaning in FIELDS)
    return "".join([*lines, *fields, columns])


def _line(record: str, added: str) -> str:
    """A record's line with more in its INFO."""
    cells = record.rstrip("\n").split("\t")
    if added:
        cells[_INFO] = added if cells[_INFO] == "." else f"{cells[_INFO]};{added}"
    return "\t".join(cells) + "\n"


def _added(record: _Record, found: Mapping[Allele, Sequence[Mapping[str, Any]]], left: set[Allele]) -> str:
    """What was found of a record's alleles, as INFO; nothing where that is nothing."""
    place = record.chromosome, record.position, record.ref.upper()
    alleles: list[Allele] = [(*place, alt.upper()) for alt in record.alts]
    left -= set(alleles)
    if not any(allele in found for allele in alleles):
        return ""
    values = zip(*(_values(found.get(allele, ())) for allele in alleles), strict=True)
    return ";".join(f"{name}={','.join(each)}" for (name, *_), each in zip(FIELDS, values, strict=True))


def _values(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """An allele's values of all fields."""
    if not rows:
        return (".",) * len(FIELDS)
    first = max(rows, key=lambda row: abs(row["effect"]))
    record, *numbers = (first[name] for name in _COLUMNS)
    told = ("." if number != number else f"{number:.6g}" for number in numbers)
    return str(len(rows)), quote(record, safe=":()+"), *told


@contextmanager
def _writing(path: str) -> Iterator[Callable[[str], object]]:
    """What writes text to a new file, by bgzip where its name ends in .gz."""
    import pysam

    if path.endswith(".gz"):
        with pysam.BGZFile(path, "w", None) as packed:
            yield lambda text: packed.write(text.encode())
    else:
        with Path(path).open("wb") as plain:
            yield lambda text: plain.write(text.encode())


def _indexed(path: str) -> bool:
    import pysam

    try:
        pysam.tabix_index(path, preset="vcf", force=True)
    except (OSError, ValueError):  # records out of order, or further than such an index reaches
        Path(f"{path}.tbi").unlink(missing_ok=True)
        return False
    return True


def _fault(ref: str, alt: str, position: int) -> str:
    """Why an allele is no change of one letter to another."""
    if position < 0:
        return "position 0, which is none in VCF"
    if alt == ".":
        return "no ALT allele"
    if alt == "*" or alt.startswith("<") or "[" in alt or "]" in alt:
        return "symbolic ALT, and no letter"
    letters = set(ref.upper() + alt.upper())
    if letters - set(LETTERS):
        return "letters other than A, C, G and T"
    if len(ref) > 1 or len(alt) > 1:
        return "indel" if len(ref) != len(alt) else "several letters at once"
    return "ALT is REF" if ref.upper() == alt.upper() else ""


@contextmanager
def _open(path: str) -> Iterator[Any]:
    """A VCF open for reading."""
    import pysam

    said_before = pysam.set_verbosity(0)  # htslib would write to stderr
    try:
        with _reading(path, ""):
            file = pysam.VariantFile(path)
        with file:
            yield file
    finally:
        pysam.set_verbosity(said_before)


def _records(path: str, file: Any, whole: bool = False) -> Iterator[_Record]:
    """Its records; whole: with their lines."""
    number = 0
    while True:
        number += 1
        with _reading(path, f"record {number}"):
            try:
                found = next(file)
            except StopIteration:
                return
            place = str(found.chrom), int(found.pos) - 1, str(found.ref or ".")
            record = _Record(*place, tuple(found.alts or ()), found.id or "", str(found) if whole else "")
        yield record


@contextmanager
def _reading(path: str, where: str) -> Iterator[None]:
    """Turn whatever htslib raises into an InputError."""
    try:
        yield
    except NotImplementedError as error:
        problem = "is compressed by gzip, and not by bgzip"
        raise InputError(path, where, problem, "compress it by bgzip, or not at all") from error
    except OSError as error:
        if error.errno is not None and error.strerror and not Path(path).is_file():
            raise InputError(path, where, error.strerror.lower(), "check the path and its permissions") from error
        raise InputError(path, where, f"cannot be read ({said(error)})", _CURE) from error
    except Exception as error:  # a damaged file can end in any
        raise InputError(path, where, f"cannot be read ({said(error)})", _CURE) from error
