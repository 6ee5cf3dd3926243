"""Several networks at once, from files to files: draws of what all hold, in parts and again; who reads whose draws."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from running import run
from small import Listed, saved, small_model, words

import maxent_cli as mx
from maxent_cli.alphabet import encode
from maxent_cli.analysis.crossing import OWN, UNDECIDED, network_rows, tree_of
from maxent_cli.commands import maxent
from maxent_cli.errors import InputError
from maxent_cli.io.crossing_figure import brackets, order_of
from maxent_cli.models.architectures import LayeredModel

LENGTH = 5
WORDS = ["GATCA", "CCGTA", "TTGCA", "ACGTA", "GGCAT", "CATTG", "TACGG", "AGTCC"]
SHORT = "--chains 6 --replicas 3 --draws 20 --thin 5 --warmup 240 --beta 4 --max-steps 100 --tether none --threads 1"
FIRM = 20.0  # beta
LONGER = f"{SHORT} --draws 100 --max-steps 500 --beta {FIRM}"
LAW = mx.Law(beta=4.0, tether=None)
RUN = mx.Sampling(6, 3, 20, 5, 240, max_steps=100)
HOW = {"threads": 1, "progress": False}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Three networks, the second of which has other outputs too, eight anchors, and draws around them of all three."""
    folder = tmp_path_factory.mktemp("several")
    for name, seed in (("a", 4), ("b", 5), ("c", 6)):
        saved(folder / name, small_model(seed=seed))
    (folder / "anchors.fa").write_text("".join(f">w{row}\n{word}\n" for row, word in enumerate(WORDS)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(f"sample anchors.fa {models('a', 'b', 'c')} {SHORT} --out abc.npz")
        yield folder


def models(*names: str) -> str:
    return " ".join(f"--model {name}" for name in names)


def test_draws_of_several_are_of_their_law_and_hold_each_ones_own(site: Path) -> None:
    draws = mx.open_draws("abc.npz")
    samples = draws["w0"]
    assert samples.kernel == "compiled"
    assert samples.networks.output.shape == (6, 20, 3)
    np.testing.assert_allclose(samples.output, samples.networks.output.mean(-1), atol=1e-5)
    lengths = samples.networks.distance / samples.networks.distance_background
    np.testing.assert_allclose(np.linalg.norm(lengths, axis=-1), samples.energy, atol=1e-4)
    rows = mx.Results(site, (), "abc.npz.networks").to_frame()
    assert list(rows["network"]) == [1, 2, 3] * len(WORDS)
    first = rows[rows["record"] == "w0"]
    np.testing.assert_allclose(first["output"], samples.networks.output.mean((0, 1)), rtol=1e-5)
    np.testing.assert_allclose(first["distance"], samples.networks.distance.mean((0, 1)), rtol=1e-5)
    record = json.loads(Path("abc.npz.provenance.json").read_text())
    assert {str(path).split("/")[0] for path in record["inputs"]} >= {"a", "b", "c"}
    assert len(draws.header["model"]) == 3


@pytest.mark.usefixtures("site")
def test_the_function_draws_what_the_command_draws() -> None:
    draws = mx.sample(mx.network(["a", "b", "c"]), "anchors.fa", LAW, RUN, **HOW)
    command = mx.open_draws("abc.npz")
    np.testing.assert_array_equal(draws["w3"].codes, command["w3"].codes)
    draws.save("saved.npz")
    assert Path("saved.npz.networks.tsv").read_bytes() == Path("abc.npz.networks.tsv").read_bytes()


@pytest.mark.usefixtures("site")
def test_parts_are_the_whole() -> None:
    for part in (1, 2, 3):
        run(f"sample anchors.fa {models('a', 'b', 'c')} {SHORT} --shard {part}/3 --out part{part}.npz")
    run("merge part1.npz part2.npz part3.npz --out merged.npz")
    for end in ("", ".tsv", ".series.tsv", ".networks.tsv"):
        assert Path(f"merged.npz{end}").read_bytes() == Path(f"abc.npz{end}").read_bytes()
    run(f"sample anchors.fa {models('a', 'c', 'b')} {SHORT} --shard 3/3 --out part3.npz")
    said = run("merge part1.npz part2.npz part3.npz --out other.npz", code=1).output
    assert "is not of the run of part1.npz: digest of model" in said


@pytest.mark.usefixtures("site")
def test_a_stopped_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first anchors are not drawn again."""
    from maxent_cli.interpret import sampling

    count, drawn = [0], sampling.sample_anchor

    def stopping(*given, **named):
        count[0] += 1
        if count[0] == 4:
            raise KeyboardInterrupt
        return drawn(*given, **named)

    monkeypatch.setattr("maxent_cli.api.jobs.sample_anchor", stopping)
    CliRunner().invoke(maxent, f"sample anchors.fa {models('a', 'b', 'c')} {SHORT} --out again.npz".split())
    assert not Path("again.npz").exists()
    run(f"sample anchors.fa {models('a', 'b', 'c')} {SHORT} --out again.npz")
    assert count[0] < 4 + len(WORDS)
    assert Path("again.npz").read_bytes() == Path("abc.npz").read_bytes()


@pytest.mark.usefixtures("site")
def test_a_file_names_several() -> None:
    Path("run.toml").write_text('[network]\nmodel = ["a", "b", "c"]\n')
    run(f"sample anchors.fa --config run.toml {SHORT} --out told.npz")
    assert Path("told.npz").read_bytes() == Path("abc.npz").read_bytes()
    Path("one.toml").write_text('[network]\nmodel = "a"\n')
    run(f"sample anchors.fa --config one.toml {SHORT} --out a_told.npz")
    assert not Path("a_told.npz.networks.tsv").exists()


@pytest.mark.usefixtures("site")
def test_other_commands_take_several() -> None:
    """Outputs are means; what reads draws again wants the same networks."""
    rows = mx.predict(mx.network(["a", "b"]), WORDS, **HOW).to_frame()
    own = [mx.predict(mx.network(name), WORDS, **HOW).to_frame() for name in "ab"]
    np.testing.assert_allclose(rows["bound"], (own[0]["bound"] + own[1]["bound"]) / 2, atol=1e-6)
    said = run(f"doctor anchors.fa {models('a', 'b')} {SHORT}").output
    assert "WRONG" not in said
    assert "the heads of 2 networks" in said
    for method in ("saliency", "deeplift", "mutagenesis"):
        run(f"attribute anchors.fa {models('a', 'b')} --method {method} --logos none --threads 1 --out scores")
    run(f"variants abc.npz {models('a', 'b', 'c')} --all-single --contexts 20 --threads 1 --out variants")
    said = run(f"variants abc.npz {models('a', 'b')} --all-single --threads 1 --out variants", code=1).output
    assert "were drawn with another network than a, b" in said
    run("report abc.npz --out page.html")


def test_networks_that_do_not_go_together_are_named(site: Path) -> None:
    saved(site / "long", small_model(7))
    saved(site / "other", small_model(), ("off", "on"))
    for name, fault in (("long", "long: reads 7 letters, and a 5"), ("other", "has no output that a has")):
        said = run(f"sample anchors.fa {models('a', name)} {SHORT} --out no.npz", code=1).output
        assert fault in said
        assert not Path("no.npz").exists()


@pytest.fixture(scope="module")
def drawn(site: Path) -> dict[str, str]:
    """Draws of each network; of the first with another seed too, and of one that sees one letter."""
    blind: LayeredModel = small_model(seed=8)
    with torch.no_grad():
        blind.layers[0].weight[..., 1:] = 0  # it sees the first letter alone
        blind.layers[3].weight[:, 1::2] = 0
    saved(site / "blind", blind)
    for name in ("a", "b", "c", "blind"):
        run(f"sample anchors.fa --model {name} {LONGER} --out {name}.npz")
    run(f"sample anchors.fa --model a {LONGER} --seed 2 --out again_a.npz")
    return {name: f"{name}.npz" for name in ("a", "b", "c", "blind", "again_a")}


def test_what_networks_make_of_draws_is_that_of_the_listed_laws(drawn: dict[str, str]) -> None:
    """T, shares and divergences over all sequences, worked out a string at a time."""
    found = mx.cross_read([drawn["a"], drawn["b"]], [mx.network("a"), mx.network("b")], **HOW)
    rows = found["crossed"].set_index(["record", "drawn", "read"])
    sides = {"a": small_model(seed=4), "b": small_model(seed=5)}
    codes = np.array([encode(word) for word in words(LENGTH)])
    with torch.no_grad():
        one_hot = torch.from_numpy(np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1))
        outputs = {
            name: (out := model(one_hot).numpy().astype(float))[:, 1] - out[:, 0] for name, model in sides.items()
        }
    misses = []
    for record, word in enumerate(WORDS):
        laws = {name: Listed(model, word).law(FIRM) for name, model in sides.items()}
        q, at = Listed(sides["a"], word).law(0.0), words(LENGTH).index(word)
        for a, b in (("a", "b"), ("b", "a"), ("a", "a")):
            row, f, p = rows.loc[(f"w{record}", a, b)], outputs[b], laws[a]
            spread = np.sqrt(q @ (f - q @ f) ** 2)
            told = {
                "t": p @ np.abs(f - f[at]) / spread,
                "called": p @ ((f > 0) == (f[at] > 0)),
                "divergence": p @ np.log2(p / laws[b]),
            }
            middle = (p + laws[b]) / 2
            apart = (p @ np.log2(p / middle) + laws[b] @ np.log2(laws[b] / middle)) / 2
            assert row["apart"] == pytest.approx(apart, abs=0.05)
            for name, wanted in told.items():
                room = row[f"{name}_error"] + 0.03 * (name != "called") + 0.01
                misses.append((row[name] - wanted) / room)
    assert np.abs(misses).max() < 4.5
    assert np.abs(np.mean(misses)) < 0.5


def test_a_network_against_itself_is_silent(drawn: dict[str, str]) -> None:
    """From the same draws to the last digit; from another seed's within their error. Others are not silent."""
    net = mx.network("a")
    rows = mx.cross_read([drawn["a"], drawn["a"]], [net, net], **HOW)["networks"]
    assert list(rows["network"]) == ["a (1)", "a (2)"]
    assert (rows["excess"] == 0).all()
    assert (rows["verdict"] != OWN).all()
    pairs = mx.cross_read([drawn["a"], drawn["again_a"]], [net, net], **HOW)
    assert (pairs["networks"]["verdict"] != OWN).all()
    assert (pairs["pairs"]["apart"].abs() < 0.02).all()
    other = mx.cross_read([drawn["a"], drawn["blind"]], [net, mx.network("blind")], **HOW)
    assert other["pairs"].set_index(["drawn", "read"]).loc[("blind", "a"), "excess"] > 0.1


@pytest.mark.usefixtures("drawn")
def test_a_blind_networks_invariances_are_its_own(site: Path) -> None:
    line = "compare a.npz b.npz blind.npz --model a --model b --model blind --threads 1 --out crossed"
    said = run(line).output
    assert "8 anchors in all draws; 3 networks read them" in said
    rows = mx.Results(site / "crossed", (), "networks").to_frame().set_index("network")
    assert rows["t"].idxmax() == "blind"
    assert (site / "crossed/crossing.png").stat().st_size > 10_000
    pairs = mx.Results(site / "crossed", (), "pairs").to_frame().set_index(["drawn", "read"])
    assert len(pairs) == 9
    for name in rows.index:
        others = [other for other in rows.index if other != name]
        assert rows.loc[name, "own_t"] == pytest.approx(pairs.loc[(name, name), "t"], rel=1e-4)
        assert rows.loc[name, "own_t_low"] == pytest.approx(pairs.loc[(name, name), "t_low"], rel=1e-4)
        assert rows.loc[name, "read_t"] == pytest.approx(pairs.loc[[(a, name) for a in others], "t"].mean(), rel=1e-4)
        assert rows.loc[name, "read_t_low"] < rows.loc[name, "read_t"] < rows.loc[name, "read_t_high"]
    run("report a.npz --compare crossed --out page.html")
    assert "Networks on each other" in Path("page.html").read_text()


@pytest.mark.usefixtures("drawn")
def test_a_stopped_reading_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first anchors are not read again, and the tables are those of a reading that nobody stopped."""
    from maxent_cli.api import crossing

    line = "compare a.npz b.npz --model a --model b --threads 1 --out"
    run(f"{line} at_once")
    count, read = [0], crossing.read_each_other

    def stopping(*given):
        count[0] += 1
        if count[0] == 4:
            raise KeyboardInterrupt
        return read(*given)

    monkeypatch.setattr(crossing, "read_each_other", stopping)
    CliRunner().invoke(maxent, f"{line} on".split())
    assert not Path("on").exists()
    said = run(f"{line} on --max-draws 100", code=1).output
    assert "on.partial: holds unfinished work of other settings (max_draws 400, now 100)" in said
    assert "on.partial: 3 of 8 anchors are done" in run(f"{line} on").output
    assert count[0] == 4 + len(WORDS) - 3
    for name in ("networks.tsv", "pairs.tsv", "crossed.tsv", "tree.tsv", "crossing.png"):
        assert (Path("on") / name).read_bytes() == (Path("at_once") / name).read_bytes()
    assert not Path("on.partial").exists()


@pytest.mark.usefixtures("drawn")
def test_what_does_not_belong_together_is_named(site: Path) -> None:
    two = "--model a --model b --threads 1 --out no"
    for line, fault, code in (
        (f"compare b.npz a.npz {two}", "b.npz: were drawn with another network than a; give the --model", 1),
        ("compare a.npz b.npz --model a --threads 1 --out no", "draws: 2 are given, with 1 networks", 2),
        (f"compare a.npz far.npz {two}", "far.npz: has no anchor by name and letters that a.npz has", 1),
    ):
        (site / "far.fa").write_text(">w0\nTTTTT\n")
        if "far" in line and not Path("far.npz").exists():
            run(f"sample far.fa --model b {SHORT} --out far.npz")
        assert fault in run(line, code).output
    assert not Path("no").exists()


def test_intervals_of_shares_are_shares() -> None:
    tables = {name: np.array([0.0, 1.0])[:, None, None] * np.ones((2, 3, 3)) for name in ("t", "called", "excess")}
    row = network_rows("abc", tables)[0]
    assert (row["called_low"], row["called"], row["called_high"]) == (0.0, 0.5, 1.0)
    assert row["t_low"] < 0 < 1 < row["t_high"]


def test_few_anchors_decide_nothing() -> None:
    rng = np.random.default_rng(1)
    tables = {name: rng.uniform(0, 1, (5, 3, 3)) for name in ("t", "called", "excess")}
    assert {row["verdict"] for row in network_rows("abc", tables)} == {UNDECIDED}


def test_verdicts_are_right_where_the_truth_is_known() -> None:
    """One of four stands out by two errors' worth and more; where none does, hardly any is called so."""
    rng, called = np.random.default_rng(2), 0
    for _ in range(100):
        tables = {name: rng.normal(0.3, 0.1, (8, 4, 4)) for name in ("t", "called", "excess")}
        called += sum(row["verdict"] == OWN for row in network_rows("abcd", tables))
        tables["excess"][:, 2] += 0.3
        assert [row["verdict"] == OWN for row in network_rows("abcd", tables)] == [False, False, True, False]
    assert called <= 15  # 5 of 100 are wanted; chance of more than 15 is below 1e-4


def test_the_tree_joins_those_alike_first() -> None:
    excess = np.full((4, 4), 2.0)
    excess[[0, 2], [2, 0]] = 0.1
    excess[[1, 3], [3, 1]] = 0.4
    joints = tree_of(excess)
    assert [({row["first"], row["second"]}, row["networks"]) for row in joints] == [
        ({0, 2}, 2),
        ({1, 3}, 2),
        ({4, 5}, 4),
    ]
    np.testing.assert_allclose([row["excess"] for row in joints], [0.1, 0.4, 2.0])
    order = order_of(joints)
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset({0, 2}), frozenset({1, 3})}
    for (across, up), row in zip(brackets(joints), joints, strict=True):
        below = [order.index(row[name]) for name in ("first", "second") if row[name] < 4]
        assert max(across) == row["excess"]
        assert [at for at, height in zip(up[::3], across[::3], strict=True) if height == 0] == below


@pytest.mark.usefixtures("site")
def test_a_run_is_of_one_network() -> None:
    with pytest.raises(InputError, match="model: several are given, and a run is of one"):
        mx.run("anchors.fa", mx.network(["a", "b"]), out="ran", progress=False)
    assert not Path("ran").exists()
