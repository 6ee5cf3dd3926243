"""What the experiments on global features share: commands that are run once, and the tables that they wrote."""

import csv
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from maxent_cli.commands import maxent
from maxent_cli.io.checkpoint import load_model, save_model
from maxent_cli.io.fasta import read_fasta, write_fasta
from maxent_cli.models.untrained import untrained

Row = dict[str, object]
Table = list[dict[str, str]]


def run(output: Path, words: str, *files: tuple[str, object]) -> Path:
    """Run `maxent WORDS --NAME FILE ... --out OUTPUT` unless it has been run, as what lies beside the output says."""
    if not output.with_name(f"{output.name}.provenance.json").exists():
        named = [text for name, file in files for text in (f"--{name}", str(file)) if name]
        bare = [str(file) for name, file in files if not name]
        command, *options = shlex.split(words)
        try:
            code = maxent([command, *bare, *options, *named, "--out", str(output)], standalone_mode=False)
        except SystemExit as end:
            code = end.code
        if code:
            sys.exit(code)
    return output


def table(path: Path) -> Table:
    """The rows of a TSV."""
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def save_untrained(model: Path, folder: Path, seed: int) -> Path:
    """The same network with fresh weights, as a model folder."""
    if not folder.exists():
        trained, card = load_model(str(model))
        folder.mkdir(parents=True)
        save_model(folder, untrained(trained, seed), card)
    return folder


def join_fasta(path: Path, parts: Iterable[Path]) -> Path:
    """Records of several FASTA files in one."""
    records = [record for part in parts for record in read_fasta(str(part))]
    write_fasta(str(path), [record.name for record in records], [record.sequence for record in records])
    return path


def auroc(model: Path) -> dict[str, str]:
    """The test part's row of metrics.tsv."""
    return next(row for row in table(model / "metrics.tsv") if (row["part"], row["metric"]) == ("test", "AUROC"))


def probe_row(folder: Path) -> Row:
    """What a gc-probe found: verdict, slope and rigidity, the highest untrained rigidity, and the sampler's checks."""
    answer = table(folder / "answer.tsv")
    network = {row["quantity"]: row for row in answer if row["of"] == "network"}
    others = [row for row in answer if row["of"].startswith("untrained") and row["quantity"] == "rigidity outside"]
    excess = network["rigidity outside, beyond untrained networks"]
    scores = [abs(float(row["z"])) for row in table(folder / "checks.tsv") if row["z"] != "nan"]
    return {
        "verdict": answer[-1]["quantity"].rpartition(": ")[2],
        **{name.replace(" ", "_"): network[name]["value"] for name in ("slope outside", "rigidity outside")},
        "untrained_rigidity": max((float(row["value"]) for row in others), default=float("nan")),
        **{f"excess_{name}": float(excess[name]) for name in ("value", "low", "high")},
        "checks": len(scores),
        "within_3": sum(score <= 3 for score in scores),
        "largest": max(scores, default=float("nan")),
    }
