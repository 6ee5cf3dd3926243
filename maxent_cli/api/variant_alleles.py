"""Alleles of a VCF put to the anchors that they lie in; those that cannot be are rejected, one by one."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache

from maxent_cli.alphabet import LETTERS, UNKNOWN, Codes
from maxent_cli.api.draws import Draws
from maxent_cli.api.listening import Listener
from maxent_cli.api.runs import MOST_SAID
from maxent_cli.data import Interval, Shard
from maxent_cli.errors import InputError, shown
from maxent_cli.io.bed import genome_letters
from maxent_cli.io.growing_tables import growing_table
from maxent_cli.io.tables import renew_rejected
from maxent_cli.io.variant_files import Given, read_vcf
from maxent_cli.tables.sampling import REJECTED

ANY = "N"  # where no genome is there to be asked
Letter = Callable[[str, int], tuple[str, str]]


@dataclass(frozen=True)
class Asked:
    """A change asked of an anchor: its position there, the letters in the anchor's own direction, and its VCF's ID."""

    position: int
    change: tuple[int, int]
    identifier: str = ""


@dataclass
class Alleles:
    """What a VCF asks of a shard's anchors, by their numbers; and of how many alleles, read and rejected in all parts.

    kept: alleles whose first anchor is one of the shard's. reasons: of rejected alleles.
    """

    asked: dict[int, list[Asked]] = field(default_factory=dict)
    read: int = 0
    kept: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """How many alleles were rejected."""
        return self.reasons.total()


class AnchorPlaces:
    """Where the anchors of draws lie. Raises InputError where that is known of none."""

    def __init__(self, draws: Draws) -> None:
        self.intervals = draws.intervals()
        by_chromosome = dict[str, list[tuple[int, int]]]()
        for number, place in enumerate(self.intervals):
            if place is not None and place.end - place.start == len(draws.letters(number)):
                by_chromosome.setdefault(place.chromosome, []).append((place.start, number))
        if not by_chromosome:
            cure = "sample around BED, or around records named chrom:start-end; or give --all-single"
            raise InputError(draws.path, "", "no anchor's place in a genome is known", cure)
        self._sorted = {name: sorted(places) for name, places in by_chromosome.items()}
        self._length = len(draws.letters(0))

    def of(self, chromosome: str, position: int) -> list[int]:
        """The anchors, by number, that a position (0-based) lies in; none where the chromosome is not known."""
        places = self._sorted.get(chromosome, [])
        first = bisect_left(places, (position - self._length + 1, -1))
        return sorted(number for _, number in places[first : bisect_right(places, (position, len(self.intervals)))])

    def why_none(self, chromosome: str) -> str:
        """Why an allele lies in no anchor."""
        bare = chromosome.removeprefix("chr")
        for name in (bare, f"chr{bare}"):
            if chromosome not in self._sorted and name in self._sorted:
                return f"the variants say chromosome {chromosome}, the anchors say {name}"
        return "outside all anchors"


def in_anchor(interval: Interval, position: int, letters: str) -> tuple[int, list[int]]:
    """A position (0-based) of the genome in an anchor that lies there, and letters of the + strand in its direction."""
    codes = [LETTERS.index(letter) for letter in letters]
    if interval.strand == "-":
        return interval.end - 1 - position, [3 - code for code in codes]
    return position - interval.start, codes


def in_genome(interval: Interval, position: int, change: tuple[int, int]) -> tuple[int, str, str]:
    """A change in an anchor as VCF has it: position, 1-based, and letters on the + strand."""
    if interval.strand == "-":
        return interval.end - position, LETTERS[3 - change[0]], LETTERS[3 - change[1]]
    return interval.start + position + 1, LETTERS[change[0]], LETTERS[change[1]]


def read_alleles(
    vcf: str, draws: Draws, genome: str | None, shard: Shard, table: str | None, listener: Listener
) -> Alleles:
    """What a VCF asks of a shard's anchors; alleles that are rejected are written by the first part, and said.

    in = kept + rejected. Raises InputError where none was kept of a run in one.
    """
    found, places, block = Alleles(), AnchorPlaces(draws), shard.block(len(draws))
    letters, seen = cache(draws.letters), set[object]()
    with ExitStack() as stack:
        letter = stack.enter_context(genome_letters(genome)) if genome else _not_asked
        reject = stack.enter_context(_rejecting(vcf, table if shard.number == 1 else None))
        for given in read_vcf(vcf):
            found.read += 1
            numbers = [] if given.fault else places.of(*given.allele[:2])
            reason = given.fault or _reason(given, numbers, places, letters, letter, seen)
            if reason:
                found.reasons[reason] += 1
                reject(given, reason)
                if len(found.first) < MOST_SAID:
                    found.first.append(f"{given.name} ({vcf}: record {given.record}): {reason}")
                continue
            seen.add(given.allele)
            found.kept += numbers[0] in block
            for number in (number for number in numbers if number in block):
                chromosome_place = places.intervals[number]
                assert chromosome_place is not None
                position, (ref, alt) = in_anchor(chromosome_place, given.allele[1], "".join(given.allele[2:]))
                found.asked.setdefault(number, []).append(Asked(position, (ref, alt), given.identifier))
    _account(vcf, found, shard, table, listener)
    return found


def _reason(
    given: Given,
    numbers: list[int],
    places: AnchorPlaces,
    letters: Callable[[int], Codes],
    letter: Letter,
    seen: set[object],
) -> str:
    """Why an allele in some anchors cannot be put into them, or nothing."""
    chromosome, position, ref, _ = given.allele
    if not numbers:
        return places.why_none(chromosome)
    if given.allele in seen:
        return "given before"
    for number in numbers:
        place = places.intervals[number]
        assert place is not None
        at, (own,) = in_anchor(place, position, ref)
        code = int(letters(number)[at])
        if code != own:
            there = "an unknown letter" if code == UNKNOWN else LETTERS[3 - code if place.strand == "-" else code]
            return f"REF is {ref}, and the anchor has {there}"
    there, why = letter(chromosome, position)
    if why or there in (ref, ANY):
        return why
    return f"REF is {ref}, and the genome has {there}"


def _not_asked(_chromosome: str, _position: int) -> tuple[str, str]:
    return ANY, ""


@contextmanager
def _rejecting(vcf: str, table: str | None) -> Iterator[Callable[[Given, str], None]]:
    """What writes a rejected allele into a table, which is there only if there is one."""
    with ExitStack() as stack:
        writers = list[Callable[..., None]]()

        def reject(given: Given, reason: str) -> None:
            if table is None:
                return
            if not writers:
                writers.append(stack.enter_context(growing_table(table, REJECTED)))
            writers[0]([REJECTED.row(given.name, f"{vcf}: record {given.record}", reason)])

        yield reject
        if table is not None and not writers:
            renew_rejected(table, [])


def _account(vcf: str, found: Alleles, shard: Shard, table: str | None, listener: Listener) -> None:
    reasons = found.reasons.most_common()
    why = [f"{count} {reason}" for reason, count in reasons[:MOST_SAID]]
    more = [f"{len(reasons) - MOST_SAID} other reasons"] if len(reasons) > MOST_SAID else []
    why_not = f" ({'; '.join(why + more)})" if reasons else ""
    kept = found.read - found.rejected
    listener.say(f"{vcf}: {found.read} alleles = {kept} kept + {found.rejected} rejected{why_not}")
    for line in found.first if table is None else ():
        listener.say(f"  {shown(line)}")
    if shard.count > 1 or kept:
        return
    if not found.read:
        raise InputError(vcf, "", "holds no variant", "give VCF with some")
    problem = f"all {found.read} alleles were rejected (first: {found.first[0]})"
    raise InputError(vcf, "", problem, "give single-letter changes within the anchors, REF as these have it")
