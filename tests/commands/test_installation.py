"""Where a stranger installs it: nothing there may be written, there is no home, the system is another."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from small import saved, small_model

import maxent_cli
from maxent_cli.alphabet import decode
from maxent_cli.commands import maxent

# as root is no master over permissions: what may not be written may not be by root either
_BOUND = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
_MAXENT = "from maxent_cli.__main__ import main; main()"
_ELSEWHERE = f"""
import os, sys
import h5py, numba, pandas, scipy.stats, torch
del os.sched_getaffinity
sys.platform = "darwin"
{_MAXENT}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    saved(tmp_path / "model", small_model(12))
    (tmp_path / "anchors.fa").write_text(">a\nGATCATTGACGT\n>b\nCCGTATTACCAA\n")
    rows = np.random.default_rng(1).integers(0, 4, (60, 40), np.uint8)
    (tmp_path / "many.fa").write_text("".join(f">r{n}\n{decode(row)}\n" for n, row in enumerate(rows)))
    return tmp_path


def run(folder: Path, line: str, program: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "MPLCONFIGDIR")}
    words = [*program, *line.split()]
    return subprocess.run(words, cwd=folder, env=kept | variables, capture_output=True, text=True, check=False)


@pytest.mark.skipif(bool(_BOUND) and not shutil.which("setpriv"), reason="root may write everywhere, and no setpriv")
@pytest.mark.parametrize(
    "line",
    [
        "attribute anchors.fa --model model --method saliency --logos svg --threads 1 --out out",
        pytest.param(  # compiles for some seconds
            "train --positives many.fa --architecture finnegan2017 --epochs 1 --threads 1 --out out",
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda line: line.split()[0],
)
def test_a_read_only_installation_without_a_home(line: str, folder: Path) -> None:
    installed, home = folder / "installed", folder / "home"
    source = Path(maxent_cli.__file__).parent
    shutil.copytree(source, installed / "maxent_cli", ignore=shutil.ignore_patterns("__pycache__"))
    home.mkdir()
    places = [home, installed, *installed.rglob("*")]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    found = run(folder, line, [*_BOUND, sys.executable, "-c", _MAXENT], PYTHONPATH=str(installed), HOME=str(home))
    for place in (place for place in places if place.is_dir()):
        place.chmod(0o755)
    assert found.returncode == 0, found.stderr
    package = installed / "maxent_cli" / "engine"
    assert f"NOTE: {package} and ~/.cache cannot be written, so code is compiled anew; NUMBA" in found.stderr
    assert {home, installed, *home.rglob("*"), *installed.rglob("*")} == set(places)
    assert (folder / "out.provenance.json").is_file()


_KEPT = """
from pathlib import Path
from maxent_cli.io.machine import place_for_code
place_for_code(Path("package"), "")
from kept import f
f(1)
print(sum(f.stats.cache_hits.values()))
"""


@pytest.mark.skipif(bool(_BOUND) and not shutil.which("setpriv"), reason="root may write everywhere, and no setpriv")
def test_code_in_an_image_that_can_be_read_alone_is_not_compiled_again(tmp_path: Path) -> None:
    (tmp_path / "kept.py").write_text("import numba\n@numba.njit(cache=True)\ndef f(x):\n    return x\n")
    image, home = tmp_path / "image", tmp_path / "home"
    image.mkdir()
    home.mkdir()
    program = [sys.executable, "-c", _KEPT]
    variables = {"NUMBA_CACHE_DIR": str(image), "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    assert run(tmp_path, "", program, **variables).stdout == "0\n"
    before = set(image.rglob("*"))
    for place in (image, *image.rglob("*/")):
        place.chmod(0o555)
    found = run(tmp_path, "", [*_BOUND, *program], **variables, HOME=str(home))
    for place in (image, *image.rglob("*/")):
        place.chmod(0o755)
    assert (found.stdout, found.stderr) == ("1\n", "")
    assert set(image.rglob("*")) == before
    assert not list(home.iterdir())


def test_another_system_falls_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS: it does not say which CPUs a process may use, and what memory was used is told in other units."""
    found = run(folder, "predict anchors.fa --model model --out there.tsv", [sys.executable, "-c", _ELSEWHERE])
    assert found.returncode == 0, found.stderr
    monkeypatch.chdir(folder)
    assert CliRunner().invoke(maxent, ["predict", "anchors.fa", "--model", "model", "--out", "here.tsv"]).exit_code == 0
    assert Path("there.tsv").read_bytes() == Path("here.tsv").read_bytes()
    memory = [
        json.loads(Path(f"{name}.tsv.provenance.json").read_text())["peak_memory_mib"] for name in ("there", "here")
    ]
    assert memory[0] < memory[1]  # the system here counts KiB, which are taken for bytes there
