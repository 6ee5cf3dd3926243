"""Show what a neural network on DNA has learned, by maximum-entropy sampling.

    import maxent_cli as mx

    net = mx.network("model")
    draws = mx.sample(net, ["ACGTTGCA..."], preset="quick")
    draws.to_frame()

The public names are in __init__.pyi; each is imported when it is first used.
"""

import lazy_loader

__version__ = "1.0.0rc1"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
