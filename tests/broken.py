"""Deliberately wrong samplers: most are the plain kernel with one of its parts exchanged. The checks must fail them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import plain_chain
import torch
from plain_chain import metropolis_hastings
from torch import Tensor

from maxent_cli.engine import exchange
from maxent_cli.engine.proposals import LOST, Move, MoveTable, cumulative_rows
from maxent_cli.engine.target import NO_LADDER, Kernel, Ladder, State, Target, Trace

Moves = tuple[Move, ...]
Block = tuple[np.ndarray, ...]  # source, scale, offset, lost, move, log_uniform

_correction, _propose_block, _move_table = plain_chain._correction, plain_chain.propose_block, plain_chain.move_table
_log_acceptance = plain_chain.log_acceptance


@dataclass(frozen=True)
class Broken:
    """A wrong kernel, the moves and the law (a key of toy.LAWS) that show it, and the checks that must fail."""

    make: Callable[[Moves], Kernel]
    caught_by: frozenset[str]
    moves: str = "mixture"
    law: str = "tethered"


def with_parts(of: ModuleType = plain_chain, **parts: Any) -> Callable[..., Kernel]:
    """The plain kernel with functions of its module, or of another that it calls, exchanged while it runs."""

    def make(moves: Moves, ladder: Ladder = NO_LADDER) -> Kernel:
        right = metropolis_hastings(moves, ladder)

        def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
            with mock.patch.multiple(of, **parts):
                return right(state, target, draws, thin)

        return run

    return make


def with_target(change: Callable[[Target], Target]) -> Callable[[Moves], Kernel]:
    """The plain kernel on another law than it was given."""

    def make(moves: Moves) -> Kernel:
        right = metropolis_hastings(moves)
        return lambda state, target, draws, thin: right(state, change(target), draws, thin)

    return make


def _changed(change: Callable[[Block, int, MoveTable], None]) -> Callable[..., None]:
    def propose(keys: np.ndarray, first_step: int, table: MoveTable, block: Block) -> None:
        _propose_block(keys, first_step, table, block)
        change(block, first_step, table)

    return propose


def with_block(change: Callable[[Block, int, MoveTable], None]) -> Callable[[Moves], Kernel]:
    """The plain kernel with its block of proposals changed in place."""
    return with_parts(propose_block=_changed(change))


def with_table(change: Callable[[MoveTable], MoveTable], **parts: Any) -> Callable[[Moves], Kernel]:
    """The plain kernel with another table of moves."""
    return with_parts(move_table=lambda *given: change(_move_table(*given)), **parts)


def _squared(target: Target) -> Target:
    return replace(target, energy=lambda codes: target.energy(codes) ** 2)


def _lagging(target: Target) -> Target:
    """Each proposal is judged by the energy of the one before it."""
    last: list[Tensor] = []

    def energy(codes: Tensor) -> Tensor:
        last.append(target.energy(codes))
        return last[max(0, len(last) - 2)]

    return replace(target, energy=energy)


def _stale_energy(moves: Moves) -> Kernel:
    """The energy is not brought up to date when a proposal is accepted."""
    right = metropolis_hastings(moves)

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        return _step_by_step(right, state, target, draws, thin, lambda old, new: new._replace(energy=old.energy))

    return run


def _edited_in_place(moves: Moves) -> Kernel:
    """The state is overwritten by the proposal before it is decided on; energy and log_base follow the decision."""
    right, always = metropolis_hastings(moves), with_parts(log_acceptance=_always)(moves)

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        edit = lambda old, new: new._replace(codes=always(old, target, 1, 1)[0].codes)  # noqa: E731
        return _step_by_step(right, state, target, draws, thin, edit)

    return run


def _step_by_step(
    kernel: Kernel, state: State, target: Target, draws: int, thin: int, change: Callable[[State, State], State]
) -> tuple[State, Trace]:
    traces = []
    for _ in range(draws):
        for _ in range(thin):
            new, trace = kernel(state, target, 1, 1)
            state = change(state, new)
        traces.append(trace._replace(codes=state.codes.numpy()[:, None], energy=state.energy.numpy()[:, None]))
    codes, energy = (np.concatenate([getattr(t, name) for t in traces], axis=1) for name in ("codes", "energy"))
    tried, accepted = (sum(getattr(t, name) for t in traces) * thin for name in ("tried", "accepted"))
    return state, Trace(codes, energy, tried, accepted)


def _always(base_change: Tensor, *_: Any) -> Tensor:
    return torch.full_like(base_change, torch.inf)


def _no_background(base_change: Any, beta: Any, energy_change: Any, correction: Any) -> Any:
    return _log_acceptance(0 * base_change, beta, energy_change, correction)


def _one_uniform(block: Block, *_: Any) -> None:
    log_uniform = block[5]
    log_uniform[:] = np.where(np.isinf(log_uniform), log_uniform, log_uniform[:, :1])


def _one_site(block: Block, first_step: int, table: MoveTable) -> None:
    """Letters only: all chains propose to change the same position, drawn anew at each step."""
    source, _, offset, *_ = block
    for step in range(len(source)):
        letter = offset[step].max(axis=1)
        offset[step] = 0
        offset[step, :, np.random.default_rng(first_step + step).choice(table.free)] = letter


def _one_letter(block: Block, *_: Any) -> None:
    offset = block[2]
    offset[:] = offset[:, :1]


def _only_upwards(block: Block, *_: Any) -> None:
    offset = block[2]
    offset[:] = np.minimum(offset, 1)


def _back_from_the_background(block: Block, *_: Any) -> None:
    """Letters that the adapted rows would draw back count as the background's."""
    lost = block[3]
    lost[:] = np.minimum(lost, LOST)


def _global_generator(block: Block, *_: Any) -> None:
    log_uniform = block[5]
    fresh = np.log(np.random.random_sample(log_uniform.shape))  # noqa: NPY002 (the bug)
    log_uniform[:] = np.where(np.isinf(log_uniform), log_uniform, fresh)


def _windows_start_anywhere(table: MoveTable) -> MoveTable:
    length = len(table.cumulative_rows)
    starts = [np.minimum(np.arange(1, length + 1) / (length - width + 1), 1) for width in table.width]
    return table._replace(cumulative_starts=np.array(starts))


def _protected_counts_as_lost(block: Block, _: int, table: MoveTable) -> None:
    """Windows span a protected letter and leave it alone, yet the reverse proposal is thought to draw it back."""
    source, scale, offset, *_ = block
    protected = np.setdiff1d(np.arange(source.shape[2]), table.free)
    source[..., protected], scale[..., protected], offset[..., protected] = protected, 1, 0


def _same_step_again(keys: np.ndarray, first_step: int, table: MoveTable, block: Block) -> None:
    for step in range(len(block[0])):
        one = tuple(array[step : step + 1] for array in block)
        _propose_block(keys, (first_step + step) // 2, table, one)


LAW, SUPPORT, BATCH, SEED, BOOKS = (
    frozenset({name}) for name in ("stays_exact", "reaches_support", "chains_independent", "repeatable", "keeps_books")
)

BROKEN: dict[str, Broken] = {
    "the Hastings correction is left out": Broken(with_parts(_correction=lambda w, *_: torch.zeros(len(w))), LAW),
    "the correction of a shift is left out": Broken(
        with_parts(_correction=lambda *given: _correction(*given) * (given[1].sum(1) > 2)), LAW, "shift"
    ),
    "the correction has the wrong sign": Broken(with_parts(_correction=lambda *given: -_correction(*given)), LAW),
    "the reverse is read at the new letters": Broken(
        with_parts(_correction=lambda _, lost, new, fresh: _correction(new, lost, new, fresh)), LAW
    ),
    "beta is 5 % off": Broken(with_target(lambda target: replace(target, beta=1.05 * target.beta)), LAW),
    "the energy is squared": Broken(with_target(_squared), LAW),
    "a proposal is judged by the energy of the one before": Broken(with_target(_lagging), LAW),
    "the energy is stale": Broken(_stale_energy, LAW | BOOKS),
    "every proposal is accepted": Broken(with_parts(log_acceptance=_always), LAW),
    "the background is left out": Broken(with_parts(log_acceptance=_no_background), LAW, "letters"),
    "fresh letters come from another background": Broken(
        with_table(lambda table: table._replace(cumulative_rows=cumulative_rows(np.full((4, 4), 0.25)))), LAW
    ),
    "fresh letters come from the neighbour's row": Broken(
        with_table(lambda table: table._replace(cumulative_rows=np.roll(table.cumulative_rows, 1, axis=0))), LAW
    ),
    "a refill is drawn back from the background": Broken(with_block(_back_from_the_background), LAW, "refill"),
    "a window that is cleared is filled from the background": Broken(
        with_block(_back_from_the_background), LAW, "toggle"
    ),
    "scattered letters are drawn back from the background": Broken(
        with_block(_back_from_the_background), LAW, "scattered"
    ),
    "a letter has no chance to be redrawn": Broken(
        with_table(lambda table: table._replace(chances=table.chances * np.array([0, 1, 1, 1]))), SUPPORT, "scattered"
    ),
    "the state is edited before the decision": Broken(_edited_in_place, LAW | BOOKS),
    "letters only go upwards": Broken(with_block(_only_upwards), LAW, "letters"),
    "a protected letter counts in the reverse alone": Broken(
        with_table(
            _windows_start_anywhere,
            propose_block=_changed(_protected_counts_as_lost),
        ),
        LAW,
        "redraw",
        "protected letter",
    ),
    "a protected letter is changed": Broken(
        with_table(lambda table: table._replace(free=np.arange(len(table.cumulative_rows)))),
        LAW,
        "letters",
        "protected letter",
    ),
    "one position never moves": Broken(
        with_table(lambda table: table._replace(free=table.free[1:])), SUPPORT, "letters"
    ),
    "one uniform number decides for all chains": Broken(with_block(_one_uniform), BATCH),
    "one position for all chains": Broken(with_block(_one_site), BATCH, "letters"),
    "one letter for all chains": Broken(with_block(_one_letter), BATCH, "letters"),
    "one key for all chains": Broken(
        with_parts(propose_block=lambda keys, *rest: _propose_block(np.full_like(keys, keys[0]), *rest)), BATCH | SEED
    ),
    "every random number is used twice": Broken(with_parts(propose_block=_same_step_again), LAW, "letters"),
    "a global generator decides": Broken(with_block(_global_generator), SEED),
}


def _energy_left_behind(state: State, target: Target, ladder: Ladder, counts: Tensor) -> State:
    return _right_exchange(state, target, ladder, counts)._replace(energy=state.energy)


_right_exchange, _log_exchange = exchange.exchange, exchange.log_exchange

# wrong exchanges between replicas, made from moves and a ladder
BROKEN_LADDERS: dict[str, Callable[..., Kernel]] = {
    "the ratio is upside down": with_parts(exchange, log_exchange=lambda *given: -_log_exchange(*given)),
    "every exchange is accepted": with_parts(exchange, log_exchange=lambda beta, *_: torch.full_like(beta, torch.inf)),
    "the energy stays behind": with_parts(exchange=_energy_left_behind),
    "the other replica's energy counts twice": with_parts(
        exchange,
        log_exchange=lambda beta, other_beta, energy, other_energy: (beta - other_beta) * (energy - 2 * other_energy),
    ),
}
