"""How the functions of the compiled chain are compiled."""

from functools import partial

from numba import njit

# Without reference counts, since no such function makes an array: counting each use of each array that the chains keep
# would take most of the time. And as NumPy divides: whether a divisor is zero is not asked, which would keep vector
# instructions away.
uncounted = partial(njit, cache=True, error_model="numpy", _nrt=False)
