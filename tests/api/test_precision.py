"""TF32 is off while a network of ours runs, and afterwards as whoever calls has set it."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import torch
from thinned import thinned

import maxent_cli as mx
from maxent_cli.api.precision import whole_products

SETTINGS = {  # in a process of its own, since torch does not read its switches after a mix of old and new
    "as torch begins": "pass",
    "both on": "b.cuda.matmul.allow_tf32 = b.cudnn.allow_tf32 = True",
    "both off": "b.cuda.matmul.allow_tf32 = b.cudnn.allow_tf32 = False",
    "by precision": "torch.set_float32_matmul_precision('high')",
    "by one for all": "b.fp32_precision = 'tf32'",
    "of convolutions alone": "b.cudnn.conv.fp32_precision = 'ieee'",
}
SCRIPT = """
import torch
from maxent_cli.api.precision import whole_products
b = torch.backends
every = [b.cuda.matmul, b.cudnn.conv, b.cudnn.rnn]
def read():
    try:
        return b.cuda.matmul.allow_tf32, b.cudnn.allow_tf32
    except RuntimeError:
        return [one.fp32_precision for one in (b, b.cudnn, *every)]
{setting}
before = read()
with whole_products():
    with whole_products():
        pass
    inside = [one.fp32_precision for one in every]
print(*inside, read() == before)
"""


def switches() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.mark.skipif(not hasattr(torch.backends, "fp32_precision"), reason="torch before 2.9 has one set of switches")
@pytest.mark.parametrize("name", thinned(list(SETTINGS), 3))
def test_it_is_off_inside_and_as_before_outside(name: str) -> None:
    code = SCRIPT.format(setting=SETTINGS[name])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "ieee ieee ieee True\n", done.stderr


@pytest.fixture
def switched_on() -> Iterator[None]:
    before = switches()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


@pytest.mark.usefixtures("switched_on")
def test_of_calls_beside_each_other_the_last_one_restores() -> None:
    begun, ended = Barrier(2), Barrier(2)

    def first() -> tuple[bool, bool]:
        with whole_products():
            begun.wait()
        ended.wait()
        return switches()

    def second() -> tuple[bool, bool]:
        with whole_products():
            begun.wait()
            ended.wait()
            return switches()

    with ThreadPoolExecutor(2) as pool:
        found = [task.result() for task in (pool.submit(first), pool.submit(second))]
    assert found[1] == (False, False)
    assert switches() == (True, True)


@pytest.mark.usefixtures("switched_on")
def test_a_call_restores_them_where_it_fails(tmp_path: Path) -> None:
    with pytest.raises(mx.InputError):
        mx.predict(mx.network(torch.nn.Conv1d(4, 1, 3), 9), str(tmp_path / "none.fa"))
    assert switches() == (True, True)
