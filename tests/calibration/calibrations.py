"""The calibrations by name: what runs, how many replicates at the gate and in full."""

from .anchors import over_anchors
from .distances import distances
from .held import held
from .keeping import keeping
from .lines import Calibration
from .stopping import stopping

CALIBRATIONS: dict[str, tuple[Calibration, int, int]] = {
    "over anchors": (over_anchors, 400, 20000),
    "keep": (keeping, 20, 1000),
    "bits held": (held, 10, 1000),
    "stopping early": (stopping, 12, 400),
    "distances": (distances, 30, 2000),
}
