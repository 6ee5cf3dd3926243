"""mx.train: learns a planted motif, does as the command does to the last byte, and says what excludes what."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

import maxent_cli as mx
from maxent_cli.api.listening import Step
from maxent_cli.commands import maxent
from maxent_cli.models.training import PUBLISHED, Settings

QUICK = mx.Training("finnegan2017", epochs=2, batch=32)


def planted(count: int = 300) -> dict[str, str]:
    plants = [mx.Plant("CTCF", position=10, strand="+")]
    return mx.simulate(count, 40, plants, seed=3, progress=False).sequences


def content(folder: Path) -> dict[str, bytes]:
    return {place.name: place.read_bytes() for place in folder.iterdir()}


def test_a_planted_motif_is_learned_from_sequences_in_memory() -> None:
    training = mx.Training("finnegan2017", epochs=8, batch=32)
    trained = mx.train(planted(600), mx.Split(test_share=0.3), training, threads=1, progress=False)
    metrics = trained.to_frame().set_index(["part", "metric"])
    assert metrics.loc[("test", "AUROC"), "lower"] > 0.8  # CTCF against shuffles of itself
    assert len(trained["learning_curve"]) <= 8
    assert trained.network.input_length == 40
    assert {"metrics", "learning_curve", "rejected"} == set(trained.tables)


def test_architectures_of_the_dashboard_bring_their_own_settings() -> None:
    own = mx.Training("deepmotif-rnn").settled(10_000)
    assert own == PUBLISHED["deepmotif-rnn"] == replace(own, epochs=50, patience=50, batch=256, learning_rate=0.01)
    other = mx.Training("deepmotif-cnn", epochs=7, batch=32, reverse_complement=True, shift=3, seed=9).settled(10_000)
    assert other == replace(own, epochs=7, patience=7, batch=32, reverse_complement=True, shift=3, seed=9)
    assert mx.Training().settled(10_000) == Settings(epochs=128, patience=15)


def test_same_bytes_as_the_command(tmp_path: Path) -> None:
    path = tmp_path / "positives.fa"
    path.write_text("".join(f">{name}\n{letters}\n" for name, letters in planted().items()))
    words = ["--architecture", "finnegan2017", "--epochs", "2", "--batch", "32", "--threads", "1"]
    result = CliRunner().invoke(maxent, ["train", "--positives", str(path), *words, "--out", str(tmp_path / "command")])
    assert result.exit_code == 0, result.output
    out = str(tmp_path / "function")
    mx.train(mx.TrainingData(str(path)), training=QUICK, out=out, threads=1, progress=False)
    assert content(tmp_path / "function") == content(tmp_path / "command")
    in_memory = mx.train(planted(), training=QUICK, threads=1, progress=False)
    assert content(in_memory.path) == content(tmp_path / "command")
    assert Path(f"{out}.provenance.json").exists()


def test_without_out_the_folder_is_gone_with_the_result_unless_saved(tmp_path: Path) -> None:
    trained = mx.train(planted(60), training=QUICK, progress=False)
    path = trained.path
    trained.save(str(tmp_path / "kept"))
    assert content(tmp_path / "kept") == content(path)
    network = trained.network
    del trained
    assert not path.exists()
    assert len(mx.predict(network, planted(3), progress=False)) == 3
    assert mx.network(str(tmp_path / "kept")).digest == network.digest


def test_threads_of_torch_are_as_before_and_steps_are_told() -> None:
    before, heard = torch.get_num_threads(), list[Step]()
    mx.train(planted(60), training=QUICK, threads=before + 1, progress=heard.append)
    assert torch.get_num_threads() == before
    with pytest.raises(mx.InputError, match="lacks a class"):
        mx.train(mx.TrainingData({"chr8:0-40": "ACGT" * 10}), mx.Split(("chr8",)), QUICK, threads=3, progress=False)
    assert torch.get_num_threads() == before
    assert {step.phase for step in heard} == {"training"}
    assert heard[-1].done <= heard[-1].total


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "either they or a table are needed"),
        ({"positives": ["A"], "table": "t.tsv"}, "either they or a table are needed"),
        ({"positives": "-", "negatives": "-"}, "cannot both be standard input"),
        ({"positives": "p.bed", "negatives": "n.fa", "negatives_away": 3}, "negatives and negatives-away: exclude"),
        ({"table": "t.tsv", "bottom_score": 0.5}, "excludes bottom-score"),
        ({"table": "t.tsv", "negatives": "n.fa"}, "excludes negatives"),
        ({"positives": ["A"], "match_gc": True}, "match-gc: needs negatives"),
        (
            {"positives": "p.fa", "top_score": 0.5},
            "choose among intervals; give positives as BED and genome and length",
        ),
        (
            {"positives": ["A"], "top_score": 0.5},
            "choose among intervals; give positives as BED and genome and length",
        ),
        ({"positives": "p.bed", "top_score": 0.5, "length": 9}, "top-score: choose among intervals; give genome"),
        ({"positives": "p.bed", "top_score": 0.0}, "top-score: 0.0 is not from 0 to 1, ends excluded"),
        ({"positives": "p.bed", "length": 0}, r"length: 0 is not from 1 to 1e\+09"),
    ],
)
def test_what_of_the_data_excludes_what(given: dict[str, Any], said: str) -> None:
    with pytest.raises(mx.InputError, match=said):
        mx.TrainingData(**given)


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (mx.Split, {"test_share": 0.6}, "test-share: 0.6 is not from 0 to 0.5"),
        (mx.Split, {"validation_share": float("nan")}, "validation-share: nan is not from"),
        (mx.Training, {"architecture": "convent"}, "none named convent; give one of convnet, .*, or module:function"),
        (mx.Training, {"epochs": 0}, "epochs: 0 is not from"),
        (mx.Training, {"batch": 1}, "batch: 1 is not from"),
        (mx.Training, {"learning_rate": 0.0}, "learning-rate: 0.0 is not from"),
    ],
)
def test_what_is_out_of_range(kind: Any, given: dict[str, Any], said: str) -> None:
    with pytest.raises(mx.InputError, match=said):
        kind(**given)
