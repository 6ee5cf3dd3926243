"""The draws file: it comes back as it went, plain NumPy reads it, and what is no draws file is said to be none."""

import io
import json
import re
import zipfile
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from analysis.sample_sets import independent_draws, sample_set
from hostile_files import HOSTILE_NAMES, check_reader
from numpy.typing import NDArray

from maxent_cli.alphabet import decode
from maxent_cli.data import Interval, SampleSet
from maxent_cli.errors import InputError
from maxent_cli.io.samples import VERSION, members_of, open_draws, writing_draws
from maxent_cli.laws import LAWS

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
CHAINS, DRAWS, LENGTH, REPLICAS, WATCHED = 3, 4, 6, 2, 2


def example(seed: int = 1, **given: object) -> SampleSet:
    rng = np.random.default_rng(seed)
    plain = sample_set(independent_draws(rng, np.full((LENGTH, 4), 0.25), CHAINS, DRAWS))
    replicas = replace(
        plain.replicas,
        betas=np.array([0.0, 10.0]),
        energy=rng.normal(size=(CHAINS, WATCHED, REPLICAS)),
        output=rng.normal(size=(CHAINS, WATCHED, REPLICAS)),
        letters=rng.integers(0, 5, (CHAINS, REPLICAS, LENGTH, 4)).astype(np.uint32),
        search=rng.normal(size=(5, 2 * REPLICAS)),
    )
    return replace(plain, **({"name": f"a{seed}", "replicas": replicas} | given))


def write(path: Path, sets: Iterable[SampleSet], header: dict | None = None) -> str:
    with writing_draws(str(path), header or {"seed": 1}) as writer:
        for samples in sets:
            writer.add(samples)
    return str(path)


def read(path: str) -> list[SampleSet]:
    with open_draws(path) as draws:
        return list(draws)


def assert_same(first: object, second: object) -> None:
    for field in fields(first):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if field.name == "replicas":
            assert_same(one, other)
        elif isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, field.name)
            assert one.dtype == other.dtype, field.name
        else:
            assert one == other, field.name


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    shares = np.full((3, LENGTH, 4), 0.25, np.float32)
    sets = [example(1), example(2, interval=Interval("chr2", 10, 16, "-"), beta=0.0, drift=1e-5, conditionals=shares)]
    path = write(tmp_path / "draws.npz", sets, {"seed": 7, "law": {"tether": None}})
    with open_draws(path) as draws:
        assert len(draws) == 2
        assert draws.version == VERSION
        assert draws.header == {"anchors": 2, "seed": 7, "law": {"tether": None}}
        for before, after in zip(sets, draws, strict=True):
            assert_same(before, after)
        assert draws[1].name == "a2"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_may_be_anything(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "draws.npz", [example(name=name)])
    assert read(path)[0].name == name
    assert [entry.name for entry in tmp_path.iterdir()] == ["draws.npz"]


def test_plain_numpy_reads_it_without_pickle(tmp_path: Path) -> None:
    samples = example()
    with np.load(write(tmp_path / "draws.npz", [samples]), allow_pickle=False) as members:
        assert json.loads(str(members["header"]))["anchors"] == 1
        assert json.loads(str(members["record_000000"]))["beta"] == 10
        np.testing.assert_array_equal(members["codes_000000"], samples.codes)
        assert members["codes_000000"].dtype == np.uint8
        np.testing.assert_array_equal(members["replica_energy_000000"], samples.replicas.energy)


def test_the_same_draws_give_the_same_bytes(tmp_path: Path) -> None:
    first = write(tmp_path / "first.npz", [example(1), example(2)])
    # arrays that lie otherwise in memory are written alike
    turned = replace(example(2), codes=np.asfortranarray(example(2).codes))
    second = write(tmp_path / "second.npz", [example(1), turned])
    assert Path(first).read_bytes() == Path(second).read_bytes()
    assert {entry.date_time for entry in zipfile.ZipFile(first).infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_file_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    def interrupted() -> Iterable[SampleSet]:
        yield example()
        raise RuntimeError("the machine stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write(tmp_path / "draws.npz", interrupted())
    assert list(tmp_path.iterdir()) == []


def test_no_anchors_are_a_file_all_the_same(tmp_path: Path) -> None:
    assert read(write(tmp_path / "draws.npz", [])) == []


@pytest.mark.parametrize(
    "members",
    [
        {"header": np.array(json.dumps({"schema": 99, "anchors": 0}))},
        {"header": np.array(json.dumps({"anchors": 0})), "version": np.array(99)},
    ],
    ids=["in the header", "a member"],
)
def test_a_newer_version_is_refused_by_name(tmp_path: Path, members: dict[str, NDArray[np.generic]]) -> None:
    path = tmp_path / "draws.npz"
    np.savez(path, **members)
    said = f"version: is of version 99 of the draws format, and this maxent reads up to {VERSION}; read it with a newer"
    with pytest.raises(InputError, match=said):
        read(str(path))


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_a_file_of_every_version_is_read(version: int) -> None:
    """Each was written by the code of its time, around one anchor; the sampler is the same, and so are the draws."""
    path = DATA / f"draws.v{version}.npz"
    assert path.stat().st_size < 8000
    with open_draws(str(path)) as draws:
        assert draws.version == version
        assert draws.held == "the anchor's representation, weighted by the output layer for bound - unbound"
        assert draws.header["run"]["draws"] == 4
        (samples,) = draws
    assert samples.interval == Interval("chr1", 100, 108)
    assert decode(samples.anchor) == "GATCATTG"
    assert samples.codes.shape == (4, 4, 8)
    assert (samples.beta, samples.beta_error, samples.keep) == (5.0, 0.0, None)
    assert samples.conditionals is not None
    assert np.isfinite(samples.energy).all()


def test_the_page_of_the_format_names_every_version_and_member() -> None:
    page = (ROOT / "docs" / "draws-format.md").read_text(encoding="utf-8")
    assert [int(found) for found in re.findall(r"^## Version (\d+)$", page, re.MULTILINE)] == [*range(VERSION, 0, -1)]
    with members_of(str(DATA / f"draws.v{VERSION}.npz"), noting=False) as members:
        named = {name.replace("000000", "NNNNNN") for name in members.files}
        record = json.loads(str(members["record_000000"]))
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == named
    assert all(f"`{name}`" in page for name in record)


@pytest.mark.parametrize(
    ("law", "outputs", "said"),
    [
        ({"contrast": [1, 0]}, [[[1, 1.0], [0, -1.0]]], "on - off"),  # before outputs had weights
        ({"contrast": [0]}, [[[0, 1.0]]], "off"),
        ({"outputs": [[[0, 1.0]], [[1, 0.5]]]}, [[[0, 1.0]], [[1, 0.5]]], "off, 0.5 on"),
    ],
)
def test_what_draws_hold_is_said_of_older_files_too(tmp_path: Path, law: dict, outputs: list, said: str) -> None:
    header = {"law": {"held": "anchor", **law}, "outputs": ["off", "on"]}
    with open_draws(write(tmp_path / "draws.npz", [example(1)], header)) as draws:
        assert [[list(pair) for pair in one] for one in draws.header["law"]["outputs"]] == outputs
        assert draws.held == LAWS["anchor"].holding(said)


def test_what_is_held_meanwhile_is_said_too(tmp_path: Path) -> None:
    law = {"held": "output", "outputs": [[[1, 1.0]]], "hold": [[[0, 1.0]]], "hold_beta": 20.0}
    with open_draws(write(tmp_path / "draws.npz", [example(1)], {"law": law, "outputs": ["off", "on"]})) as draws:
        assert draws.held == f"{LAWS['output'].holding('on')}; off held meanwhile as in the anchor, at beta 20"


@pytest.mark.parametrize("law", [{"held": "unheard-of"}, {"held": 7}])
def test_draws_of_a_law_that_is_not_known_are_refused_by_its_name(tmp_path: Path, law: dict) -> None:
    said, path = f"header: holds draws from a law that is not known here .{law['held']}", tmp_path / "draws.npz"
    with open_draws(write(path, [example(1)], {"law": law})) as draws, pytest.raises(InputError, match=said):
        _ = draws.law


@pytest.mark.parametrize("outputs", [[[[9, 1.0]]], [[["x", 1.0]]], 3, [[[1]]]])
def test_outputs_that_there_are_not_are_a_damaged_file(tmp_path: Path, outputs: object) -> None:
    header = {"law": {"held": "anchor", "outputs": outputs}, "outputs": ["off", "on"]}
    said, path = "is not a whole draws file", write(tmp_path / "draws.npz", [example(1)], header)
    with open_draws(path) as draws, pytest.raises(InputError, match=said):
        _ = draws.held


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a whole draws file"),
        (b"hello", "not a whole draws file"),
        (b"PK\x03\x04 and no more", "not a whole draws file"),
    ],
)
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "draws.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read(str(path))


def test_archives_and_arrays_of_others_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "pickled.npz", header=np.array({"schema": 1}, object))
    for name in ("other.npz", "array.npy", "pickled.npz"):
        with pytest.raises(InputError, match=f"{name}: is not a whole draws file"):
            read(str(tmp_path / name))


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.npz: no such file"):
        read(str(tmp_path / "missing.npz"))
    with pytest.raises(InputError, match="is a directory"):
        read(str(tmp_path))


def test_a_missing_array_is_a_broken_file(tmp_path: Path) -> None:
    whole = zipfile.ZipFile(write(tmp_path / "draws.npz", [example()]))
    for left_out in ("codes_000000.npy", "replica_betas_000000.npy", "record_000000.npy"):
        path = tmp_path / "part.npz"
        with zipfile.ZipFile(path, "w") as part:
            for name in whole.namelist():
                if name != left_out:
                    part.writestr(name, whole.read(name))
        with pytest.raises(InputError, match="not a whole draws file"):
            read(str(path))


def test_damaged_files_never_give_a_traceback(tmp_path: Path) -> None:
    good = Path(write(tmp_path / "good.npz", [example()])).read_bytes()
    check_reader(read, good, tmp_path, examples=150)


def test_writing_to_a_pipe_needs_no_seeking(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        """Standard output that can only be written."""

        def __init__(self) -> None:
            self.content = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:
            self.content += bytes(data)
            return len(data)

    pipe = Pipe()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BufferedWriter(pipe)))
    with writing_draws("-", {"seed": 1}) as writer:
        writer.add(example())
    path = tmp_path / "piped.npz"
    path.write_bytes(bytes(pipe.content))
    assert_same(read(str(path))[0], example())


def odd_draws(path: Path, *changes: dict[str, object]) -> str:
    rng = np.random.default_rng(1)
    good = sample_set(independent_draws(rng, np.full((6, 4), 0.25), 2, 5))
    with writing_draws(str(path), {"seed": 1}) as writer:
        for change in changes:
            writer.add(replace(good, **change))
    return str(path)


CODES = np.zeros((2, 5, 6), np.uint8)
ODD = {
    "has no position that may change": {"mutable": np.zeros(6, np.bool_)},
    "has other letters than A, C, G and T where they were drawn": {"codes": CODES + 4},
    "has background frequencies that are not above 0": {"background": np.zeros((6, 4))},
    "has one chain, and two are the least": {"codes": CODES[:1], "energy": np.ones((1, 5)), "output": np.ones((1, 5))},
    "UnicodeEncodeError": {"name": "half\ud800"},
}


@pytest.mark.parametrize("words", ODD)
def test_draws_that_no_run_can_give(words: str, tmp_path: Path) -> None:
    change = ODD[words]
    if "codes" in change and len(change["codes"]) == 1:
        replicas = sample_set(CODES[:1]).replicas
        change = change | {"replicas": replicas}
    path = odd_draws(tmp_path / "odd.npz", change)
    with open_draws(path) as draws, pytest.raises(InputError, match=rf"odd\.npz: .*{words}"):
        list(draws)


def test_anchors_of_two_lengths(tmp_path: Path) -> None:
    path = tmp_path / "odd.npz"
    with writing_draws(str(path), {"seed": 1}) as writer:
        for length in (6, 7):
            rng = np.random.default_rng(1)
            writer.add(sample_set(independent_draws(rng, np.full((length, 4), 0.25), 2, 5)))
    with open_draws(str(path)) as draws, pytest.raises(InputError, match="has 7 letters, and others 6"):
        list(draws)


def test_unknown_letters_may_stand_where_nothing_is_drawn(tmp_path: Path) -> None:
    codes, mutable = CODES.copy(), np.ones(6, np.bool_)
    codes[..., 2], mutable[2] = 4, False
    path = odd_draws(tmp_path / "n.npz", {"codes": codes, "mutable": mutable})
    with open_draws(path) as draws:
        assert (draws[0].codes[..., 2] == 4).all()
