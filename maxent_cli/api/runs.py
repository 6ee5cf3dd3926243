"""What a run says of itself: what shaped it, which part of it an output is, and what became of its records."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from maxent_cli.api.listening import Listener
from maxent_cli.data import WHOLE, Rejected, Shard
from maxent_cli.errors import InputError, shown
from maxent_cli.io.files import PIPE, is_device
from maxent_cli.io.tables import renew_rejected

MOST_SAID = 5  # of a list, to people


@dataclass(frozen=True)
class Run:
    """What all parts of a run have in common, and which part this is.

    settings: what shapes its outputs, requests as their fields ("law.keep"). digests: of all that was read. read: how
    many records there are in all parts; records, rejected: of them in this one, kept and left out.
    """

    command: str
    settings: dict[str, Any]
    digests: dict[str, object]
    shard: Shard
    read: int
    records: int
    rejected: int

    def part(self, kind: str) -> dict[str, Any]:
        """What an output of a kind says in its provenance, so that merge can tell which run it is a part of."""
        run = {"command": self.command, "settings": self.settings, "digests": self.digests}
        numbers = {"shard": str(self.shard), "read": self.read, "records": self.records, "rejected": self.rejected}
        return {**numbers, "run": run, "kind": kind}

    @property
    def identity(self) -> dict[str, Any]:
        """All that unfinished work depends on."""
        return {"command": self.command, "shard": str(self.shard), **self.settings, **self.digests}

    def announce(self, listener: Listener) -> None:
        """Say which part this is, where it is not the whole."""
        if self.shard.count > 1:
            listener.say(f"part {self.shard}: {self.records + self.rejected} of {self.read} records")


def settings_of(**requests: object) -> dict[str, Any]:
    """Requests, or single values, by name as one level of settings."""
    return dict(_flat(requests))


def _flat(found: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in found.items():
        if is_dataclass(value) and not isinstance(value, type):
            yield from _flat(asdict(value), f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def rejected_beside(out: str | None) -> str | None:
    """Where the records are listed that an output is not of; nowhere beside what has no neighbours."""
    return None if out is None or out == PIPE or is_device(out) else f"{out.rstrip('/')}.rejected.tsv"


def account(
    kept: int,
    rejected: Sequence[Rejected],
    where: str,
    table: str | None,
    listener: Listener,
    shard: Shard = WHOLE,
) -> None:
    """Say how many records were kept and rejected, with the commonest reasons, and write the rejected into a table.

    Without a table the first few are said. Raises InputError where none was kept, unless they are a shard's.
    """
    reasons = Counter(record.reason for record in rejected).most_common()
    why = [f"{count} {reason}" for reason, count in reasons[:MOST_SAID]]
    more = [f"{len(reasons) - MOST_SAID} other reasons"] if len(reasons) > MOST_SAID else []
    why_not = f" ({'; '.join(why + more)})" if reasons else ""
    listener.say(f"{where}: {kept + len(rejected)} records = {kept} kept + {len(rejected)} rejected{why_not}")
    if table is not None:
        renew_rejected(table, rejected)
    for record in rejected[:MOST_SAID] if table is None else ():
        listener.say(f"  {shown(record.name)} ({record.place}): {record.reason}")
    if shard.count > 1:
        return
    if not kept and not rejected:
        raise InputError(where, "", "holds nothing that can be used", "see the options that choose among its records")
    if not kept:
        first = next(record for record in rejected if record.reason == reasons[0][0])
        problem = f"all {len(rejected)} records were rejected (first: {shown(first.name)}: {first.reason})"
        raise InputError(where, "", problem, first.cure or "correct them")
