"""Model folders: what is read is what was written, and a damaged one is refused in one line."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from maxent_cli.errors import InputError
from maxent_cli.io.checkpoint import CARD, WEIGHTS, ModelCard, load_model, save_model
from maxent_cli.models.architectures import ARCHITECTURES, build
from maxent_cli.models.prediction import predict

ARGUMENTS = {"deepmotif-rnn": {"states": 5}}
CARDS = [
    ModelCard(
        name,
        60,
        ("negative", "positive"),
        ARGUMENTS.get(name, {"filters": 5}),
        (0.2, 0.3, 0.3, 0.2),
        {"note": [1, None, "x"]},
    )
    for name in ARCHITECTURES
]


def saved(folder: Path, card: ModelCard = CARDS[0]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_model(folder, build(card.architecture, card.input_length, card.arguments, seed=2), card)
    return folder


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.architecture)
def test_read_back_as_written(tmp_path: Path, card: ModelCard) -> None:
    model, found = load_model(str(saved(tmp_path, card)))
    assert found == card
    assert not model.training
    codes = np.random.default_rng(0).integers(0, 4, (6, 60), np.uint8)
    assert np.array_equal(predict(model, codes), predict(build(card.architecture, 60, card.arguments, seed=2), codes))


def test_same_model_same_bytes(tmp_path: Path) -> None:
    one, other = saved(tmp_path / "one"), saved(tmp_path / "other")
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in (WEIGHTS, CARD))


def test_of_a_thousand_outputs_the_first_and_the_last_are_said() -> None:
    said = dataclasses.replace(CARDS[0], outputs=tuple(f"output_{number}" for number in range(1000))).says
    assert "gives output_0, output_1, " in said
    assert "output_11 ... output_999." in said
    assert "output_12," not in said


def test_card_is_plain_json(tmp_path: Path) -> None:
    content = json.loads((saved(tmp_path) / CARD).read_text())
    assert (content["schema"], content["letters"]) == (2, "ACGT")
    assert content["outputs"] == ["negative", "positive"]
    nan = dataclasses.replace(CARDS[0], training={"auroc": float("nan")})
    with pytest.raises(ValueError, match="not JSON compliant"):
        saved(tmp_path / "nan", nan)


def edit_card(**changes: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        content = json.loads((folder / CARD).read_text())
        (folder / CARD).write_text(json.dumps({**content, **changes}))

    return edit


def edit_weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        weights = load_file(folder / WEIGHTS)
        change(weights)
        save_file(weights, folder / WEIGHTS)

    return edit


def damage(name: str, content: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(content) and None


DAMAGES = {
    "later schema": (edit_card(schema=3), "schema 3 is not known here; schemas 1 and 2 are"),
    "other letters": (edit_card(letters="ACGU"), "letters must be A, C, G, T in an order"),
    "other layout": (edit_card(layout="sideways"), "is not a model card"),
    "held nothing": (edit_card(held=[]), "held must be weighted sums of its outputs"),
    "held elsewhere": (edit_card(held=[[[2, 1.0]]]), "held must be weighted sums of its outputs"),
    "code outside": (
        edit_card(architecture="a:b", code={"origin": "", "files": {"../x.py": ""}, "packages": {}}),
        "lies outside",
    ),
    "code of ours": (edit_card(code={"origin": "", "files": {}, "packages": {}}), "convnet needs no code"),
    "unknown architecture": (edit_card(architecture="resnet"), "architecture resnet is not known here; known are conv"),
    "unknown argument": (edit_card(arguments={"depth": 3}), "no network fits this card"),
    "no filters": (edit_card(arguments={"filters": 0}), "no network fits this card"),
    "too short": (edit_card(input_length=5), "no network fits this card .*need more than 5 letters"),
    "length no number": (edit_card(input_length="60"), "input_length must be a whole number"),
    "unknown field": (edit_card(colour="blue"), "is not a model card .*colour"),
    "three frequencies": (edit_card(background=[0.3, 0.3, 0.4]), "is not a model card"),
    "zero frequency": (edit_card(background=[0, 0.3, 0.4, 0.3]), "four positive frequencies that sum to 1"),
    "frequencies off": (edit_card(background=[0.3, 0.3, 0.4, 0.3]), "four positive frequencies that sum to 1"),
    "no JSON": (damage(CARD, "{"), "is not a model card"),
    "a list": (damage(CARD, "[1]"), "is not a model card"),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "weights.safetensors: cannot be read"),
    "no card": (lambda folder: (folder / CARD).unlink(), "model.json: cannot be read; give a model folder"),
    "text as weights": (damage(WEIGHTS, "weights"), "weights.safetensors: cannot be read"),
    "NaN": (edit_weights(lambda weights: weights["output.bias"].fill_(float("nan"))), "output.bias: .* not a finite"),
    "inf": (edit_weights(lambda weights: weights["output.bias"].fill_(float("inf"))), "output.bias: .* not a finite"),
    "wrong shape": (edit_card(input_length=68), "weights do not fit the architecture .*size mismatch"),
    "missing tensor": (edit_weights(lambda weights: weights.pop("output.bias")), "do not fit .*Missing key"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_folder_is_refused(tmp_path: Path, name: str) -> None:
    change, message = DAMAGES[name]
    change(saved(tmp_path))
    with pytest.raises(InputError, match=message) as caught:
        load_model(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_folder_of_the_first_schema_is_read(tmp_path: Path) -> None:
    content = json.loads((saved(tmp_path) / CARD).read_text())
    for name in ("says", "layout", "head", "layer", "final", "held", "code", "score"):
        del content[name]
    (tmp_path / CARD).write_text(json.dumps({**content, "schema": 1}))
    assert load_model(str(tmp_path))[1] == CARDS[0]


def test_the_card_says_how_the_network_reads(tmp_path: Path) -> None:
    content = json.loads((saved(tmp_path) / CARD).read_text())
    assert content["says"] == (
        "Reads 60 letters as (batch, 4, 60), channels A, C, G, T; gives negative, positive. "
        "Background: A 0.2, C 0.3, G 0.3, T 0.2. Built of layers that maxent knows: no code is run."
    )
