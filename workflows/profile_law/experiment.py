"""Does the profile law hold what shapes a profile, and the count law what sets its total? Two motifs, one for each.

python workflows/profile_law/experiment.py OUT [--quick]

Simulated reads over 80 of 160 bp. A site of SHAPE gathers most reads around it and leaves their number alone; a site of
COUNT makes ten times as many and leaves their places alone; half of the sequences have either, independently. A small
BPNet is trained on profiles and totals, and held-out sequences with both sites are drawn around, under the count law
(--head counts) and the profile law (--head profile --layer fconv --law profile).

Writes network.pt, bits.tsv (a row an anchor, law and position from a site's start), results.tsv, figure.png and
results.md into OUT; the network and the bits that are there are not made again.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import maxent_cli as mx
from maxent_cli.alphabet import decode, encode
from maxent_cli.analysis import information_of
from maxent_cli.interpret import PRESETS
from maxent_cli.models import BPNet, bpnet

SITES = {"shape": "TGACTCGA", "count": "ACCTTGCA"}
LENGTH, SEEN = 160, 80  # bp that are read, and those of them, in the middle, that reads are told of
FEW, TENFOLD, NOISE = 100.0, 10.0, 0.2  # reads; how many times as many with a site; spread of their logarithm
GATHERED, WIDTH = 0.8, 4.0  # share of the reads around a site, and their spread in bp
BESIDE = 4  # bp on both sides of a site that are looked at
WEIGHT = 4.0  # of the squared error of log counts, beside the reads' mean log likelihood
QUICK = mx.Sampling(chains=4, replicas=3, draws=25, warmup=600, max_steps=500)
LAWS = {"count": mx.Law(gc=0.5), "profile": mx.Law("profile", gc=0.5, layer="network.fconv")}


@dataclass(frozen=True)
class Reads:
    """Sequences (N, L), reads (N, SEEN), and where each site starts (N,), -1 where there is none."""

    codes: np.ndarray
    reads: np.ndarray
    starts: dict[str, np.ndarray]

    @property
    def one_hot(self) -> Tensor:
        """(N, 4, L)."""
        return F.one_hot(torch.from_numpy(self.codes).long(), 4).float().transpose(1, 2)


class Head(nn.Module):
    """One of a BPNet's two outputs."""

    def __init__(self, network: BPNet, head: str) -> None:
        super().__init__()
        self.network, self.head, self.input_length = network, head, network.input_length

    def forward(self, one_hot: Tensor) -> Tensor:
        """(B, 4, L) to (B, K)."""
        return self.network(one_hot)[self.head].flatten(1)


def simulated(count: int, seed: int) -> Reads:
    """Sequences of independent letters, with sites in half of them, and their reads."""
    random = np.random.default_rng(seed)
    codes = random.integers(0, 4, (count, LENGTH), dtype=np.uint8)
    first = (LENGTH - SEEN) // 2
    starts = {}
    middle = random.integers(first + BESIDE, first + SEEN // 2 - 8, (2, count))
    middle[1] += SEEN // 2  # the two sites in different halves, which one in which by chance
    order = random.permuted(np.tile([[0], [1]], (1, count)), axis=0)
    for number, (name, letters) in enumerate(SITES.items()):
        where = middle[order[number], np.arange(count)]
        starts[name] = np.where(random.random(count) < 0.5, where, -1)
        for row in np.flatnonzero(starts[name] >= 0):
            codes[row, starts[name][row] :][: len(letters)] = encode(letters)
    places = np.arange(SEEN)
    peak = np.exp(-0.5 * ((places - (starts["shape"] + 4 - first)[:, None]) / WIDTH) ** 2)
    peak /= peak.sum(1, keepdims=True) + 1e-12
    share = np.where(starts["shape"] >= 0, GATHERED, 0.0)[:, None]
    mean = FEW * np.where(starts["count"] >= 0, TENFOLD, 1.0) * np.exp(NOISE * random.normal(size=count))
    shapes = share * peak + (1 - share) / SEEN
    totals = random.poisson(mean)
    reads = np.stack([random.multinomial(n, p / p.sum()) for n, p in zip(totals, shapes, strict=True)])
    return Reads(codes, reads, starts)


def trained(path: Path, given: Reads, epochs: int) -> BPNet:
    """A small BPNet of these reads; from the file where that is there."""
    torch.manual_seed(0)
    network = bpnet(filters=16, layers=2, input_length=LENGTH, output_length=SEEN)
    if path.exists():
        network.load_state_dict(torch.load(path, weights_only=True))
        return network.eval()
    inputs, reads = given.one_hot, torch.from_numpy(given.reads).float()
    nn.init.constant_(network.linear.bias, float(torch.log1p(reads.sum(1)).mean()))
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs)).split(64):
            found, wanted = network(inputs[rows]), reads[rows]
            total = wanted.sum(1)
            likelihood = (wanted * found["profile"][:, 0].log_softmax(1)).sum(1) / total.clamp_min(1)
            off = found["counts"][:, 0] - torch.log1p(total)
            loss = (WEIGHT * off**2 - likelihood).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    torch.save(network.state_dict(), path)
    return network.eval()


def told(network: BPNet, held_out: Reads) -> dict[str, float]:
    """Pearson r of log counts, and the correlation of shapes with those of the reads where there is a site."""
    with torch.no_grad():
        found = network(held_out.one_hot)
    log_counts = np.log1p(held_out.reads.sum(1))
    shapes = found["profile"][:, 0].softmax(1).numpy()
    rows = np.flatnonzero(held_out.starts["shape"] >= 0)
    each = [np.corrcoef(shapes[row], held_out.reads[row])[0, 1] for row in rows]
    return {"counts": np.corrcoef(found["counts"][:, 0], log_counts)[0, 1], "profiles": float(np.mean(each))}


def bits_of(network: BPNet, held_out: Reads, anchors: int, run: mx.Sampling) -> pd.DataFrame:
    """Bits a position around both sites of anchors under both laws, and the draws' converging."""
    both = np.flatnonzero(np.all([starts >= 0 for starts in held_out.starts.values()], axis=0))[:anchors]
    records = {f"anchor_{row}": decode(held_out.codes[row]) for row in both}
    rows = []
    for law, head in (("count", "counts"), ("profile", "profile")):
        net = mx.network(Head(network, head))
        with mx.sample(net, records, law=LAWS[law], sampling=run, progress=False) as draws:
            for row, samples in zip(both, draws, strict=True):
                bits, well = information_of(samples), draws.diagnosis(samples)
                for site, starts in held_out.starts.items():
                    rows += [
                        {
                            "law": law,
                            "site": site,
                            "anchor": samples.name,
                            "place": place,
                            "bits": bits.positions[starts[row] + place],
                            "kernel": samples.kernel.partition(" (")[0],
                            "energy_reduction": 1 - samples.energy.mean() / samples.energy_background,
                            "rhat": well.worst_rhat,
                            "converged": well.converged,
                        }
                        for place in range(-BESIDE, len(SITES[site]) + BESIDE)
                    ]
    return pd.DataFrame(rows)


def summed(bits: pd.DataFrame) -> pd.DataFrame:
    """Bits of the whole site and of the letters beside it, a row a law and site: mean and its error over anchors."""
    within = bits["place"].between(0, 7)
    rows = []
    for (law, site), own in bits.assign(within=within).groupby(["law", "site"]):
        row: dict[str, object] = {"law": law, "site": site}
        for name, part in (("site", own[own["within"]]), ("beside", own[~own["within"]])):
            each = part.groupby("anchor")["bits"].sum()
            row |= {f"{name}_bits": each.mean(), f"{name}_bits_error": each.std() / len(each) ** 0.5}
        rows.append(row)
    return pd.DataFrame(rows)


def draw_figure(bits: pd.DataFrame, path: Path) -> None:
    """Bits around both sites under both laws, mean and its error over anchors."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(7, 4), sharey=True, layout="constrained")
    for line, law in zip(axes, LAWS, strict=True):
        for axis, (site, letters) in zip(line, SITES.items(), strict=True):
            own = bits[(bits["law"] == law) & (bits["site"] == site)].groupby("place")["bits"]
            mean, error = own.mean(), own.std() / own.size() ** 0.5
            axis.bar(mean.index, mean, yerr=error, color="0.6", ecolor="0.2", capsize=2)
            axis.set_title(f"{law} law, site of {site}", fontsize=9)
            axis.set_xticks(range(len(letters)), letters)
        line[0].set_ylabel("bits")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def page(sums: pd.DataFrame, bits: pd.DataFrame, quality: dict[str, float]) -> str:
    """The account."""
    anchors = bits.drop_duplicates(["law", "anchor"])
    lines = ["| law | bits of the shape's site | bits of the count's site | beside both | anchors | converged |"]
    lines.append("|---|---|---|---|---|---|")
    for law in LAWS:
        own, drawn = sums[sums["law"] == law].set_index("site"), anchors[anchors["law"] == law]
        cells = [f"{own['site_bits'][site]:.2f} ± {own['site_bits_error'][site]:.2f}" for site in SITES]
        cells.append(f"{own['beside_bits'].mean():.2f} ± {np.hypot(*own['beside_bits_error']) / 2:.2f}")
        lines.append(f"| {law} | {' | '.join(cells)} | {len(drawn)} | {int(drawn['converged'].sum())} |")
    kernels = anchors.groupby("law")["kernel"].first()
    said = f"Held out, log counts correlate with the network's by {quality['counts']:.2f}, and profiles of sequences"
    said += f" with a site by {quality['profiles']:.2f} (single reads' noise included). Kernels: count law"
    return "\n".join([*lines, "", f"{said} {kernels['count']}, profile law {kernels['profile']}."])


def main() -> None:
    """Make what is not there, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--quick", action="store_true", help="three anchors and few draws")
    parser.add_argument("--anchors", type=int, default=8)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    network = trained(given.out / "network.pt", simulated(3000 if given.quick else 6000, 1), 12 if given.quick else 20)
    held_out = simulated(400, 2)
    table = given.out / "bits.tsv"
    if not table.exists():
        anchors, run = (3, QUICK) if given.quick else (given.anchors, PRESETS["standard"])
        bits_of(network, held_out, anchors, run).to_csv(table, sep="\t", index=False)
    bits = pd.read_csv(table, sep="\t")
    sums = summed(bits)
    sums.to_csv(given.out / "results.tsv", sep="\t", index=False)
    draw_figure(bits, given.out / "figure.png")
    (given.out / "results.md").write_text(page(sums, bits, told(network, held_out)) + "\n")
    print((given.out / "results.md").read_text())


if __name__ == "__main__":
    main()
