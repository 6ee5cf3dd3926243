"""Points that stand for others: k medoids, of which each point is near one (Kaufman & Rousseeuw 1990)."""

import heapq

import numpy as np
from numpy.typing import NDArray

MOST_PASSES = 20  # over all points, each a candidate to come in for a medoid; two or three mostly do
_LEAST_GAIN = 1e-3  # of the mean distance, for a point to come in: less is rounding

Distances = NDArray[np.float32]


def distances(some: NDArray[np.float32], others: NDArray[np.float32]) -> Distances:
    """Euclidean distances (M, N) of points (M, H), of length about 1, from others (N, H), to 1e-3."""
    squares = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * some @ others.T
    return np.asarray(np.sqrt(np.maximum(squares, np.float32(0))))


def medoids(apart: Distances, count: int) -> NDArray[np.intp]:
    """So many points of least mean distance of all from the nearest, given distances (N, N); fewer if more are alike.

    Greedy, each time the point that lowers the mean most (BUILD, with gains that are looked at again only where they
    may be the most), then exchanges of a medoid for another point while one is for the better (FasterPAM, Schubert &
    Rousseeuw 2021). Nothing in it is random.
    """
    chosen = _built(apart, count)
    return _exchanged(apart, chosen) if 1 < len(chosen) < len(apart) else chosen


def _built(apart: Distances, count: int) -> NDArray[np.intp]:
    """Medoids chosen one by one; the first has the least mean distance."""
    means = apart.mean(axis=1)
    chosen, nearest = [int(means.argmin())], apart[means.argmin()].copy()
    least = _LEAST_GAIN * float(nearest.mean())
    gains = [(-float(np.maximum(nearest - row, 0).sum()), number) for number, row in enumerate(apart)]
    heapq.heapify(gains)
    while len(chosen) < count and gains:
        stale, number = heapq.heappop(gains)  # gains only fall as medoids come in: the best fresh one is the best
        gain = float(np.maximum(nearest - apart[number], 0).sum())
        if gains and gain < -gains[0][0]:
            heapq.heappush(gains, (-gain, number))
        elif gain > least:
            chosen.append(number)
            nearest = np.minimum(nearest, apart[number])
        elif -stale <= least:
            break
    return np.array(chosen)


def _exchanged(apart: Distances, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
    """Medoids after all exchanges that lower the mean distance."""
    found, passes, since = chosen.copy(), 0, 0
    owner, first, second = _two_nearest(apart, found)
    least = _LEAST_GAIN * float(first.mean())
    while passes < MOST_PASSES and since < len(apart):
        for point in range(len(apart)):
            since += 1
            row = apart[point]
            own = row < first  # these would go over to the point, whichever medoid goes
            lost = np.where(own, 0, np.minimum(row, second) - first)  # of a medoid that goes, to the next best
            change = np.bincount(owner, lost, len(found)) + np.where(own, row - first, 0).sum()
            out = int(change.argmin())
            if change[out] < -least and point not in found:
                found[out], since = point, 0
                owner, first, second = _two_nearest(apart, found)
            if since >= len(apart):
                break
        passes += 1
    return found


def _two_nearest(apart: Distances, chosen: NDArray[np.intp]) -> tuple[NDArray[np.intp], Distances, Distances]:
    """Of each point (N,) which medoid is nearest, and how far it and the next one are."""
    far = apart[chosen]
    order = np.argpartition(far, 1, axis=0)[:2]
    near = np.take_along_axis(far, order, axis=0)
    return order[0], near[0], near[1]
