"""The draws file: one .npz that np.load(allow_pickle=False) reads, the same bytes for the same run.

docs/draws-format.md says what its members are, of each version.
"""

import dataclasses
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import UNKNOWN, Codes
from maxent_cli.data import Interval, Networks, Replicas, SampleSet
from maxent_cli.errors import InputError
from maxent_cli.io.digests import note
from maxent_cli.io.files import reason
from maxent_cli.io.outputs import writing
from maxent_cli.laws import LAWS, LawKind, spelled

VERSION = 2  # of the format: docs/draws-format.md; tests/data keeps a file of each
ARRAYS = ("anchor", "codes", "energy", "output", "background", "mutable", "output_background")
REPLICA_ARRAYS = ("betas", "energy", "output", "letters", "search")
NETWORK_ARRAYS = ("distance", "output", "distance_background", "anchor_output")
NUMBERS = ("beta", "anchor_output", "energy_background", "thin", "acceptance", "kernel", "drift_start", "drift")
LATER: dict[str, Any] = {
    "energy_background_error": 0.0,
    "keep": None,
    "beta_error": 0.0,
    "stands_for": None,
}  # numbers that files of older makers do not have
_CURE = "give a file that `maxent sample` wrote"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip member can carry: no run shows when it ran


class DrawsWriter:
    """Adds one anchor's draws after another; made by writing_draws."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=4)
        self.count = 0

    def add(self, samples: SampleSet) -> None:
        """Write one anchor's draws."""
        number = f"{self.count:06d}"
        interval = dataclasses.astuple(samples.interval) if samples.interval else None
        record = {"name": samples.name, "interval": interval} | {
            name: getattr(samples, name) for name in (*NUMBERS, *LATER)
        }
        self._put(f"record_{number}", np.array(json.dumps(record)))
        for name in ARRAYS:
            self._put(f"{name}_{number}", getattr(samples, name))
        for name in REPLICA_ARRAYS:
            self._put(f"replica_{name}_{number}", getattr(samples.replicas, name))
        if samples.conditionals is not None:
            self._put(f"conditionals_{number}", samples.conditionals.astype(np.float32))
        if samples.networks is not None:
            for name in NETWORK_ARRAYS:
                self._put(f"network_{name}_{number}", getattr(samples.networks, name))
        self.count += 1

    def finish(self, header: dict[str, Any]) -> None:
        """Write the version of the format, and the header with the number of anchors."""
        self._put("version", np.array(VERSION))
        self._put("header", np.array(json.dumps({"anchors": self.count, **header})))

    def close(self) -> None:
        """Write what the archive ends with; it must be done while the stream is open."""
        self._zip.close()

    def _put(self, name: str, array: NDArray[Any]) -> None:
        member = zipfile.ZipInfo(f"{name}.npy", EPOCH)
        member.compress_type = zipfile.ZIP_DEFLATED
        member.create_system = 3
        member.external_attr = 0o644 << 16
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.asarray(array, order="C"), allow_pickle=False)
        self._zip.writestr(member, buffer.getvalue())


@contextmanager
def writing_draws(path: str, header: dict[str, Any]) -> Iterator[DrawsWriter]:
    """A writer for the anchors of one run; the file appears when the block has ended well."""
    with writing(path, "wb") as stream, draws_into(stream, header) as writer:
        yield writer


@contextmanager
def draws_into(stream: IO[bytes], header: dict[str, Any]) -> Iterator[DrawsWriter]:
    """A writer for the anchors of one run, into an open file."""
    with closing(DrawsWriter(stream)) as writer:
        yield writer
        writer.finish(header)


def packed(samples: SampleSet) -> bytes:
    """One anchor's draws as a draws file of its own, without a header's facts."""
    stream = io.BytesIO()
    with draws_into(stream, {}) as writer:
        writer.add(samples)
    return stream.getvalue()


def unpacked(path: Path) -> SampleSet:
    """The draws that a file holds which `packed` made."""
    with members_of(str(path), noting=False) as members:
        return DrawsFile(str(path), members)[0]


class DrawsFile:
    """A draws file open for reading: its version, header, length in anchors, and the anchors one at a time.

    Raises InputError where it is none, or of a version that is newer than this code.
    """

    def __init__(self, path: str, members: Any) -> None:
        self._path, self._members, self._length = path, members, 0
        with _naming(path):
            self.version = _version(path, members)
            self.header: dict[str, Any] = json.loads(str(members["header"]))
            self._anchors = int(self.header.get("anchors", 0))
            if self._anchors < 0 or not isinstance(self.header.get("law", {}), dict):
                raise ValueError
            _name_outputs(self.header.get("law", {}))

    def __len__(self) -> int:
        return self._anchors

    @property
    def law(self) -> LawKind:
        """The law that was drawn from; that of an anchor where the header does not say."""
        name = self.header.get("law", {}).get("held", "anchor")
        if not (isinstance(name, str) and name in LAWS):
            problem = f"holds draws from a law that is not known here ({name})"
            raise InputError(self._path, "header", problem, "read it with the version that wrote it")
        return LAWS[name]

    @property
    def held(self) -> str:
        """What the law holds of the network, in words."""
        with _naming(self._path):
            law, names = self.header["law"], self.header["outputs"]
            held = self.law.holding(spelled(law["outputs"], names), self.header.get("reading", {}).get("layer"))
            if not law.get("hold"):
                return held
            meanwhile = f"{spelled(law['hold'], names)} held meanwhile as in the anchor"
            return f"{held}; {meanwhile}, at beta {law['hold_beta']:g}"

    def __iter__(self) -> Iterator[SampleSet]:
        return (self[row] for row in range(len(self)))

    def names(self) -> list[str]:
        """What each anchor is called, without reading its draws."""
        return [self._record(row)["name"] for row in range(len(self))]

    def intervals(self) -> list[Interval | None]:
        """Where each anchor lies, without reading its draws."""
        return [self._record(row)["interval"] for row in range(len(self))]

    def letters(self, row: int) -> Codes:
        """The letters (L,) of an anchor, without reading its draws."""
        with _naming(self._path):
            found = self._members[f"anchor_{row:06d}"]
            if found.dtype.kind != "u" or found.ndim != 1 or not len(found) or found.max() > UNKNOWN:
                raise ValueError
            return np.asarray(found, np.uint8)

    def drawn(self, row: int) -> Codes:
        """The draws (C, D, L) of an anchor, without what else is known of them."""
        with _naming(self._path):
            found = self._members[f"codes_{row:06d}"]
            if found.dtype.kind != "u" or found.ndim != 3 or not found.size or found.max() > UNKNOWN:
                raise ValueError
            return np.asarray(found, np.uint8)

    def __getitem__(self, row: int) -> SampleSet:
        record, number = self._record(row), f"{row:06d}"
        with _naming(self._path):
            samples = SampleSet(
                name=record["name"],
                interval=record["interval"],
                **{name: self._members[f"{name}_{number}"] for name in ARRAYS},
                **{name: record[name] for name in NUMBERS},
                **{name: record.get(name, default) for name, default in LATER.items()},
                replicas=Replicas(*(self._members[f"replica_{name}_{number}"] for name in REPLICA_ARRAYS)),
                conditionals=self._members.get(f"conditionals_{number}"),
                networks=self._networks(number),
            )
            _require_whole(samples)
            self._require_like(samples)
            return samples

    def _networks(self, number: str) -> Networks | None:
        """What each of several networks makes of an anchor's draws."""
        if f"network_distance_{number}" not in self._members:
            return None
        return Networks(*(self._members[f"network_{name}_{number}"] for name in NETWORK_ARRAYS))

    def _require_like(self, samples: SampleSet) -> None:
        """Raise InputError where letters and frequencies are none that draws can have, or lengths differ."""
        free, known = samples.mutable, samples.background[samples.mutable]
        self._length = self._length or len(free)
        faults = {
            f"has {len(free)} letters, and others {self._length}": len(free) != self._length,
            "has no position that may change": not free.any(),
            "has one chain, and two are the least": len(samples.codes) < 2,
            "has other letters than A, C, G and T where they were drawn": (samples.codes[..., free] == UNKNOWN).any(),
            "has background frequencies that are not above 0": not (np.isfinite(known) & (known > 0)).all(),
        }
        for problem in (problem for problem, found in faults.items() if found):
            raise InputError(self._path, f"anchor {samples.name}", problem, _CURE)

    def _record(self, row: int) -> dict[str, Any]:
        with _naming(self._path):
            record: dict[str, Any] = json.loads(str(self._members[f"record_{row:06d}"]))
            interval = Interval(*record["interval"]) if record["interval"] else None
            if not (isinstance(record["name"], str) and (interval is None or _is_place(interval))):
                raise TypeError
            record["name"].encode()  # half of a surrogate pair is no letter of a name
            return record | {"interval": interval}


def _version(path: str, members: Any) -> int:
    """The version of the format; files of the first say it in their header, as its schema."""
    first = "version" not in members
    version = int(json.loads(str(members["header"]))["schema"] if first else members["version"])
    if version > VERSION:
        problem = f"is of version {version} of the draws format, and this maxent reads up to {VERSION}"
        raise InputError(path, "version", problem, "read it with a newer maxent")
    if not version >= 1 or (version == 1) != first:
        raise ValueError(version)
    return version


def _name_outputs(law: dict[str, Any]) -> None:
    """Give the outputs that a law holds their weights, which older files have not: there one, or one less another."""
    if "contrast" in law:
        law["outputs"] = [list(zip(law.pop("contrast"), (1.0, -1.0), strict=False))]


@contextmanager
def open_draws(path: str) -> Iterator[DrawsFile]:
    """Open a draws file, whose digest is noted; anchors are read when asked for.

    Raises InputError where it cannot be read or is not a draws file.
    """
    with members_of(path) as members:
        yield DrawsFile(path, members)


@contextmanager
def members_of(path: str, noting: bool = True) -> Iterator[Any]:
    """The arrays of a draws file by name, each read when asked for; noting: its digest is noted."""
    with ExitStack() as stack:
        with _naming(path):
            if noting:
                note(path)
            stream = stack.enter_context(Path(path).open("rb"))  # np.load would leave a damaged one open
            members = stack.enter_context(np.load(stream, allow_pickle=False))
        yield members


def _is_place(interval: Interval) -> bool:
    kinds = (str, int, int, str)
    return all(type(cell) is kind for cell, kind in zip(dataclasses.astuple(interval), kinds, strict=True))


def _require_whole(samples: SampleSet) -> None:
    """Raise ValueError where arrays are not of the shapes and kinds that the format says."""
    chains, draws, length = samples.codes.shape
    _, kept, replicas = samples.replicas.energy.shape
    seen = samples.replicas.output.shape[1:2]
    wanted = {
        "anchor": ("u", (length,)),
        "codes": ("u", (chains, draws, length)),
        "mutable": ("b", (length,)),
        "background": ("f", (length, 4)),
        "output_background": ("f", (3,)),
        **dict.fromkeys(("energy", "output"), ("f", (chains, draws))),
    }
    found = {name: getattr(samples, name) for name in wanted}
    wanted |= {
        "replica betas": ("f", (replicas,)),
        "replica letters": ("u", (chains, replicas, length, 4)),
        "replica energy": ("f", (chains, kept, replicas)),
        "replica output": ("f", (chains, *seen, replicas)),
    }
    found |= {f"replica {name}": getattr(samples.replicas, name) for name in REPLICA_ARRAYS[:-1]}
    if samples.conditionals is not None:
        wanted["conditionals"] = "f", (len(samples.conditionals), length, 4)
        found["conditionals"] = samples.conditionals
    if samples.networks is not None:
        count = len(samples.networks.anchor_output)
        shapes = ((chains, draws, count), (chains, draws, count), (count,), (count,))
        for name, shape in zip(NETWORK_ARRAYS, shapes, strict=True):
            wanted[f"network {name}"], found[f"network {name}"] = ("f", shape), getattr(samples.networks, name)
    for name, (kind, shape) in wanted.items():
        if found[name].dtype.kind != kind or found[name].shape != shape:
            raise ValueError(name)
    numbers = np.array([getattr(samples, name) for name in NUMBERS if name != "kernel"], float)
    np.array([getattr(samples, name) or 0.0 for name in LATER], float)  # an error may be unknown
    if max(samples.codes.max(), samples.anchor.max()) > UNKNOWN or not np.isfinite(numbers).all():
        raise ValueError


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Turn whatever reading a damaged or foreign file raises into an InputError that names it."""
    try:
        yield
    except OSError as error:
        raise InputError(path, "", reason(error), _CURE) from error
    except InputError:
        raise
    except Exception as error:  # a damaged file can end in any
        raise InputError(path, "", f"is not a whole draws file ({type(error).__name__})", _CURE) from error
