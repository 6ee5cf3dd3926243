"""The calibrations by name: what runs, how many replicates at the gate, in full, and in a piece of that."""

from dataclasses import dataclass

from .anchors import over_anchors
from .distances import distances
from .held import held
from .keeping import keeping
from .lines import Calibration
from .pairs import pairs
from .stopping import stopping
from .training import grouping, noise, patience, speed


@dataclass(frozen=True)
class Planned:
    """A calibration, its replicates at the gate (0: none, other tests are there) and in full, and those of a piece.

    A piece takes a minute or so.
    """

    run: Calibration
    few: int
    full: int
    piece: int

    @property
    def pieces(self) -> list[range]:
        """All replicates, piece by piece."""
        return [range(start, min(start + self.piece, self.full)) for start in range(0, self.full, self.piece)]


CALIBRATIONS = {
    "train on noise": Planned(noise, 0, 20, 4),
    "patience": Planned(patience, 0, 1, 1),
    "grouping": Planned(grouping, 0, 3, 3),
    "speed of training": Planned(speed, 0, 5, 5),
    "over anchors": Planned(over_anchors, 400, 20_000, 20_000),
    "keep": Planned(keeping, 20, 2000, 100),
    "bits held": Planned(held, 10, 2000, 50),
    "stopping early": Planned(stopping, 12, 1000, 100),
    "distances": Planned(distances, 12, 400, 50),
    "dependence": Planned(pairs, 4, 200, 40),
}
