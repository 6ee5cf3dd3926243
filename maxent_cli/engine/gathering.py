"""Chains of many anchors on one device, in one batch: each anchor asks for steps, and all that have asked take them.

What an anchor's run does next depends on its own draws alone, so every run has a thread of its own and waits for its
steps. Who asks is taken up, and who has what it asked for leaves, between two bursts of steps; so the device always has
work as long as anybody waits. An anchor's draws depend on its companions by rounding at most: a network may add up in
another order in a batch of another size.
"""

from collections.abc import Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from threading import Lock

import torch
from torch import Tensor

from maxent_cli.engine.batch import Anchored, Batch, Batched, anchored, batch_of, burst, slots
from maxent_cli.engine.proposals import Move
from maxent_cli.engine.replay import Replays
from maxent_cli.engine.target import NO_LADDER, Kernel, Ladder, State, Target, Trace, log_base

BURST = 20  # steps between two looks at who has asked and who is done


def gathered_chain(moves: tuple[Move, ...], ladder: Ladder = NO_LADDER) -> Kernel:
    """A kernel for any network on any device, which takes its steps with those of all threads that ask meanwhile."""

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        gathering = _gathering(ladder.every, state.codes.device, state.codes.shape[1], moves)
        asked = _Asked.of(state, target, draws, thin, (moves, ladder))
        gathering.take_up(asked)
        asked.future.result()
        with torch.inference_mode():  # here, so that the device need not wait for it
            return asked.answer()

    return run


@dataclass(eq=False)
class _Asked:
    """Steps that somebody waits for: draws, thin steps apart, from chains that begin at `first`.

    held: steps at which a draw was kept so far, codes (C, L) and energies (C,) of each.
    """

    state: State
    target: Target
    draws: int
    thin: int
    ladder: Ladder
    part: Anchored
    chains: Batched
    slots: int
    held: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    done: int = 0
    future: "Future[None]" = field(default_factory=Future)

    @classmethod
    def of(cls, state: State, target: Target, draws: int, thin: int, how: tuple[tuple[Move, ...], Ladder]) -> "_Asked":
        moves, ladder = how
        with torch.inference_mode():
            part = anchored(state.keys, target, moves, ladder, state.codes.device)
            chains = _beginning(state, target, len(moves))
        return cls(state, target, draws, thin, ladder, part, chains, slots(target, moves))

    @property
    def steps(self) -> int:
        """How many it takes in all."""
        return self.draws * self.thin

    @property
    def is_done(self) -> bool:
        """Whether all steps have been taken."""
        return self.done == self.steps

    def keep(self, codes: Tensor, energy: Tensor) -> None:
        """Note the draws among the codes (T, C, L) and energies (T, C) after each of a burst's steps."""
        taken = min(len(codes), self.steps - self.done)
        first = self.thin - self.done % self.thin - 1
        if first < taken:
            its = slice(first, taken, self.thin)
            self.held.append((codes[its].clone(), energy[its].clone()))
        self.done += taken

    def answer(self) -> tuple[State, Trace]:
        """State and trace, once all steps have been taken; the only copy from the device."""
        codes, energy = (torch.cat(values).transpose(0, 1) for values in zip(*self.held, strict=True))
        placed, replicas = self.chains.codes, self.ladder.replicas
        state = State(
            placed, self.chains.energy, log_base(self.target, placed), self.state.keys, self.state.step + self.steps
        )
        tried, accepted = (
            torch.cat([count[:, :-1].sum(0), count[:, -1].reshape(-1, replicas)[:, :-1].sum(0)]).cpu().numpy()
            for count in (self.chains.tried, self.chains.accepted)
        )
        return state, Trace(codes.cpu().numpy().copy(), energy.cpu().numpy().copy(), tried, accepted)


def _beginning(state: State, target: Target, moves: int) -> Batched:
    """Chains that have taken none of their steps."""
    constrained = torch.zeros_like(state.energy)
    for constraint in target.constraints:
        constrained = constrained + constraint(state.codes)
    counts = torch.zeros(len(state.codes), moves + 1, dtype=torch.int64, device=state.codes.device)
    step = torch.full_like(counts[:, 0], state.step)
    return Batched(state.codes.clone(), state.energy.clone(), constrained, step, counts, counts)


@cache
def _gathering(every: int, *_alike: Hashable) -> "_Gathering":
    """The one place of this process where chains that exchange so often go on, of one device, length and moves."""
    return _Gathering(every)


class _Gathering:
    """Takes the steps of all that have asked, in a thread of its own, as long as there are any."""

    def __init__(self, every: int) -> None:
        self.every, self.lock, self.arrived, self.serving = every, Lock(), list[_Asked](), False
        self.thread, self.replays = ThreadPoolExecutor(1, "steps"), Replays()

    def take_up(self, asked: _Asked) -> None:
        """Have the steps taken; the future tells when they are, or what went wrong."""
        with self.lock:
            self.arrived.append(asked)
            if not self.serving:
                self.serving = True
                self.thread.submit(self._serve)

    def _serve(self) -> None:
        running = list[_Asked]()
        while self._join(running):
            try:
                with torch.inference_mode():
                    self._work(running)
            except BaseException as error:
                for asked in running:
                    asked.future.set_exception(error)
                running.clear()
        self.replays.clear()

    def _join(self, running: list[_Asked]) -> bool:
        """Add who has arrived to those running; whether there is anybody."""
        with self.lock:
            running += self.arrived
            self.arrived.clear()
            self.serving = bool(running)
            return self.serving

    def _work(self, running: list[_Asked]) -> None:
        """Bursts of one batch, until somebody arrives, or half of its chains have nothing left to do."""
        chains, batch = _together([asked.chains for asked in running]), self._batch(running)
        members = list(running)
        while True:
            steps = min(BURST, max(asked.steps - asked.done for asked in running))
            chains, codes, energy = self._burst(chains, batch, steps)
            begins = 0
            for asked in members:
                rows = slice(begins, begins := begins + len(asked.part.keys))
                if asked in running:
                    asked.keep(codes[:, rows], energy[:, rows])
                    asked.chains = Batched(*(values[rows] for values in chains))
            for asked in [asked for asked in running if asked.is_done]:
                running.remove(asked)
                asked.future.set_result(None)
            left = sum(len(asked.part.keys) for asked in running)
            if self.arrived or 2 * left <= len(chains.step):
                return

    def _burst(self, chains: Batched, batch: Batch, steps: int) -> tuple[Batched, Tensor, Tensor]:
        on_card = batch.of.device.type == "cuda"
        return self.replays.burst(chains, batch, steps) if on_card else burst(chains, batch, steps)

    def _batch(self, running: Sequence[_Asked]) -> Batch:
        ends = [asked.state.step + asked.steps for asked in running]
        most = max(asked.slots for asked in running)
        return batch_of([asked.part for asked in running], [asked.target for asked in running], ends, self.every, most)


def _together(chains: Sequence[Batched]) -> Batched:
    return Batched(*(torch.cat(values) for values in zip(*chains, strict=True)))
