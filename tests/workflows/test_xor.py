"""The XOR experiment: what counts as right, and the whole of it on two networks."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
FREQUENCIES = np.array([0.3, 0.2, 0.2, 0.3])


def test_the_rule_by_hand() -> None:
    from workflows.xor import rule

    of = dict(zip(rule.NAMES, rule.CLASSES.tolist(), strict=True))
    assert [of[name] for name in ("AA", "AG", "TC", "TG", "CA", "CG", "GT", "GG")] == [1, 0, 1, 0, 0, 1, 0, 1]
    keeps = dict(zip(rule.NAMES, rule.keeping(), strict=True))
    assert keeps["AA"].T.tolist() == [[True, False, False, True], [True, True, False, True]]
    assert keeps["CG"].T.tolist() == [[False, True, True, False], [False, False, True, False]]


def shapley(classes: NDArray[np.int64], frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exact Shapley values (16, 2) of both letters, against the background; the rule is +1 for class 1, -1 for class 0.

    The mean of a letter's effect alone and its effect where the other letter is the anchor's.
    """
    value = (2.0 * classes - 1).reshape(4, 4)
    first, second, none = value @ frequencies, frequencies @ value, frequencies @ value @ frequencies
    alone = np.stack([np.repeat(first, 4), np.tile(second, 4)], axis=1)
    last = value.ravel()[:, None] - alone[:, ::-1]
    return (alone - none + last) / 2


def test_redrawing_and_shapley_values_agree_on_sign_and_size() -> None:
    """So 'sign' and 'larger' are fair to methods with a reference and to methods that change letters."""
    from workflows.xor import rule

    values = shapley(rule.CLASSES, FREQUENCIES)
    signs = 2 * rule.CLASSES - 1
    assert np.allclose(values.sum(axis=1), signs - rule.background(FREQUENCIES) @ signs)
    redrawn = signs[:, None] * 2 * np.einsum("nap,a->np", ~rule.keeping(), FREQUENCIES)  # lost when a letter is redrawn
    kept = -np.log2(np.einsum("nap,a->np", rule.keeping(), FREQUENCIES))  # bits of the letters that keep the class
    for effects in (values, redrawn):
        assert rule.signs_right(effects).all()
        assert rule.larger_right(np.abs(effects)).all()
    assert rule.larger_right(kept).all()


def test_what_is_right_and_what_is_not() -> None:
    from workflows.xor import rule

    keeps = rule.keeping().astype(float)
    assert rule.letters_right(keeps).all()
    keeps[0, :, 1] = [1, 0.5, 0.6, 1]  # AA: C keeps the class there, G does not
    assert rule.letters_right(keeps).sum() == 31
    background = rule.background(FREQUENCIES)
    assert rule.told_apart(np.stack([background * (label == rule.CLASSES) for label in (0, 1)])).all()
    branch = background * rule.BRANCH
    told = rule.enriched_right(branch / branch.sum(axis=1, keepdims=True), FREQUENCIES)
    assert (~told == rule.OTHER_BRANCH).all()  # one branch alone is silent on the other


def test_a_sum_of_letters_cannot_tell_the_other_branch() -> None:
    """Exact effects of single letters are right on letters and wrong on every sequence that changes both parts."""
    from workflows.xor import rule

    signs = 2.0 * rule.CLASSES - 1
    effects = np.where(rule.keeping(), 1, -1) * signs[:, None, None]  # the rule's value with each single letter
    assert (~rule.sums_right(effects, signs) == rule.OTHER_BRANCH).all()


@pytest.mark.slow
def test_the_experiment_on_two_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workflows.global_features.steps import table
    from workflows.xor import experiment
    from workflows.xor.answers import METHODS

    with (ROOT / "workflows" / "xor" / "xor.toml").open("rb") as stream:
        config = tomllib.load(stream) | {"networks": 2, "out": str(tmp_path)}
    page = experiment.experiment(config).read_text()
    for method in METHODS:
        assert f"| {method} |" in page
    assert "of their 32 inputs they call 32 rightly" in page
    assert "| draws around the anchor | 64 of 64 | - | 32 of 32 |" in page
    for row in ("draws of all anchors of a class", "draws of a class, no anchor"):
        assert f"| {row} | - | - | - | 32 of 32 |" in page
    tests = table(tmp_path / "tests.tsv")
    assert len(tests) == 32
    assert min(float(row["p"]) for row in tests) > 1e-4
    monkeypatch.setattr(experiment, "made", lambda output, *_, **__: output.stat() and output)
    assert experiment.experiment(config).read_text() == page  # from what has been made


def test_published_examples(tmp_path: Path) -> None:
    from workflows.xor import experiment

    (tmp_path / "XOR_model_3_train.data").write_text("AA\t1\nAG\t0\nCG\t1\n")
    codes, labels = experiment.read_published({"published": str(tmp_path)}, 3)
    assert codes.tolist() == [[0, 0], [0, 2], [1, 2]]
    assert labels.tolist() == [1, 0, 1]
