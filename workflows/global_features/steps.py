"""What the experiments share: outputs that are made once, and the tables in them."""

import csv
import resource
import subprocess
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np

import maxent_cli as mx
from maxent_cli.io import load_model, read_fasta, read_provenance, save_model, write_fasta, write_table, writing
from maxent_cli.models import build

Request = TypeVar("Request")
Row = dict[str, object]
Table = list[dict[str, str]]
SECONDS = ".cpu_seconds"  # of a command, beside its output


def made(output: Path, make: Callable[..., object], *given: object, **asked: object) -> Path:
    """Have a function of maxent_cli write an output, unless it is there and what lies beside it says so."""
    if not (output.exists() and output.with_name(f"{output.name}.provenance.json").exists()):
        before = cpu_seconds()
        make(*given, **asked, out=str(output))
        output.with_name(f"{output.name}{SECONDS}").write_text(f"{cpu_seconds() - before:.1f}\n")
    return output


def request(kind: type[Request], *sections: Mapping[str, Any], **more: Any) -> Request:
    """What a function of maxent_cli is asked: its fields from sections of a configuration, and more."""
    fields = {name: value for section in sections for name, value in section.items()} | more
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})


def converged(out: Path, *names: str) -> str:
    """How many anchors' draws, in outputs of these names anywhere in a folder, have converged."""
    rows = [row for name in names for path in sorted(out.rglob(f"{name}.tsv")) for row in table(path)]
    return f"{sum(row['converged'] == 'yes' for row in rows):,} of {len(rows):,}"


def cpu_seconds() -> float:
    """CPU seconds that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def seconds(*outputs: Path) -> float:
    """CPU seconds of the commands that made the outputs."""
    return sum(float(output.with_name(f"{output.name}{SECONDS}").read_text()) for output in outputs)


def used(folder: Path, name: str = "*") -> float:
    """CPU seconds of all commands whose outputs are in a folder and below, or of those with such names."""
    return sum(float(path.read_text()) for path in folder.rglob(f"{name}{SECONDS}"))


def machine(output: Path) -> str:
    """The processor and versions that made an output, as its provenance says, and the commit."""
    made = read_provenance(str(output)) or {}
    versions = ", ".join(f"{name} {made['packages'][name]}" for name in ("torch", "numba", "numpy"))
    return f"{made['machine']['cpu']}, one thread, Python {made['python']}, {versions}; {commit() or made['version']}"


def commit() -> str:
    """The commit that is checked out, and its day; empty outside a clone."""
    asked = ["git", "-C", str(Path(__file__).parent), "log", "-1", "--format=commit %h of %cs"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def table(path: Path) -> Table:
    """The rows of a TSV."""
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def write_results(out: Path, title: str, rows: Iterable[Row]) -> list[Row]:
    """Write OUT/results.tsv and OUT/results.md anew after each row; gives all rows."""
    found: list[Row] = []
    for row in rows:
        found.append(row)
        write_table(str(out / "results.tsv"), found)
        lines = [f"{datetime.now(UTC):%Y-%m-%d}; {used(out) / 60:.0f} CPU minutes", "", *markdown(found)]
        with writing(str(out / "results.md")) as stream:
            stream.write("\n".join([f"## {title}", "", *lines, ""]))
    return found


def markdown(rows: list[Row]) -> list[str]:
    """Rows as a table; a number and its interval are one cell."""
    names = [name for name in rows[0] if not name.endswith(("_low", "_high"))]
    cells = [names, ["---"] * len(names), *([_with_interval(row, name) for name in names] for row in rows)]
    return [f"| {' | '.join(row)} |" for row in cells]


def _with_interval(row: Row, name: str) -> str:
    ends = [_cell(row[f"{name}_{end}"]) for end in ("low", "high") if f"{name}_{end}" in row]
    return f"{_cell(row[name])} ({' to '.join(ends)})" if ends else _cell(row[name])


def _cell(value: object) -> str:
    text = "yes" if value is True else "no" if value is False else str(value)
    try:
        return f"{float(text):.3g}"
    except ValueError:
        return text


def save_untrained(model: Path, folder: Path, seed: int) -> Path:
    """The same network with fresh weights, as a model folder."""
    if not folder.exists():
        _, card = load_model(str(model))
        folder.mkdir(parents=True)
        save_model(folder, build(card.architecture, card.input_length, card.arguments, seed), card)
    return folder


def surest(folder: Path, model: Path, count: int) -> Path:
    """The held-out positives that the network calls rightly and is surest of, as FASTA."""
    chosen = folder / f"surest_{count}.fa"
    asked = {"label": 1, "correct": True, "top": count, "select": str(chosen), "threads": 1}
    made(folder / f"surest_{count}.tsv", mx.predict, mx.network(str(model)), str(model / "test.positives.fa"), **asked)
    return chosen


def called_rightly(folder: Path, model: Path, count: int, seed: int) -> Path:
    """So many held-out positives, and as many negatives, at random among those the network calls rightly, as FASTA."""
    held_out = dict[str, Path]()
    for label, name in enumerate(("negatives", "positives")):
        held_out[name] = folder / f"{name}.called.fa"
        asked = {"label": label, "correct": True, "select": str(held_out[name]), "threads": 1}
        made(folder / f"{name}.called.tsv", mx.predict, mx.network(str(model)), str(model / f"test.{name}.fa"), **asked)
    return at_random(folder, held_out, count, seed)


def at_random(folder: Path, held_out: dict[str, Path], count: int, seed: int) -> Path:
    """So many records of each named FASTA, as FASTA."""
    chance, chosen, names, sequences = np.random.default_rng(seed), folder / "anchors.fa", list[str](), list[str]()
    for name, path in held_out.items():
        records = list(read_fasta(str(path)))
        for number in chance.choice(len(records), min(count, len(records)), replace=False):
            names.append(f"{name}_{records[number].name}")
            sequences.append(records[number].sequence)
    write_fasta(str(chosen), names, sequences)
    return chosen


def auroc(model: Path) -> dict[str, str]:
    """The test part's row of metrics.tsv."""
    return next(row for row in table(model / "metrics.tsv") if (row["part"], row["metric"]) == ("test", "AUROC"))


def probe_row(folder: Path) -> Row:
    """What a gc-probe found: what is held, rigidity and slope of G and C, convergence, the sampler's checks."""
    answer, response = table(folder / "answer.tsv"), table(folder / "response.tsv")
    asked = next(row for row in answer if row["count"] == response[0]["counted"])
    scores = [abs(float(row["z"])) for row in table(folder / "checks.tsv") if row["z"] != "nan"]
    return {
        "held": "; ".join(row["count"] for row in answer if row["held"] == "yes") or "none",
        "verdict": asked["held"],
        "told": sum(row["distinguishable"] == "yes" for row in response if float(row["mu"]) == 0),
        **{name: float(asked[name]) for name in ("slope", "slope_low", "slope_high", "rigidity")},
        "rigidity_low": float(asked["low"]),
        "rigidity_high": float(asked["high"]),
        **_settled(response),
        "checks": len(scores),
        "within_3": sum(score <= 3 for score in scores),
        "largest": max(scores, default=float("nan")),
    }


def _settled(response: Table) -> Row:
    """Median R-hat over anchors, by mu."""
    potentials = dict.fromkeys(row["mu"] for row in response)
    by_mu = {mu: [float(row["rhat"]) for row in response if row["mu"] == mu] for mu in potentials}
    return {f"rhat_at_{float(mu):g}": median(values) for mu, values in by_mu.items()}
