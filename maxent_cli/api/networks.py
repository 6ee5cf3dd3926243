"""Networks as public functions take them: a model folder, or a torch module in memory."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from maxent_cli.alphabet import UNIFORM, Frequencies
from maxent_cli.api.listening import Listener
from maxent_cli.errors import InputError, SettingsError
from maxent_cli.io.checkpoint import CARD, WEIGHTS, load_model
from maxent_cli.io.digests import noted
from maxent_cli.io.weights import require_kept
from maxent_cli.laws import Outputs
from maxent_cli.models.adapter import AS_IS, AdaptedNetwork, Reading
from maxent_cli.models.architectures import LayeredModel
from maxent_cli.models.consensus import Consensus
from maxent_cli.models.prediction import require_sound
from maxent_cli.models.scores import Score

Reader = LayeredModel | AdaptedNetwork | Score | Consensus

# cpu:0 is the CPU by the ways of a card, which is how these are tested
_DEVICE, _DEVICES = re.compile(r"cpu(:0)?|cuda(:[0-9]{1,3})?"), "give cpu, cuda or cuda:N"


@dataclass(frozen=True)
class Network:
    """A network and how it reads DNA.

    name: what messages call it. input_length: letters that it reads, in bp; None: as many as most records have.
    names: of its outputs, as far as known. background: letter frequencies that it was trained on, where known. held:
    outputs held by default. trusted: its code was said to be. files: paths that it came from; digest: what tells it
    from others. parts: the networks that it is made of, where these are several.
    """

    module: nn.Module
    name: str
    reading: Reading = AS_IS
    input_length: int | None = None
    names: tuple[str, ...] = ()
    background: Frequencies | None = None
    held: Outputs | None = None
    trusted: bool = False
    files: tuple[str, ...] = ()
    digest: object = None
    parts: tuple["Network", ...] = ()

    def reader(self, length: int, layer: str | None = None) -> Reader:
        """The network as one that can be interpreted, for sequences of length bp; layer: instead of its own default."""
        if self.parts:
            readers = [part.reader(length, layer) for part in self.parts]
            names = [part.outputs(each.outputs) for part, each in zip(self.parts, readers, strict=True)]
            common = _common(self.parts, names)
            return Consensus(readers, [[own.index(name) for name in common] for own in names])
        reading = self.reading if layer is None else replace(self.reading, layer=layer)
        if isinstance(self.module, Score):
            if layer is not None:
                problem = f"there is none in {self.name}, which is a function of sequences"
                raise SettingsError("layer", "", problem, "leave it out: the output itself is held")
            return self.module.sized(length, self.name)
        if isinstance(self.module, LayeredModel) and reading == AS_IS:
            return require_sound(self.module, self.name)
        return AdaptedNetwork(self.module, length, reading, self.name)

    def outputs(self, count: int) -> tuple[str, ...]:
        """A name for each of its outputs; numbers from 0 where none are known."""
        return self.names if len(self.names) == count else tuple(f"output_{number}" for number in range(count))


def network(
    given: str | nn.Module | Sequence[str | nn.Module], input_length: int | None = None, *, trust_code: bool = False
) -> Network:
    """A network to be asked; or several, such as folds or seeds, that are asked as one.

    Parameters
    ----------
    given
        A model folder as `train` and `adopt` write it; or a module in memory that reads (batch, 4, length), letters
        A, C, G, T, of which a copy is taken. `adopt` takes all others. Of several, outputs are means; the law of the
        anchor holds what each of them holds: E² is the sum over them of (E_m / <E_m>)², <E_m> being the mean under the
        background.
    input_length
        Letters that a module reads, in bp; by default its own ``input_length``, or as many as most records have.
    trust_code
        Also run code that a model folder holds.

    Raises
    ------
    InputError
        Where there is no such network, or where its folder holds code and is not trusted; where several have inputs of
        other lengths, or no outputs in common.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> from torch import nn
    >>> net = mx.network(nn.Sequential(nn.Conv1d(4, 8, 5), nn.ReLU(), nn.Flatten(), nn.Linear(48, 1)), 10)
    >>> net.input_length
    10
    """
    if not isinstance(given, str | nn.Module):
        return together([network(each, input_length, trust_code=trust_code) for each in given])
    return in_memory(given, AS_IS, input_length) if isinstance(given, nn.Module) else opened(given, trust_code)


def together(parts: Sequence[Network]) -> Network:
    """Several networks as one; one as it is. Raises InputError where they do not go together."""
    if len(parts) < 2:
        if not parts:
            raise SettingsError("model", "", "none is given", "give one or more")
        return parts[0]
    first = parts[0]
    for part in parts[1:]:
        if part.input_length != first.input_length:
            problem = f"reads {part.input_length} letters, and {first.name} {first.input_length}"
            raise InputError(part.name, "", problem, "give networks of one input length")
    known = [part.background for part in parts if part.background is not None]
    a, c, g, t = np.mean(known or [UNIFORM], axis=0).tolist()
    names = _common(parts, [part.names for part in parts]) if all(part.names for part in parts) else ()
    return Network(
        nn.ModuleList([part.module for part in parts]),
        ", ".join(part.name for part in parts),
        input_length=first.input_length,
        names=tuple(names),
        background=(a, c, g, t) if len(known) == len(parts) else None,
        held=_held_by_all(parts, names),
        trusted=any(part.trusted for part in parts),
        files=tuple(path for part in parts for path in part.files),
        digest=[part.digest for part in parts],
        parts=tuple(parts),
    )


def _common(parts: Sequence[Network], names: Sequence[Sequence[str]]) -> list[str]:
    """Outputs that all networks have, in the first's order. Raises InputError where there are none."""
    found = [name for name in names[0] if all(name in own for own in names[1:])]
    if not found:
        other = next(part for part, own in zip(parts, names, strict=True) if not set(own) & set(names[0]))
        problem = f"has no output that {parts[0].name} has ({', '.join(names[0])})"
        raise InputError(other.name, "", problem, "give networks with outputs of the same names")
    return found


def _held_by_all(parts: Sequence[Network], names: Sequence[str]) -> Outputs | None:
    """What is held of each by default, by the numbers that outputs have together; None unless it is the same of all."""
    spelled = [
        None if part.held is None else [[(part.names[number], weight) for number, weight in one] for one in part.held]
        for part in parts
    ]
    if spelled[0] is None or any(each != spelled[0] for each in spelled):
        return None
    if any(name not in names for one in spelled[0] for name, _ in one):
        return None
    return tuple(tuple((list(names).index(name), weight) for name, weight in one) for one in spelled[0])


def opened(folder: str, trusted: bool) -> Network:
    """The network of a model folder."""
    module, card = load_model(folder, trusted)
    known = noted(folder)
    digest = {name: known.get(name) for name in (CARD, WEIGHTS)} if isinstance(known, dict) else known
    known_of = (card.input_length, card.outputs, card.background, card.held)
    return Network(module, folder, card.reading, *known_of, trusted, (folder,), digest)


def in_memory(module: nn.Module, reading: Reading, input_length: int | None, name: str | None = None) -> Network:
    """A network of a torch module; InputError where it holds other things than numbers."""
    name = name or type(module).__name__
    require_kept(name, module)
    length = input_length or getattr(module, "input_length", None)
    digest = {"module": type(module).__name__, "weights": _digest(module)}
    known = length if isinstance(length, int) else None
    return Network(module, name, reading, known, digest=digest)


def place(model: nn.Module, device: str, listener: Listener) -> None:
    """Put the network on the device; tell of a GPU left unused."""
    if not _DEVICE.fullmatch(device):
        raise SettingsError("device", "", f"{device} is none that is known here", _DEVICES)
    try:
        model.to(torch.device(device))
    except (RuntimeError, AssertionError) as error:
        problem = f"{device} cannot be used ({str(error).splitlines()[0]})"
        raise SettingsError("device", "", problem, _DEVICES) from error
    if torch.cuda.is_available() and device == "cpu":
        listener.say("NOTE: a GPU is here and is not used; give --device cuda to use it")


def _digest(module: nn.Module) -> str:
    """SHA-256 of a module's weights by name."""
    found = hashlib.sha256()
    for name, value in module.state_dict().items():
        found.update(name.encode() + value.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
