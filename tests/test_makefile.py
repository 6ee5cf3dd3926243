"""`make` takes the torch that fits: gigabytes of CUDA only where there is a GPU, or where they are asked for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
VERSION = next(line[7:] for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("torch=="))
CPU_INDEX = "--extra-index-url https://download.pytorch.org/whl/cpu"
# a Python that makes an environment of one program, a pip that knows some versions and tells what it was asked for
PYTHON = """#!/bin/sh
test "$1" = -c && exit 0
mkdir -p "$3/bin"
printf '#!/bin/sh\\ntest "$1" = index && echo "$VERSIONS" || echo "$@" >> "%s/asked"\\n' "$3" > "$3/bin/pip"
chmod +x "$3/bin/pip"
"""


@pytest.mark.skipif(not shutil.which("make"), reason="no make")
@pytest.mark.parametrize(
    ("system", "has_gpu", "asked", "versions", "index"),
    [
        ("Linux", False, [], VERSION, CPU_INDEX),
        ("Linux", False, [], f"{VERSION}+cpu, {VERSION}", ""),
        ("Linux", False, ["TORCH=cuda"], VERSION, ""),
        ("Linux", True, [], VERSION, ""),
        ("Linux", True, ["TORCH=cpu"], VERSION, CPU_INDEX),
        ("Darwin", False, [], VERSION, ""),
    ],
)
def test_the_torch_that_is_installed(
    system: str, has_gpu: bool, asked: list[str], versions: str, index: str, tmp_path: Path
) -> None:
    programs, made = tmp_path / "bin", tmp_path / "made"
    programs.mkdir()
    own = {"python": PYTHON, "uname": f"#!/bin/sh\necho {system}\n"} | ({"nvidia-smi": ""} if has_gpu else {})
    for name, script in own.items():
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    for name in ("sh", "make", "mkdir", "chmod", "touch", "sed", "grep", "printf", "echo", "test"):
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    words = ["make", f"{made}/ready", f"VENV={made}", f"PYTHON={programs}/python", *asked]
    environment = {name: value for name, value in os.environ.items() if name not in ("TORCH", "MAKEFLAGS")}
    subprocess.run(words, cwd=ROOT, env=environment | {"PATH": str(programs), "VERSIONS": versions}, check=True)
    torch, package = (made / "asked").read_text().splitlines()
    assert torch.split() == ["install", "--quiet", "--constraint", "constraints.txt", *index.split(), "torch"]
    assert package.endswith("--editable .[dev]")
