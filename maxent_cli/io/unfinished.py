"""Unfinished work: the folder OUT.partial, where a run keeps what it has done until its output is whole.

`settings.json`: the schema (1), this program's version and a digest of its code, and what the work is of. `lock`: held
by the process at work; holds the milliseconds that the work has taken so far. `000007.result`: all that is wanted of
anchor 7. `000007.0002.npz`: the third file of the blocks that its chains have done so far, of each array of a block the
values of all blocks end to end, and their shapes. `training.safetensors`: weights and all that the next step of a
training needs, numbers as JSON in its metadata. `checkpoint.000000064.safetensors`: the weights after step 64.

Each file is written under a name with a leading dot, flushed to the disk, and moved into place.
"""

import contextlib
import errno
import fcntl
import io
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from maxent_cli import __version__
from maxent_cli.data import Stop
from maxent_cli.errors import InputError, StoppedError
from maxent_cli.io.files import is_device, reason
from maxent_cli.io.provenance import code, started

if TYPE_CHECKING:
    from maxent_cli.models.training import Checkpoints, Snapshot

SCHEMA = 1
INTERVAL = 30.0  # seconds between two savings of the same thing
MOST_TRIES, WAIT = 40, 0.05  # to have a folder that others are taking away, and seconds between two
MOST_HELD = 2**24  # bytes of blocks in memory until they are written, whatever the time
SETTINGS, LOCK, TRAINING = "settings.json", "lock", "training.safetensors"
HEADER = "header.json"  # of draws: what their file will say of all of them
_OURS = re.compile(
    r"\..*|settings\.json|header\.json|lock|(training|checkpoint\.\d{9})\.safetensors|\d{6}\.result|\d{6}\.\d{4}\.npz"
)
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_ANEW = "remove it to begin anew, or give another --out"

Arrays = dict[str, NDArray[Any]]


class Unfinished:
    """The folder of one output's unfinished work; useless: no run of the same command could go on from it."""

    def __init__(self, folder: Path, stop: Stop, lock: int | None = None) -> None:
        self.folder, self.stop, self.useless = folder, stop, False
        self._lock, self._started = lock, started.get()

    def has(self, name: str) -> bool:
        """Whether a file of that name has been kept."""
        return (self.folder / name).exists()

    def write(self, name: str, data: bytes) -> None:
        """Keep a file, whole. Raises InputError where there is no room."""
        temporary = self.folder / f".{name}.{os.getpid()}"
        try:
            with temporary.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(self.folder / name)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise _cannot(self.folder, error) from error
        self._note_time()

    def _note_time(self) -> None:
        """In place and of one width, so that threads may come in any order; not worth an error."""
        if self._lock is not None:
            with contextlib.suppress(OSError):
                os.pwrite(self._lock, b"%015d" % (1000 * (time.time() - self._started)), 0)

    def finish(self, name: str, result: bytes) -> None:
        """Keep a result, which takes the place of its notes."""
        self.write(f"{name}.result", result)
        for notes in self.folder.glob(f"{name}.*.npz"):
            notes.unlink()

    def left_of(self, count: int, say: Callable[[str], object], what: str = "anchors") -> tuple[list[str], list[int]]:
        """Names of so many results, and the rows of those that are not kept yet; how many are is said."""
        names = [f"{row:06d}" for row in range(count)]
        left = [row for row, name in enumerate(names) if not self.has(f"{name}.result")]
        if len(left) < count:
            say(f"{self.folder}: {count - len(left)} of {count} {what} are done")
        return names, left

    def read_json(self, name: str) -> Any:
        """What a kept file of JSON holds."""
        with self.reading(name) as path:
            return json.loads(path.read_bytes())

    @contextmanager
    def reading(self, name: str) -> Iterator[Path]:
        """The path of a kept file; whatever reading it raises becomes an InputError that names it."""
        try:
            yield self.folder / name
        except Exception as error:  # a damaged file can end in any
            problem = f"cannot be read ({type(error).__name__})"
            raise InputError(self.folder / name, "", problem, f"remove {self.folder} to begin anew") from error


def is_unfinished(path: str) -> bool:
    """Whether a path is a folder of unfinished draws."""
    return (Path(path) / SETTINGS).is_file() and (Path(path) / HEADER).is_file()


def finished(folder: str) -> tuple[dict[str, Any], list[Path]]:
    """The header of unfinished draws, with how many anchors there will be, and what is finished, in order."""
    try:
        header = json.loads((Path(folder) / HEADER).read_bytes())
        if not isinstance(header["anchors"], int):
            raise TypeError
        header["law"]["held"], header["run"]["max_rhat"], header["run"]["min_ess"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"cannot be read ({type(error).__name__})"
        raise InputError(f"{folder}/{HEADER}", "", problem, "wait until the run has ended") from error
    return header, sorted(Path(folder).glob("[0-9]*.result"))


def packed(arrays: Arrays, facts: object) -> bytes:
    """A result to be kept: arrays by name, and facts that JSON can say, NumPy's numbers as plain ones."""
    buffer, text = io.BytesIO(), json.dumps(facts, default=lambda number: number.item())
    np.savez(buffer, allow_pickle=False, facts=np.array(text), **arrays)
    return buffer.getvalue()


def unpacked(path: Path) -> tuple[Arrays, Any]:
    """Arrays and facts of a file that holds what `packed` made."""
    with np.load(path, allow_pickle=False) as members:
        arrays = dict(members)
    return arrays, json.loads(str(arrays.pop("facts")))


class Notes:
    """What the chains around one anchor have done, a block at a time: that of earlier runs, and what is added now."""

    def __init__(self, work: Unfinished, name: str) -> None:
        self._work, self._name = work, name
        self._parts = len(list(work.folder.glob(f"{name}.*.npz")))
        self._held, self._written = list[Arrays](), time.monotonic()

    def past(self) -> Iterator[Arrays]:
        """The blocks of earlier runs, one file of them in memory at a time."""
        for part in range(self._parts):
            with self._work.reading(f"{self._name}.{part:04d}.npz") as path, path.open("rb") as stream:
                blocks = _unpacked(dict(np.load(stream, allow_pickle=False)))
            yield from blocks

    def keep(self, block: Arrays) -> None:
        """Add a block; write those that came together when it is time. Raises StoppedError where that was asked for."""
        self._held.append(block)
        size = sum(array.nbytes for held in self._held for array in held.values())
        stop = self._work.stop.asked
        if stop or size > MOST_HELD or time.monotonic() - self._written > INTERVAL:
            buffer = io.BytesIO()
            np.savez(buffer, allow_pickle=False, **_packed(self._held))
            self._work.write(f"{self._name}.{self._parts:04d}.npz", buffer.getvalue())
            self._held, self._written = [], time.monotonic()
            self._parts += 1
        if stop:
            raise StoppedError


def checkpoints(work: Unfinished) -> "Checkpoints":
    """A training's snapshot of an earlier run, if any, and what takes one when it is time or a stop is asked for."""
    from safetensors.torch import save  # which, as what follows, imports torch: others that are unfinished do not

    from maxent_cli.models.training import Checkpoints

    written = time.monotonic()

    def keep(take: "Callable[[], Snapshot]") -> None:
        nonlocal written
        stop = work.stop.asked
        if stop or time.monotonic() - written > INTERVAL:
            tensors, facts = take()
            work.write(TRAINING, save(tensors, {"facts": json.dumps(facts)}))
            written = time.monotonic()
        if stop:
            raise StoppedError

    return Checkpoints(_snapshot(work) if work.has(TRAINING) else None, keep)


def checkpoint_name(step: int) -> str:
    """What the weights after a step are kept as."""
    return f"checkpoint.{step:09d}.safetensors"


def kept_steps(work: Unfinished) -> list[int]:
    """The steps after which weights are kept, in order."""
    return sorted(int(place.name.split(".")[1]) for place in work.folder.glob("checkpoint.*.safetensors"))


def _snapshot(work: Unfinished) -> "Snapshot":
    from maxent_cli.models.training import Snapshot

    with work.reading(TRAINING) as path, safe_open(path, "pt") as file:
        return Snapshot({name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["facts"]))  # noqa: SIM118


def _packed(blocks: list[Arrays]) -> Arrays:
    """Values of all blocks end to end, and their shapes, by name."""
    values = {name: np.concatenate([block[name].ravel() for block in blocks]) for name in blocks[0]}
    return values | {f"shape_{name}": np.array([block[name].shape for block in blocks]) for name in blocks[0]}


def _unpacked(packed: Arrays) -> list[Arrays]:
    arrays = {}
    for name in (name for name in packed if f"shape_{name}" in packed):
        shapes = packed[f"shape_{name}"]
        parts = np.split(packed[name], shapes.prod(axis=1, dtype=int).cumsum()[:-1])
        arrays[name] = [part.reshape(shape).copy() for part, shape in zip(parts, shapes, strict=True)]
    return [dict(zip(arrays, block, strict=True)) for block in zip(*arrays.values(), strict=True)]


@contextmanager
def unfinished(out: str | None, settings: dict[str, Any], stop: Stop) -> Iterator[Unfinished]:
    """The unfinished work of an output, none or what an earlier run left; removed when the block ends well.

    out: None where nothing is to be kept. settings: all that the work depends on, for JSON. Raises InputError where the
    folder cannot be written, another process is at work on the same output, or what is there is of other settings.
    """
    if out is None or is_device(out):
        with tempfile.TemporaryDirectory() as temporary:
            yield Unfinished(Path(temporary), stop)
        return
    folder = Path(f"{out.rstrip('/')}.partial")
    lock = _locked(folder)
    started.set(started.get() - _seconds_of(lock))
    work = Unfinished(folder, stop, lock)
    try:
        _take_up(work, settings)
        yield work
        work.useless = True  # since the output is whole
    finally:
        if work.useless or not _results(work.folder):
            _remove(work.folder)
        os.close(lock)


def _locked(folder: Path) -> int:
    """Make the folder and hold its lock, which the system frees when the process ends, however it does.

    Where a file system has no locks (some mounts of Lustre), two processes may work on one output: each file is still
    whole and of the same bytes, but the first to end takes the folder away, and the other stops with an error. Over NFS
    the lock is the server's: that of a machine that has died is freed when its lease ends, after a minute or two.
    """
    missing: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    for attempt in range(MOST_TRIES):
        time.sleep(WAIT if attempt else 0)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError as error:  # the one before us has just ended, and taken the folder away
            missing = error
            continue
        except OSError as error:
            raise _cannot(folder, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                os.close(lock)
                problem, cure = "another process is at work on this output", "wait for it, or give another --out"
                raise InputError(folder, "", problem, cure) from error
        with contextlib.suppress(FileNotFoundError):
            if (folder / LOCK).stat().st_ino == os.fstat(lock).st_ino:
                return lock
        os.close(lock)
    raise _cannot(folder, missing)


def _seconds_of(lock: int) -> float:
    """What the work has taken in earlier runs, as far as they noted it."""
    noted = os.pread(lock, 15, 0)
    return int(noted) / 1000 if noted.isdigit() else 0.0


def _take_up(work: Unfinished, settings: dict[str, Any]) -> None:
    """Note the settings where there are no results yet; otherwise compare them with those that were noted."""
    mine = {"schema": SCHEMA, "version": __version__, "code": code()} | json.loads(json.dumps(settings))
    names = [place.name for place in work.folder.iterdir()]
    if not all(_OURS.fullmatch(name) for name in names) or (_results(work.folder) and SETTINGS not in names):
        raise InputError(work.folder, "", "holds files that maxent did not write", "give another --out")
    for place in work.folder.glob(".*"):  # of a process that was killed while it wrote
        place.unlink()
    if not _results(work.folder):
        work.write(SETTINGS, json.dumps(mine, indent=2).encode())
        return
    with work.reading(SETTINGS) as path:
        found = json.loads(path.read_text(encoding="utf-8"))
    difference = list(_differences(found, mine))
    if difference:
        raise InputError(work.folder, "", f"holds unfinished work of other settings ({'; '.join(difference)})", _ANEW)


def _differences(found: Any, mine: Any, name: str = "") -> Iterator[str]:
    """What differs, named, and with both values where they are short."""
    if isinstance(found, dict) and isinstance(mine, dict):
        for key in dict.fromkeys([*found, *mine]):
            yield from _differences(found.get(key), mine.get(key), f"{name} {key}".strip())
    elif found != mine:
        short = all(len(json.dumps(value)) < 30 for value in (found, mine))
        yield f"{name} {json.dumps(found)}, now {json.dumps(mine)}" if short else f"other {name}"


def _results(folder: Path) -> list[str]:
    """Files worth keeping."""
    names = [place.name for place in folder.iterdir()]
    return [name for name in names if not name.startswith(".") and name not in (SETTINGS, LOCK, HEADER)]


def _remove(folder: Path) -> None:
    """What was done first, the settings last: killed meanwhile, it is unfinished work with less done."""
    for name in [*_results(folder), HEADER, SETTINGS, LOCK]:
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _cannot(folder: Path, error: OSError) -> InputError:
    problem = f"cannot be written ({reason(error)})"
    cure = "free the place and run the same command again to go on, or give another --out"
    return InputError(folder, "", problem, cure)
