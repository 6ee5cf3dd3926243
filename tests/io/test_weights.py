"""Weights of kinds that no network here has: a line that names the weight."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from small import saved, small_model
from torch import Tensor

from maxent_cli.errors import InputError
from maxent_cli.io.checkpoint import load_model
from maxent_cli.io.weights import sound_weights

ONES = torch.ones(3, 4)
ODD = {
    "quantised": lambda: torch.quantize_per_tensor(ONES, 0.1, 0, torch.quint8),
    r"not dense \(torch.sparse_coo\)": ONES.to_sparse,
    "without values": lambda: ONES.to("meta"),
    "complex": lambda: ONES.to(torch.complex64),
    "holds a weight that is not a finite number": lambda: ONES / 0,
}
EIGHT_BITS = [torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("words", ODD)
def test_odd_weights_are_refused(words: str) -> None:
    with pytest.raises(InputError, match=rf"w.pt: layer.bias: (is )?{words}.*; "):
        sound_weights("w.pt", {"good": ONES, "layer.bias": ODD[words]()}, "give other weights")


@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_other_layouts_are_refused() -> None:
    with pytest.raises(InputError, match=r"w.pt: w: is not dense \(torch.sparse_csr\)"):
        sound_weights("w.pt", {"w": ONES.to_sparse_csr()}, "give other weights")


@pytest.mark.parametrize("dtype", EIGHT_BITS, ids=str)
def test_eight_bits_are_read_as_numbers(dtype: torch.dtype) -> None:
    found = sound_weights("w.pt", {"w": (ONES * 1.5).to(dtype)}, "give other weights")["w"]
    torch.testing.assert_close(found, ONES * 1.5)
    odd = (ONES * float("nan")).to(dtype)
    with pytest.raises(InputError, match=r"w\.pt: w: holds a weight that is not a finite number"):
        sound_weights("w.pt", {"w": odd}, "give other weights")


@pytest.mark.parametrize("kept", [torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool])
def test_other_numbers_stay(kept: torch.dtype) -> None:
    assert sound_weights("w.pt", {"w": ONES.to(kept)}, "")["w"].dtype == kept


def change(folder: Path, **given: object) -> None:
    card = folder / "model.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | given))


@pytest.mark.parametrize(
    "background",
    [
        [float("nan")] * 4,
        [float("nan"), 0.5, 0.25, 0.25],
        [0.5, 0.25, float("nan"), 0.25],
        [float("inf")] * 4,
        [10**400] * 4,
    ],
)
def test_a_background_of_no_numbers_is_refused(background: list[float], tmp_path: Path) -> None:
    saved(tmp_path / "model", small_model())
    change(tmp_path / "model", background=background)
    with pytest.raises(InputError, match="is not a model card"):
        load_model(str(tmp_path / "model"))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"schema":' * 100_000, "{}", "1", '{"schema": 1, "letters": "ACGT"}'])
def test_a_card_that_is_none(text: str, tmp_path: Path) -> None:
    saved(tmp_path / "model", small_model())
    (tmp_path / "model" / "model.json").write_text(text)
    with pytest.raises(InputError, match=r"model\.json: is not a model card"):
        load_model(str(tmp_path / "model"))


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
def test_a_pipe_in_a_model_folder_is_not_waited_for(name: str, tmp_path: Path) -> None:
    import os

    saved(tmp_path / "model", small_model())
    (tmp_path / "model" / name).unlink()
    os.mkfifo(tmp_path / "model" / name)
    with pytest.raises(InputError, match=f"{name}: is not a file"):
        load_model(str(tmp_path / "model"))


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float16, torch.float64], ids=str)
def test_a_model_folder_with_weights_of_other_widths(dtype: torch.dtype, tmp_path: Path) -> None:
    model = small_model()
    folder = saved(tmp_path / "model", model)
    weights: dict[str, Tensor] = {name: value.to(dtype).contiguous() for name, value in model.state_dict().items()}
    save_file(weights, tmp_path / "model" / "weights.safetensors")
    found = load_model(folder)[0].state_dict()
    assert all(torch.equal(found[name], weights[name].float()) for name in found)
