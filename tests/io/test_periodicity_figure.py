import numpy as np
import pytest

from maxent_cli.io.periodicity_figure import PeriodicityFigure, Seen, write_periodicity_figure

PERIODS = np.linspace(20, 5, 50)


def shown(name="anchor", power=1.0, wave=(10.2, 1.0, 0.1)):
    rng = np.random.default_rng(1)
    seen = [Seen(power * rng.random(50), np.append(rng.uniform(5, 20, 8), np.nan), 0.25) for _ in range(3)]
    profile = np.append(0.6 + 0.1 * rng.random(60), np.nan)
    return PeriodicityFigure("W", PERIODS, *seen, 0.1, (9.5, 11.0), name, profile, wave)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
@pytest.mark.parametrize("name", ["anchor", "<b>$x_1$\n/" + 100 * "long"])
def test_the_same_numbers_give_the_same_figure(tmp_path, suffix, name):
    paths = [tmp_path / f"{each}.{suffix}" for each in "ab"]
    for path in paths:
        write_periodicity_figure(str(path), shown(name))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_spectra_are_over_their_medians_and_peaks_in_per_cent(monkeypatch):
    drawn = []
    monkeypatch.setattr("maxent_cli.io.figures.write_figure", lambda _, figure: drawn.append(figure))
    write_periodicity_figure("a.png", shown())
    spectra, peaks, _ = drawn[0].axes
    for line in spectra.lines:
        assert np.median(line.get_ydata()) == pytest.approx(1)
    for stairs in peaks.patches[1:]:
        assert stairs.get_data().values.sum() == pytest.approx(100)
    assert "draws: 25 %" in [text.get_text() for text in peaks.get_legend().get_texts()]


def test_without_power_spectra_lie_at_zero_and_no_wave_is_drawn(monkeypatch):
    drawn = []
    monkeypatch.setattr("maxent_cli.io.figures.write_figure", lambda _, figure: drawn.append(figure))
    write_periodicity_figure("a.png", shown(power=0.0, wave=(np.nan, np.nan, np.nan)))
    spectra, _, profile = drawn[0].axes
    assert [line.get_ydata().max() for line in spectra.lines] == [0, 0, 0]
    assert len(profile.lines) == 1  # the draws alone
    assert profile.get_legend() is None
