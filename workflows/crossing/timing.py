"""What several networks as one consensus law take, against each of them by itself.

    python -m workflows.crossing.timing ANCHORS MODEL MODEL ... [--times 5]

Draws of so many steps, which do not go on, by the compiled chain on one thread; each of several times all networks at
once and then each alone, so that what else the machine does is shared by both. CPU seconds of sampling and all
that comes with it; the mean ratio over times, with its standard error, is printed.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import maxent_cli as mx

RUN = mx.Sampling(chains=8, replicas=4, max_replicas=4, draws=50, thin=20, warmup=1000, max_steps=1000)


def main() -> None:
    """Print a row for each time, and the mean."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("anchors")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    seconds(asked.anchors, [asked.models[0]])  # compiles
    ratios = []
    for number in range(1, asked.times + 1):
        together = seconds(asked.anchors, asked.models)
        alone = sum(seconds(asked.anchors, [each]) for each in asked.models)
        ratios.append(together / alone)
        print(
            f"{number}: together {together:.1f} CPU s, one by one {alone:.1f} CPU s, ratio {ratios[-1]:.3f}", flush=True
        )
    error = np.std(ratios, ddof=1) / np.sqrt(len(ratios))
    names = ", ".join(Path(each).name for each in asked.models)
    print(f"{names}: {np.mean(ratios):.3f} +- {error:.3f}")


def seconds(anchors: str, models: list[str]) -> float:
    """CPU seconds of drawing around all anchors."""
    net, begun = mx.network(models), time.process_time()
    draws = mx.sample(net, anchors, mx.Law(tether=None), RUN, threads=1, progress=False)
    if any(samples.kernel != "compiled" for samples in draws):
        raise SystemExit("not by the compiled chain")
    draws.close()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
