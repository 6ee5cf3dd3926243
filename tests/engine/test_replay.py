"""Replayed steps are plain steps, byte for byte; what cannot be captured is refused, and stepped plainly."""

import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tape import by_tape
from test_gathering import LADDER, LOOK, NO_CG, around, begin, drawn
from thinned import thinned
from torch import Tensor

from maxent_cli.engine import batch, gathering, replay
from maxent_cli.engine.batch import Batch, Batched, batch_of, burst
from maxent_cli.engine.energies import SharedTerm
from maxent_cli.engine.gathering import _Asked, _together, gathered_chain
from maxent_cli.engine.proposals import LETTER, REFILL, SCATTER, TOGGLE, Move
from maxent_cli.engine.replay import NotCapturedError, Refusing, Replays, room
from maxent_cli.engine.support import Support
from maxent_cli.engine.target import Target, Trace

STEPS = 25
MOVES = (Move(LETTER, 0.3), Move(REFILL, 0.2, 2), Move(TOGGLE, 0.2, 3), Move(SCATTER, 0.3, 3))
COMPANIES = [(0, 1, 2), (2, 0, 1), (0, 1, 2, 3), (4, 1, 2), (5,), (0, 1, 2)]  # anchors that are together, in turn
Given = tuple[Batched, Batch]


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


def law(number: int, constrained: bool) -> Target:
    return around(number, constraints=(NO_CG,) if constrained else ())


def company(numbers: Sequence[int], constrained: bool = False, end: int = STEPS) -> Given:
    """Anchors' chains at unlike steps, some of which come to their end on the way."""
    asked = [
        _Asked.of(begin(law(n, constrained), n, step=3 * n), law(n, constrained), 1, end - 4 * n, (MOVES, LADDER))
        for n in numbers
    ]
    ends = [one.state.step + one.steps for one in asked]
    parts, targets = [one.part for one in asked], [one.target for one in asked]
    made = batch_of(parts, targets, ends, LADDER.every, max(one.slots for one in asked))
    return _together([one.chains for one in asked]), made


def assert_bytes(found: tuple[Batched, Tensor, Tensor], expected: tuple[Batched, Tensor, Tensor]) -> None:
    for one, other in zip((*found[0], *found[1:]), (*expected[0], *expected[1:]), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def go(constrained: bool = False, capture: Callable[..., object] = by_tape) -> Replays:
    """Companies that come and leave, each for two bursts, as they are replayed and as they are stepped plainly."""
    replays = Replays(capture)  # type: ignore[arg-type]
    for numbers in COMPANIES * 2:
        chains, made = company(numbers, constrained)
        plain = chains
        for _ in range(2):
            found, expected = replays.burst(chains, made, STEPS), burst(plain, made, STEPS)
            assert_bytes(found, expected)
            chains, plain = found[0], expected[0]
    return replays


@pytest.mark.parametrize("constrained", thinned([True, False], 2))
def test_replayed_steps_are_plain_steps_as_anchors_leave_and_come(constrained: bool) -> None:
    replays = go(constrained)
    assert len(replays.held) == replay.MOST_HELD
    assert not replays.gave_up


def test_a_batch_of_a_larger_room_has_rows_of_nobody() -> None:
    chains, made = company(range(6), end=30)
    assert room(len(chains.step)) > len(chains.step)
    replays = Replays(by_tape)
    for _ in range(replay.WORTH + 1):
        assert_bytes(replays.burst(chains, made, STEPS), burst(chains, made, STEPS))
    assert len(replays.held) == 1


@pytest.mark.parametrize("rows", [*range(1, 40), 8192, 8193])
def test_room_is_an_eighth_more_at_most(rows: int) -> None:
    assert rows <= room(rows) <= rows + rows // 8
    assert room(room(rows)) == room(rows)


def test_a_shape_is_captured_when_it_is_worth_it_and_memory_is_given_back() -> None:
    replays, given = Replays(by_tape), company((0, 1))
    for count in range(1, replay.WORTH + 1):
        assert not replays.held
        replays.burst(*given, 2)
        assert replays.seen[replay._key(*given)] == count
    assert len(replays.held) == 1
    replays.clear()
    assert not replays.held


def test_shapes_in_turn_do_not_drive_each_other_out_at_each_burst() -> None:
    captured, turns = list[int](), 4 * replay.WORTH

    def tape(*given: object) -> object:
        captured.append(1)
        return by_tape(*given)  # type: ignore[arg-type]

    replays = Replays(tape)  # type: ignore[arg-type]
    given = [company(numbers) for numbers in ((0,), (0, 1), (0, 1, 2))]
    for _ in range(turns):
        for chains, made in given:
            replays.burst(chains, made, 1)
    assert len(given) < len(captured) <= len(given) * turns // replay.WORTH


def _with_frozen(name: str) -> Callable[..., object]:
    """A step to which the value that one of the batch's fields had at first is held."""
    first = dict[int, Tensor]()

    def stepped(chains: Batched, made: Batch, log_u: Tensor) -> Batched:
        kept = first.setdefault(len(chains.step), getattr(made, name).clone())
        return right(chains, made._replace(**{name: kept}), log_u)

    right = batch.stepped
    return stepped


def _step_frozen(chains: Batched, made: Batch, log_u: Tensor) -> Batched:
    """Random numbers are of the step that chains stood at when they were captured."""
    at = FIRST_STEP.setdefault(len(chains.step), chains.step.clone())
    after = right_stepped(chains._replace(step=at), made, log_u)
    return after._replace(step=chains.step + (chains.step < made.end))


def _first_energy(chains: Batched, made: Batch, log_u: Tensor) -> Batched:
    """Energies are read with the parameters of the anchors that were there at the capture."""
    kept = FIRST.setdefault(len(chains.step), tuple(values.clone() for values in made.energy.parameters))
    return right_stepped(chains, made._replace(energy=made.energy._replace(parameters=kept)), log_u)


def _left_out(number: int) -> Callable[[object, object], None]:
    """Filling that leaves out one of the buffers."""

    def fill(buffers: object, given: object) -> None:
        pairs = list(zip(replay._leaves(buffers), replay._leaves(given), strict=True))
        is_batch = len(pairs) > len(Batched._fields)
        for place, (buffer, values) in enumerate(pairs):
            if not (is_batch and place == number and buffer.any()):
                buffer[: len(values)].copy_(values)
                buffer[len(values) :].zero_()

    return fill


right_stepped, FIRST, FIRST_STEP = batch.stepped, dict[int, tuple[Tensor, ...]](), dict[int, Tensor]()
CHAINS, MADE = company((0, 1, 2))
NAMES = [  # of the batch's tensors, in order
    *(name for name in ("keys", "beta", "replica", "replicas")),
    *MADE.anchored.tables._fields,
    *("log_weights", "modulus", "of", "end", "weights", "negative"),
]
ALIKE = {"replica", "replicas", "kind", "cumulative_weight", "width", "reach", "of"}  # of all anchors here, or nearly


def test_all_tensors_of_a_batch_have_names_here() -> None:
    assert len(NAMES) == len(list(replay._leaves(MADE)))


@pytest.mark.parametrize("name", thinned([name for name in NAMES if name not in ALIKE], 3))
def test_a_buffer_that_is_not_filled_anew_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "_fill", _left_out(NAMES.index(name)))
    with pytest.raises(AssertionError):
        go()


@pytest.mark.parametrize(
    "wrong", [_with_frozen("end"), _with_frozen("of"), _step_frozen, _first_energy], ids=["end", "of", "step", "energy"]
)
def test_what_is_frozen_at_the_capture_is_seen(wrong: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "stepped", wrong)
    with pytest.raises(AssertionError):
        go()


def same(found: Sequence[Trace], expected: Sequence[Trace]) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for one, other in zip(found, expected, strict=True)
        for name in ("codes", "energy", "tried", "accepted")
    )


def test_a_gathering_that_replays_draws_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    targets, kernel = [around(number) for number in range(5)], gathered_chain(MOVES, LADDER)
    expected = drawn(kernel, targets, draws=20)
    captured = list[int]()

    def tape(*given: object) -> object:
        captured.append(1)
        return by_tape(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(gathering, "burst", Replays(tape).burst)  # type: ignore[arg-type]
    assert same(drawn(kernel, targets, draws=20), expected)
    assert captured


def _other(energy: SharedTerm, look: Callable[[Tensor], Tensor]) -> SharedTerm:
    return replace(energy, look=look)


def _looks(codes: Tensor) -> Tensor:
    found = LOOK(codes)
    return found if float(found.sum()) > -1e9 else -found


def _masks(codes: Tensor) -> Tensor:
    found = LOOK(codes).clone()
    found[found > 1e9] = 0.0
    return found


def _drifts(codes: Tensor) -> Tensor:
    """A network that is another at each call, unseen by any call of torch."""
    CALLS.append(1)
    return LOOK(codes) * float(len(CALLS))


CALLS = list[int]()


@pytest.mark.parametrize("look", [_looks, _masks, _drifts])
def test_what_cannot_be_captured_is_stepped_plainly_and_said_once(look: Callable[[Tensor], Tensor]) -> None:
    chains, made = company((0, 1))
    shared = made.energy.function
    made = made._replace(energy=made.energy._replace(function=replace(shared, look=look)))  # type: ignore[type-var]
    replays = Replays(by_tape)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(5):
            CALLS.clear()
            found = replays.burst(chains, made, 5)
            CALLS.clear()
            expected = burst(chains, made, 5)
            if replays.gave_up and look is _drifts:
                continue
            assert_bytes(found, expected)
    assert replays.gave_up
    assert [str(one.message)[:36] for one in said] == ["steps are not captured on the card, "]


def test_a_capture_that_fails_is_stepped_plainly() -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

    with pytest.warns(UserWarning, match="operation not permitted"):
        assert go(capture=fails).gave_up


def test_anchors_of_unlike_laws_are_stepped_plainly() -> None:
    """For their step is of these very anchors."""
    replays = Replays(by_tape)
    terms = [around(0), replace(around(1), energy=lambda x: x.float().sum(-1) / 4)]
    asked = [_Asked.of(begin(one, n), one, 1, STEPS, (MOVES, LADDER)) for n, one in enumerate(terms)]
    ends = [STEPS] * 2
    made = batch_of([one.part for one in asked], terms, ends, LADDER.every, max(one.slots for one in asked))
    chains = _together([one.chains for one in asked])
    for _ in range(replay.WORTH + 1):
        assert_bytes(replays.burst(chains, made, STEPS), burst(chains, made, STEPS))
    assert not replays.seen


REFUSED: dict[str, Callable[[Tensor], object]] = {
    "a number is read": lambda x: x.sum().item(),
    "a truth is asked for": lambda x: bool(x.any()),
    "a mask chooses": lambda x: x[x > 0],
    "a mask is written by": lambda x: x.clone().index_put_((x > 0,), torch.tensor(0.0)),
    "places are asked for": lambda x: x.nonzero(),
    "rows are repeated": lambda x: x.repeat_interleave((x > 0).long()),
    "kinds are counted": lambda x: x.unique(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_depends_on_values_is_refused(name: str) -> None:
    x = torch.linspace(-1, 1, 8)
    with pytest.raises(NotCapturedError), Refusing():
        REFUSED[name](x)


def test_a_step_on_a_card_brings_nothing_from_the_cpu() -> None:
    """With tensors that have a device but no numbers, in a process of its own; also where an array is brought."""
    script = Path(__file__).with_name("pretended_card.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    expected = "plainly: captured\nwith constraints: captured\nbrought: refused\n"
    assert done.stdout == expected, done.stderr


def test_constraints_of_one_kind_are_one() -> None:
    one, other = company((0, 1), True)[1].constraints, company((2, 3), True)[1].constraints
    assert one == other
    forbidden = Support(NO_CG.after.copy(), 3)
    unlike = [around(0, constraints=(NO_CG,)), around(1, constraints=(forbidden,))]
    assert not isinstance(batch._sum_of([t.constraints for t in unlike], [slice(0, 3), slice(3, 6)]), batch.OneForAll)
