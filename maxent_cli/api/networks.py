"""Networks as public functions take them: a model folder, a function that builds one, or a torch module in memory."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from maxent_cli.alphabet import LETTERS
from maxent_cli.api.listening import Listener
from maxent_cli.errors import SettingsError
from maxent_cli.interpret.law import Frequencies
from maxent_cli.io import networks as files
from maxent_cli.models.adapter import FIND, AdaptedNetwork, Reading
from maxent_cli.models.architectures import LayeredModel

Reader = LayeredModel | AdaptedNetwork

_DEVICE, _DEVICES = re.compile(r"cpu|cuda(:[0-9]{1,3})?"), "give cpu, cuda or cuda:N"


@dataclass(frozen=True)
class Network:
    """A network and how it reads DNA; files: the paths that it came from; digest: what tells it from others."""

    found: files.Network
    reading: Reading
    files: tuple[str, ...]
    digest: object

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.found.name

    @property
    def input_length(self) -> int | None:
        """Letters that it reads, in bp; None: as many as the first record has."""
        return self.found.input_length

    @property
    def background(self) -> Frequencies | None:
        """Letter frequencies that it was trained on, where known."""
        return self.found.background

    def reader(self, length: int) -> Reader:
        """The network as one that can be interpreted, for sequences of length bp."""
        return self.found.read_as(self.reading, length)

    def outputs(self, count: int) -> tuple[str, ...]:
        """A name for each of its outputs; numbers from 0 where none are known."""
        return self.found.output_names(count)


def network(
    given: str | nn.Module,
    input_length: int | None = None,
    *,
    weights: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    weights_prefix: str = "",
    trust_pickle: bool = False,
    letters: str = LETTERS,
    channels_last: bool = False,
    head: str | None = None,
    layer: str | None = None,
    final: str = FIND,
) -> Network:
    """A network to be asked.

    Parameters
    ----------
    given
        A model folder as `train` writes it; ``"module:function"``, a function or class of yours that gives a torch
        module; or a module in memory, of which a copy is taken.
    input_length
        Letters that it reads, in bp; by default the folder's, the module's own ``input_length``, or as many as the
        first record has.
    weights, arguments, weights_prefix
        Of a function: a file of weights (safetensors, a state dict, or a checkpoint that holds one), the function's
        arguments, and what the names of the weights begin with.
    trust_pickle
        Also read files that can run code.
    letters, channels_last
        Order of its four channels, and whether it reads (batch, length, 4) rather than (batch, 4, length).
    head, layer, final
        Which of several outputs, by key or number; the module whose input is the representation, by default the last
        linear layer's; the sigmoid or softmax before which outputs are taken: 'auto', 'none' or a name.

    Raises
    ------
    InputError
        Where there is no such network, where a file would run code and is not trusted, or where weights do not fit.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> from torch import nn
    >>> net = mx.network(nn.Sequential(nn.Conv1d(4, 8, 5), nn.ReLU(), nn.Flatten(), nn.Linear(48, 1)), 10)
    >>> net.input_length
    10
    """
    reading = Reading(letters, channels_last, head, layer, final)
    if isinstance(given, nn.Module):
        length = input_length or getattr(given, "input_length", None)
        found = files.Network(given, type(given).__name__, length if isinstance(length, int) else None)
        return Network(found, reading, (), {"module": type(given).__name__, "weights": _digest(given)})
    source = files.Source(given, dict(arguments or {}), weights, weights_prefix, trust_pickle, input_length)
    found = files.load_network(source)
    return Network(found, reading, tuple(source.files), files.network_digest(source))


def place(model: Reader, device: str, listener: Listener) -> None:
    """Put the network on the device, with full 32-bit products (TF32 would bend the law); tell of a GPU left unused."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
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
