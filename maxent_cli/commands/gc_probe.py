"""maxent gc-probe: which global counts, such as GC content, does the network hold?"""

from typing import TYPE_CHECKING

from maxent_cli.commands import options, requests
from maxent_cli.commands.console import Console, resumable
from maxent_cli.commands.params import NONE

if TYPE_CHECKING:
    from maxent_cli.api.anchors import Anchors
    from maxent_cli.api.networks import Network
    from maxent_cli.api.probing import Probe
    from maxent_cli.data import Shard
    from maxent_cli.interpret.law import Law
    from maxent_cli.interpret.sampling import Sampling


DETAILS = """
From the draws at mu = 0 the same is asked of the numbers of A, C, G, T, of G and C, A and G (purines), G and T
(keto), each also in the left half, in the right half and as left less right; of A less T and G less C, of all
dinucleotides as they read on this strand, and of homopolymers (three letters alike). All are counted outside
local features: over positions whose letters are no more than the draws' composition makes them.

rigidity = 1 - Var(N) / Var_free(N), where Var_free is the variance if each position were drawn from its own
marginal, or from the background alone (beta = 0), the smaller of the two: 0 where letters know nothing of each
other, 1 where N is fixed. slope is that of the draws' N a position on the anchors' N a position. What is held of
one count shows in others. Rigidity, letters being even, where the network holds

\b
                     A    C    G and C  A and G  AA    CG    G and C, left half
A                    1    1/9  1/3      1/3      4/7   4/39  1/6
G and C              1/3  1/3  1        0        4/21  4/13  1/2
G and C, left half   1/6  1/6  1/2      0        2/21  2/13  1

So the most rigid count that passes is named first, and the others are held against what is left of them beyond
those that are named (beyond: rigidity less the regression on them). A count passes where the rigidity, over
anchors, is above 0.25 (in one half 0.5) at a false discovery rate of 0.05 (Benjamini and Hochberg; that of
--feature is asked beforehand, and tested alone): a motif that always stands somewhere has as much, if it takes
up a quarter of the positions. Anchors are weighted by the mean energy of background sequences. Anchors
whose chains disagree on a count (R-hat above 1.2) do not count for it; fewer than six anchors decide nothing. Anchors
should differ in N; positives and negatives at random are best.

Another training may have learned otherwise: try other seeds. One on labels at random is no null: it may well hold
a count.

converged is that of the count, which is all that is read off; letters_converged is that of all letters. GC is
a share of the positions that may change in response.tsv (share: yes); other counts are numbers.
"""


@options.command("gc-probe", rare=("fix", "gc", "device"), details=DETAILS)
@resumable
@options.network_options
@options.anchors_options
@requests.probe_options
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
    """Test which global counts the network holds, such as its GC content.

    Around each of ANCHORS, sequences are drawn from p(x) ∝ q(x)·exp(mu·N(x) - beta·E(x)): N is the
    number of G and C, or what --feature says. Where the network holds N, draws answer mu less than the
    background would, and N varies less than positions on their own: rigidity, 1 - Var(N)/Var_free(N),
    is above 0. From the draws at mu = 0 this is asked of letters, halves, dinucleotides and
    homopolymers too, and those are named that hold more than others explain.
    """
    from maxent_cli.api.probing import gc_probe

    gc_probe(network, anchors, law, sampling, probe=probe, out=out, shard=shard, threads=threads, progress=console)
