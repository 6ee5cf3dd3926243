"""Networks that learn "A and not B", and twins that learn A alone while B stands on both sides as often.

Each reads 80 letters; positives and negatives are random sequences with sites of two known motifs planted.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import maxent_cli as mx
from maxent_cli.io import databases

LENGTH, COUNT, ANCHORS = 80, 1500, 12
KINDS = ("rule", "twin")
PAIRS = (  # what is held and what is avoided, JASPAR 2022
    ("MA0139.1", "MA0093.3"),  # CTCF, USF1
    ("MA0062.3", "MA0148.4"),  # GABPA, FOXA1
    ("MA0148.4", "MA0139.1"),  # FOXA1, CTCF
    ("MA0093.3", "MA0062.3"),  # USF1, GABPA
    ("MA0099.3", "MA0139.1"),  # FOS::JUN, CTCF
    ("MA0466.3", "MA0062.3"),  # CEBPB, GABPA
    ("MA0088.2", "MA0093.3"),  # ZNF143, USF1
    ("MA0114.4", "MA0099.3"),  # HNF4A, FOS::JUN
    ("MA0090.3", "MA0466.3"),  # TEAD1, CEBPB
    ("MA0502.2", "MA0093.3"),  # NFYB, USF1
)
TRAINING = mx.Training(epochs=12, batch=32, fresh_shuffles=False, arguments={"filters": 32})
SAMPLING = mx.Sampling(replicas=3, max_replicas=3, draws=400, thin=20, warmup=1500, max_steps=8000)


@dataclass(frozen=True)
class Case:
    """A network: which of KINDS, its number, and the motifs that are held and avoided (or not)."""

    kind: str
    number: int

    @property
    def pair(self) -> tuple[str, str]:
        """Identifiers of A and B."""
        return PAIRS[self.number % len(PAIRS)]

    @property
    def name(self) -> str:
        """What its folder is called."""
        return f"{self.kind}_{self.number:02d}"


def draws_of(case: Case, folder: Path) -> Path:
    """Train the network, draw around the anchors that it is surest of, and give the draws' path; each made once."""
    place = folder / case.name
    model, draws = place / "model", place / "draws.npz"
    place.mkdir(parents=True, exist_ok=True)
    if not model.exists():
        training = replace(TRAINING, seed=case.number + 1)
        mx.train(_examples(case), training=training, out=str(model), threads=1, progress=False)
    if not draws.exists():
        network, held_out = mx.network(str(model)), str(model / "test.positives.fa")
        scores = mx.predict(network, held_out, label=1, correct=True, top=ANCHORS, threads=1, progress=False)
        mx.sample(network, scores.chosen, mx.Law(gc=0.5), SAMPLING, out=str(draws), threads=1, progress=False)
    return draws


def _examples(case: Case) -> mx.TrainingData:
    a, b = case.pair
    if case.kind == "rule":
        positives = _planted([a], COUNT, case, 0)
        negatives = [_planted(motifs, COUNT // 3, case, number) for number, motifs in enumerate(([a, b], [b], []), 1)]
    else:
        positives = [*_planted([a], COUNT // 2, case, 0), *_planted([a, b], COUNT // 2, case, 1)]
        negatives = [_planted(motifs, COUNT // 2, case, number) for number, motifs in enumerate(([b], []), 2)]
    return mx.TrainingData(positives, [one for part in negatives for one in part])


def _planted(motifs: list[str], count: int, case: Case, part: int) -> list[str]:
    """So many random sequences with a site of each motif anywhere, on either strand."""
    seed = 10_000 * KINDS.index(case.kind) + 100 * case.number + part
    plants = [mx.Plant(motif) for motif in motifs]
    (known,) = databases("jaspar-vertebrates")
    return list(mx.simulate(count, LENGTH, plants, motifs=known, seed=seed, progress=False).sequences.values())
