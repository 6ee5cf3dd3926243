"""The calibrations by name: what runs, how many replicates at the gate and in full."""

from .anchors import over_anchors
from .distances import distances
from .keeping import keeping
from .lines import Calibration

CALIBRATIONS: dict[str, tuple[Calibration, int, int]] = {
    "over anchors": (over_anchors, 400, 20000),
    "keep": (keeping, 40, 2000),
    "distances": (distances, 60, 2000),
}
