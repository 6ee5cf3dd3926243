"""maxent run: what it leaves, that single commands give the same bytes, and that it goes on from wherever it was."""

import contextlib
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from forks import contents
from report_files import island_of
from small import saved, small_model

from maxent_cli.api import chain, examining
from maxent_cli.commands import maxent
from maxent_cli.io.motif_files import CTCF_MOTIF
from maxent_cli.io.provenance import require_provenance

DRAWING = "--chains 4 --replicas 3 --draws 20 --thin 5 --warmup 240 --max-steps 100 --beta 20 --mu 0,1"
ASKED = f"--epochs 2 --batch 32 --diverse 3 {DRAWING} --known {CTCF_MOTIF} --threads 1"
STEPS = ("train", "predict", "doctor", "sample", "motifs", "gc-probe", "attribute", "report")
OUTPUTS = ("model", "anchors.fa", "draws.npz", "draws.npz.tsv", "motifs", "gc", "attributions")


def run(*words: str) -> Result:
    return CliRunner().invoke(maxent, ["run", *words])


def done(result: Result) -> dict[str, bool]:
    """Whether each step had been done before."""
    lines = [line.split("] ", 1)[1] for line in result.stderr.splitlines() if line.startswith("[")]
    said = [line for line in lines if line.endswith("done before") or line.startswith("maxent ")]
    return {line.removeprefix("maxent ").split()[0].rstrip(":"): line.endswith("done before") for line in said}


@pytest.fixture(scope="module", autouse=True)
def short_self_tests() -> Iterator[None]:
    """The doctor tests the sampler for a moment."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(examining, "TEST_SECONDS", 0.1)
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with placed records, and a run of them."""
    folder = tmp_path_factory.mktemp("run")
    with contextlib.chdir(folder):
        line = "simulate --count 200 --length 60 --plant CTCF:position=20,strand=+ -o plain.fa"
        assert CliRunner().invoke(maxent, line.split()).exit_code == 0
        records = Path("plain.fa").read_text().split(">")[1:]
        placed = [
            f">chr{1 + row % 9}:{100 * row}-{100 * row + 60}\n{each.split()[1]}\n" for row, each in enumerate(records)
        ]
        Path("peaks.fa").write_text("".join(placed))
        result = run("peaks.fa", *ASKED.split(), "--out", "results")
        assert result.exit_code == 0, result.output
        Path("said").write_text(result.stderr)
    return folder


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it, which is the current folder."""
    shutil.copytree(finished, tmp_path / "copy")
    with contextlib.chdir(tmp_path / "copy"):
        yield tmp_path / "copy"


def results(folder: Path) -> dict[str, object]:
    """The bytes of what does not say when it was made."""
    found = contents(folder / "results")
    return {name: held for name, held in found.items() if name.split("/")[0] in OUTPUTS}


def test_the_plan_comes_first_and_the_account_last(finished: Path) -> None:
    said = (finished / "said").read_text()
    plan, rest = said.split("[1/8]", 1)
    assert plan.startswith("plan for results (1 CPUs")
    assert all(f" {step} " in plan for step in STEPS)
    assert "about" in plan
    account = rest.split("[8/8] report:")[-1]
    assert "test AUROC" in account
    assert "of 3 anchors converged" in account
    assert "motifs asked about: none, for want" in account
    assert "results/report.html" in account


def test_the_page_has_all_parts(finished: Path) -> None:
    page = (finished / "results/report.html").read_text()
    assert all(f'<section id="{part}"' in page for part in ("network", "convergence", "anchors", "gc", "attribution"))


def test_the_single_commands_do_the_same(finished: Path, tmp_path: Path) -> None:
    """By the same words, of which the records beside the outputs tell too."""
    shutil.copy(finished / "peaks.fa", tmp_path)
    lines = [shlex.split(line) for line in (finished / "results/commands.sh").read_text().splitlines()[3:]]
    assert [words[1] for words in lines] == list(STEPS)
    with contextlib.chdir(tmp_path):
        for words in lines[:-1]:
            result = CliRunner().invoke(maxent, words[1:])
            assert result.exit_code == 0, result.output
        assert require_provenance("results/draws.npz")["inputs"]
    assert results(tmp_path) == results(finished)
    assert require_provenance(str(finished / "results/draws.npz"))["command"] == lines[3]


def test_what_is_done_is_not_done_again(copied: Path) -> None:
    before = contents(copied / "results")
    result = run("peaks.fa", *ASKED.split(), "--out", "results")
    assert result.exit_code == 0, result.output
    assert done(result) == dict.fromkeys(STEPS, True)
    after = contents(copied / "results")
    own = {f"{name}.provenance.json" for name in ("run.toml", "commands.sh", "igv.xml")}  # which tell of this run
    assert {name for name in after if after[name] != before.get(name)} == own
    assert after.keys() == before.keys()


def test_the_file_that_it_leaves_asks_for_the_same(copied: Path) -> None:
    settings = tomllib.loads((copied / "results/run.toml").read_text())
    assert settings["run"]["records"] == "peaks.fa"
    result = run("--config", "results/run.toml", "--out", "results")
    assert result.exit_code == 0, result.output
    assert all(done(result).values())


def lost(folder: Path, name: str) -> None:
    """As if it had never been made."""
    for place in (folder / "results" / name, folder / "results" / f"{name}.provenance.json"):
        shutil.rmtree(place) if place.is_dir() else place.unlink()


@pytest.mark.parametrize(
    ("name", "again"),
    [("motifs", "motifs"), ("anchors.fa", "predict"), ("draws.npz", "sample"), ("gc", "gc-probe")],
)
def test_what_is_no_longer_there_is_done_again_and_nothing_else(name: str, again: str, copied: Path) -> None:
    """Since what comes of it has the same bytes, what was made from those still holds."""
    before = results(copied)
    lost(copied, name)
    result = run("peaks.fa", *ASKED.split(), "--out", "results")
    assert result.exit_code == 0, result.output
    assert {step for step, whole in done(result).items() if not whole} == {again}
    assert results(copied) == before


def test_what_has_been_changed_is_not_taken_for_done(copied: Path) -> None:
    """An anchor that is another one: the step that chose it is done again, and so is nothing that came of the first."""
    place = copied / "results" / "anchors.fa"
    text = place.read_text()
    place.write_text(text.replace("A", "C", 1))
    result = run("peaks.fa", *ASKED.split(), "--out", "results")
    assert result.exit_code == 0, result.output
    assert {step for step, whole in done(result).items() if not whole} == {"predict"}
    assert place.read_text() == text


def test_other_options_are_done_anew_from_where_they_matter(copied: Path) -> None:  # noqa: ARG001
    result = run("peaks.fa", *ASKED.split(), "--motif-bits", "6", "--out", "results")
    assert result.exit_code == 0, result.output
    assert {step for step, before in done(result).items() if not before} == {
        "motifs"
    }  # the same bytes, so the page stays


def test_the_page_leads_to_the_genome_that_is_named(copied: Path) -> None:
    """As `report` does, by the option and by the file that is left; nothing but the page is made anew."""
    page = copied / "results/report.html"
    assert island_of(page.read_text())["assembly"] == ""
    for words in (["peaks.fa", *ASKED.split(), "--assembly", "hg38"], ["--config", "results/run.toml"]):
        result = run(*words, "--out", "results")
        assert result.exit_code == 0, result.output
        assert {step for step, before in done(result).items() if not before} <= {"report"}
        assert island_of(page.read_text())["assembly"] == "hg38"
        assert tomllib.loads((copied / "results/run.toml").read_text())["report"] == {"assembly": "hg38"}
    assert "--assembly hg38" in (copied / "results/commands.sh").read_text().splitlines()[-1]
    result = run("peaks.fa", *ASKED.split(), "--assembly", "hg 38", "--out", "other")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "hg 38: is no name of an assembly" in result.stderr
    assert not Path("other").exists()


class KilledError(BaseException):
    """As if the process were gone."""


@pytest.mark.parametrize("step", ["predict", "motifs", "report"])
def test_a_run_that_was_killed_goes_on(step: str, copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, name = results(copied), {"predict": "anchors.fa", "motifs": "motifs", "report": "report.html"}[step]
    lost(copied, name)

    def killed(*_: object, **__: object) -> None:
        raise KilledError

    words = ["run", "peaks.fa", *ASKED.split(), "--out", "results"]
    with monkeypatch.context() as patched:
        patched.setattr(chain, step, killed)
        with pytest.raises(KilledError):
            CliRunner().invoke(maxent, words, catch_exceptions=False)
    assert not (copied / "results" / name).exists()
    result = run("peaks.fa", *ASKED.split(), "--out", "results")
    assert result.exit_code == 0, result.output
    assert {each for each, whole in done(result).items() if not whole} == {step}
    assert results(copied) == before


def test_a_network_and_records_to_choose_from(tmp_path: Path) -> None:
    saved(tmp_path / "model", small_model(8))
    (tmp_path / "records.fa").write_text(
        "".join(f">r{row}\n{word}\n" for row, word in enumerate(["GATCATTG", "TTACATTG"]))
    )
    with contextlib.chdir(tmp_path):
        result = run("records.fa", "--model", "model", *DRAWING.split(), "--threads", "1", "--out", "results")
        assert result.exit_code == 0, result.output
        assert "model" in tomllib.loads(Path("results/run.toml").read_text())["network"]
        assert (Path("results/anchors.fa").read_text().count(">")) == 2
        again = run("--config", "results/run.toml", "--out", "results")
        assert again.exit_code == 0, again.output
        assert all(done(again).values())


@pytest.mark.parametrize(
    ("words", "code", "said", "unsaid"),
    [
        ("--out results", 2, "RECORDS", ""),
        ("peaks.bed --out results", 1, "--genome", "--length"),
        ("peaks.fa --model model --length 8 --out results", 2, "--length is of training", "--genome"),
    ],
)
def test_what_is_missing_is_named(words: str, code: int, said: str, unsaid: str, tmp_path: Path) -> None:
    saved(tmp_path / "model", small_model(8))
    (tmp_path / "peaks.bed").write_text("chr1\t100\t200\n")
    (tmp_path / "peaks.fa").write_text(">a\nGATCATTG\n")
    with contextlib.chdir(tmp_path):
        result = run(*words.split())
    assert result.exit_code == code
    last = result.stderr.splitlines()[-1]
    assert said in last
    assert not unsaid or unsaid not in last


def test_what_a_step_would_refuse_is_refused_first(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished)
    result = run("peaks.fa", *ASKED.replace("--beta 20", "--law output --to 1").split(), "--out", "aimed")
    assert result.exit_code == 2, result.output
    assert "to: is of no use to the probe of a run" in result.stderr
    assert not Path("aimed").exists()


@pytest.mark.parametrize("name", ["run.toml", "commands.sh", "igv.xml"])
def test_a_users_own_file_in_the_folder_stays(name: str, finished: Path, tmp_path: Path) -> None:
    mine = tmp_path / "results" / name
    mine.parent.mkdir()
    mine.write_text("mine")
    with contextlib.chdir(finished):
        result = run("peaks.fa", *ASKED.split(), "--out", str(mine.parent))
    assert result.exit_code == 1, result.output
    assert f"{mine}: is there, and maxent did not write it" in result.stderr
    assert mine.read_text() == "mine"


def test_a_strangers_model_in_the_folder_is_not_opened(finished: Path, tmp_path: Path) -> None:
    """Neither is its code run, nor do its faults end the plan."""
    (tmp_path / "results/model").mkdir(parents=True)
    (tmp_path / "results/model/model.json").write_text("{}")
    with contextlib.chdir(finished):
        result = run("peaks.fa", *ASKED.split(), "--out", str(tmp_path / "results"))
    assert result.exit_code == 1
    assert "in all about" in result.stderr  # the plan
    assert re.search(r"results/model.*maxent did not write", result.stderr)


def test_what_is_left_has_records(finished: Path) -> None:
    for name in ("run.toml", "commands.sh", "igv.xml"):
        assert require_provenance(str(finished / "results" / name))["command"]
