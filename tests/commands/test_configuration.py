"""--config: options from a file, which go behind those on the command line, and what is wrong with it in one line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from small import saved, small_model

from maxent_cli.commands import maxent
from maxent_cli.io.samples import open_draws

RUN = "[sampling]\nchains = 4\nreplicas = 3\ndraws = 10\nthin = 5\nwarmup = 240\nmax-steps = 50\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model and an anchor in the current folder."""
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "model", small_model(8))
    (tmp_path / "anchors.fa").write_text(">one\nGATCATTG\n")
    return tmp_path


def sample(text: str, *more: str) -> Result:
    Path("run.toml").write_text(text)
    return CliRunner().invoke(maxent, ["sample", "anchors.fa", "--config", "run.toml", "--out", "draws.npz", *more])


def settings() -> dict[str, object]:
    found: dict[str, object] = json.loads(Path("draws.npz.provenance.json").read_text())["part"]["run"]["settings"]
    return found


def test_a_file_says_what_options_would(folder: Path) -> None:
    text = f"[network]\nmodel = 'model'\n[law]\nbeta = 20\nbackground = [0.1, 0.2, 0.3, 0.4]\n{RUN}"
    result = sample(text)
    assert result.exit_code == 0, result.output
    with open_draws("draws.npz") as draws:
        assert draws[0].codes.shape == (4, 10, 8)
        assert draws.header["law"]["background"] == [0.1, 0.2, 0.3, 0.4]
    assert (settings()["law.beta"], settings()["sampling.replicas"]) == (20, 3)
    record = json.loads((folder / "draws.npz.provenance.json").read_text())
    assert record["config"]["text"] == text


def test_a_command_has_its_own_section_and_the_command_line_goes_before(folder: Path) -> None:  # noqa: ARG001
    text = f"[network]\nmodel = 'model'\n[law]\nbeta = 20\n[sample]\nbeta = 5\nseed = 3\n[motifs]\ngap = 2\n{RUN}"
    result = sample(text, "--seed", "4")
    assert result.exit_code == 0, result.output
    assert (settings()["law.beta"], settings()["sampling.seed"]) == (5, 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[law\n", "run.toml: is not TOML"),
        ("seed = 1\n", "run.toml: seed: stands in no section"),
        ("[lwa]\nkeep = 0.5\n", "run.toml: [lwa]: is no section"),
        ("[law]\nkep = 0.5\n", "run.toml: [law]: kep is no option there"),
        ("[law]\nkeep = 2\n", "run.toml: [law] keep: 2"),
        ("[law]\nkeep = 'much'\n", "run.toml: [law] keep: 'much'"),
        ("[law]\nkeep = {}\n", "run.toml: [law] keep: {} is no value of it"),
        ("[law]\nkeep = true\n", "run.toml: [law] keep: is no flag"),
        ("[motifs]\nknown = 'nowhere.meme'\n", "nowhere.meme: no such file"),
    ],
)
def test_what_is_wrong_is_one_line(folder: Path, text: str, said: str) -> None:
    result = sample(text)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"maxent: {said}")
    assert len(result.stderr.splitlines()) == 1
    assert not (folder / "draws.npz").exists()


def test_a_file_that_is_not_there(folder: Path) -> None:  # noqa: ARG001
    result = CliRunner().invoke(maxent, ["sample", "anchors.fa", "--config", "nowhere.toml", "--help"])
    assert result.exit_code == 1
    assert result.stderr.startswith("maxent: nowhere.toml: no such file")


def test_sections_of_the_workflow_are_its_own(folder: Path) -> None:  # noqa: ARG001
    result = sample(f"[workflow]\nout = 'results'\n[network]\nmodel = 'model'\n[law]\nbeta = 5\n{RUN}")
    assert result.exit_code == 0, result.output
