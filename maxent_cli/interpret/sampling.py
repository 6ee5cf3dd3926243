"""From a network and its anchors to draws."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from maxent_cli import choices
from maxent_cli.alphabet import UNKNOWN, Codes
from maxent_cli.analysis.diagnostics import diagnose, letters_converged
from maxent_cli.analysis.reweighting import Settled, beta_error, settle
from maxent_cli.data import Anchor, Floats, Networks, Replicas, SampleSet, Sequences, Stop
from maxent_cli.engine import card
from maxent_cli.engine.energies import plus
from maxent_cli.engine.full_passes import full_pass_chain
from maxent_cli.engine.gathering import gathered_chain
from maxent_cli.engine.incremental import compiled_chain
from maxent_cli.engine.layers import KIND, LSTM
from maxent_cli.engine.proposals import (
    LETTER,
    REDRAW,
    REFILL,
    REVERSE_COMPLEMENT,
    SCATTER,
    SHIFT,
    SINGLE_LETTERS,
    TOGGLE,
    WHOLE,
    Move,
)
from maxent_cli.engine.randomness import Keys, chain_keys
from maxent_cli.engine.sampling import NO_JOURNAL, Journal, block_steps, in_blocks
from maxent_cli.engine.surrogate import by_threads, surrogate_chain
from maxent_cli.engine.target import Kernel, Ladder, State, Terms, Trace, start_state
from maxent_cli.engine.terms import background_rows
from maxent_cli.engine.tuning import Betas, Tuned, first_ladder, tune, whole
from maxent_cli.errors import InputError, SettingsError, StoppedError, require_range
from maxent_cli.interpret.backgrounds import random_codes, support_of
from maxent_cli.interpret.constraints import log_share_inside
from maxent_cli.interpret.law import AnchoredLaw, LawSettings, anchored_law, evaluate
from maxent_cli.interpret.plan import NotAStack, read_layers, read_plan, read_stack
from maxent_cli.interpret.surrogates import Apprentice, cheap_front, most_steps, teacher_of, work
from maxent_cli.models.consensus import networks_of
from maxent_cli.models.protocol import SequenceModel

Result = TypeVar("Result")
Draw = Callable[[LawSettings], SampleSet]  # sample_anchor with everything else given

REFERENCE_DRAWS = 1000  # background sequences that give the mean energy and the spread of the output at beta = 0
EXCHANGE_EVERY = 20  # steps
PACE = 100  # positions that may change, for which steps are given
COMPILED, SURROGATE, ON_CARD = "compiled", "surrogate", "compiled for the card"
HOLDING = "full passes (another output is held meanwhile, which the compiled chain does not know)"
FIRST_TOP = 200  # times the inverse mean energy of the background: well above the beta of any share kept so far
CHECKED, CHECKED_STEPS = 4, 20  # ladders and steps on which the compiled chain is compared with full passes
MOST_DRIFT = 1e-3  # of the energy's spread, that it may differ
CENTRAL = (0.025, 0.5, 0.975)
REPLICA_DRAWS = 100  # of each chain, for what is watched on every replica
REPLICA_OUTPUTS = 50  # of each chain, whose outputs are: each takes a pass
LEAST_LEFT = 0.8  # of the draws, when they are weighed to the beta that is wanted; below, they are drawn again
MOST_AGAIN = 6  # times that they are
LONGER = 2  # times as long a warm-up before
MOST_TIMES = 3  # as many draws are held as are given, before every second one is dropped
MOST_TOGETHER = 256  # anchors at once on a device, each with a thread that waits for it
LETTER_BYTES = 300  # that a step's tensors have for each letter of each chain on a device
LISTEN = 1.0  # seconds after which the main thread looks for signals

ALL_MOVES = (
    Move(LETTER, 0.555),
    Move(SHIFT, 0.02, WHOLE, 8),
    Move(REVERSE_COMPLEMENT, 0.005, WHOLE),
    Move(TOGGLE, 0.1, 20),
    Move(REFILL, 0.12, 2),
    Move(REFILL, 0.14, 4),
    Move(REFILL, 0.06, 12),
)
# within a surrogate's proposals: at random places, for letters in turn are not reversible; and of no window so wide
# that its change costs as much as building anew
REVERSIBLE = (
    Move(REDRAW, 0.755, 1),
    Move(SHIFT, 0.02, 40, 8),
    Move(REVERSE_COMPLEMENT, 0.005, 40),
    Move(TOGGLE, 0.1, 20),
    Move(REFILL, 0.06, 4),
    Move(REFILL, 0.06, 12),
)
# where each step takes a pass of the network, whatever changes: many letters at once, how many warm-up finds
SCATTERED = (
    Move(LETTER, 0.2),
    Move(SCATTER, 0.15, 4),
    Move(SCATTER, 0.3, 12),
    Move(SCATTER, 0.1, 36),
    Move(SHIFT, 0.02, WHOLE, 8),
    Move(REVERSE_COMPLEMENT, 0.005, WHOLE),
    Move(TOGGLE, 0.1, 20),
    Move(REFILL, 0.125, 4),
)
MOVES = MappingProxyType({"all": ALL_MOVES, "letters": SINGLE_LETTERS})  # what --moves names
MOST_COMPILED = 1_500_000  # multiplications of a changed letter above which surrogates take the compiled chain's place
BYTES_A_VALUE = 24  # that the compiled chain keeps of each value of a network: five numbers and a place
MOST_HELD = 2**31  # bytes of all chains and replicas
LEAST_TAUGHT = 50  # positions that may change, below which chains have done before a student has learned
LEAST_ACCEPTED = 0.1  # share of the surrogate's proposals at the top replica, below which it is of no help


# of counts; beyond the upper ones a number is a slip of the keyboard rather than a run
BOUNDS = {
    "chains": (2, 10_000),
    "replicas": (1, 64),
    "max_replicas": (1, 64),
    "draws": (4, 1_000_000),
    "thin": (1, 1_000_000),
    "warmup": (0, 1_000_000_000),
    "max_steps": (1, 1_000_000_000),
    "seed": (0, 2**32 - 1),
}


@dataclass(frozen=True)
class Sampling:
    """How a law is drawn from: chains C, each of R replicas, draws D of each, thin steps apart, after warmup steps.

    replicas: at inverse temperatures from 0 to beta, that exchange states; the coldest is reported; 1 turns it off.
    Where warm-up finds that neighbours exchange too seldom it begins again with more of them, up to max_replicas, but
    for runs of so many steps whatever comes, and those by a surrogate.
    start: 'anchor', 'background', or 'both' (even chains at the anchor). moves: what is proposed, and how often each;
    a key of MOVES gives its value. Where not every ESS is at least min_ess and every R-hat at most max_rhat, which is
    what converged means, the chains go on, at wider and wider thinning, until they are or max_steps of each replica
    are taken, the warm-up not counted.
    thin, warmup and max_steps are for up to 100 positions that may change, and grow with longer sequences (paced).
    device: a torch device; other than 'cpu' by full passes. Raises SettingsError where a count is out of BOUNDS, or
    max_steps is less than the draws take.
    """

    chains: int = 8
    replicas: int = 4
    draws: int = 200
    thin: int = 10
    warmup: int = 4000
    seed: int = 1
    start: str = "both"
    moves: tuple[Move, ...] = ALL_MOVES
    min_ess: float = 100.0
    max_rhat: float = 1.05
    max_steps: int = 200_000
    max_replicas: int = 16
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, (fewest, most) in BOUNDS.items():
            require_range(name, getattr(self, name), fewest, most)
        if isinstance(self.moves, str):
            object.__setattr__(self, "moves", moves_named(self.moves))
        least = self.draws * self.thin
        if self.max_steps < least:
            takes = f"the {self.draws} draws every {self.thin} steps take {least}"
            raise SettingsError("max-steps", "", f"{self.max_steps} is too few: {takes}", "give more, or fewer draws")

    def bytes_held(self, length: int) -> int:
        """What the draws around an anchor of so many letters take at least, while they are drawn and put together."""
        held = MOST_TIMES if self.goes_on else 1
        return self.chains * self.most_replicas * self.draws * held * (2 * length + 32)  # codes; energies and outputs

    @property
    def most_replicas(self) -> int:
        """How many replicas there may be in the end."""
        return max(self.replicas, self.max_replicas) if self.goes_on and self.replicas > 1 else self.replicas

    @property
    def goes_on(self) -> bool:
        """Whether steps are left to go on with where the draws asked for have not converged."""
        return 2 * self.draws * self.thin <= self.max_steps


def moves_named(name: str) -> tuple[Move, ...]:
    """The moves of a name. Raises SettingsError where there are none."""
    if name not in MOVES:
        raise SettingsError("moves", "", f"there are none named {name}", f"give {' or '.join(MOVES)}")
    return MOVES[name]


def paced(run: Sampling, free: int) -> Sampling:
    """The run on a sequence with so many positions that may change: as many steps for each hundred of them.

    Single letters alone, as the published sampler changes them, take the steps that they are told.
    """
    times = max(1, round(free / PACE)) if run.moves != SINGLE_LETTERS else 1
    names = ("thin", "warmup", "max_steps")
    return replace(run, **{name: min(times * getattr(run, name), BOUNDS[name][1]) for name in names})


# what --preset names; `published` is the sampler of Finnegan & Song's code: chains that begin at the anchor and change
# single letters, without warm-up, for as many steps as it is told
_PRESETS = (  # in the order of their names
    Sampling(replicas=3, max_replicas=3, draws=100, warmup=1500, min_ess=50, max_steps=16_000),
    Sampling(),
    Sampling(chains=16, replicas=6, draws=400, warmup=10_000, min_ess=400, max_rhat=1.01, max_steps=1_000_000),
    Sampling(
        chains=50, replicas=1, draws=100, thin=100, warmup=0, start="anchor", moves=SINGLE_LETTERS, max_steps=10_000
    ),
)
PRESETS = dict(zip(choices.PRESETS, _PRESETS, strict=True))


@dataclass(frozen=True)
class Reference:
    """The background alone (beta = 0): mean and spread of the energy, points of the output (3,), of so many draws."""

    energy: float
    energy_spread: float
    output: Floats
    draws: int = REFERENCE_DRAWS

    @property
    def energy_error(self) -> float:
        """The standard error of the mean energy."""
        return self.energy_spread / float(np.sqrt(self.draws))


NO_REFERENCE = Reference(0.0, 0.0, np.zeros(3))


class Aim(NamedTuple):
    """A mean output that is wanted, as a share of an energy that is to be kept.

    The energy of the law of an output has no zero. It is given one that lies as far beyond the wanted mean as that lies
    from the background's: energies are `added` more than -output. turned: the output is less than the background's, so
    that the law is that of the output times -1.
    """

    added: float
    turned: bool


AIM_KEPT = 0.5  # the share of that energy


@dataclass(frozen=True)
class Setting:
    """All that the draws around one anchor need: the anchor, its law, and the kernel.

    build gives the kernel for so many replicas. kernel_name says which it is, and why if it is not the compiled one;
    drift is how far the compiled chain's energies were from full passes after some random changes. apprentice: who
    learns a surrogate, if there is to be one; instead: makes the setting for where it does not help. aim: how a mean
    output that is wanted is put as an energy. references: draws of the background.
    """

    model: SequenceModel
    anchor: Anchor
    law: AnchoredLaw
    settings: LawSettings
    run: Sampling
    build: Callable[[Ladder], Kernel]
    reference: Reference = NO_REFERENCE
    kernel_name: str = "full passes"
    drift: float = 0.0
    apprentice: Apprentice | None = None
    instead: "Callable[[], Setting] | None" = None
    aim: Aim | None = None
    references: int = REFERENCE_DRAWS

    @property
    def kernel(self) -> Kernel:
        """The kernel for the run's replicas."""
        return self.build(Ladder(self.run.replicas, EXCHANGE_EVERY))

    @property
    def is_compiled(self) -> bool:
        """Whether a step computes what a changed letter changes, and no more."""
        return self.kernel_name in (COMPILED, ON_CARD)

    @property
    def scattering(self) -> NDArray[np.bool_] | None:
        """Which moves are scattered redraws (M,); None where a step takes no pass of the network, or by given moves."""
        if self.apprentice is not None or self.is_compiled or self.run.moves != ALL_MOVES:
            return None
        return np.array([move.kind == SCATTER for move in SCATTERED])

    @property
    def plain(self) -> "Setting":
        """The setting without a surrogate."""
        return self if self.instead is None else self.instead()

    @property
    def wanted(self) -> float | None:
        """The mean energy that is asked for; None where beta is given."""
        return None if self.settings.beta is not None else (1 - self.settings.keep) * self.reference.energy

    @property
    def reference_keys(self) -> Keys:
        """The keys (references,) of sequences drawn from the background."""
        return chain_keys(self.run.seed, "beta = 0", self.anchor.codes, self.references)

    @property
    def keys(self) -> Keys:
        """The keys (C · R,) of the chains' replicas."""
        chains = self.run.chains * self.run.replicas
        return chain_keys(self.run.seed, self.anchor.name, self.anchor.codes, chains)

    def energies(self, codes: Codes) -> Floats:
        """Energies (...) of codes (..., L), by full passes."""
        return evaluate(self.law.terms.energy, codes, torch.device(self.run.device))

    def outputs(self, codes: Codes) -> Floats:
        """The output held (...) of codes (..., L)."""
        return evaluate(self.law.output, codes, torch.device(self.run.device))


def ready(model: SequenceModel) -> str | None:
    """Read the networks' layers, which must be done before several threads run them; or why one is no stack of them."""
    found = list[str]()
    for part in networks_of(model):
        try:
            read_layers(part)
        except NotAStack as reason:
            found.append(str(reason))
    return found[0] if found else None


def why_full_passes(model: SequenceModel, run: Sampling) -> str | None:
    """Why each step on a CPU takes a full pass, where it does; the layers are read, as by `ready`."""
    ready(model)
    try:
        for part in networks_of(model):
            read_stack(part)
    except NotAStack as reason:
        return None if learns(run) and may_be_copied(model, model.input_length) else str(reason)
    return None


def may_be_copied(model: SequenceModel, free: int) -> bool:
    """Whether a copy serves: of layers that can be read, or by a student, where enough positions may change for one."""
    if free >= LEAST_TAUGHT:
        return True
    try:
        return bool(cheap_front(model))
    except NotAStack:
        return False


def learns(run: Sampling) -> bool:
    """Whether a surrogate may serve."""
    return run.moves != SINGLE_LETTERS and run.warmup > 0


def values_on_card(model: SequenceModel, device: torch.device) -> int:
    """How many values a card's kernel keeps of each chain: of the network's layers, or of a surrogate's."""
    if not card.is_ready(device):
        return 0
    try:
        parts = networks_of(model) if (work_in(model) or np.inf) <= MOST_COMPILED else []
        found = [layer for part in parts for layer in read_stack(part).layers] or cheap_front(model)
    except NotAStack:
        return 0  # a student's are few
    return sum(layer.out_length * layer.out_channels for layer, _, _ in found)


def anchors_together(run: Sampling, length: int, memory: float, values: int) -> int:
    """How many anchors of so many letters are drawn around at once on a device, beside so many bytes of memory.

    As many as the draws of fit into half of memory, and a step of their chains, and so many values of each that its
    kernel keeps, into half of what the device has free; the other half is the network's, whose passes are no larger for
    more anchors.
    """
    device = torch.device(run.device)
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else memory
    of_anchor = run.chains * run.most_replicas * (length * LETTER_BYTES + values * BYTES_A_VALUE)
    return int(max(1, min(MOST_TOGETHER, memory // (2 * run.bytes_held(length)), free / 2 // of_anchor)))


def over_anchors(task: Callable[[Anchor, int], Result], anchors: Sequences, threads: int) -> Iterator[Result]:
    """Yield task(one anchor, its threads) for each anchor, in order; memory does not grow with the anchors.

    With more than one thread, call ready(model) first: threads cannot read a network's layers beside each other.
    """
    rows = range(len(anchors))
    return over_rows(lambda row, its: task(anchors.anchor(row), its), rows, threads, Stop())


def over_rows(task: Callable[[int, int], Result], rows: Sequence[int], threads: int, stop: Stop) -> Iterator[Result]:
    """Yield task(row, its threads) for each row, in order, until a stop is asked for, which raises StoppedError.

    Each task has one torch thread: it depends on no neighbour and on no thread count. One that fails stops all.
    """
    workers = max(1, min(threads, len(rows)))

    def one(row: int) -> Result:
        if stop.asked:
            raise StoppedError
        torch.set_num_threads(1)
        return task(row, max(1, threads // workers))

    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for row in rows:
                waiting.append(pool.submit(one, row))
                if len(waiting) > 2 * workers:
                    yield _result(waiting.popleft())
            while waiting:
                yield _result(waiting.popleft())
        except BaseException:
            stop.asked = True
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _result(future: "Future[Result]") -> Result:
    """Its result. This thread wakes each second, to hear a signal that another took, as when a job was suspended."""
    while not wait([future], LISTEN).done:
        pass
    return future.result()


def sample_potentials(sample: Draw, law: LawSettings, potentials: tuple[float, ...]) -> list[SampleSet]:
    """The draws around one anchor at each mu (S) on what the law counts, all at the beta of mu = 0."""
    without = sample(law)
    settled = replace(law, beta=without.beta)
    return [sample(replace(settled, mu=mu)) if mu else without for mu in potentials]


def sample_anchor(
    model: SequenceModel,
    anchor: Anchor,
    settings: LawSettings,
    run: Sampling,
    threads: int = 1,
    journal: Journal = NO_JOURNAL,
) -> SampleSet:
    """The draws around an anchor; the journal has the blocks of all that is drawn around it."""
    setting = journalled(prepare(model, anchor, settings, run, threads), journal)
    setting, tuned = warmed_up(setting)
    if setting.instead is not None and tuned.accepted[-1] < LEAST_ACCEPTED:
        plain = setting.plain
        why = f"{plain.kernel_name}; {tuned.accepted[-1]:.0%} of a surrogate's proposals were accepted"
        setting = journalled(replace(plain, kernel_name=why), journal)
        setting, tuned = warmed_up(setting)
    for samples in draw(setting, tuned):
        if diagnose(samples, run.max_rhat, run.min_ess).converged:
            break
    return samples if setting.aim is None else as_asked(samples, setting.aim)


def journalled(setting: Setting, journal: Journal) -> Setting:
    """The setting with kernels in blocks that the journal keeps."""
    build, chains, is_compiled = setting.build, setting.run.chains, setting.kernel_name == COMPILED
    of_surrogate = None if setting.apprentice is None else 10 * most_steps(int(setting.law.terms.mutable.sum()))

    def in_kept_blocks(ladder: Ladder) -> Kernel:
        cheap = is_compiled or setting.run.device != "cpu"
        return in_blocks(build(ladder), of_surrogate or block_steps(chains * ladder.replicas, cheap), journal)

    return replace(setting, build=in_kept_blocks)


def prepare(
    model: SequenceModel,
    anchor: Anchor,
    settings: LawSettings,
    run: Sampling,
    threads: int,
    references: int = REFERENCE_DRAWS,
) -> Setting:
    """The law around an anchor, its reference at beta = 0 of so many draws, and the kernel that can draw from it."""
    law = anchored_law(model, anchor, settings, torch.device(run.device))
    settings = with_own_beta(settings, law)
    if settings.constraints.any:
        log_share_inside(anchor, law.terms.background, settings.constraints)  # which says so, if nothing is
    run = paced(run, int(law.terms.mutable.sum()))
    plain = full_pass_chain if run.device == "cpu" else gathered_chain
    moves = SCATTERED if run.moves == ALL_MOVES else run.moves
    setting = Setting(model, anchor, law, settings, run, partial(plain, moves), references=references)
    codes = random_codes(anchor.codes, law.terms, setting.reference_keys)
    setting = replace(setting, reference=reference_of(setting, setting.energies(codes)))
    if settings.finds_mean:
        setting = aimed(setting)
    if run.device != "cpu" and not card.is_ready(torch.device(run.device)):
        return setting  # full passes, which anchors share: a surrogate's steps would wait for the CPU
    plainly = partial(compiled if run.device == "cpu" else by_card, setting, codes[: run.replicas * CHECKED], threads)
    if settings.hold or not learns(run):  # what is held, a surrogate's proposals would not heed
        return plainly()
    if not may_be_copied(model, int(law.terms.mutable.sum())):
        return plainly()
    if (work_in(model) or 0) > MOST_COMPILED:  # the compiled chain is not even tried, unless the surrogate is no help
        return with_surrogate(setting, codes, threads, plainly)
    found = plainly()
    return found if found.is_compiled else with_surrogate(found, codes, threads, lambda: found)


def work_in(model: SequenceModel) -> int | None:
    """Multiplications of a changed letter in the compiled chain; None where it does not know the network."""
    try:
        return sum(work([layer for layer, _, _ in read_stack(part).layers]) for part in networks_of(model))
    except NotAStack:
        return None


def with_own_beta(settings: LawSettings, law: AnchoredLaw) -> LawSettings:
    """The settings with the beta that the law itself has, where none is given."""
    own = settings.kind.own_beta
    if own is None or settings.beta is not None or settings.to is None:
        return settings
    if settings.to == law.anchor_output:
        raise SettingsError("to", "", "is the anchor's own output, so that no spread follows from it", "give spread")
    return replace(settings, beta=own(settings.to, law.anchor_output))


def aimed(setting: Setting) -> Setting:
    """The setting with an energy of which the background's mean falls by AIM_KEPT where the output's is as wanted.

    Where it already is, within what is known of it, beta is 0.
    """
    settings, reference = setting.settings, setting.reference
    assert settings.to is not None
    missing = settings.to + reference.energy  # which is minus the mean output
    if abs(missing) <= reference.energy_error:
        return replace(setting, settings=replace(settings, beta=0.0))
    turned = missing < 0
    if turned:
        outputs = tuple(tuple((number, -weight) for number, weight in one) for one in settings.outputs)
        settings = replace(settings, outputs=outputs, to=-settings.to)
        law = anchored_law(setting.model, setting.anchor, settings, torch.device(setting.run.device))
        output = -reference.output[::-1]
        reference = Reference(-reference.energy, reference.energy_spread, output, reference.draws)
        setting = replace(setting, law=law)
    missing = abs(missing)
    added = 2 * missing - reference.energy
    law, energy = setting.law, setting.law.terms.energy
    terms = replace(law.terms, energy=plus(energy, added))
    offset = None if law.offset is None else law.offset + added
    return replace(
        setting,
        law=replace(law, terms=terms, offset=offset),
        settings=replace(settings, keep=AIM_KEPT),
        reference=replace(reference, energy=2 * missing),
        aim=Aim(added, turned),
    )


def as_asked(samples: SampleSet, aim: Aim) -> SampleSet:
    """The draws with the outputs that were asked for, and minus the output that they are of as energy."""
    sign, replicas, each = -1.0 if aim.turned else 1.0, samples.replicas, samples.networks
    if each is not None:
        each = replace(each, output=sign * each.output, anchor_output=sign * each.anchor_output)
    search = replicas.search.copy()
    search[:, search.shape[1] // 2 :] -= aim.added
    return replace(
        samples,
        energy=samples.energy - aim.added,
        output=sign * samples.output,
        anchor_output=sign * samples.anchor_output,
        energy_background=samples.energy_background - aim.added,
        energy_background_error=0.0,
        output_background=samples.output_background[::-1] * sign if aim.turned else samples.output_background,
        replicas=replace(replicas, energy=replicas.energy - aim.added, output=sign * replicas.output, search=search),
        networks=each,
    )


def reference_of(setting: Setting, energy: Floats) -> Reference:
    """What energies (n,) under the law's background, and outputs under its untethered one, look like.

    Whether the network tells the anchor from background is a question about the background, not about the tether.
    """
    if not (np.isfinite(energy).all() and np.ptp(energy)):
        problem = "the energy of background sequences is always the same, or not a finite number"
        raise InputError(
            setting.anchor.name, "", problem, "see that the model reads its input and its weights are sound"
        )
    anchor = setting.anchor.codes
    rows = background_rows(np.array(setting.settings.background), anchor, None)
    plain = random_codes(anchor, replace(setting.law.terms, background=rows), setting.reference_keys)
    points = np.quantile(setting.outputs(plain), CENTRAL)
    return Reference(float(energy.mean()), float(energy.std()), points, setting.references)


def compiled(setting: Setting, codes: Codes, threads: int) -> Setting:
    """The setting with the compiled chain, where the network is a stack that it can run and gives the same energies.

    codes (· R, L): sequences that the chain changes at random, at beta = 0, and then compares with full passes.
    """
    law = setting.law
    if law.of_outputs is not None:
        return replace(
            setting, kernel_name="full passes (the law is of outputs, which the compiled chain does not give)"
        )
    if setting.settings.hold:
        return replace(setting, kernel_name=HOLDING)
    try:
        plan = read_plan(setting.model, law.reference, law.weights, law.offset, law.squared)
    except NotAStack as reason:
        return replace(setting, kernel_name=f"full passes ({reason})")
    moves = setting.run.moves
    held = BYTES_A_VALUE * plan.values * setting.run.chains * setting.run.most_replicas
    if held > MOST_HELD:
        return replace(setting, kernel_name=f"full passes (the compiled chain would hold {held / 2**30:.1f} GiB)")
    if setting.run.device != "cpu" and (plan.table[:, KIND] == LSTM).any():
        return replace(setting, kernel_name="full passes (an LSTM, which the card's kernel does not know)")
    device = torch.device(setting.run.device)
    name, chain = COMPILED, partial(compiled_chain, plan, moves, threads=threads)
    if setting.run.device != "cpu":
        name, chain = ON_CARD, partial(card.block_chain, plan, moves, launch=card.launcher(device))
    found = replace(setting, build=chain, kernel_name=name)
    keys = chain_keys(setting.run.seed, "check", setting.anchor.codes, len(codes))
    _, trace = found.kernel(start_state(law.terms, codes, keys, device), law.terms.at(np.zeros(1)), 1, CHECKED_STEPS)
    if not trace.drift <= MOST_DRIFT * setting.reference.energy_spread:
        return replace(setting, kernel_name="full passes (the compiled chain gives other energies)")
    return replace(found, drift=trace.drift)


def by_card(setting: Setting, codes: Codes, threads: int) -> Setting:
    """As `compiled`, on a card; where a changed letter costs much, by full passes, which anchors share."""
    return setting if (work_in(setting.model) or 0) > MOST_COMPILED else compiled(setting, codes, threads)


def with_surrogate(setting: Setting, codes: Codes, threads: int, instead: Callable[[], Setting]) -> Setting:
    """The setting with surrogate transitions, by the network's first layers or, where none can be read, a student's.

    codes (n, L): sequences from the background. instead: makes the setting for where that is no help.
    """
    teacher = teacher_of(setting.model, setting.law)
    run, anchor = setting.run, setting.anchor.codes
    (key,) = chain_keys(run.seed, "lessons", anchor, 1)
    most = most_steps(int(setting.law.terms.mutable.sum()))
    apprentice = Apprentice(teacher, codes, int(key), run.replicas, most)

    device = torch.device(run.device)
    inner = by_threads(threads) if run.device == "cpu" else card.inner_chain(card.launcher(device))

    def build(ladder: Ladder) -> Kernel:
        return surrogate_chain(REVERSIBLE, Ladder(ladder.replicas), inner)

    return replace(setting, build=build, kernel_name=SURROGATE, apprentice=apprentice, instead=instead)


def warmed_up(setting: Setting) -> tuple[Setting, Tuned]:
    """Chains from their start to draws, with as many replicas as exchange often enough with their neighbours."""
    run, device = setting.run, torch.device(setting.run.device)
    tuned = warm_up(setting, start_state(setting.law.terms, start_codes(setting), setting.keys, device))
    most = run.most_replicas if setting.apprentice is None else run.replicas
    while (replicas := min(tuned.replicas_wanted(), most)) > setting.run.replicas:
        betas, nearest = tuned.spread_over(replicas)
        before = tuned.state.codes.cpu().numpy().reshape(run.chains, setting.run.replicas, -1)
        setting = replace(setting, run=replace(run, replicas=replicas))
        codes = before[:, nearest].reshape(run.chains * replicas, -1)
        state = start_state(setting.law.terms, codes, setting.keys, device)
        tuned = warm_up(setting, state._replace(step=tuned.state.step), betas)
    return setting, tuned


def warm_up(setting: Setting, state: State, betas: Betas | None = None) -> Tuned:
    """Settle the ladder, from betas (R,), and its top near the beta that is to be found; learn a surrogate, if any.

    Ends early where more replicas may be had, and are soon seen to be wanted.
    """
    settings, run, reference = setting.settings, setting.run, setting.reference
    if betas is None:
        top = settings.beta if settings.beta is not None else FIRST_TOP / reference.energy
        betas = first_ladder(top, run.replicas, 1 / reference.energy_spread)
    fixed = (setting.kernel, state, setting.law.terms, betas, setting.wanted, run.warmup)
    if setting.apprentice is None:
        return tune(*fixed, scattering=setting.scattering, most=run.most_replicas)
    learner = setting.apprentice.learner()
    return tune(*fixed, learner.begin(setting.anchor.codes), learner.learn)


def warmed_further(setting: Setting, tuned: Tuned, top: float) -> Tuned:
    """The ladder with its top at a beta that draws have asked for, and then where a longer warm-up brings it.

    A surrogate stays as it is, and so does the ladder that it serves: it is dear to learn.
    """
    betas = tuned.betas * top / tuned.betas[-1]
    if setting.apprentice is not None:
        return tuned._replace(betas=betas)
    longer = replace(setting, run=replace(setting.run, warmup=LONGER * setting.run.warmup, max_replicas=1))
    found = warm_up(longer, tuned.state, betas)
    return found._replace(history=np.concatenate([tuned.history, found.history]))


def draw(setting: Setting, tuned: Tuned) -> Iterator[SampleSet]:
    """Yield draws where their letters have converged, then go on, and yield more of the same; the last at max_steps.

    The chains are looked at after 1, 2, 3, 4, 6, 8, 12, ... times the steps that the draws take at first. As many draws
    are given each time, at wider thinning, and three times as many held at most, so that memory stays. Where a mean
    energy is wanted, beta is found anew from all draws; they are weighed to it or, where that would lose much, taken
    for warm-up, which goes on there.
    """
    run, first, thin, times, again = setting.run, tuned.state.step, whole(setting.run.thin, tuned.surrogate), 1, 0
    held, parts, kernel = nothing_held(setting), list[Trace](), setting.kernel
    while True:
        adapted = tuned.adapted, tuned.surrogate, tuned.scattered
        ladder = setting.law.terms.at(np.tile(tuned.betas, run.chains), *adapted)
        state, trace = kernel(tuned.state, ladder, times * run.draws - held.codes.shape[1], thin)
        held, tuned = held.followed_by(trace), tuned._replace(state=state)
        parts.append(trace._replace(codes=NO_CODES, energy=NO_ENERGY))  # only the counts are wanted later
        given = held.from_each(times - 1, times)
        settled = _settled(setting, tuned, given)
        if settled is not None and settled.left < LEAST_LEFT and again < MOST_AGAIN:
            tuned = warmed_further(setting, tuned, settled.beta)
            held, parts, again = nothing_held(setting), [], again + 1
            first, thin, times = tuned.state.step, whole(run.thin, tuned.surrogate), 1
            continue
        last = state.step - first + run.draws * thin > run.max_steps
        if last or letters_converged(_top_codes(setting, given, settled), run.max_rhat, run.min_ess):
            plain = collect(setting, tuned, given, parts, times * thin)
            yield plain if settled is None else weighed(plain, settled, setting.settings.keep)
        if last:
            return
        if times == MOST_TIMES:
            held = held.from_each(1 - held.codes.shape[1] % 2, 2)  # the last stays
            times, thin = times // 2 + 1, 2 * thin
        else:
            times += 1


NO_CODES, NO_ENERGY = np.empty((0, 0, 0), np.uint8), np.empty((0, 0))


class Held(NamedTuple):
    """Draws of all replicas: codes (C · R, D, L) and the kernel's energies (C · R, D)."""

    codes: Codes
    energy: Floats

    def followed_by(self, trace: Trace) -> "Held":
        """These draws and those of a trace."""
        codes = np.concatenate([self.codes, trace.codes], axis=1)
        return Held(codes, np.concatenate([self.energy, trace.energy], axis=1))

    def from_each(self, first: int, apart: int, axis: int = 1) -> "Held":
        """Draws (axis 1) or chains' replicas (axis 0) so far apart, from the given one on."""
        where = (slice(None),) * axis + (slice(first, None, apart),)
        return Held(self.codes[where].copy(), self.energy[where].copy())


def nothing_held(setting: Setting) -> Held:
    """No draws."""
    chains, length = setting.run.chains * setting.run.replicas, len(setting.anchor.codes)
    return Held(np.empty((chains, 0, length), np.uint8), np.empty((chains, 0)))


def _settled(setting: Setting, tuned: Tuned, held: Held) -> Settled | None:
    """The beta that is wanted, by the energies of the top replica's draws; None where one was given."""
    energy = held.energy[setting.run.replicas - 1 :: setting.run.replicas]
    return None if setting.wanted is None else settle(energy, float(tuned.betas[-1]), setting.wanted)


def _top_codes(setting: Setting, held: Held, settled: Settled | None) -> Codes:
    """Codes (C, D, L) of the top replica's draws that may change, as draws at the beta that is wanted."""
    codes = held.codes[setting.run.replicas - 1 :: setting.run.replicas, :, setting.law.terms.mutable]
    return codes if settled is None or settled.left < LEAST_LEFT else _rows(codes, settled)


def collect(setting: Setting, tuned: Tuned, held: Held, parts: list[Trace], thin: int) -> SampleSet:
    """The draws of all replicas as a sample set of the top one, with what the others saw."""
    top, output = held.from_each(setting.run.replicas - 1, setting.run.replicas, axis=0), outputs_of(setting, held)
    tried, accepted = (np.sum([getattr(trace, name) for trace in parts], axis=0) for name in ("tried", "accepted"))
    proposed = slice(None, len(tried) - setting.run.replicas + 1)
    return SampleSet(
        name=setting.anchor.name,
        interval=setting.anchor.interval,
        anchor=setting.anchor.codes,
        codes=top.codes,
        energy=top.energy,
        output=output[:, -1],
        background=setting.law.terms.background,
        mutable=setting.law.terms.mutable,
        beta=float(tuned.betas[-1]),
        anchor_output=setting.law.anchor_output,
        energy_background=setting.reference.energy,
        output_background=setting.reference.output,
        thin=thin,
        acceptance=float(accepted[proposed].sum() / max(tried[proposed].sum(), 1)),
        kernel=kernel_of(setting, tuned, tried, accepted),
        drift_start=setting.drift,
        drift=max(trace.drift for trace in parts),
        replicas=watch_replicas(tuned, held, output),
        energy_background_error=setting.reference.energy_error if setting.aim is None else 0.0,
        stands_for=setting.anchor.stands_for,
        networks=networks_of_draws(setting, top.codes),
    )


def networks_of_draws(setting: Setting, codes: Codes) -> Networks | None:
    """What each network makes of draws (C, D, L); None where there is one."""
    each = setting.law.networks
    if each is None:
        return None
    seen = evaluate(each.seen, codes, torch.device(setting.run.device))
    return Networks(seen[..., 0], seen[..., 1], each.scales, each.anchor_outputs)


def weighed(plain: SampleSet, settled: Settled, keep: float) -> SampleSet:
    """The draws as draws at the beta that is wanted; as they are where next to nothing would be left of them."""
    if settled.left < LEAST_LEFT:
        return plain
    codes, energy, output = (_rows(values, settled) for values in (plain.codes, plain.energy, plain.output))
    of_energies, of_outputs = (some_draws(energy.shape[1], most) for most in (REPLICA_DRAWS, REPLICA_OUTPUTS))
    replicas = plain.replicas
    top = replace(
        replicas,
        betas=np.append(replicas.betas[:-1], settled.beta),
        energy=np.dstack([replicas.energy[..., :-1], energy[:, of_energies]]),
        output=np.dstack([replicas.output[..., :-1], output[:, of_outputs]]),
        letters=np.concatenate([replicas.letters[:, :-1], letter_counts(codes)[:, None]], axis=1),
    )
    each = plain.networks
    if each is not None:
        each = replace(each, distance=_rows(each.distance, settled), output=_rows(each.output, settled))
    found = replace(plain, codes=codes, energy=energy, output=output, beta=settled.beta, replicas=top, keep=keep)
    found = replace(found, networks=each)
    return replace(found, beta_error=beta_error(found))


def _rows(values: NDArray[Any], settled: Settled) -> NDArray[Any]:
    return np.take_along_axis(values, settled.rows.reshape(*settled.rows.shape, *(values.ndim - 2) * [1]), axis=1)


def kernel_of(setting: Setting, tuned: Tuned, tried: NDArray[np.int64], accepted: NDArray[np.int64]) -> str:
    """What the kernel is called; of a surrogate, what it is made of and how it did at the top replica."""
    if setting.apprentice is None or tuned.surrogate is None:
        return setting.kernel_name
    top = setting.run.replicas - 1
    share, made = accepted[top] / max(tried[top], 1), setting.apprentice.teacher.name
    return f"{setting.kernel_name} ({made}; {tuned.surrogate.steps} steps at once, {share:.0%} accepted)"


def outputs_of(setting: Setting, held: Held) -> Floats:
    """Outputs (C, R, D): of the top replica, and of the draws that are watched on every replica; NaN for the others.

    By the kernel's energies where the law is of the output itself, else by full passes, as no kernel has them.
    """
    if setting.settings.kind.output_of is not None:
        found = setting.settings.kind.output_of(held.energy - (0.0 if setting.aim is None else setting.aim.added))
        return np.asarray(found).reshape(setting.run.chains, setting.run.replicas, -1)
    wanted = np.zeros((setting.run.chains, setting.run.replicas, held.energy.shape[1]), np.bool_)
    wanted[:, -1] = wanted[..., some_draws(held.energy.shape[1], REPLICA_OUTPUTS)] = True
    output = np.full(wanted.shape, np.nan)
    output[wanted] = setting.outputs(held.codes[wanted.reshape(held.energy.shape)])
    return output


def watch_replicas(tuned: Tuned, held: Held, output: Floats) -> Replicas:
    """Energy, output (C, R, D) and letters of every replica, on some of the draws."""
    chains, replicas, draws = output.shape

    def watched(values: Floats, most: int) -> Floats:
        some = values.reshape(chains, replicas, draws)[..., some_draws(draws, most)]
        return np.ascontiguousarray(some.transpose(0, 2, 1))

    letters = letter_counts(held.codes).reshape(chains, replicas, -1, 4)
    energy, output = watched(held.energy, REPLICA_DRAWS), watched(output, REPLICA_OUTPUTS)
    return Replicas(tuned.betas, energy, output, letters, tuned.history)


def some_draws(draws: int, most: int) -> slice:
    """Which of so many draws are looked at on every replica, at most so many."""
    return slice(None, None, -(-draws // most))


def letter_counts(draws: Codes) -> NDArray[np.uint32]:
    """How often each letter stands at each position of each chain: draws (C, D, L) to counts (C, L, 4)."""
    return np.stack([(draws == letter).sum(axis=1) for letter in range(4)], axis=-1).astype(np.uint32)


def start_codes(setting: Setting) -> Codes:
    """Where the chains' replicas (C · R, L) start: at the anchor (L,), at background draws, or half and half by chain.

    Unknown letters of the anchor that may change are background draws from the start; so is all of an anchor that the
    constraints do not allow.
    """
    anchor, run, keys, terms = setting.anchor.codes, setting.run, setting.keys, setting.law.terms
    random = random_codes(anchor, terms, keys)
    starts = np.where((anchor == UNKNOWN) & terms.mutable, random, anchor)
    starts = np.where(is_inside(terms, starts)[:, None], starts, random)
    if run.start == "anchor":
        return starts
    if run.start == "both":
        at_anchor = np.arange(len(keys)) // run.replicas % 2 == 0
        random[at_anchor] = starts[at_anchor]
    return random


def is_inside(terms: Terms, codes: Codes) -> NDArray[np.bool_]:
    """Whether codes (C, L) are in the support (C,)."""
    support = support_of(terms)
    return np.ones(len(codes), np.bool_) if support is None else support(torch.from_numpy(codes)).numpy() == 0
