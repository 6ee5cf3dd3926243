"""maxent adopt: a network of the user's own, described once, as a model folder."""

from typing import Any

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, spoken
from maxent_cli.commands.params import AUTO, Arguments, InputPath, LettersType, Names

DETAILS = """
The folder holds weights.safetensors and model.json, which says how the network reads and what it gives. A network
of torch's own layers, one after another, one of Keras, or one of a family is built again from these alone. Of any
other the folder holds code/, a copy of the function's module and of what that imports from your folders, with
digests; commands run it only with --trust-code, and only as it was when it was adopted. Installed packages are not
copied: their versions are noted.
"""


@options.command("adopt", details=DETAILS)
@click.argument("network", metavar="NETWORK")
@spoken
@options.option(
    "--weights",
    type=InputPath(folder=None),
    section="Network",
    everyday=True,
    help="Weights: safetensors, a state dict, a checkpoint, or a folder of Hugging Face.  [default: random]",
)
@options.option(
    "--arguments",
    type=Arguments(),
    default="{}",
    section="Network",
    everyday=True,
    help="Arguments of the function, a JSON object.  [default: none]",
)
@options.option(
    "--weights-prefix",
    default="",
    section="Network",
    help="Take the weights whose names begin so, and cut it off, as in 'model.' for Lightning.  [default: none]",
)
@options.option(
    "--score",
    is_flag=True,
    section="Network",
    everyday=True,
    help="The function gives numbers for a list of sequences, and no torch module: the output itself is held.",
)
@options.option(
    "--input-length",
    type=click.IntRange(1, 10**7),
    section="Network",
    everyday=True,
    help="Letters that the network reads, in bp, from 1.  [default: its input_length]",
)
@options.option(
    "--letters",
    type=LettersType(),
    default="ACGT",
    show_default=True,
    section="Network",
    everyday=True,
    help="Order of the network's four channels.",
)
@options.option(
    "--layout",
    type=click.Choice(["channels-first", "channels-last"]),
    default="channels-first",
    show_default=True,
    section="Network",
    everyday=True,
    help="The network reads (batch, 4, length) or (batch, length, 4).",
)
@options.option(
    "--head",
    section="Network",
    everyday=True,
    help="Which of several outputs to take: the key of a dict, or the number from 0 in a tuple.",
)
@options.option(
    "--final",
    default=AUTO,
    show_default=True,
    metavar="auto|none|NAME",
    section="Network",
    help="Sigmoid or softmax at the end, before which outputs are taken: found, left alone, or the module or "
    "function of that name.",
)
@options.option(
    "--output-names",
    type=Names(),
    default=(),
    section="Network",
    help="Names of the outputs, in their order.  [default: output_0, output_1, ...]",
)
@options.option(
    "--table",
    type=InputPath(),
    section="Network",
    everyday=True,
    help="TSV with columns sequence and label (0 or 1): try all orders of the letters on it.",
)
@options.option(
    "--trust-code",
    is_flag=True,
    section="Network",
    help="Take a file of TorchScript or torch.export whole, and run the code in it: you trust whoever wrote it.",
)
@options.output_option
@options.background_options
@options.layer_option
@options.device_option
@options.threads_option
@options.out_option("Model folder.")
def command(
    console: Console,
    network: str,
    weights: str | None,
    arguments: dict[str, Any],
    weights_prefix: str,
    score: bool,
    input_length: int | None,
    letters: str,
    layout: str,
    head: str | None,
    final: str,
    output_names: tuple[str, ...],
    table: str | None,
    trust_code: bool,
    output: str | None,
    background: Any,
    gc: float | None,
    layer: str | None,
    device: str,
    threads: int | None,
    out: str,
) -> None:
    """Describe a network of your own once: examine it, and write a model folder that says how it reads.

    NETWORK is module:function, a function (or class) in a file of yours that gives a torch module; a file of Keras
    (.h5, .keras); or a published family with --weights: basset, bpnet, chrombpnet, chrombpnet-nobias, deepbind,
    deepsea, deepstarr. Of files configurations and numbers are read, and no code is run. What is found is said line by
    line: shape, layer, outputs, randomness, batches, speed, and a self-test of the sampler on a random sequence; if
    anything would make draws wrong, nothing is written. From then on commands take --model OUT. What is held by
    default may be said here (--layer, --output), and the letters that it was trained on (--gc).
    """
    from maxent_cli.api.adopting import adopt

    adopt(
        network,
        weights=weights,
        arguments=arguments,
        weights_prefix=weights_prefix,
        score=score,
        input_length=input_length,
        letters=letters,
        channels_last=layout == "channels-last",
        head=head,
        final=final,
        layer=layer,
        output=output,
        output_names=output_names,
        background=background,
        gc=gc,
        table=table,
        trust_code=trust_code,
        device=device,
        out=out,
        threads=threads,
        progress=console,
    )
