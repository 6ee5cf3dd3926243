"""Adoption: a network of the user's own is described and examined once, and kept as a model folder."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from maxent_cli.alphabet import LETTERS, UNIFORM, Frequencies
from maxent_cli.api.examining import examined, letters_finding, random_anchors
from maxent_cli.api.jobs import Task, granted_cpus, outputs_of, torch_threads
from maxent_cli.api.listening import Progress, listener_of
from maxent_cli.api.networks import Network, Reader, in_memory, opened, place
from maxent_cli.api.precision import whole_products
from maxent_cli.api.results import results_folder
from maxent_cli.errors import InputError, SettingsError
from maxent_cli.interpret.checkup import NOTE, WRONG, Finding, Patient
from maxent_cli.interpret.law import Law
from maxent_cli.interpret.sampling import PRESETS
from maxent_cli.io.checkpoint import ModelCard, kept_as, load_model, save_model
from maxent_cli.io.digests import noted
from maxent_cli.io.networks import NetworkSource, load_network
from maxent_cli.io.outputs import planned
from maxent_cli.models.adapter import FIND, Reading
from maxent_cli.models.protocol import one_hot
from maxent_cli.models.scores import Score

FAR = 1e-4  # share of the outputs' spread by which the network and its folder may differ
A_PROFILE = 50  # outputs, of which each alone says little
_CHOICES = "one, a difference A-B, several together A,B,C, or a TSV of weights"
_OF_MANY = (
    "; if they are a profile along the sequence, one position alone is seldom what is asked: its shape is held by "
    "`maxent sample ANCHORS --law profile`, a stretch of it by --output 400:600"
)
_TRIED = 16  # random sequences, for that


@whole_products()
def adopt(
    given: str | nn.Module,
    *,
    weights: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    weights_prefix: str = "",
    score: bool = False,
    input_length: int | None = None,
    letters: str = LETTERS,
    channels_last: bool = False,
    head: str | None = None,
    final: str = FIND,
    layer: str | None = None,
    output: int | str | None = None,
    output_names: Sequence[str] = (),
    background: Frequencies | None = None,
    gc: float | None = None,
    table: str | None = None,
    device: str = "cpu",
    out: str | None = None,
    trust_code: bool = False,
    threads: int | None = None,
    progress: Progress = True,
) -> Network:
    """Describe a network once: examine it, and write a model folder that says how it reads and what it gives.

    A network of torch's own layers is kept as weights and JSON. Of another the folder holds a copy of its code, which
    `network` runs only with trust_code.

    Parameters
    ----------
    given
        ``"module:function"``, a function or class of yours that gives a torch module; the path of a file of Keras
        (.h5, .keras); a published family, as 'basset' or 'bpnet'; or a module in memory.
    weights, arguments, weights_prefix
        A file of weights (safetensors, a state dict, a checkpoint that holds one, or a folder of Hugging Face), the
        function's arguments, and what the names of the weights begin with.
    score
        The function gives no module, but numbers for a list of sequences: a number each, or a row. Held is the output.
    input_length
        Letters that it reads, in bp; by default the module's own ``input_length``.
    letters, channels_last
        Order of its four channels, and whether it reads (batch, length, 4) rather than (batch, 4, length).
    head, final
        Which of several outputs, by key or number; the sigmoid or softmax before which outputs are taken: 'auto',
        'none' or a name.
    layer, output
        What is held unless a law asks for something else: the module whose input is the representation, by default the
        last linear layer's; and an output or several, as `Law` names them.
    output_names, background, gc
        Names of the outputs; letter frequencies of what it was trained on, or their G+C fraction.
    table
        TSV with columns sequence and label (0 or 1): all orders of the letters are tried on it.
    device, threads
        Where it is examined; CPU threads, by default those granted.
    trust_code
        Also take a file of TorchScript or torch.export, whole, and run the code in it.
    out
        The model folder; without it nothing is kept, and the network is that in memory.
    progress
        True: each finding on stderr; False: none; or a function that is given them.

    Returns
    -------
    Network
        As `network` gives it.

    Raises
    ------
    InputError
        Where there is no such network, where a file is none that is read, where weights do not fit, or where draws from
        it would be wrong.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> from torch import nn
    >>> module = nn.Sequential(nn.Conv1d(4, 8, 5), nn.ReLU(), nn.Flatten(), nn.Linear(48, 1))
    >>> net = mx.adopt(module, input_length=10, letters="GCAT", gc=0.41, progress=False)
    >>> net.reading.letters
    'GCAT'
    """
    task = Task("adopt", listener_of(progress), out, threads=threads or granted_cpus())
    asked = Law(output=output, background=background, gc=gc)
    named = given if isinstance(given, str) else type(given).__name__
    source = NetworkSource(
        named, dict(arguments or {}), weights, weights_prefix, score, length=input_length, trusted=trust_code
    )
    read = [weights, table, *asked.files, named if Path(named).exists() else None]
    plan = planned(read, folders=[out], noting=False)
    module = given if isinstance(given, nn.Module) else load_network(source)
    plan = plan.reading(*source.files) if isinstance(given, str) else plan
    known = in_memory(module, Reading(letters, channels_last, head, layer, final), input_length, named)
    known = replace(known, names=tuple(output_names), background=asked.frequencies)
    if known.input_length is None:
        problem = f"is not known: {named} does not say how many letters it reads"
        raise SettingsError("input-length", "", problem, "give input-length")
    with torch_threads(task.threads):
        model = known.reader(known.input_length)
        place(model, device, task.listener)
        known = _named(known, model.outputs)
        if output is not None:
            known = replace(known, held=outputs_of(known, output, known.names))
        findings = {each.topic: _heard(each, known, task) for each in _findings(known, model, device, table, task)}
        if out is None:
            return known
        with results_folder(out, plan) as folder:
            card = _card(folder, known, source, findings)
            save_model(folder, module, card)
            _compare(known, model.input_length, folder)
    task.listener.say(f"{out}: {card.says}")
    return opened(out, True)


def _named(network: Network, count: int) -> Network:
    """With a name for each of its outputs."""
    if network.names and len(network.names) != count:
        problem = f"{len(network.names)} are given, and {network.name} has {count} outputs"
        raise SettingsError("output-names", "", problem, "give a name for each")
    return replace(network, names=network.outputs(count))


def _findings(network: Network, model: Reader, device: str, table: str | None, task: Task) -> Iterator[Finding]:
    """What commands will have to be told, and all that the doctor finds."""
    names, background = network.names, network.background or UNIFORM
    if network.held is None and len(names) > 2:
        text = f"none of {len(names)} outputs unless a command says which, by --output: {_CHOICES}"
        text += f"; examined with {names[0]}"
        yield Finding("held", NOTE, text + (_OF_MANY if len(names) >= A_PROFILE else ""))
    if network.background is None:
        yield Finding("background", NOTE, "not known: every command will need --gc or --background")
    held = outputs_of(network, 0 if network.held is None and len(names) > 2 else None, names)
    law = Law().settled(held, background, network.name)
    anchors = random_anchors(model.input_length, background)
    patient = Patient(model, names, anchors, law, replace(PRESETS["quick"], device=device), task.threads)
    if not isinstance(model, Score):  # which reads letters
        yield letters_finding(patient, network.reading.letters, table, task.listener)
    yield from (each for each in examined(patient, random=True) if each.topic != "run")


def _heard(finding: Finding, network: Network, task: Task) -> Finding:
    """The finding, once it is said; InputError where it is wrong."""
    task.listener.say(finding.line)
    if finding.verdict == WRONG:
        raise InputError(network.name, finding.topic, finding.text, "correct that, and adopt it then")
    return finding


def _card(folder: Path, network: Network, source: NetworkSource, findings: Mapping[str, Finding]) -> ModelCard:
    """What the folder says, with the code that it needs in its place; nothing differs between two runs."""
    said, final = [f"Representation: {findings['representation'].text}."], findings["outputs"].numbers["final"]
    said += [f"Outputs are taken before the final {final}."] if final else []
    facts: dict[str, Any] = {"adopted": source.name, "prefix": source.prefix, "found": said}
    facts["weights"] = source.weights and {"file": Path(source.weights).name, "sha256": noted(source.weights)}
    architecture, arguments, code = kept_as(folder, network.module, source)
    assert network.input_length is not None
    built = (architecture, network.input_length, network.names, arguments, network.background, facts)
    return ModelCard(*built, network.reading, network.held, code, source.score)


def _compare(network: Network, length: int, folder: Path) -> None:
    """Raise InputError where the folder's network gives other outputs than the one that was adopted."""
    module, card = load_model(str(folder), True)
    again = Network(module, str(folder), card.reading)
    codes = np.random.default_rng(0).integers(0, 4, (_TRIED, length), np.uint8)
    inputs = one_hot(torch.from_numpy(codes))
    with torch.inference_mode():
        first, second = (each.reader(length)(inputs) for each in (network, again))
    if float((first - second).abs().max()) > FAR * float(first.std(0).max()):
        problem = "built again from its code and weights, gives other outputs"
        raise InputError(network.name, "", problem, "see that all of its state is in its weights, and nothing random")
