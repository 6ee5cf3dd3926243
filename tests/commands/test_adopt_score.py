"""Functions of sequences, adopted: a support vector machine and boosted trees on gapped k-mers, trained here."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from running import invoke

import maxent_cli as mx
from maxent_cli.errors import InputError

LENGTH = 14
MOTIF = "GATTACA"
RUN = "--chains 4 --replicas 3 --draws 20 --thin 10 --max-steps 400 --warmup 300 --threads 1"
SHORT = RUN.split()
# a user's file: as gkm-SVM has it, but for its kernel, which is linear in the counts here
CODE = f"""
from functools import cache
from itertools import combinations, product

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.svm import SVC

WORDS = ["".join(word) for word in product("ACGT", repeat=3)]
GAPS = list(combinations(range(5), 3))


def counts(sequences):
    rows = np.zeros((len(sequences), len(GAPS), len(WORDS)))
    numbers = {{word: number for number, word in enumerate(WORDS)}}
    for row, sequence in enumerate(sequences):
        for start in range(len(sequence) - 4):
            for gap, places in enumerate(GAPS):
                word = "".join(sequence[start + place] for place in places)
                if word in numbers:
                    rows[row, gap, numbers[word]] += 1
    return rows.reshape(len(sequences), -1)


@cache
def trained(kind):
    rng = np.random.default_rng(1)
    letters = rng.choice(list("ACGT"), (300, {LENGTH}))
    labels = np.arange(300) % 2
    for row in np.flatnonzero(labels):
        start = rng.integers(0, {LENGTH - len(MOTIF) + 1})
        letters[row, start : start + {len(MOTIF)}] = list("{MOTIF}")
    sequences = ["".join(row) for row in letters]
    if kind == "svm":
        return SVC(kernel="linear").fit(counts(sequences), labels).decision_function
    trees = GradientBoostingRegressor(n_estimators=100, max_features=0.2, random_state=1)
    return trees.fit(counts(sequences), labels).predict


def svm(sequences):
    return trained("svm")(counts(sequences))


def trees(sequences, gain=1.0):
    return gain * trained("trees")(counts(sequences))


def both(sequences):
    return np.stack([svm(sequences), trees(sequences)], axis=1)


def constant(sequences):
    return [1.0] * len(sequences)


def too_few(sequences):
    return [1.0]


def missing(sequences):
    return [float("nan")] * len(sequences)


def fails(sequences):
    return open("weights.of.mine").read()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's file and an anchor with the motif, in the current folder."""
    (tmp_path / "scores.py").write_text(CODE)
    (tmp_path / "anchors.fa").write_text(f">one\nCCT{MOTIF}TGCC\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "scores", raising=False)
    return tmp_path


def adopt(*words: str, code: int = 0) -> Result:
    given = ["--score", "--input-length", str(LENGTH), "--gc", "0.5", "--threads", "1", "--out", "model"]
    return invoke("adopt", *words, *given, code=code)


def test_a_support_vector_machine_is_adopted_and_drawn_from(folder: Path) -> None:
    said = adopt("scores:svm").stderr
    assert re.search(r"^representation +ok +none: held is what the function gives, 1 numbers a sequence$", said, re.M)
    assert re.search(r"^self-test +ok +all 256 sequences", said, re.M)
    assert not re.search(r"^letters", said, re.M)
    card = json.loads((folder / "model/model.json").read_text())
    assert card["score"]
    assert set(card["code"]["files"]) == {"scores.py"}
    assert {"numpy", "sklearn"} <= set(card["code"]["packages"])
    result = invoke("sample", "anchors.fa", "--model", "model", "--out", "d", *SHORT, code=1)
    assert "building its network runs code, scores.py" in result.stderr
    invoke("sample", "anchors.fa", "--model", "model", "--trust-code", "--tether", "none", "--out", "d", *SHORT)
    import scores  # type: ignore[import-not-found]

    with mx.open_draws("d") as draws:
        (samples,) = draws
        drawn = ["".join("ACGT"[code] for code in row) for row in samples.codes.reshape(-1, LENGTH)]
        anchor = scores.svm([f"CCT{MOTIF}TGCC"])[0]
        # the energy is the distance of the outputs, and that is what is held
        np.testing.assert_allclose(samples.energy.ravel(), np.abs(scores.svm(drawn) - anchor), atol=1e-4)
        np.testing.assert_allclose(samples.output.ravel(), scores.svm(drawn), atol=1e-4)
    random = ["".join(row) for row in np.random.default_rng(2).choice(list("ACGT"), (200, LENGTH))]
    assert np.abs(scores.svm(drawn) - anchor).mean() < 0.5 * np.abs(scores.svm(random) - anchor).mean()


@pytest.mark.slow
def test_several_numbers_and_arguments() -> None:
    adopt("scores:both", "--output-names", "svm,trees", "--output", "trees")
    net = mx.network("model", trust_code=True)
    assert (net.names, net.held) == (("svm", "trees"), (((1, 1.0),),))
    found = mx.predict(net, ["CCTGATTACATGCC", "ACGTACGTACGTAC"], progress=False).to_frame()
    assert list(found)[:3] == ["record", "svm", "trees"]
    assert found["trees"][0] > found["trees"][1]
    doubled = mx.adopt("scores:trees", arguments={"gain": 2.0}, score=True, input_length=LENGTH, gc=0.5, progress=False)
    both = mx.predict(doubled, ["CCTGATTACATGCC"], progress=False).to_frame()
    assert both["output_0"][0] == pytest.approx(2 * found["trees"][0], rel=1e-5)


def test_attribution_is_by_mutagenesis_alone() -> None:
    adopt("scores:svm")
    words = ["attribute", "anchors.fa", "--model", "model", "--trust-code", "--logos", "none", "--threads", "1"]
    invoke(*words, "--method", "mutagenesis", "--out", "m")
    for method in ("saliency", "input-x-gradient", "deeplift", "integrated-gradients"):
        result = invoke(*words, "--method", method, "--out", method, code=1)
        assert result.stderr.splitlines()[-1] == (
            "maxent: model: is a function of sequences, which has no gradient; use --method mutagenesis"
        )
        assert not Path(method).exists()


def test_there_is_no_layer() -> None:
    adopt("scores:svm")
    words = ["sample", "anchors.fa", "--model", "model", "--trust-code", "--layer", "scan", "--out", "d", *SHORT]
    line = invoke(*words, code=2).stderr.splitlines()[-1]
    assert line.startswith("maxent: layer: there is none in model, which is a function of sequences; leave it out")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("constant", "scores:constant: gives the same numbers for random sequences"),
        ("too_few", r"scores:too_few: gives numbers of shape \(1,\) for 128 sequences; give a number"),
        ("missing", "scores:missing: gives numbers that are not finite"),
        ("fails", r"scores:fails: fails on 128 sequences of 14 letters \(FileNotFoundError: .*weights\.of\.mine"),
        ("absent", "scores:absent: scores has no absent"),
    ],
)
def test_a_function_that_does_not_serve_is_one_line(name: str, message: str, folder: Path) -> None:
    assert re.search(f"^maxent: {message}", adopt(f"scores:{name}", code=1).stderr.splitlines()[-1])
    assert not (folder / "model").exists()


def test_a_function_without_score_is_told_of_it() -> None:
    words = ["adopt", "scores:constant", "--input-length", "14", "--threads", "1", "--out", "model"]
    assert "fails (TypeError: constant() missing" in invoke(*words, code=1).stderr


def test_a_folder_says_what_its_function_lacks_elsewhere(folder: Path) -> None:
    code = "from pathlib import Path\n\ndef score(sequences):\n    gain = float(Path('w').read_text())\n"
    code += "    return [gain * each.count('A') for each in sequences]\n"
    (folder / "lost.py").write_text(code)
    (folder / "w").write_text("2.0")
    adopt("lost:score")
    (folder / "w").unlink()
    net = mx.network("model", trust_code=True)
    with pytest.raises(InputError, match=r"model: fails on 128 sequences of 14 letters \(FileNotFoundError: .*'w'\)"):
        mx.predict(net, "anchors.fa", progress=False)
