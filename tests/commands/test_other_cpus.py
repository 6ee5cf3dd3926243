"""The same run where the compiled chain has other instructions: the same random numbers, energies to the last bits.

The first number that differs is the energy of the first draw. A kind of CPU that multiplies and adds at once rounds
once where another rounds twice, and wider vectors add in another order; in 32 bits some 1e-8 of an energy. While
no acceptance hangs on that, letters are the same; then, or where a beta is sought by energies, chains part.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small import saved, small_model

RUN = "--preset published --beta 20 --chains 20 --draws 20 --thin 1 --max-steps 20 --threads 1 --gc 0.4"
MOST = 1e-6  # of an energy


@pytest.mark.slow
def test_a_generic_cpu_draws_the_same_letters_by_energies_that_differ_in_the_last_bits(tmp_path: Path) -> None:
    saved(tmp_path / "model", small_model(40))
    (tmp_path / "anchors.fa").write_text(f">a\n{'GATCATTGAC' * 4}\n")
    place = Path(os.environ.get("MAXENT_GENERIC_CACHE", tmp_path / "cache"))
    found = []
    for name, variables in (("own", {}), ("generic", {"NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": str(place)})):
        line = f"sample anchors.fa --model model {RUN} --out {name}.npz"
        command = [sys.executable, "-m", "maxent_cli", *line.split()]
        subprocess.run(command, cwd=tmp_path, env=os.environ | variables, check=True, capture_output=True)
        with np.load(tmp_path / f"{name}.npz") as members:
            found.append({kind: members[f"{kind}_000000"] for kind in ("codes", "energy", "output")})
    own, generic = found
    assert (own["codes"] == generic["codes"]).all()
    assert (own["output"] == generic["output"]).all()  # by full passes, which numba has no part in
    np.testing.assert_allclose(generic["energy"], own["energy"], rtol=MOST, atol=1e-7)
    assert len(np.unique(own["codes"].reshape(-1, 40), axis=0)) > 100
