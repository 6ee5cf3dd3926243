"""Periodicity, on draws in which a period was planted, in place or moving, and on draws that have none."""

import itertools

import numpy as np
import pytest

from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.alphabet import LETTERS
from maxent_cli.analysis.periodicity import (
    ANCHOR,
    BACKGROUND,
    DRAWS,
    FREQUENCIES,
    PHASE_FREE,
    answer_rows,
    detrended,
    holding,
    letter_class,
    over_anchors,
    peak_rows,
    periodicity_of,
)
from maxent_cli.data import SampleSet

LENGTH, GC = 147, 0.38
ROW = np.array([(1 - GC) / 2, GC / 2, GC / 2, (1 - GC) / 2])
W = letter_class("W")


def rows(period: float, swing: float, phase: float = 0.0, slope: float = 0.0) -> np.ndarray:
    """Letter frequencies (L, 4) whose A and T rise and fall, and may lean from one end to the other."""
    places = np.arange(LENGTH) - (LENGTH - 1) / 2
    share = 1 - GC + swing * np.cos(2 * np.pi * (places - phase) / period) + slope * places / LENGTH
    return np.stack([share / 2, (1 - share) / 2, (1 - share) / 2, share / 2], axis=1)


def drawn(law: np.ndarray, seed: int = 1, hold: float = 0.5, **given: object) -> SampleSet:
    rng = np.random.default_rng(seed)
    codes = independent_draws(rng, law, 16, 60, hold)
    anchor = rng.choice(4, LENGTH, p=ROW).astype(np.uint8)
    return sample_set(codes, np.tile(ROW, (LENGTH, 1)), **{"anchor": anchor, "name": f"a{seed}", **given})


def moving(period: float, swing: float, seed: int = 1) -> SampleSet:
    """Draws of which each has the period at a phase of its own."""
    rng = np.random.default_rng(seed)
    codes = [[independent_draws(rng, rows(period, swing, rng.uniform(0, period)), 1, 1)[0, 0] for _ in range(60)]
             for _ in range(16)]  # fmt: skip
    return drawn(rows(period, 0), seed).__class__(**{**vars(drawn(rows(period, 0), seed)), "codes": np.array(codes)})


@pytest.mark.parametrize(("period", "phase"), [(10.2, 2.0), (10.2, -4.0), (7.5, 0.0), (13.0, 5.0)])
def test_a_planted_period_is_found_where_it_is(period: float, phase: float) -> None:
    errors = []
    for seed in range(1, 9):
        peak = periodicity_of(drawn(rows(period, 0.06, phase), seed), W, 1).peaks[DRAWS]
        assert peak.in_band == (9.5 <= period <= 11)
        assert peak.height > 20
        errors.append(
            [
                (peak.period - period) / peak.period_error,
                (peak.swing - 0.06) / peak.swing_error,
                (peak.phase - phase) / peak.phase_error,
            ]
        )
    assert (np.abs(errors) < 5).all()
    assert (np.abs(np.mean(errors, axis=0)) < 1.5).all()
    assert (np.sqrt(np.mean(np.square(errors), axis=0)) > 0.4).all()


def test_a_period_that_keeps_no_place_is_found_free_of_phase() -> None:
    found = periodicity_of(moving(10.2, 0.3), W, 1)
    assert found.peaks[PHASE_FREE].period == pytest.approx(10.2, abs=0.15)
    assert found.peaks[PHASE_FREE].height > 3
    assert found.peaks[DRAWS].height < found.peaks[PHASE_FREE].height * 3
    assert np.isnan([found.peaks[PHASE_FREE].phase, found.peaks[PHASE_FREE].swing]).all()


def test_draws_without_a_period_peak_as_the_background_does() -> None:
    found = [periodicity_of(drawn(rows(10.2, 0), seed), W, 1) for seed in range(1, 41)]
    answer = over_anchors(found)
    assert 0.04 < answer.chance < 0.18  # the band is 0.0957 of the frequencies
    for share in answer.shares.values():
        assert share.low < answer.chance < share.high
    assert answer.peaks[DRAWS].height < 2


def test_a_straight_line_is_no_period() -> None:
    straight = periodicity_of(drawn(rows(10.2, 0, slope=0.5), hold=0.0), W, 1)
    plain = periodicity_of(drawn(rows(10.2, 0), hold=0.0), W, 1)
    assert straight.power[DRAWS].max() < 3 * plain.power[DRAWS].max()


def test_background_and_anchor_are_looked_at_alike() -> None:
    """A background that has the period shows it at beta = 0, an anchor that has it in its own spectrum."""
    law = rows(10.2, 0.3)
    anchor = (np.where(np.cos(2 * np.pi * (np.arange(LENGTH) - 73) / 10.2) > 0, 0, 1)).astype(np.uint8)
    found = periodicity_of(
        sample_set(independent_draws(np.random.default_rng(1), law, 16, 60), law, anchor=anchor), W, 1
    )
    assert found.chance == 1
    for source in (DRAWS, ANCHOR, BACKGROUND):
        assert found.peaks[source].period == pytest.approx(10.2, abs=0.15), source
    assert found.peaks[BACKGROUND].swing == pytest.approx(found.peaks[DRAWS].swing, rel=0.1)
    assert np.isnan(found.peaks[ANCHOR].period_error)
    assert found.own.tolist() == (anchor == 0).tolist()


def test_the_spectrum_is_that_of_a_slow_twin() -> None:
    samples = drawn(rows(10.2, 0.1))
    share = (samples.codes % 3 == 0).mean(axis=(0, 1))
    flat = share - np.polyval(np.polyfit(np.arange(LENGTH), share, 1), np.arange(LENGTH))
    for at in (0, 250, 600):
        wave = sum(value * np.exp(2j * np.pi * FREQUENCIES[at] * place) for place, value in enumerate(flat))
        assert periodicity_of(samples, W, 1).power[DRAWS][at] == pytest.approx(abs(wave) ** 2)


def test_the_phase_free_spectrum_is_the_mean_of_single_draws() -> None:
    samples = drawn(rows(10.2, 0.1))
    flat = detrended((samples.codes % 3 == 0).astype(float), np.ones(LENGTH, bool)).reshape(-1, LENGTH)
    waves = flat @ np.exp(2j * np.pi * np.outer(np.arange(LENGTH), FREQUENCIES))
    np.testing.assert_allclose(periodicity_of(samples, W, 1).power[PHASE_FREE], (np.abs(waves) ** 2).mean(axis=0))


@pytest.mark.parametrize("text", ["W", "WW", "AA/TT", "AN", "aa/at/ta/tt", "S", "RYN"])
def test_words_are_held_where_they_stand(text: str) -> None:
    codes = np.random.default_rng(1).integers(0, 5, (3, 40), np.uint8)  # unknown letters among them
    meant = {"W": "AT", "S": "CG", "R": "AG", "Y": "CT", "N": LETTERS}
    spelled = {"".join(word) for part in text.upper().split("/")
               for word in itertools.product(*(meant.get(letter, letter) for letter in part))}  # fmt: skip
    for row, found in zip(codes, holding(codes, letter_class(text)), strict=True):
        letters, width = "".join("ACGTN"[code] for code in row), len(text.split("/")[0])
        words = [letters[at : at + width] for at in range(len(letters) - width + 1)]
        assert found.tolist() == ["N" not in word and word in spelled for word in words]


@pytest.mark.parametrize("text", ["", "AX", "A/AT", "/", "A/", "é"])
def test_what_is_no_class_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not one or more words of one length"):
        letter_class(text)


def test_fixed_positions_are_left_out() -> None:
    """A period that only fixed letters have is not the law's."""
    samples = drawn(rows(10.2, 0))
    mutable = np.arange(LENGTH) < 90
    codes = samples.codes.copy()
    codes[..., ~mutable] = np.where(np.arange(57) % 10 < 5, 0, 1)
    fixed = sample_set(codes, samples.background, mutable=mutable, anchor=codes[0, 0])
    found = periodicity_of(fixed, letter_class("WW"), 1)
    assert np.isfinite(found.profile).sum() == 89
    assert found.peaks[DRAWS].swing < 0.1


def test_draws_that_never_change_and_short_ones_have_no_peak() -> None:
    for codes in (np.zeros((16, 20, 30), np.uint8), np.zeros((16, 20, 2), np.uint8)):
        found = periodicity_of(sample_set(codes), letter_class("WWW"), 1)
        assert np.isnan(found.peaks[DRAWS].period)
        assert not found.peaks[DRAWS].in_band


def test_rows_name_every_source() -> None:
    found = [periodicity_of(drawn(rows(10.2, 0.06), seed), W, 1) for seed in (1, 2)]
    sources = list(found[0].peaks)
    assert [row["source"] for row in answer_rows(over_anchors(found))] == sources
    assert [row["source"] for row in peak_rows(found[0])] == sources
    assert answer_rows(over_anchors(found))[0]["share"] == 1
    assert periodicity_of(drawn(rows(10.2, 0.06), 1), W, 1).chance == found[0].chance
