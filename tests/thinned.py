"""Cases that go the same way: `make test` tries some, `make test-all` every one."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import pytest


def thinned(cases: Sequence[Any], step: int) -> list[Any]:
    """The cases, of which all but every so many, the first one on, are marked slow."""
    return [case if number % step == 0 else _slow(case) for number, case in enumerate(cases)]


def one_of_each(cases: Sequence[Any], kind: Callable[[Any], Hashable]) -> list[Any]:
    """The cases, of which all but one of each kind are marked slow: the first of one kind, the second of the next."""
    places = dict[Hashable, list[int]]()
    for number, case in enumerate(cases):
        places.setdefault(kind(case), []).append(number)
    tried = {own[number % len(own)] for number, own in enumerate(places.values())}
    return [case if number in tried else _slow(case) for number, case in enumerate(cases)]


def _slow(case: Any) -> Any:
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
