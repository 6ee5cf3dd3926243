"""The kernel of a card takes the path of the compiled chain: by one thread, and by several in the simulator."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numba
import numpy as np
import pytest
from test_incremental import MOVES, NETWORKS, same, start
from thinned import thinned
from toy import LAWS, Law, law_around

from maxent_cli.engine import blocks, card
from maxent_cli.engine.blocks import BlockResults
from maxent_cli.engine.card import block_chain, by_one_thread, threads_of
from maxent_cli.engine.incremental import compiled_chain
from maxent_cli.engine.layers import FIRST
from maxent_cli.engine.target import Kernel, Ladder, State, Target, Trace, start_state

ANCHOR, LADDER = "GATTACANCGTAC", Ladder(4, 3)
SIMULATED = Path(__file__).with_name("simulated_card.py")
Start = tuple[Law, State, Target]


def begin(law: Law, chains: int = 12) -> Start:
    target = replace(law.target, beta=np.tile([0.0, 0.7, 1.5, 3.0], chains // 4))
    return law, start(target, chains, 1), target


KNOWN = [name for name in NETWORKS if "LSTM" not in name]  # which the card's kernel is not given


def around(name: str) -> Law:
    return law_around(NETWORKS[name](), ANCHOR, beta=2.0, tether=0.3)


def run(make: object, given: Start, draws: int = 20) -> tuple[State, Trace]:
    law, state, target = given
    kernel: Kernel = make(law.plan, MOVES, LADDER)  # type: ignore[operator]
    return kernel(state, target, draws, 4)


@pytest.mark.parametrize("name", KNOWN)
def test_one_thread_takes_the_path_of_the_compiled_chain(name: str) -> None:
    given = begin(around(name))
    one, other = run(block_chain, given), run(compiled_chain, given)
    same(one, other, 5e-5)
    np.testing.assert_array_equal(one[1].accepted, other[1].accepted)
    assert one[1].drift < 1e-4
    assert 0.05 < one[1].accepted.sum() / one[1].tried.sum() < 0.95


def poisoned(given: blocks.BlockRun, work: blocks.Work, *rest: object) -> None:
    """A card's memory is not empty."""
    for name, values in work._asdict().items():
        if name not in card.GIVEN:
            values[...] = np.nan if values.dtype.kind == "f" else 77
    by_one_thread(given, work, *rest)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", KNOWN)
def test_nothing_is_read_that_was_not_written(name: str) -> None:
    given = begin(around(name))
    dirty, clean = (
        run(lambda plan, *how, by=by: block_chain(plan, *how, by), given) for by in (poisoned, by_one_thread)
    )
    same(dirty, clean, 0.0)


@pytest.mark.parametrize("name", LAWS)
def test_it_does_so_on_laws_with_constraints_and_letters_that_stay(name: str) -> None:
    law = LAWS[name]()
    codes = np.tile(law.anchor, (40, 1))
    state = start_state(law.target, codes, np.arange(40, dtype=np.uint64), card.torch.device("cpu"))
    runs = [make(law.plan, MOVES)(state, law.target, 15, 3) for make in (block_chain, compiled_chain)]
    same(*runs, 5e-5)
    np.testing.assert_array_equal(runs[0][1].accepted, runs[1][1].accepted)


BROKEN = {
    "what is refused is kept": ("if work.fate[r] == ACCEPTED:", "if work.fate[r] != REFUSED:"),
    "values are not kept": ("            work.values[r, i] = work.fresh[r, i]", "            pass"),
    "sums are not kept": ("sums[(r - begin) * size + i] = work.fresh_sums[r, i]", "pass"),
    "a maximum never falls": ("fallen |= old >= greatest and new < old", "fallen |= False"),
    "the last changed value is left out": ("work.place[r, here + k - 1] + 1 if k", "work.place[r, here + k - 1] if k"),
    "an exchange moves nothing": ("= there, here", "= here, there"),
    "exchanges come a step late": ("(step + 1) % given.every == 0", "step % given.every == 0"),
    "an added value is the old one": (
        "+= _value(plan, work, row[ADDED], r, i)",
        "+= work.values[r, plan.table[row[ADDED], PLACE] + i]",
    ),
}
SHOWN = {"a maximum never falls": "pooled twice", "an added value is the old one": "a residual block"}


def as_python(right: str = "", wrong: str = "") -> ModuleType:
    """blocks.py run as Python, with one line exchanged."""
    source = Path(blocks.__file__).read_text()
    assert not right or source.count(right) == 1, f"it has not one {right!r}"
    module = ModuleType(blocks.__name__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", 1)
        exec(compile(source.replace(right, wrong) if right else source, blocks.__file__, "exec"), module.__dict__)
    module.barrier = lambda: None  # type: ignore[attr-defined]
    return module


def path_of(module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether it takes the path of the compiled chain on a network."""
    given = begin(around(name), 4)
    monkeypatch.setattr(card, "blocks", module)
    monkeypatch.setattr(card, "threads_of", lambda _: (1, 1))
    one, other = run(block_chain, given, 10), run(compiled_chain, given, 10)
    return np.array_equal(one[1].codes, other[1].codes) and np.allclose(one[1].energy, other[1].energy, atol=5e-5)


@pytest.mark.parametrize("name", ["pooled twice", "a residual block"])
def test_run_as_python_it_takes_the_same_path(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert path_of(as_python(), name, monkeypatch)


@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_line_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not path_of(as_python(*BROKEN[name]), SHOWN.get(name, "pooled twice"), monkeypatch)


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a process with the simulator is given: a start, and what one thread made of it."""
    path = tmp_path_factory.mktemp("card") / "start.pickle"

    def launch(given: blocks.BlockRun, work: blocks.Work, *rest: object) -> None:
        asked = pickle.dumps((given, work, *rest))
        by_one_thread(given, work, *rest)  # type: ignore[arg-type]
        results: BlockResults = rest[-1]  # type: ignore[assignment]
        path.write_bytes(pickle.dumps((*pickle.loads(asked), results)))

    law, state, target = begin(around("pooled twice"), 4)
    block_chain(law.plan, MOVES, LADDER, launch)(state, target, 2, 3)
    assert law.plan.table[0, FIRST]
    return str(path)


def simulated(simulation: str, *words: str) -> str:
    done = subprocess.run([sys.executable, str(SIMULATED), simulation, *words], capture_output=True, text=True)
    return done.stdout.strip() or done.stderr


@pytest.mark.parametrize(("lanes", "groups"), thinned([(4, 2), (3, 4)], 2))
def test_several_threads_take_the_path_of_one(simulation: str, lanes: int, groups: int) -> None:
    assert simulated(simulation, str(lanes), str(groups)) == "same"


def test_a_dropped_barrier_is_seen(simulation: str) -> None:
    right = "                _count(plan, work, layer, r, lane, lanes)\n        barrier()\n"
    assert simulated(simulation, "4", "2", right, right.replace("barrier()", "pass")) == "other"


@pytest.mark.parametrize("replicas", [1, 3, 4, 8, 16, 64])
def test_a_block_has_no_more_threads_than_a_card_allows(replicas: int) -> None:
    lanes, groups = threads_of(replicas)
    assert lanes % 32 == 0
    assert lanes * groups <= card.MOST_THREADS
    assert 1 <= groups <= replicas
