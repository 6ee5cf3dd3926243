"""How the functions of the compiled chain are compiled."""

from functools import partial

from numba import njit

# Without reference counts, since no such function makes an array: counting each use of each array that the chains keep
# would take most of the time.
uncounted = partial(njit, cache=True, _nrt=False)
