"""maxent gc-probe: does the network hold a global count, such as GC content?"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, resumable
from maxent_cli.commands.params import NONE, FiniteRange

if TYPE_CHECKING:
    from maxent_cli.api.anchors import Anchors
    from maxent_cli.api.networks import Network
    from maxent_cli.api.probing import Probe
    from maxent_cli.data import Shard
    from maxent_cli.interpret.law import Law
    from maxent_cli.interpret.sampling import Sampling


class Fields(click.ParamType[Any]):
    """Numbers, with 0 among them."""

    name = "a,b,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return tuple(float(part) for part in str(value).strip("()").split(","))
        except ValueError:
            return self.fail("give numbers between -10 and 10, as in -2,-1,0,1,2", param, ctx)


def _probe(feature: str, match_p: float, mu: tuple[float, ...], untrained: int, beside: str | None) -> "Probe":
    from maxent_cli.api.probing import Probe

    return Probe(feature, match_p, mu, untrained, beside)


probe_options = options.group(
    "probe",
    _probe,
    options.option(
        "--feature",
        default="gc",
        show_default=True,
        metavar="gc|cpg|kmer:WORD|motif:FILE",
        everyday=True,
        help="What is counted: G and C; CG; a word in IUPAC letters; the first motif of a MEME file.",
    ),
    options.option(
        "--mu",
        type=Fields(),
        default="-0.5,0,0.5",
        show_default=True,
        metavar="A,B,...",
        everyday=True,
        help="Chemical potentials mu on each that is counted, natural-log units, -10 to 10, and 0.",
    ),
    options.option(
        "--match-p",
        default=1e-4,
        show_default=True,
        type=FiniteRange(0, 1, min_open=True),
        help="A motif matches where its score is as high as that of this share of places in the background.",
    ),
    options.option(
        "--untrained",
        default=0,
        show_default=True,
        type=click.IntRange(0, 100),
        help="Networks with fresh random weights that are drawn from beside it, each at the beta at which it keeps as "
        "much energy, 0 to 100.",
    ),
    options.option(
        "--beside",
        type=click.Path(exists=True, file_okay=False),
        help="Model folder of a second network, drawn from in the same way.  [default: none]",
    ),
)


DETAILS = """
A motif that holds its letters does all of this a little, so the answer rests on the positions whose letters
are no more than the draws' composition makes them: yes if the 95 % interval of rigidity there, over anchors,
lies above 0.25, no if below, else undecided, as with fewer than six anchors. Anchors weigh by the network's
mean distance of the background from them: where it sees next to no difference, what it holds makes none.
Anchors whose chains disagree on N (R-hat above 1.2) are shown and do not count, nor do the other networks,
which are shown beside it: at the same share of energy untrained ones are often so rugged that their chains
stand. Anchors should differ in N; positives and negatives at random are best. Another training may have
learned otherwise: try other seeds.

In the folder:

\b
answer.tsv      slopes and rigidities of network and references, with 95 % intervals over
                anchors; the answer
by_mu.tsv      N, its variance and rigidity, energy and output over anchors, with intervals, a
                chemical potential a line
response.tsv    the same with Monte Carlo errors, an anchor and chemical potential a line
references.tsv  the same of the references, without a chemical potential
checks.tsv      between neighbouring ones log P'(N)/P(N) must have the slope mu'-mu, and both,
                reweighted half-way, the same mean N; z-scores, where chains agree on N
response.png    the response, the draws' N against the anchors', and rigidity beside references

GC is a share of the positions that may change (share: yes); other counts are numbers, and outside local
features numbers a place.
"""


@options.command("gc-probe", rare=("fix", "gc", "device"), details=DETAILS)
@resumable
@options.network_options
@options.anchors_options
@probe_options
@options.law_options(NONE)
@options.sampling_options
@options.threads_option
@options.out_option("Folder for the results; an older one is replaced.")
@options.shard_option
def command(
    console: Console,
    network: "Network",
    anchors: "Anchors",
    probe: "Probe",
    law: "Law",
    sampling: "Sampling",
    threads: int | None,
    out: str,
    shard: "Shard",
) -> None:
    """Test whether the network constrains a global count, by a chemical potential on it.

    Around each of ANCHORS, sequences are drawn from p(x) ∝ q(x)·exp(mu·N(x) - beta·E(x)): N is the
    number of G and C, or what --feature says. Where the network holds N, draws answer mu less than the
    background would, and N varies less than positions on their own: rigidity, 1 - Var(N)/Var_indep(N),
    is above 0. It is held if the 95 % interval of rigidity outside local features lies above 0.25.
    """
    from maxent_cli.api.networks import opened
    from maxent_cli.api.probing import gc_probe

    if isinstance(probe.beside, str):
        probe = replace(probe, beside=opened(probe.beside, network.trusted))
    gc_probe(network, anchors, law, sampling, probe=probe, out=out, shard=shard, threads=threads, progress=console)
