"""Products of all 32 bits while a network of ours runs on a card, and after that what there was before."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch

_backends: Any = torch.backends
_lock, _restoring = Lock(), list[Callable[[], None]]()  # one entry for each call that is under way


@contextmanager
def whole_products() -> Iterator[None]:
    """Without TF32, whose products of 19 bits would bend the law; of calls beside each other the last one restores."""
    with _lock:
        _restoring.append(_switched_off() if not _restoring else _restoring[0])
    try:
        yield
    finally:
        with _lock:
            restore = _restoring.pop()
            if not _restoring:
                restore()


def _switched_off() -> Callable[[], None]:
    """Switch TF32 off; what switches it as it was. Torch has two sets of switches, and reads none after a mix."""
    products, convolutions = _backends.cuda.matmul, _backends.cudnn
    try:
        legacy = products.allow_tf32, convolutions.allow_tf32
    except RuntimeError:
        every = [_backends, products, convolutions, convolutions.conv, convolutions.rnn]
        before = [one.fp32_precision for one in every]
        _set(every, len(every) * ["ieee"])
        return lambda: _set(every, before)
    whole = [_backends] if hasattr(_backends, "fp32_precision") else []
    over_all = [one.fp32_precision for one in whole]

    def restore() -> None:
        _set(whole, over_all)
        products.allow_tf32, convolutions.allow_tf32 = legacy

    products.allow_tf32 = convolutions.allow_tf32 = False
    _set(whole, ["ieee"] * len(whole))
    return restore


def _set(switches: list[Any], values: list[str]) -> None:
    for one, value in zip(switches, values, strict=True):
        one.fp32_precision = value
