"""Many motifs at once: every site is found, and thresholds are those of all sequences of a short length."""

from itertools import product

import numpy as np
import pytest

from maxent_cli.alphabet import UNKNOWN
from maxent_cli.analysis.panels import STEP, Panel, counts_of, matches, panel_of, score_threshold
from maxent_cli.analysis.sites import Letters

SKEWED = np.array([0.4, 0.1, 0.2, 0.3])


def motifs(*widths, seed=0):
    rng = np.random.default_rng(seed)
    return [np.log2(rng.dirichlet(np.full(4, 0.3), width) + 0.01) + 2 for width in widths]


def score(weights, letters):
    return weights[np.arange(len(letters)), letters].sum()


@pytest.mark.parametrize("chance", [0.5, 0.1, 0.01, 1e-3])
def test_the_threshold_is_that_of_all_sequences(chance):
    weights = np.round(motifs(5)[0] / STEP) * STEP
    words = np.array(list(product(range(4), repeat=5)))
    scores = weights[np.arange(5), words].sum(axis=1)
    shares = (SKEWED[words].prod(axis=1) + SKEWED[3 - words].prod(axis=1)) / 2
    found = score_threshold(weights, SKEWED, chance)
    lower = scores[scores < found].max()
    assert shares[scores >= found].sum() <= chance < shares[scores >= lower].sum()
    assert score_threshold(weights, SKEWED, 1e-9) == scores.max()


def by_hand(codes, panel):
    found = set()
    for motif, width in enumerate(panel.widths):
        plus = panel.weights[motif, :width]
        for draw, start in product(range(len(codes)), range(codes.shape[1] - width + 1)):
            word = codes[draw, start : start + width]
            if (word < UNKNOWN).all():
                best = max(score(plus, word), score(plus[::-1, ::-1], word))
                if best >= panel.thresholds[motif]:
                    found.add((motif, draw, start))
    return found


def test_every_site_of_every_motif_is_found_once():
    panel = panel_of(motifs(4, 6, 8, 11, 17, 25), np.full(4, 0.25), 0.5, 30)
    codes = np.random.default_rng(1).integers(0, 4, (60, 30)).astype(np.uint8)
    codes[3, 10] = codes[7, 0] = UNKNOWN
    found = list(zip(*(rows.tolist() for rows in matches(codes, panel)), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == by_hand(codes, panel)
    assert {motif for motif, *_ in found} >= {0, 1, 2, 3}
    low = Panel(panel.weights, panel.widths, panel.thresholds - 3)
    assert set(zip(*(rows.tolist() for rows in matches(codes, low)), strict=True)) == by_hand(codes, low)


def test_so_many_random_sequences_have_a_site():
    panel = panel_of(motifs(8, 12, 16), SKEWED, 0.05, 60)
    codes = np.random.default_rng(2).choice(4, (20_000, 60), p=SKEWED).astype(np.uint8)
    shares = counts_of(Letters(codes, np.tile(SKEWED, (60, 1)), 4), panel)[0].mean(axis=0)
    assert (shares < 0.05 + 4 * np.sqrt(0.05 / 20_000)).all()
    assert (shares > 0.02).all()


def test_masked_sites_do_not_count_elsewhere():
    panel = panel_of(
        [np.where(np.arange(4) == np.array([0, 1, 2, 3, 3, 0])[:, None], 2.0, -4.0)], np.full(4, 0.25), 0.01, 20
    )
    codes = np.full((4, 20), 2, np.uint8)
    codes[:, 5:11] = [0, 1, 2, 3, 3, 0]
    masked = np.zeros(codes.shape, bool)
    masked[2:, 10] = True
    found = counts_of(Letters(codes, np.full((20, 4), 0.25), 2, masked), panel)
    assert found[0, :, 0].tolist() == [1, 1]
    assert found[1, :, 0].tolist() == [1, 0]
