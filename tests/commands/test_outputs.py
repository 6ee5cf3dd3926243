"""Every output of every command: a stranger, an input or a link in its place, and a kill at every step to it."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from forked import forked
from test_faults import LINES, PLACES, kinds, make_site, place_of
from thinned import thinned

from maxent_cli.commands import maxent
from maxent_cli.io import outputs
from maxent_cli.io.provenance import beside, require_provenance

# one line of each command that writes
WRITING = list(
    {line.split()[0] + str("{folder}" in line): line for line in LINES if set(kinds(line)) & set(PLACES)}.values()
)
OUTPUTS = [(line, kind) for line in WRITING for kind in kinds(line) if kind in PLACES]
FOLDERS = [line for line in WRITING if "{folder}" in line]
INPUTS = [(line, kind, read) for line, kind in OUTPUTS for read in kinds(line) if read not in PLACES]


Starts = Callable[[str], None]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one name for all tests, and beside it what it holds at first and after each line."""
    folder = tmp_path_factory.mktemp("outputs") / "work"
    folder.mkdir()
    make_site(folder)
    for kind in PLACES:
        (folder / "out" / kind).mkdir(parents=True)
    folder.rename(folder.with_name("first"))
    return folder


@pytest.fixture
def here(site: Path) -> Iterator[Path]:
    """The site at first, which a test may break."""
    shutil.copytree(site.with_name("first"), site, symlinks=True)
    yield site
    shutil.rmtree(site)


@pytest.fixture
def after(here: Path) -> Starts:
    """The site after a line has run there: it runs once for all tests."""

    def start(line: str) -> None:
        kept = here.with_name(f"after {WRITING.index(line)}")
        if not kept.exists():
            assert run(line, here).exit_code == 0
            shutil.copytree(here, kept, symlinks=True)
        shutil.rmtree(here)
        shutil.copytree(kept, here, symlinks=True)

    return start


def run(line: str, site_copy: Path, **places: Path) -> Result:
    """A line, with some of what it names elsewhere."""
    named = {kind: str(places.get(kind, place_of(kind, site_copy))) for kind in kinds(line)}
    return CliRunner().invoke(maxent, [word.format(**named) for word in line.split()])


def contents(folder: Path) -> dict[str, object]:
    """Every file and link in a folder, with what it holds."""
    return {
        place.relative_to(folder).as_posix(): place.readlink() if place.is_symlink() else place.read_bytes()
        for place in sorted(folder.rglob("*"))
        if place.is_symlink() or place.is_file()
    }


def made(line: str, folder: Path) -> dict[str, bytes]:
    """The bytes of a line's outputs, without their records."""
    places = [place_of(kind, folder) for kind in kinds(line) if kind in PLACES]
    files = [file for place in places for file in (sorted(place.rglob("*")) if place.is_dir() else [place])]
    return {str(file): file.read_bytes() for file in files if file.is_file()}


def check_refused(result: Result, *words: str) -> None:
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 1, result.output
    last = result.stderr.splitlines()[-1]
    assert last.startswith("maxent: ")
    assert all(word in last for word in words), last


def check_good(line: str, folder: Path) -> None:
    """Outputs are whole, their records are of them, and nothing else lies around."""
    for kind in kinds(line):
        if kind in PLACES:
            require_provenance(str(place_of(kind, folder)))
    litter = [place for place in (folder / "out").rglob("*") if place.name.startswith(".") or ".partial" in place.name]
    assert litter == []


@pytest.mark.parametrize("how", thinned(["itself", "another way", "a link", "a hard link"], 2))
@pytest.mark.parametrize(("line", "kind", "read"), INPUTS, ids=lambda part: part.split()[0])
def test_an_input_is_not_written_over(line: str, kind: str, read: str, how: str, here: Path) -> None:
    given, place = place_of(read, here), here / "link"
    if how == "itself":
        place = given
    elif how == "another way":
        place = given.parent / "out" / ".." / given.name
    elif how == "a link":
        place.symlink_to(given)
    elif given.is_dir():
        pytest.skip("a folder has no hard link")
    else:
        place.hardlink_to(given)
    before = contents(here)
    result = run(line, here, **{kind: place})
    check_refused(result, str(place))
    assert "the input" in result.stderr or kind == "folder"
    assert contents(here) == before


@pytest.mark.parametrize(("line", "kind", "read"), INPUTS, ids=lambda part: part.split()[0])
def test_no_output_lies_in_an_input_or_around_it(line: str, kind: str, read: str, here: Path) -> None:
    given = place_of(read, here)
    before = contents(here)
    if given.is_dir():
        result = run(line, here, **{kind: given / "more"})
        check_refused(result, str(given / "more"), f"lies in the input {given}")
        (file,) = [place for place in sorted(given.iterdir()) if place.is_file()][:1]
        (here / "link").symlink_to(file)
        check_refused(run(line, here, **{kind: here / "link"}), str(here / "link"))
        (here / "link").unlink()
    if kind == "folder":
        around = here / "around"
        around.mkdir()
        given.rename(around / given.name)
        inputs = {read: around / given.name}
        held = contents(around)
        check_refused(run(line, here, **inputs, folder=around), str(around), "holds the input")
        assert contents(around) == held
        (around / given.name).rename(given)
    assert contents(here) == before


@pytest.mark.parametrize(("line", "kind"), OUTPUTS, ids=lambda part: part.split()[0])
def test_two_outputs_have_two_places(line: str, kind: str, here: Path) -> None:
    others = [other for other in kinds(line) if other in PLACES and other != kind]
    before = contents(here)
    for other in others:
        same = place_of(other, here).parent / "." / ".." / other / other
        check_refused(run(line, here, **{kind: same}), "is the place of two outputs")
        record = Path(beside(str(place_of(other, here))))
        check_refused(run(line, here, **{kind: record}), "is the place of two outputs")
    assert contents(here) == before


@pytest.mark.parametrize("line", FOLDERS, ids=lambda line: line.split()[0])
@pytest.mark.parametrize(
    "stranger", thinned(["a file", "deep", "hidden", "changed", "a link", "no record", "a broken record"], 3)
)
def test_a_stranger_in_a_folder_stays(stranger: str, line: str, here: Path, after: Starts) -> None:
    after(line)
    out = place_of("folder", here)
    ours = next(place for place in sorted(out.rglob("*")) if place.is_file())
    named = {"a file": "notes.txt", "deep": "mine/notes.txt", "hidden": ".notes", "a link": "link"}.get(stranger)
    if stranger == "changed":
        ours.write_bytes(ours.read_bytes() + b"my own words")
    elif stranger == "a link":
        (out / "link").symlink_to(here / "site")
    elif named:
        (out / named).parent.mkdir(exist_ok=True)
        (out / named).write_text("mine")
    else:
        record = Path(beside(str(out)))
        record.unlink() if stranger == "no record" else record.write_text("{")
    before = contents(here)
    check_refused(run(line, here), str(out), named or ours.relative_to(out).as_posix(), "maxent")
    assert contents(here) == before


@pytest.mark.parametrize("line", FOLDERS, ids=lambda line: line.split()[0])
def test_what_maxent_wrote_is_replaced(line: str, here: Path, after: Starts) -> None:
    after(line)
    before = made(line, here)
    (place_of("folder", here) / ".DS_Store").write_text("nobody's")
    assert run(line, here).exit_code == 0
    assert made(line, here) == before
    check_good(line, here)


@pytest.mark.parametrize("ending", thinned([".provenance.json", ".rejected.tsv", ".tsv"], 2))
@pytest.mark.parametrize("line", WRITING, ids=lambda line: line.split()[0])
def test_what_lies_beside_an_output_and_is_the_users_stays(ending: str, line: str, here: Path) -> None:
    kind = next(kind for kind in kinds(line) if kind in PLACES)
    mine = Path(f"{place_of(kind, here)}{ending}")
    mine.write_text("my own\ttable\n")
    before = contents(here)
    result = run(line, here)
    if result.exit_code == 0:  # nothing of that name is written
        assert ending != ".provenance.json"
        assert mine.read_text() == "my own\ttable\n"
    else:
        check_refused(result, str(mine))
        assert contents(here) == before


@pytest.mark.parametrize(("line", "kind"), thinned(OUTPUTS, 2), ids=lambda part: part.split()[0])
def test_a_link_stays_one(line: str, kind: str, here: Path) -> None:
    place, there = place_of(kind, here), here / "elsewhere" / "there"
    place.symlink_to(there)
    there.parent.mkdir()
    for _ in range(2):
        assert run(line, here).exit_code == 0
        assert place.readlink() == there
        assert there.is_dir() == (kind == "folder")
        check_good(line, here)
        assert [entry.name for entry in there.parent.iterdir()] == ["there"]


@pytest.mark.parametrize(("line", "kind"), OUTPUTS, ids=lambda part: part.split()[0])
def test_a_place_that_cannot_be_is_said_before_work_begins(line: str, kind: str, here: Path) -> None:
    before = contents(here)
    round_and_round = here / "circle"
    round_and_round.symlink_to(round_and_round)
    places = [Path("/proc/nothing/of/this"), here / ("n" * 300), round_and_round]
    for place in places:
        result = run(line, here, **{kind: place})
        check_refused(result, str(place)[:100])
        assert all(word not in result.stderr for word in ("kept", "split", "epoch", "drawing", "simulate", "merging"))
    if kind != "folder":
        named = {k: str(place_of(k, here)) + "/" * (k == kind) for k in kinds(line)}
        result = CliRunner().invoke(maxent, [word.format(**named) for word in line.split()])
        check_refused(result, named[kind], "is the name of a folder")
    round_and_round.unlink()
    assert contents(here) == before


class KilledError(BaseException):
    """The process is no more."""


@pytest.fixture
def killed_at() -> Iterator[list[int]]:
    """What runs ends at the n-th time that something moves, counted down; then nothing is tidied up."""
    left, patched = [10**9], pytest.MonkeyPatch()
    move, rename, remove = Path.replace, Path.rename, shutil.rmtree

    def moving(own: Callable[..., Path]) -> Callable[..., Path]:
        def moved(self: Path, target: Path | str) -> Path:
            if any(part in str(self) for part in (".partial", ".tmp/", ".fai.")):
                return own(self, target)
            left[0] -= 1
            if left[0] < 0:
                raise KilledError("killed")
            return own(self, target)

        return moved

    patched.setattr(Path, "replace", moving(move))
    patched.setattr(Path, "rename", moving(rename))
    patched.setattr(outputs, "_remove", lambda place: None if left[0] < 0 else real(place))
    patched.setattr(outputs.shutil, "rmtree", lambda *a, **k: None if left[0] < 0 else remove(*a, **k))
    yield left
    patched.undo()


real = outputs._remove
MOST_STEPS = 5  # things that move: some lines have several outputs


@pytest.mark.parametrize("first", thinned(["an older one", "nothing there"], 2))
@pytest.mark.parametrize("line", thinned(WRITING, 4), ids=lambda line: line.split()[0])
def test_a_kill_at_any_step(line: str, first: str, here: Path, after: Starts, killed_at: list[int]) -> None:
    older = first != "nothing there"
    for step in range(MOST_STEPS):
        if older:
            after(line)
        before = made(line, here)
        killed_at[0] = step
        with contextlib.suppress(KilledError):
            assert run(line, here).exit_code == 0
        ended, killed_at[0] = killed_at[0] >= 0, 10**9
        if ended:  # it takes no more steps
            assert step > 0
            return
        places = [str(place_of(kind, here)) for kind in kinds(line) if kind in PLACES]
        folders = [place for place in places if place.endswith("/folder")]
        outputs.planned([], [place for place in places if place not in folders], folders)
        for place in filter(os.path.exists, places):  # an older one or the new one, and not neither
            require_provenance(place) if place in folders or older else None
        assert not older or set(made(line, here)) == set(before)
        assert run(line, here).exit_code == 0
        check_good(line, here)
        assert not older or made(line, here) == before
        if not older:
            for kind in PLACES:
                shutil.rmtree(here / "out" / kind)
                (here / "out" / kind).mkdir()


@pytest.mark.parametrize("name", ["motifs", "dependence"])
def test_a_killed_process_leaves_what_the_next_one_removes(name: str, here: Path) -> None:
    line = next(line for line in WRITING if line.startswith(name))
    out = place_of("folder", here)
    hold = "import maxent_cli.io.outputs as o, os; o._Batch.record = lambda self: os.kill(os.getpid(), 9)"
    words = [word.format(**{kind: str(place_of(kind, here)) for kind in kinds(line)}) for word in line.split()]
    code = f"{hold}; from maxent_cli.commands import maxent; maxent()"
    assert subprocess.run([*forked(), code, *words], capture_output=True).returncode == -9
    assert len(list(out.parent.glob(".folder.*.tmp"))) == 1
    assert run(line, here).exit_code == 0
    check_good(line, here)


def test_what_a_living_process_writes_is_left_alone(here: Path) -> None:
    out = place_of("folder", here)
    line = next(line for line in WRITING if line.startswith("dependence"))
    temporary = out.parent / ".folder.1.tmp"
    temporary.mkdir()
    with outputs._held(temporary):
        assert run(line, here).exit_code == 0
        assert temporary.exists()
    assert run(line, here).exit_code == 0
    assert not temporary.exists()


@pytest.mark.parametrize(("line", "kind"), thinned(OUTPUTS, 2), ids=lambda part: part.split()[0])
def test_another_process_that_begins_takes_nothing_away(
    line: str, kind: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It begins while the digests of what has been written are taken, and before that moves into place."""
    out, plan, move = str(place_of(kind, here)), outputs.planned, outputs._Batch.move

    def moving(batch: outputs._Batch) -> None:
        plan([], [] if kind == "folder" else [out], [out] if kind == "folder" else [])
        move(batch)

    monkeypatch.setattr(outputs._Batch, "move", moving)
    result = run(line, here)
    assert result.exit_code == 0, result.output
    check_good(line, here)


def test_a_working_folder_that_has_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); from maxent_cli.commands import maxent; maxent()"
    )
    words = [sys.executable, "-c", code, "predict", "a.fa", "--model", "model", "-o", "out"]
    found = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert found.returncode == 1
    assert found.stderr == "maxent: the working folder: is gone; go to one that is there, and run the command again\n"
