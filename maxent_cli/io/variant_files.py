"""VCF in, a single-letter change at a time, and out again with what was found in its INFO column.

pysam (htslib) reads and writes: it takes plain text, bgzip and BCF, writes bgzip and its index, needs no other package,
and is imported where a VCF is.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
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
_COLUMNS = ("record", *(name.removeprefix("MAXENT_").lower() for name, *_ in FIELDS[2:]))


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
    with _open(path) as (file, _):
        for number, record in enumerate(_records(path, file), 1):
            ref, place = str(record.ref or "."), (str(record.chrom), int(record.pos) - 1)
            for alt in record.alts or (".",):
                fault = _fault(ref, str(alt), place[1])
                known = (ref, str(alt)) if fault else (ref.upper(), str(alt).upper())
                yield Given((*place, *known), number, str(record.id or ""), fault)
    note(path, before=before)


def annotate(path: str, out: str, found: Mapping[Allele, Sequence[Mapping[str, Any]]]) -> bool:
    """Write a VCF as it is with INFO fields of what was found of its alleles, rows of variants.tsv.

    bgzip-compressed, with an index beside it, where OUT ends in .gz; whether that, or none, was to be had: records that
    are not in order have none. Raises InputError where an allele that was found is not in the VCF.
    """
    import pysam

    left = set(found)
    with _open(path) as (file, header):
        for name, kind, meaning in FIELDS:
            if name in header.info:
                problem = f"has an INFO field {name} already"
                raise InputError(path, "header", problem, "give the VCF without the annotation of another run")
            header.add_line(f'##INFO=<ID={name},Number=A,Type={kind},Description="{meaning}">')
        with pysam.VariantFile(out, "wz" if out.endswith(".gz") else "w", header=header) as written:
            for record in _records(path, file):
                _add(record, header, found, left)
                written.write(record)
    if left:
        chromosome, position, ref, alt = min(left)
        problem = f"has no {chromosome}:{position + 1}{ref}>{alt}, which was found in it"
        raise InputError(path, "", problem, "give the VCF that the variants were read from, as it was")
    return _indexed(out) if out.endswith(".gz") else True


def _add(record: Any, header: Any, found: Mapping[Allele, Sequence[Mapping[str, Any]]], left: set[Allele]) -> None:
    """Give a record what was found of its alleles, if anything."""
    record.translate(header)
    place = str(record.chrom), int(record.pos) - 1, str(record.ref).upper()
    alleles: list[Allele] = [(*place, str(alt).upper()) for alt in record.alts or ()]
    values = [_values(found.get(allele, ())) for allele in alleles]
    left -= set(alleles)
    if any(any(value is not None for value in each) for each in values):
        for (name, *_), of_alleles in zip(FIELDS, zip(*values, strict=True), strict=True):
            record.info[name] = of_alleles


def _values(rows: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    """An allele's values of all fields."""
    if not rows:
        return (None,) * len(FIELDS)
    first = max(rows, key=lambda row: abs(row["effect"]))
    record, *numbers = (first[name] for name in _COLUMNS)
    return len(rows), quote(record, safe=":()+"), *(None if number != number else number for number in numbers)


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
def _open(path: str) -> Iterator[tuple[Any, Any]]:
    """A VCF open for reading, and its header."""
    import pysam

    said_before = pysam.set_verbosity(0)  # htslib would write to stderr
    try:
        with _reading(path, ""):
            file = pysam.VariantFile(path)
        with file:
            yield file, file.header
    finally:
        pysam.set_verbosity(said_before)


def _records(path: str, file: Any) -> Iterator[Any]:
    number = 0
    while True:
        number += 1
        with _reading(path, f"record {number}"):
            try:
                record = next(file)
            except StopIteration:
                return
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
