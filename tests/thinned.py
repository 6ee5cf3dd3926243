"""Cases that go the same way: `make test` tries some, `make test-all` every one."""

from collections.abc import Sequence
from typing import Any

import pytest


def thinned(cases: Sequence[Any], step: int) -> list[Any]:
    """The cases, of which all but every so many, the first one on, are marked slow."""
    slow = [pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow) for case in cases]
    return [given if number % step == 0 else late for number, (given, late) in enumerate(zip(cases, slow, strict=True))]
