"""The calibrations by name: what runs, how many replicates at the gate and in full."""

from .distances import distances
from .keeping import keeping
from .lines import Calibration

CALIBRATIONS: dict[str, tuple[Calibration, int, int]] = {
    "keep": (keeping, 40, 2000),
    "distances": (distances, 60, 2000),
}
