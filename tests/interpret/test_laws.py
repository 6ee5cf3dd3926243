"""The table of laws, the forms in which outputs are asked for, and that a new law is an entry and nothing else."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from exact import ODD, law_probability
from small import Listed, anchor, hidden_units, law, run, small_model, words
from torch import nn

from maxent_cli import laws
from maxent_cli.alphabet import encode
from maxent_cli.analysis.diagnostics import ess_mean
from maxent_cli.commands import maxent
from maxent_cli.errors import InputError, SettingsError
from maxent_cli.interpret.law import Law, evaluate, output_term
from maxent_cli.interpret.sampling import sample_anchor
from maxent_cli.io.output_weights import read_output_weights
from maxent_cli.laws import LAWS, ONE_LESS_ZERO, Energy, LawKind, asked_outputs, spelled, weighted_outputs

NAMES = ("liver", "T-cell", "B-cell", "T")
BACKGROUND = (0.25, 0.25, 0.25, 0.25)
ANCHOR = "GATCA"
MODEL = small_model()


@pytest.mark.parametrize(
    ("asked", "expected", "text"),
    [
        (2, (((2, 1.0),),), "B-cell"),
        ("2", (((2, 1.0),),), "B-cell"),
        ("liver", (((0, 1.0),),), "liver"),
        ("T-cell", (((1, 1.0),),), "T-cell"),
        ("liver-T", (((0, 1.0), (3, -1.0)),), "liver - T"),
        ("T-cell-B-cell", (((1, 1.0), (2, -1.0)),), "T-cell - B-cell"),
        (" T - liver ", (((3, 1.0), (0, -1.0)),), "T - liver"),
        ("0-3", (((0, 1.0), (3, -1.0)),), "liver - T"),
        ("T,0, 1-2", (((3, 1.0),), ((0, 1.0),), ((1, 1.0), (2, -1.0))), "T, liver, T-cell - B-cell"),
    ],
)
def test_outputs_are_asked_for_by_number_name_difference_or_list(asked: int | str, expected: object, text: str) -> None:
    found = asked_outputs(asked, NAMES)
    assert found == expected
    assert spelled(found, NAMES) == text
    assert asked_outputs(text, NAMES) == expected


def test_names_go_before_numbers_and_may_hold_commas() -> None:
    assert asked_outputs("1", ("1", "0")) == (((0, 1.0),),)
    assert asked_outputs("a,b", ("c", "a,b")) == (((1, 1.0),),)


def test_of_one_output_it_is_that_and_of_two_1_less_0() -> None:
    assert asked_outputs(None, ("one",)) == (((0, 1.0),),)
    assert asked_outputs(None, ("off", "on")) == ONE_LESS_ZERO
    with pytest.raises(SettingsError, match="output: the network has 4; say which, by output"):
        asked_outputs(None, NAMES)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("4", "output: there is no 4; the network's outputs are numbered 0 to 3 .liver, T-cell, B-cell, T"),
        ("kidney", "there is no kidney"),
        ("liver,", "there is no output of no name"),
        ("-1", "there is no -1"),
        ("liver-liver", "output: liver-liver is always 0; give two different outputs"),
        ("liver,0", "output: liver,0 names an output twice"),
    ],
)
def test_what_is_no_output_is_said_in_one_line(asked: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as found:
        asked_outputs(asked, NAMES)
    assert "\n" not in str(found.value)


def test_a_difference_that_can_be_read_in_two_ways_is_refused() -> None:
    with pytest.raises(SettingsError, match="a-b-c can be read as several differences; give the outputs' numbers"):
        asked_outputs("a-b-c", ("a", "b-c", "a-b", "c"))


def table(place: Path, text: str) -> str:
    path = place / "weights.tsv"
    path.write_text(text)
    return str(path)


def test_a_table_gives_a_weighted_sum_or_several(tmp_path: Path) -> None:
    one = table(tmp_path, "output\tweight\nliver\t-1\nT-cell\t0.5\n2\t0.5\nT\t0\n")
    found = weighted_outputs(read_output_weights(one), NAMES, one)
    assert found == (((0, -1.0), (1, 0.5), (2, 0.5)),)
    assert spelled(found, NAMES) == "- liver + 0.5 T-cell + 0.5 B-cell"
    several = table(tmp_path, "row\toutput\tweight\nlymph\tT-cell\t1\nlymph\tB-cell\t1\nrest\tliver\t2\n")
    found = weighted_outputs(read_output_weights(several), NAMES, several)
    assert found == (((1, 1.0), (2, 1.0)), ((0, 2.0),))
    assert spelled(found, NAMES) == "T-cell + B-cell, 2 liver"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("output\nliver\n", "weights.tsv: line 1: no column named weight"),
        ("output\tweight\tnote\nliver\t1\tx\n", "weights.tsv: line 1: a column named note"),
        ("output\tweight\n", "weights.tsv: holds no weights"),
        ("output\tweight\nliver\tmuch\n", "weights.tsv: line 2, column weight: much is no finite number"),
        ("output\tweight\nliver\tnan\n", "nan is no finite number"),
        ("output\tweight\nliver\n", "weights.tsv: line 2: has not as many cells as the header"),
        ("output\tweight\nliver\t1\nliver\t2\n", "weights.tsv: line 3: liver has a weight already"),
        ("output\tweight\nliver\t1\n0\t2\n", "weights.tsv: a row has no weights, or two of one output"),
        ("output\tweight\nliver\t0\n", "weights.tsv: a row has no weights"),
        ("output\tweight\nkidney\t1\n", "weights.tsv: there is no output kidney; the network's outputs"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = table(tmp_path, text)
    with pytest.raises(InputError, match=said) as found:
        weighted_outputs(read_output_weights(path), NAMES, path)
    assert "\n" not in str(found.value)


def test_a_law_that_needs_a_setting_or_holds_less_says_so() -> None:
    with pytest.raises(SettingsError, match="beta or to: is needed by the law output"):
        Law("output")
    with pytest.raises(SettingsError, match="law: there is none named both; give one of anchor, output"):
        Law("both")
    asked = Law("output", beta=1.0)
    with pytest.raises(SettingsError, match="output: 2 are given, and the law output holds 1"):
        asked.settled(asked_outputs("0,1", NAMES), BACKGROUND, "it")
    assert asked.settled(asked_outputs("0-1", NAMES), BACKGROUND, "it").tether is None
    assert Law().settled(asked_outputs("0,1", NAMES), BACKGROUND, "it").tether == "auto"


def test_draws_of_the_law_of_an_output_follow_the_list() -> None:
    settings = law(60.0, output=(((0, 0.5), (1, -2.0)),), kind=LAWS["output"])
    listed = Listed(MODEL, ANCHOR)
    codes = np.array([encode(word) for word in words(5)])
    listed.energy = -evaluate(output_term(MODEL, settings.outputs), codes)
    samples = sample_anchor(MODEL, anchor(ANCHOR), settings, run(thin=40))
    assert probability(samples, listed, 60.0) > ODD
    assert probability(samples, listed, 30.0) < ODD
    outputs = evaluate(output_term(MODEL, settings.outputs), samples.codes)
    np.testing.assert_allclose(samples.output, outputs, atol=1e-5)


def test_draws_of_the_law_of_a_profile_follow_the_list() -> None:
    """E is the distance of outputs less their mean: one that adds to all of them is free."""
    model, outputs = small_model(), asked_outputs("1:4", NAMES)
    torch.manual_seed(3)
    model.output, model.outputs = nn.Linear(model.output.in_features, 4), 4
    settings = law(2.0, output=outputs, kind=LAWS["profile"])
    samples = sample_anchor(model, anchor(ANCHOR), settings, run(thin=20))
    listed, layer = Listed(MODEL, ANCHOR), model.output
    hidden = hidden_units(model)
    weight, bias = (values.detach().double().numpy()[1:4] for values in (layer.weight, layer.bias))
    profiles = np.array([weight @ hidden(word) + bias for word in listed.words])
    profiles -= profiles.mean(axis=1, keepdims=True)
    listed.energy = np.linalg.norm(profiles - profiles[listed.words.index(ANCHOR)], axis=1)
    assert probability(samples, listed, 2.0) > ODD
    assert samples.kernel.startswith(("full passes", "surrogate"))  # the compiled chain gives no outputs
    assert samples.output.mean() == pytest.approx(evaluate(output_term(model, outputs), samples.codes).mean())


def test_a_profile_is_of_all_outputs_or_of_a_window() -> None:
    names = tuple(map(str, range(10)))
    assert asked_outputs(None, names, every=True) == tuple(((number, 1.0),) for number in range(10))
    assert asked_outputs("4:6", names) == (((4, 1.0),), ((5, 1.0),))
    assert spelled(asked_outputs(None, names, every=True), names) == "all 10 outputs"
    for odd in ("6:4", "4:11", "10:12"):
        with pytest.raises(SettingsError, match=f"output: there are no outputs {odd}"):
            asked_outputs(odd, names)
    with pytest.raises(SettingsError, match="output: 1 is given, and the law profile holds 2 or more"):
        Law("profile").settled(asked_outputs("3", names), BACKGROUND, "it")


def probability(samples, listed: Listed, beta: float) -> float:
    counts = listed.counts(samples.codes)
    return law_probability(counts * min(1.0, ess_mean(samples.energy) / counts.sum()), listed.law(beta))


AWAY = LawKind(
    name="as-anchor",
    energy=lambda around: Energy(lambda codes: (around.output(codes) - around.anchor_output).abs()),
    is_distance=True,
    needs=("keep",),
    most_outputs=1,
    tether=None,
    held="the value of {output} at the anchor",
    reading="p(x) ∝ q(x) · exp(-beta · |f(x) - f(x0)|).",
)


@pytest.mark.slow
def test_a_new_law_is_an_entry_of_the_table_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by the request, drawn from right, its beta found, without a line beside the entry."""
    monkeypatch.setitem(laws.LAWS, AWAY.name, AWAY)
    with pytest.raises(SettingsError, match="keep: is needed by the law as-anchor"):
        Law("as-anchor")
    settings = Law("as-anchor", keep=0.5).settled(ONE_LESS_ZERO, (0.4, 0.1, 0.2, 0.3), "it")
    samples = sample_anchor(MODEL, anchor(ANCHOR), settings, run(warmup=2400, thin=20))
    listed = Listed(MODEL, ANCHOR)
    codes = np.array([encode(word) for word in listed.words])
    listed.energy = np.abs(evaluate(output_term(MODEL, ONE_LESS_ZERO), codes) - samples.anchor_output)
    assert 1 - listed.mean_energy(samples.beta) / listed.mean_energy(0) == pytest.approx(0.5, abs=0.03)
    given = law(samples.beta, kind=AWAY)
    assert probability(sample_anchor(MODEL, anchor(ANCHOR), given, run(thin=20)), listed, samples.beta) > ODD
    assert samples.kernel.startswith(("full passes", "surrogate"))  # the compiled chain knows no such energy
    assert settings.header["held"] == "as-anchor"


@pytest.mark.parametrize("kind", LAWS.values(), ids=LAWS)
def test_every_law_is_told_in_help_and_manual(kind: LawKind) -> None:
    shown = CliRunner().invoke(maxent, ["sample", "--help-all"]).output
    assert " ".join(f"{kind.name}: {kind.holding('--output')}".split()) in " ".join(shown.split())
    manual = (Path(__file__).parents[2] / "docs" / "law.md").read_text()
    assert f"`{kind.name}` | {kind.holding('`--output`')} |" in manual
