"""The Snakemake workflow on small simulated data, with the real snakemake where there is one."""

import json
import re
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from small_pipeline import ANCHORS, MODELS, PARTS, PIPELINE, SNAKEMAKE, WORKFLOWS, environment, prepare, snakemake
from thinned import thinned

from maxent_cli.commands import maxent

pytestmark = pytest.mark.skipif(SNAKEMAKE is None, reason="no snakemake: neither MAXENT_SNAKEMAKE nor on PATH")
MODEL = ("model.json", "weights.safetensors", "metrics.tsv", "test.positives.fa")
RESULTS = (
    *("scores.tsv", "anchors.fa", "draws.npz", "draws.npz.tsv", "draws.npz.provenance.json", "report.html"),
    *("motifs/motifs.meme", "motifs/motifs.tsv", "gc/answer.tsv", "gc/response.png", "doctor/sample.json"),
    *("periodicity/answer.tsv", "periodicity/periodicity.png", "attributions/positions.tsv"),
)


OWN = """
from sizes import FILTERS
from torch import nn

class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.scan, self.output = nn.Conv1d(4, FILTERS, 3), nn.Linear(FILTERS, 2)

    def forward(self, x):
        return self.output(self.scan(x).relu().mean(-1))
"""


def test_pipeline_from_positives(finished: Path) -> None:
    run, model = finished / "results/runs/ctcf/held_out", finished / "results/models/ctcf"
    assert all((run / name).stat().st_size for name in RESULTS)
    assert all((model / name).stat().st_size for name in MODEL)
    parts = {f"{name}.{part}-of-{PARTS}" for name in ("sample", "gc-probe") for part in range(1, PARTS + 1)}
    jobs = {"predict", "doctor.sample", "doctor.gc-probe", "merge_draws", "merge_gc", "motifs", "periodicity", "report"}
    jobs |= {"attribute"}
    for kept in ("logs", "benchmarks"):
        assert {path.stem for path in (run / kept).iterdir()} == jobs | parts
        assert [path.stem for path in (finished / "results" / kept).iterdir()] == ["ctcf.train"]


def test_parts_are_merged_to_what_one_job_draws(finished: Path, tmp_path: Path) -> None:
    run = finished / "results/runs/ctcf/held_out"
    asked = ["--config", str(finished / "run.toml"), "--threads", "1"]
    files = [
        str(run / "anchors.fa"),
        "--model",
        str(finished / "results/models/ctcf"),
        "--out",
        str(tmp_path / "whole"),
    ]
    assert CliRunner().invoke(maxent, ["sample", *files, *asked]).exit_code == 0
    assert (tmp_path / "whole").read_bytes() == (run / "draws.npz").read_bytes()
    assert (tmp_path / "whole.tsv").read_bytes() == (run / "draws.npz.tsv").read_bytes()


def test_nothing_is_done_twice(finished: Path) -> None:
    result = snakemake(finished)
    assert result.returncode == 0
    assert "Nothing to be done" in result.stderr


def test_pipeline_from_a_model_and_anchors(finished: Path, tmp_path: Path) -> None:
    run = finished / "results/runs/ctcf/held_out"
    files = {"models": [{"name": "mine", "model": str(finished / "results/models/ctcf")}]}
    prepare(tmp_path, **files, anchors=[{"name": "given", "file": str(run / "anchors.fa"), "n-policy": "fix"}])
    result = snakemake(tmp_path, "--until", "merge_draws")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "results/runs/mine/given/draws.npz").read_bytes() == (run / "draws.npz").read_bytes()
    assert not (tmp_path / "results/models").exists()


def commands(output: str) -> dict[str, list[str]]:
    """The words of the maxent commands in what Snakemake printed, by command."""
    return {line.split()[0]: line.split() for line in re.findall(r"\bmaxent ([a-z].*)", output)}


def test_rows_say_how_a_network_is_adopted_and_anchors_are_read(tmp_path: Path) -> None:
    told = """mine:network --arguments '{"filters": 64}' --weights mine.safetensors --letters GCAT --gc 0.41"""
    peaks = {"name": "peaks", "records": "peaks.bed", "genome": "genome.fa", "assembly": "sacCer3"}
    sets = [peaks | {"top": 9, "shards": 4}]
    prepare(tmp_path, models=[{"name": "own", "adopt": told}], anchors=sets)
    for name in ("peaks.bed", "genome.fa", "mine.safetensors"):
        (tmp_path / name).touch()
    result = snakemake(tmp_path, "--dry-run", "--printshellcmds")
    assert result.returncode == 0, result.stderr
    printed = commands(result.stdout + result.stderr)
    assert {"mine:network", "--letters", "GCAT", "--out", "results/models/own"} <= set(printed["adopt"])
    assert "train" not in printed
    read = {"--model=results/models/own", "--trust-code"}
    assert read | {"peaks.bed", "--genome=genome.fa", "--top=9"} <= set(printed["predict"])
    assert read | {"--shard", "--config=run.toml"} <= set(printed["sample"])
    assert read | {"--shard", "--config=run.toml"} <= set(printed["gc-probe"])
    assert {"--records=peaks.bed", "--genome=genome.fa"} <= set(printed["motifs"])
    page = printed["provenance"][printed["provenance"].index("report") :]  # the rule's other command
    assert "--assembly=sacCer3" in page
    assert not any(word.startswith("--assembly") for word in [*printed["predict"], *printed["sample"]])
    assert not {"--genome=genome.fa", "--top=9", "--letters"} & set(printed["sample"])
    assert not any(word.startswith("--mu") for word in printed["doctor"])


def test_a_file_that_run_left_needs_no_tables(tmp_path: Path) -> None:
    """Its records are trained on, or, with a network, what anchors are chosen from."""
    (tmp_path / "table.tsv").write_text("id\tsequence\tlabel\na\tACGT\t1\n")
    (tmp_path / "run.toml").write_text('[run]\nrecords = "table.tsv"\ndiverse = 5\n[train]\nepochs = 3\n')
    result = snakemake(tmp_path, "--dry-run", "--printshellcmds")
    assert result.returncode == 0, result.stdout + result.stderr
    printed = commands(result.stdout + result.stderr)
    assert {"--table=table.tsv", "--config=run.toml"} <= set(printed["train"])
    assert {"--diverse=5", "--correct", "results/models/run/test.positives.fa"} <= set(printed["predict"])
    assert {"--method", "mutagenesis"} <= set(printed["attribute"])
    (tmp_path / "run.toml").write_text('[run]\nrecords = "table.tsv"\ndiverse = 5\n[network]\nmodel = "mine"\n')
    (tmp_path / "mine").mkdir()
    for name in ("model.json", "weights.safetensors"):
        (tmp_path / "mine" / name).touch()
    result = snakemake(tmp_path, "--dry-run", "--printshellcmds")
    assert result.returncode == 0, result.stdout + result.stderr
    printed = commands(result.stdout + result.stderr)
    assert "train" not in printed
    assert {"--model=mine", "table.tsv", "--diverse=5"} <= set(printed["predict"])
    reading = 'genome = "g.fa"\nmap-chromosomes = true\n'
    asks = '[motifs]\nsyntax = "found"\n[design]\nto = 1.0\nhold = "0"\nhold-beta = 2.0\n'
    text = f'[run]\nrecords = "peaks.bed"\ndiverse = 5\n[network]\nmodel = "mine"\n[predict]\n{reading}{asks}'
    (tmp_path / "run.toml").write_text(text)
    for name in ("peaks.bed", "g.fa"):
        (tmp_path / name).write_text("chr1\t1\t2\n")
    result = snakemake(tmp_path, "--dry-run", "--printshellcmds")
    assert result.returncode == 0, result.stdout + result.stderr
    printed = commands(result.stdout + result.stderr)
    for command in ("predict", "motifs"):
        assert {"--genome=g.fa", "--map-chromosomes"} <= set(printed[command])
    assert {"--model=mine", "--threads"} <= set(printed["motifs"])
    assert "--config=run.toml" in printed["provenance"][printed["provenance"].index("report") :]
    assert not any("hold" in word for word in printed["doctor"])
    (tmp_path / "run.toml").write_text(f"{text}best = true\n")
    assert "[design] best: the workflow designs edits" in snakemake(tmp_path, "--dry-run").stdout


FOLDS = [{"name": f"fold{number}", "model": f"fold{number}"} for number in range(2)]
SEVERAL = [*FOLDS, {"name": "own", "adopt": "mine:network"}, {"name": "all", "consensus": "fold0, own"}]
GIVEN = [{"name": "given", "file": "a.fa"}]
CHOSEN = [{"name": "picked", "records": "peaks.fa", "top": 9, "chosen-by": "all", "shards": 2}]


def test_several_models_are_one_and_read_each_other(tmp_path: Path) -> None:
    prepare(tmp_path, {**PIPELINE, "compare": {"max-draws": 200}}, models=SEVERAL, anchors=CHOSEN)
    for name in ("fold0/model.json", "fold0/weights.safetensors", "fold1/model.json", "fold1/weights.safetensors"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "peaks.fa").touch()
    result = snakemake(tmp_path, "--dry-run", "--printshellcmds")
    assert result.returncode == 0, result.stderr
    lines = re.findall(r"\bmaxent ([a-z].*)", result.stdout + result.stderr)
    both = "--model=fold0 --model=results/models/own --trust-code"
    chosen = [line for line in lines if line.startswith("predict")]
    assert len(chosen) == 1  # for all models
    assert both in chosen[0]
    assert "--out results/runs/all/picked/scores.tsv" in chosen[0]
    drawn = [line for line in lines if line.startswith("sample results/runs/all/picked/anchors.fa ")]
    assert len(drawn) == 2 * len(SEVERAL)
    assert sum(both in line for line in drawn) == 2
    (crossed,) = [line for line in lines if line.startswith("compare")]
    draws = " ".join(f"results/runs/{name}/picked/draws.npz" for name in ("fold0", "fold1", "own"))
    assert f"{draws} --config=run.toml --model=fold0 --model=fold1 --model=results/models/own --trust-code" in crossed
    pages = [line for line in lines if "maxent report " in line]
    assert sum("--compare=results/crossed/picked" in line for line in pages) == 3
    assert len(pages) == 4


@pytest.mark.slow
def test_several_models_from_files_to_pages(finished: Path, tmp_path: Path) -> None:
    """Twice the same network: as one it is itself, and of its invariances none is its own."""
    model, run = finished / "results/models/ctcf", finished / "results/runs/ctcf/held_out"
    models = [*({"name": name, "model": str(model)} for name in ("a", "b")), {"name": "both", "consensus": "a,b"}]
    given = [{"name": "given", "file": str(run / "anchors.fa")}]
    prepare(tmp_path, {**PIPELINE, "compare": {}}, models=models, anchors=given)
    result = snakemake(tmp_path)
    assert result.returncode == 0, result.stderr
    rows = (tmp_path / "results/crossed/given/networks.tsv").read_text().splitlines()
    assert [row.split("\t")[0] for row in rows[1:]] == ["ctcf (1)", "ctcf (2)"]
    assert "Networks on each other" in (tmp_path / "results/runs/a/given/report.html").read_text()
    assert (tmp_path / "results/runs/both/given/draws.npz.networks.tsv").stat().st_size


def test_an_adopted_network_is_drawn_from_and_anew_when_its_code_changes(tmp_path: Path) -> None:
    """Its own code, and what that imports from the folder."""
    (tmp_path / "sizes.py").write_text("FILTERS = 4\n")
    (tmp_path / "mine.py").write_text(OWN)
    (tmp_path / "a.fa").write_text(">a\nACGTTGCAAC\n")
    models = [{"name": "own", "adopt": "mine:Own --input-length 10 --gc 0.41"}]
    prepare(tmp_path, models=models, anchors=[{"name": "given", "file": "a.fa"}])
    result = snakemake(tmp_path, "--until", "merge_draws")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "results/models/own/code/mine.py").exists()
    assert (tmp_path / "results/runs/own/given/draws.npz").exists()
    asked = ("--dry-run", "--printshellcmds", "--until", "merge_draws")
    again = snakemake(tmp_path, *asked)
    assert again.returncode == 0, again.stderr
    assert not commands(again.stdout + again.stderr)
    (tmp_path / "sizes.py").write_text("FILTERS = 5\n")
    result = snakemake(tmp_path, *asked)
    assert set(commands(result.stdout + result.stderr)) >= {"adopt", "sample"}


def say_needed(run: Path, *commands: str) -> None:
    """As the doctor would."""
    (run / "doctor").mkdir(parents=True)
    for command in commands:
        needed = {"run": {"anchors": 10, "seconds": 6000, "bytes": 2e9}}
        needed["learning"] = {"seconds_a_checkpoint": 30, "bytes": 1e9}
        (run / f"doctor/{command}.json").write_text(json.dumps(needed))


def resources(folder: Path, *asked: str) -> list[dict[str, str]]:
    """What the first job of each rule that draws asks for, by the rules' names."""
    result = snakemake(folder, "--dry-run", *asked)
    assert result.returncode == 0, result.stderr
    found = dict(re.findall(r"rule (\w+):.*?resources: (.*?)\n", result.stdout + result.stderr, re.DOTALL))
    return [
        dict(re.findall(r"(\w+)=(\d+)", found[rule])) for rule in ("sample", "gc_probe", "learning") if rule in found
    ]


def test_learning_asks_for_time_at_every_checkpoint(tmp_path: Path) -> None:
    rows = {"models": [{**MODELS[0], "checkpoints": 4}], "anchors": [{"name": "a", "file": "a.fa"}]}
    prepare(tmp_path, {**PIPELINE, "learning": {"records": 2000}}, **rows)
    (tmp_path / "a.fa").touch()
    (tmp_path / "results/models/ctcf").mkdir(parents=True)
    for name in MODEL:
        (tmp_path / "results/models/ctcf" / name).touch()
    say_needed(tmp_path / "results/runs/ctcf/a", "learning")
    (learning,) = resources(tmp_path, "--rerun-triggers", "mtime", "--", "results/runs/ctcf/a/learning/steps.tsv")
    # 4 checkpoints of 10 anchors at 600 s and of twice 30 s for the records, twice over, and 120 s to start
    assert (learning["runtime"], learning["mem_mb"]) == ("810", "6500")


def test_resources_are_what_the_doctor_says(tmp_path: Path) -> None:
    files = {
        "models": [{"name": "own", "model": "own"}],
        "anchors": [{"name": "a", "file": "a.fa", "shards": 4}],
    }
    prepare(tmp_path, {**PIPELINE, "sample": {"device": "cuda"}}, **files)
    (tmp_path / "a.fa").touch()
    (tmp_path / "own").mkdir()
    for name in ("model.json", "weights.safetensors"):
        (tmp_path / "own" / name).touch()
    say_needed(tmp_path / "results/runs/own/a", "sample", "gc-probe")
    sample, probe = resources(tmp_path, "--until", "sample", "gc_probe")
    # 3 of 10 anchors at 600 s, twice over, and 120 s to start; the probe's 2 mu
    assert (sample["runtime"], sample["mem_mb"], sample["gpu"]) == ("62", "3500", "1")
    assert (probe["runtime"], probe["gpu"]) == ("122", "0")


def test_checkpoints_are_asked_what_was_learned_when(tmp_path: Path) -> None:
    """Of the networks that keep them; the doctor is asked as for draws."""
    models = [{**MODELS[0], "checkpoints": 4}, {"name": "bare", "positives": "positives.fa"}]
    prepare(tmp_path, {**PIPELINE, "learning": {"known": "jaspar", "records": 50}}, models=models)
    result = snakemake(tmp_path, "--dry-run", "--printshellcmds")
    assert result.returncode == 0, result.stderr
    printed = re.findall(r"\bmaxent ([a-z].*)", result.stdout + result.stderr)
    (asked,) = (line.split() for line in printed if line.startswith("learning"))
    run = "results/runs/ctcf/held_out"
    assert {f"{run}/anchors.fa", "--model=results/models/ctcf", "--config=run.toml", f"{run}/learning"} <= set(asked)
    assert sum(f"--learning={run}/learning" in line.split() for line in printed) == 1  # the report's
    (line,) = (line for line in printed if line.startswith("doctor") and "learning.json" in line)
    assert not {"--known", "--records"} & {word.partition("=")[0] for word in line.split()}


WRONG = [  # run.toml, tables, and what is named
    ({"learning": {"records": 50}}, {}, "checkpoints"),
    ({"sample": {"tether": 2}}, {}, "tether"),
    ({"sample": {"teher": 0.4}}, {}, "teher"),
    ({"samples": {}}, {}, "samples"),
    ({"workflow": {"models": "nowhere.tsv"}}, {}, "nowhere.tsv"),
    ({"workflow": {"modles": "models.tsv"}}, {}, "modles"),
    ({}, {"models": [{**MODELS[0], "model": "folder"}]}, "model"),
    ({}, {"models": [{**MODELS[0], "letters": "ACGT"}]}, "letters"),
    ({}, {"models": [{**MODELS[0], "adopt": "mine:network"}]}, "adopt"),
    ({}, {"models": [{"name": "mine", "adopt": "mine:network", "gc": 0.4}]}, "gc"),
    ({}, {"models": [MODELS[0], MODELS[0]]}, "ctcf"),
    ({}, {"models": [{"name": "mine", "model": "folder"}]}, "held-out"),
    ({}, {"anchors": [{"name": "a/b"}]}, "a/b"),
    ({}, {"anchors": [{**ANCHORS[0], "file": "anchors.fa"}]}, "diverse"),
    ({}, {"anchors": [{**ANCHORS[0], "shards": 0}]}, "shards"),
    ({}, {"models": [*MODELS, {"name": "all", "consensus": "ctcf,none"}], "anchors": GIVEN}, "two or more"),
    ({"compare": {}}, {"models": FOLDS, "anchors": [{"name": "a", "records": "a.fa"}]}, "same anchors"),
]


@pytest.mark.parametrize(("config", "rows", "named"), thinned(WRONG, 6))
def test_what_is_wrong_is_refused_before_the_first_job(tmp_path: Path, config: dict, rows: dict, named: str) -> None:
    prepare(tmp_path, {**PIPELINE, **config}, **rows)
    result = snakemake(tmp_path)
    assert result.returncode != 0
    assert named in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "results").exists()


def test_lint(tmp_path: Path) -> None:
    prepare(tmp_path)
    result = snakemake(tmp_path, "--lint")
    assert "your workflow is in a good condition" in (result.stdout + result.stderr), result.stderr


@pytest.mark.parametrize("profile", ["local", "slurm"])
def test_the_manual_and_its_example_are_valid(tmp_path: Path, profile: str) -> None:
    """As a user would type it, from a folder with the records that the example names."""
    (tmp_path / "workflows").symlink_to(WORKFLOWS)
    (tmp_path / "positives.fa").touch()
    manual = (WORKFLOWS.parent / "docs" / "tutorials" / "cluster.md").read_text()
    lines = re.findall(rf"^(?:cp workflows|snakemake .*profiles/{profile}\b).*", manual, re.MULTILINE)
    for line, more in zip(lines, ([], ["--dry-run"]), strict=True):
        words = line.replace("snakemake", str(SNAKEMAKE), 1).split()
        subprocess.run([*words, *more], cwd=tmp_path, env=environment(tmp_path), check=True)


def test_the_schema_names_options_that_exist() -> None:
    reader = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"
    text = (WORKFLOWS / "tables.schema.yaml").read_text()
    python = Path(str(SNAKEMAKE)).parent / "python"
    read = subprocess.run([str(python), "-c", reader], input=text, capture_output=True, text=True, check=True)
    shared = {name: set(part.get("properties", {})) for name, part in json.loads(read.stdout)["$defs"].items()}
    rows = {"train": shared["train"], "predict": shared["predict"], "sample": shared["network"] | shared["given"]}
    for name, words in rows.items():
        command = maxent.get_command(click.Context(maxent), name)
        assert command is not None
        known = {word.removeprefix("--") for option in command.params for word in option.opts}
        assert words - {"file"} <= known, name


@pytest.mark.parametrize("method", ["prefix", "saliency"])
def test_what_reads_along_is_given_the_draws(tmp_path: Path, method: str) -> None:
    prepare(tmp_path, config=PIPELINE | {"attribute": {"method": method}})
    result = snakemake(tmp_path, "--dry-run", "--printshellcmds")
    assert result.returncode == 0, result.stderr
    said = commands(result.stdout + result.stderr)["attribute"]
    assert ("--draws" in said) == (method == "prefix")
    assert method in said
