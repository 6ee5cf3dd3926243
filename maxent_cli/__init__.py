"""Show what a neural network on DNA has learned, by maximum-entropy sampling.

    import maxent_cli as mx

    net = mx.network("model")
    draws = mx.sample(net, ["ACGTTGCA..."], preset="quick")
    draws.to_frame()

What is named here is imported when it is first used.
"""

import importlib
from typing import TYPE_CHECKING

from maxent_cli.errors import InputError

if TYPE_CHECKING:
    from maxent_cli.api.anchors import Anchors, anchors
    from maxent_cli.api.draws import Draws, open_draws
    from maxent_cli.api.examining import doctor
    from maxent_cli.api.networks import Network, network
    from maxent_cli.api.sampling import sample
    from maxent_cli.interpret.law import Law
    from maxent_cli.interpret.sampling import Sampling

__version__ = "0.1.0"

# public name -> the module that it is in; the same names as above
_PUBLIC = {
    "network": "api.networks",
    "Network": "api.networks",
    "anchors": "api.anchors",
    "Anchors": "api.anchors",
    "Law": "interpret.law",
    "Sampling": "interpret.sampling",
    "sample": "api.sampling",
    "open_draws": "api.draws",
    "Draws": "api.draws",
    "doctor": "api.examining",
}

__all__ = [
    "Anchors",
    "Draws",
    "InputError",
    "Law",
    "Network",
    "Sampling",
    "anchors",
    "doctor",
    "network",
    "open_draws",
    "sample",
]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'maxent_cli' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"maxent_cli.{_PUBLIC[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
