"""Figures: by suffix, and the same bytes for the same data."""

from pathlib import Path

import pytest

from maxent_cli.errors import InputError
from maxent_cli.io.figures import write_learning_curve
from maxent_cli.models.training import Epoch

NAN = float("nan")
CURVE = [Epoch(1, 0.1, 0.7, 0.6, 0.6, 1.0, True), Epoch(2, 0.1, 0.5, 0.65, 0.7, 1.0, False)]
MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize("suffix", MAGIC)
def test_same_curve_same_bytes(tmp_path: Path, suffix: str) -> None:
    for name in ("one", "other"):
        write_learning_curve(str(tmp_path / f"{name}.{suffix}"), CURVE)
    content = (tmp_path / f"one.{suffix}").read_bytes()
    assert content.startswith(MAGIC[suffix])
    assert content == (tmp_path / f"other.{suffix}").read_bytes()


def test_axes_and_kept_epoch_are_named(tmp_path: Path) -> None:
    write_learning_curve(str(tmp_path / "curve.svg"), CURVE)
    drawn = (tmp_path / "curve.svg").read_text()
    assert all(f"<!-- {text} -->" in drawn for text in ("epoch", "cross entropy (nats)", "AUROC, validation", "kept"))


def test_without_validation(tmp_path: Path) -> None:
    write_learning_curve(str(tmp_path / "curve.png"), [Epoch(1, 0.1, 0.7, NAN, NAN, 1.0, True)])
    assert (tmp_path / "curve.png").stat().st_size > 1000


@pytest.mark.parametrize("name", ["curve.jpg", "curve", "-"])
def test_other_suffix_is_refused(tmp_path: Path, name: str) -> None:
    path = name if name == "-" else str(tmp_path / name)
    with pytest.raises(InputError, match=r"is not a figure's name; end it in \.png, \.svg, \.pdf"):
        write_learning_curve(path, CURVE)
    assert not list(tmp_path.iterdir())
