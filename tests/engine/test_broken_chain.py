"""Deliberately wrong compiled chains: a line of the source exchanged, run as Python. Full passes must tell them all."""

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numba
import numpy as np
import pytest
import torch
from exact import random_keys
from plain_chain import metropolis_hastings
from torch import nn
from toy import Law, law_around, network

from maxent_cli import engine
from maxent_cli.engine.proposals import LETTER, REDRAW, SHIFT, Move
from maxent_cli.engine.target import Ladder, start_state

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")  # words wrap around, as they should

ANCHOR = "GATTACAGCGTAC"
MOVES = (Move(LETTER, 0.6), Move(SHIFT, 0.2, 5, 2), Move(REDRAW, 0.2, 3))
LADDER = Ladder(4, 3)
MODULES = ("activations", "first_layer", "later_layers", "incremental")  # each reads those before it

KEEP = "_keep(plan, chains, walk.queues[2, :taken])"
TAKE_BACK = "                exchange_values(values, place, fresh)\n    if waiting"
BROKEN = {
    "marks of an earlier proposal are read again": ("activations", "marks[size : size + _WORD] = 0", "pass"),
    "marks of an earlier letter are read again": ("first_layer", "marks[size : size + 8] = 0", "pass"),
    "a change is kept although it is refused": ("incremental", KEEP, KEEP.replace("2, :taken", "0, :waiting")),
    "a change of letters is not kept": ("incremental", "keep_letters(plan, chains, c, layer)", "pass"),
    "sums are kept, but not their values": (
        "incremental",
        "chains.values[c, here + chains.place[c, k]] = chains.fresh[c, k]",
        "pass",
    ),
    "inputs of a maximum are not taken back": ("later_layers", TAKE_BACK, "    if waiting"),
    "a maximum never falls": ("later_layers", "elif old[k] >= sums[i]:", "elif False:"),
    "an exchange moves codes without energies": ("incremental", "walk.energy[walk.rows[c]]", "walk.energy[c]"),
    "an exchange moves nothing": ("incremental", "= there, here", "= here, there"),
    "outputs beyond the last changed input are left out": (
        "later_layers",
        "high = column + row[PADDING] - span, column + row[PADDING]",
        "high = column + row[PADDING] - span, column + row[PADDING] - 1",
    ),
    "the three rows after each fourth are left out": ("later_layers", "for k in range(whole, end):", "for k in []:"),
}


def uncompiled(name: str = "", right: str = "", wrong: str = "") -> ModuleType:
    """The chain's module, run as Python, with one line of the named module exchanged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", 1)
        for each in MODULES:
            path = Path(engine.__file__).with_name(f"{each}.py")
            source = path.read_text()
            if each == name:
                assert source.count(right) == 1, f"{path}: has not one {right!r}"
                source = source.replace(right, wrong)
            module = ModuleType(f"maxent_cli.engine.{each}")
            patch.setitem(sys.modules, module.__name__, module)
            exec(compile(source, str(path), "exec"), module.__dict__)
    return module


def pooled(pool: nn.Module) -> Law:
    """A law of a network with two kinds of maxima."""
    scan = (nn.Conv1d(4, 7, 3), nn.ReLU(), nn.MaxPool1d(2, 1), nn.Conv1d(7, 6, 2), nn.ReLU(), pool, nn.Flatten())
    return law_around(network(len(ANCHOR), *scan, 7, nn.ReLU()), ANCHOR, beta=1.0, tether=0.3)


@pytest.fixture(scope="module")
def laws() -> list[Law]:
    return [pooled(nn.MaxPool1d(2)), pooled(nn.AdaptiveMaxPool1d(1))]


def agrees(module: ModuleType, law: Law) -> bool:
    """Whether the chain takes the path of full passes from the same start, with the same energies."""
    target = replace(law.target, beta=np.tile([0.0, 0.7, 1.5, 3.0], 2))
    codes = np.random.default_rng(0).integers(0, 4, (8, len(ANCHOR)), dtype=np.uint8)
    begin = start_state(target, codes, random_keys(8, 0), torch.device("cpu"))
    kernels = module.compiled_chain(law.plan, MOVES, LADDER), metropolis_hastings(MOVES, LADDER)
    try:
        one, other = (kernel(begin, target, 40, 1)[1] for kernel in kernels)
    except IndexError:  # what is listed lies beyond the layer
        return False
    return np.array_equal(one.codes, other.codes) and np.allclose(one.energy, other.energy, atol=5e-5)


def test_the_right_chain_run_as_python_agrees_with_full_passes(laws):
    module = uncompiled()
    assert all(agrees(module, law) for law in laws)


@pytest.mark.parametrize("name", BROKEN)
def test_full_passes_tell_a_wrong_chain(laws, name):
    module = uncompiled(*BROKEN[name])
    assert not all(agrees(module, law) for law in laws)
