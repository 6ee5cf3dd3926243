"""Motifs, dependence, periodicity, comparison and report in Python: what was planted, in the command line's bytes."""

import gc
import html
import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest
from analysis.sample_sets import independent_draws, sample_set
from click.testing import CliRunner
from thinned import thinned

import maxent_cli as mx
from maxent_cli.alphabet import encode
from maxent_cli.api.listening import Step
from maxent_cli.api.results import Results
from maxent_cli.commands import load, maxent
from maxent_cli.data import SampleSet, Shard
from maxent_cli.io.motif_files import read_meme, write_meme
from maxent_cli.io.samples import writing_draws
from maxent_cli.tables import SHOWN

WORD, LENGTH, CHAINS, DRAWS = "CCATAGGAA", 40, 8, 60
HOSTILE = "<img/src=x/onerror=alert(1)>"  # without a space, which a MEME file would change
NAMES = (HOSTILE, "b", "c")
LAW = {
    "held": "anchor",
    "outputs": [[[1, 1.0], [0, -1.0]]],
    "background": [0.25] * 4,
    "tether": None,
    "beta": 8.0,
    "keep": None,
}
RUN = {"max_rhat": 1.05, "min_ess": 100.0, "chains": CHAINS, "replicas": 2, "draws": DRAWS, "warmup": 0, "seed": 1}
TABLES = {
    "motifs": {*("anchors", "motifs", "motifs_ppm", "motifs_pwm", "occupancy", "positions", "pwm", "rates", "segments")}
    | {"spacing", "known", "sites"},
    "dependence": {"anchors", "letters", "pairs"},
    "periodicity": {"answer", "peaks", "spectra"},
    "compare": {"anchors", "motifs", "places", "summary"},
}


def word_at(place: int, name: str) -> SampleSet:
    """Draws that hold the word at a place, in which position 39 copies position 38 every other time."""
    rng = np.random.default_rng(place)
    law = np.full((LENGTH, 4), 0.25)
    law[place : place + len(WORD)] = np.where(np.arange(4) == encode(WORD)[:, None], 0.94, 0.02)
    codes = independent_draws(rng, law, CHAINS, DRAWS)
    codes[..., 39] = np.where(rng.random((CHAINS, DRAWS)) < 0.5, codes[..., 38], codes[..., 39])
    energy = np.stack([rng.uniform(4, 6, (CHAINS, DRAWS)), rng.gamma(20, 0.05, (CHAINS, DRAWS))], axis=-1)
    letters = np.full((CHAINS, 2, LENGTH, 4), 9, np.uint32)
    plain = sample_set(codes, name=name, energy=energy[..., 1])
    replicas = replace(plain.replicas, betas=np.array([0.0, 8.0]), energy=energy, output=energy, letters=letters)
    return replace(plain, replicas=replicas)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draws with the tables beside them, known motifs of a hostile name, and a folder of motifs."""
    place = tmp_path_factory.mktemp("readings")
    with writing_draws(str(place / "raw.npz"), {"law": LAW, "run": RUN, "outputs": ["off", "on"]}) as draws:
        for start, name in zip((5, 12, 20), NAMES, strict=True):
            draws.add(word_at(start, name))
    with mx.open_draws(str(place / "raw.npz")) as raw:
        raw.save(str(place / "draws.npz"))
    with writing_draws(str(place / "long.npz"), {"law": LAW, "run": RUN}) as draws:
        rng = np.random.default_rng(1)
        share = 0.6 + 0.1 * np.cos(2 * np.pi * np.arange(147) / 10.2)
        law = np.stack([share / 2, (1 - share) / 2, (1 - share) / 2, share / 2], axis=1)
        draws.add(sample_set(independent_draws(rng, law, CHAINS, DRAWS), name=HOSTILE))
    mx.motifs(str(place / "draws.npz"), logos="none", out=str(place / "motifs"), progress=False)
    known = replace(read_meme(str(place / "motifs" / "motifs.meme"))[0], name=HOSTILE)
    write_meme(str(place / "known.meme"), [known], np.full(4, 0.25))
    return place


def call(name: str, folder: Path, out: str | None, **more: object) -> Results:
    """A reading with settings of its own."""
    draws, known, motifs = (str(folder / name) for name in ("draws.npz", "known.meme", "motifs"))
    given: dict[str, Callable[..., Results]] = {
        "motifs": lambda **kept: mx.motifs(
            draws, calling=mx.Calling(bits=0.2, gap=2), known=known, logos="svg", max_logos=1, threads=1, **kept
        ),
        "dependence": lambda **kept: mx.dependence(draws, records=[HOSTILE, "b"], top=3, max_maps=1, **kept),
        "periodicity": lambda **kept: mx.periodicity(str(folder / "long.npz"), "WW", seed=3, **kept),
        "compare": lambda **kept: mx.compare(motifs, motifs, similarity=0.7, **kept),
    }
    return given[name](out=out, **({"progress": False} | more))


def words(name: str, folder: Path) -> list[str]:
    """The same for the command line."""
    draws, known, motifs = (str(folder / name) for name in ("draws.npz", "known.meme", "motifs"))
    return {
        "motifs": f"{draws} --bits 0.2 --gap 2 --known {known} --logos svg --max-logos 1 --threads 1".split(),
        "dependence": [draws, "--record", HOSTILE, "--record", "b", *["--top", "3", "--max-maps", "1"]],
        "periodicity": f"{folder / 'long.npz'} --class WW --seed 3".split(),
        "compare": f"{motifs} {motifs} --similarity 0.7".split(),
    }[name]


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", thinned(list(TABLES), 2))
def test_python_and_the_command_line_give_the_same_bytes(name: str, folder: Path, tmp_path: Path) -> None:
    found = call(name, folder, str(tmp_path / "python"))
    done = CliRunner().invoke(maxent, [name, *words(name, folder), "--out", str(tmp_path / "line")])
    assert done.exit_code == 0, done.output
    assert files_in(tmp_path / "python") == files_in(tmp_path / "line")
    assert set(found.tables) == TABLES[name]
    assert (tmp_path / "python.provenance.json").is_file()
    for line in found.account:  # as the command says it
        assert line.strip() in done.stderr


@pytest.mark.parametrize("name", thinned(list(TABLES), 2))
def test_without_out_results_are_kept_until_nobody_holds_them(name: str, folder: Path, tmp_path: Path) -> None:
    found = call(name, folder, None)
    inside, place = files_in(found.path), found.path
    found.save(str(tmp_path / "kept"))
    assert isinstance(found.to_frame(), pd.DataFrame)
    del found
    gc.collect()
    assert not place.exists()
    assert files_in(tmp_path / "kept") == inside
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "kept.provenance.json"]


def test_what_was_planted_is_in_the_tables(folder: Path) -> None:
    motif = call("motifs", folder, None).to_frame().iloc[0]
    assert (motif["consensus"], motif["anchors"]) == (WORD, 3)
    assert motif["known_1"] == HOSTILE
    pairs = call("dependence", folder, None).to_frame()
    top = pairs.groupby("record", sort=False).first()
    assert [*zip(top.index, top["first"], top["second"], strict=True)] == [(HOSTILE, 38, 39), ("b", 38, 39)]
    assert (top["q"] <= 0.05).all()
    answer = call("periodicity", folder, None).to_frame().set_index("source")
    assert answer.loc["draws", "period"] == pytest.approx(10.2, abs=0.1)
    same = call("compare", folder, None)
    assert (same.to_frame()["difference"] == 0).all()
    assert (same["motifs"]["similarity"] > 0.999).all()


def test_draws_may_be_given_open_and_stay_so(folder: Path) -> None:
    with mx.open_draws(str(folder / "draws.npz")) as draws:
        found = mx.dependence(draws, maps="none", progress=False)
        assert files_in(found.path) == files_in(mx.dependence(draws.path, maps="none", progress=False).path)
        mx.periodicity(draws, progress=False)
        page = mx.report(draws, motifs=mx.motifs(draws, logos="none", progress=False))
        assert [samples.name for samples in draws] == list(NAMES)
    assert page.text.count('<article class="anchor"') == len(NAMES)


def test_parts_of_the_anchors_make_the_whole(folder: Path) -> None:
    draws = str(folder / "draws.npz")
    whole, *parts = (
        mx.dependence(draws, maps="none", shard=shard, progress=False).to_frame()
        for shard in (Shard(1, 1), Shard(1, 2), Shard(2, 2))
    )
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)


@pytest.mark.parametrize("name", TABLES)
def test_a_notebook_is_shown_names_as_text(name: str, folder: Path) -> None:
    shown = call(name, folder, None)._repr_html_()
    assert "<table" in shown
    assert "<img" not in shown
    if name in ("motifs", "dependence"):
        assert html.escape(HOSTILE) in shown


def test_the_page_is_that_of_the_command_and_a_notebook_shows_it_apart(folder: Path, tmp_path: Path) -> None:
    draws, motifs = str(folder / "draws.npz"), str(folder / "motifs")
    page = mx.report(draws, motifs=motifs, out=str(tmp_path / "page.html"))
    printed = CliRunner().invoke(maxent, ["report", draws, "--motifs", motifs, "--out", "-"])
    assert printed.stdout == page.text == (tmp_path / "page.html").read_text(encoding="utf-8")
    assert (tmp_path / "page.html.provenance.json").is_file()
    shown = page._repr_html_()
    assert shown.count("<") == 2  # the frame and its end: all of the page is text to the notebook
    assert len(repr(page)) < 100


def test_steps_are_told_and_silence_is_kept(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    steps: list[Step] = []
    call("motifs", folder, None, progress=steps.append)
    assert [step.phase for step in steps if step.done == step.total == 3] == ["motifs of anchors", "sites in draws"]
    assert capfd.readouterr() == ("", "")
    call("dependence", folder, None, progress=True)
    assert "2 anchors, 0 refused" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (lambda: mx.Calling(bits=3), "bits: 3 is not from 0 to 2"),
        (lambda: mx.Calling(width=0), "width: 0 is not at least 1"),
        (lambda: mx.Calling(site_rate=0), "site_rate: 0 is not from 1e-06 to 1"),
        (lambda: mx.motifs("draws.npz", similarity=1.5), "similarity: 1.5 is not from 0 to 1"),
        (lambda: mx.dependence("draws.npz", top=0), "top: 0 is not at least 1"),
        (lambda: mx.periodicity("draws.npz", "A/AT"), "class: 'A/AT' is not one or more words of one length"),
        (lambda: mx.compare("a", "b", similarity=-1), "similarity: -1 is not from 0 to 1"),
    ],
)
def test_settings_out_of_range_are_said_before_any_work(attempt: Callable[[], object], said: str) -> None:
    with pytest.raises(mx.InputError, match=said):
        attempt()


def test_a_failed_call_leaves_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(mx.InputError, match="holds no anchor named 'nobody'"):
        mx.dependence(str(folder / "draws.npz"), records=["nobody"])
    with pytest.raises(mx.InputError, match=r"motifs\.tsv: is not there"):
        mx.compare(str(folder), str(folder / "motifs"), out=str(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_a_report_takes_every_part_that_a_page_may_have_and_no_other() -> None:
    taken = list(inspect.signature(mx.report).parameters)
    parts = [command.replace("-", "_") for command in SHOWN]
    assert taken == ["draws", *parts, "out", "assembly"]
    with pytest.raises(mx.InputError, match="is no name of an assembly"):
        mx.report("draws.npz", assembly="hg38&x=<b>")


@pytest.mark.parametrize("name", [*TABLES, "report"])
def test_options_have_the_defaults_of_the_function(name: str) -> None:
    signature = inspect.signature(getattr(mx, name))
    defaults = {each.name: each.default for each in signature.parameters.values()}
    defaults |= {field.name: field.default for field in fields(mx.Calling)} if name == "motifs" else {}
    for param in load(name).params:
        if isinstance(param, click.Option) and not param.required and param.name in defaults:
            default = None if repr(param.default) == "Sentinel.UNSET" else param.default
            wanted = defaults[str(param.name)]
            assert default == wanted or str(default) == str(wanted) or not (default or wanted), param.name
