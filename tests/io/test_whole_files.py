"""TorchScript and torch.export: named for what they are, and taken whole where they are trusted."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import maxent_cli as mx
from maxent_cli.api import examining
from maxent_cli.commands import maxent
from maxent_cli.errors import InputError
from maxent_cli.io.networks import NetworkSource, load_network
from maxent_cli.io.whole_files import EXPORT, SCRIPT, whole_kind
from maxent_cli.models.whole import Exported, Scripted, as_module

LENGTH, BATCH = 20, torch.export.Dim("batch", min=1, max=4096)
SHORT = mx.Sampling(chains=4, replicas=3, draws=10, thin=5, warmup=240, max_steps=60)


class Convolved(nn.Module):
    """Its outputs are read off the mean over positions."""

    def __init__(self, named: bool = False) -> None:
        super().__init__()
        self.scan, self.last, self.named = nn.Conv1d(4, 8, 6), nn.Linear(8, 3), named

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.scan(x).relu().mean(-1))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The same network by either."""
    monkeypatch.setattr(examining, "TEST_SECONDS", 0.1)
    torch.manual_seed(1)
    network = Convolved().eval()
    found = {kind: str(tmp_path / name) for kind, name in ((SCRIPT, "a.pt"), (EXPORT, "a.pt2"))}
    example = torch.zeros(3, 4, LENGTH)
    with warnings.catch_warnings(action="ignore"):
        torch.jit.trace(network, example).save(found[SCRIPT])
        torch.export.save(torch.export.export(network, (example,), dynamic_shapes=({0: BATCH},)), found[EXPORT])
    torch.save(network.state_dict(), tmp_path / "state.pt")
    return found | {"state": str(tmp_path / "state.pt")}


def outputs(network: nn.Module, codes: np.ndarray) -> torch.Tensor:
    with torch.no_grad():
        return network(torch.eye(4)[torch.from_numpy(codes).long()].mT)


def test_they_are_told_by_what_stands_in_them(files: dict[str, str]) -> None:
    assert [whole_kind(files[kind]) for kind in (SCRIPT, EXPORT, "state")] == [SCRIPT, EXPORT, None]


@pytest.mark.parametrize("kind", [SCRIPT, EXPORT])
def test_without_trust_they_are_named_and_nobody_is_led_to_it(files: dict[str, str], kind: str) -> None:
    for source in (NetworkSource(files[kind]), NetworkSource("deepbind", weights=files[kind])):
        with pytest.raises(InputError, match=r"whose code is in the file; save its weights with torch\.save") as found:
            load_network(source)
        assert not re.search("trust|--", str(found.value).partition(": ")[2])


@pytest.mark.parametrize("kind", [SCRIPT, EXPORT])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_with_trust_they_are_taken_whole(files: dict[str, str], kind: str, tmp_path: Path) -> None:
    folder = str(tmp_path / "model")
    net = mx.adopt(
        files[kind], input_length=LENGTH, output=1, gc=0.4, trust_code=True, out=folder, threads=1, progress=False
    )
    plain = Convolved().eval()
    plain.load_state_dict(torch.load(files["state"], weights_only=True))
    codes = np.random.default_rng(0).integers(0, 4, (6, LENGTH), np.uint8)
    torch.testing.assert_close(outputs(net.reader(LENGTH), codes), outputs(plain, codes))
    with pytest.raises(InputError, match=r"building its network runs code, a\.pt.* was not run"):
        mx.network(folder)
    again = mx.network(folder, trust_code=True)
    reader = again.reader(LENGTH)
    torch.testing.assert_close(outputs(reader, codes), outputs(plain, codes))
    assert reader.layer == ("output" if kind == SCRIPT else None)  # into TorchScript nobody sees
    with mx.sample(again, ["ACGTTGCAACACGTTGCAAC"], sampling=SHORT, progress=False) as draws:
        assert np.ptp(draws[0].energy) > 0


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_file_that_has_changed_is_not_run(files: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    mx.adopt(
        files[SCRIPT],
        input_length=LENGTH,
        output=1,
        gc=0.4,
        trust_code=True,
        out=str(folder),
        threads=1,
        progress=False,
    )
    with (folder / "code" / "a.pt").open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(InputError, match="is not the code that was adopted"):
        mx.network(str(folder), trust_code=True)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_functions_may_give_them_too(files: dict[str, str]) -> None:
    assert isinstance(as_module(torch.jit.load(files[SCRIPT])), Scripted)
    with warnings.catch_warnings(action="ignore"):
        assert isinstance(as_module(torch.export.load(files[EXPORT]).module()), Exported)
    plain = Convolved()
    assert as_module(plain) is plain


def test_folders_are_named_for_what_they_are(tmp_path: Path) -> None:
    saved, hub = tmp_path / "saved", tmp_path / "hub"
    for folder in (saved, hub):
        folder.mkdir()
    (saved / "saved_model.pb").write_bytes(b"\x08\x01")
    torch.save({"a": torch.zeros(3)}, hub / "pytorch_model.bin")
    for folder, said in (
        (saved, "is TensorFlow's; save the network from Keras with model.save"),
        (hub, "holds weights and no network; give package.module:function, .* with --weights"),
    ):
        found = CliRunner().invoke(maxent, ["adopt", str(folder), "--gc", "0.4", "--out", str(tmp_path / "out")])
        assert found.exit_code == 1
        assert re.search(said, found.stderr), found.stderr
