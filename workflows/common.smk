# What the rules read off run.toml and its two tables, models and anchors.
import csv
import ast
import gzip
import json
import math
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

# sections of run.toml that shape what a command gives: where they change, it is done again
DRAWING = ("network", "anchors", "law", "sampling")
SHAPING = {"predict": ("network",), "sample": DRAWING, "gc-probe": DRAWING, "design": DRAWING}
SHAPING |= {"attribute": ("network", "law"), "variants": ("network", "law"), "learning": ("train", *DRAWING)}
VARIANT_FILES = ("vcf", "genome")  # of a set's row, that changes are read from and compared with
NOT_OF_ANCHORS = ("name", "records", "file", "shards", "vcf", "assembly", "chosen-by")
NOT_OF_PREDICT = ("gc", "background")
READING = ("genome", "centre", "crop", "map-chromosomes")  # how records become windows
NOT_OF_DOCTOR = {
    "sample": ("strict", "fasta"),
    "gc-probe": ("strict", "feature", "match-p", "mu"),
    "learning": (
        *("positives", "negatives", "records", "known", "similarity"),
        *("bits", "errors", "gap", "width", "motif-bits", "rate"),
    ),
    "design": (
        *("strict", "to", "spread", "designs", "apart", "forbid", "sites", "gc-limits", "hold", "hold-beta"),
    ),
}
GC_FILES = (
    *("answer.tsv", "by_mu.tsv", "response.tsv", "counts.tsv", "covariances.tsv", "checks.tsv"),
    "response.png",
)
DESIGN_FILES = ("summary.tsv", "designs.tsv", "designs.fa", "edits.tsv", "edit_numbers.tsv", "edit_sets.tsv")
COUNTED = 1000  # records of which `maxent learning` counts patterns by default, for which the doctor speaks
MU = "-0.5,0,0.5"  # the probe's default
START_UP = 120  # seconds in which a job imports, and compiles where that is not yet in a cache
SNAKEMAKE = 500  # MB of the two Snakemake processes around a job on a cluster
SPARE_TIME, SPARE_MEMORY = 2, 1.5  # what is asked for, over what the doctor expects
ONE, CHOSEN = "run", "anchors"  # names of the model and of the anchors of a file that `maxent run` left
DEFAULTS = {"out": "results", "threads": 1, "models": "models.tsv", "anchors": "anchors.tsv"}


def sections(path):
    """The sections of run.toml; those of the commands are checked by maxent, where it is on PATH already."""
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WorkflowError(f"{path}: cannot be read ({error}); name it by --config run=FILE") from error
    if shutil.which("maxent"):
        checked = subprocess.run(["maxent", "sample", "--config", path, "--help"], capture_output=True, text=True)
        if checked.returncode:
            raise WorkflowError(checked.stderr.strip())
    return found


def table(path):
    """The rows of a TSV with one header line; empty cells are left out."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise WorkflowError(f"{path}: cannot be read ({error}); name a TSV in the configuration") from error
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, restkey="without a header")
    return [{name: value(name, cell) for name, cell in row.items() if cell} for row in rows]


def value(column, cell):
    """A cell as the configuration would have it: a number, true, false or text."""
    try:
        found = None if column in ("name", "consensus", "chosen-by") else json.loads(cell)
    except (TypeError, ValueError):
        return cell
    return found if isinstance(found, (bool, int, float)) else cell


def by_name(rows):
    """The rows by their names."""
    named = {row["name"]: row for row in rows}
    if len(named) < len(rows):
        raise WorkflowError(f"two rows have the same name; names are {', '.join(row['name'] for row in rows)}")
    return named


def rows_of_run(asked):
    """What `maxent run` left in [run] as rows of the two tables: its records are trained on, or anchors chosen of them.

    How they are read stands in [train] or [predict].
    """
    records, network = asked["records"], SETTINGS.get("network", {})
    if "model" in network:
        reading = {name: SETTINGS["predict"][name] for name in READING if name in SETTINGS.get("predict", {})}
        chosen = {"name": CHOSEN, "records": records, "diverse": asked["diverse"], **reading}
        return {"models": [{"name": ONE, **network}], "anchors": [chosen]}
    what = "table" if is_table(records) else "positives"
    files = {name: SETTINGS["train"][name] for name in ("negatives", "genome") if name in SETTINGS.get("train", {})}
    chosen = {"name": CHOSEN, "label": 1, "correct": True, "diverse": asked["diverse"]}
    return {"models": [{"name": ONE, what: records, **files}], "anchors": [chosen]}


def is_table(path):
    """Whether a file's first line names columns with sequences, as maxent looks at it."""
    if path.lower().removesuffix(".gz").endswith((".bed", ".narrowpeak", ".broadpeak")):
        return False
    opened = gzip.open if Path(path).read_bytes()[:2] == b"\x1f\x8b" else open
    with opened(path, "rt") as stream:
        cells = {cell.strip().strip('"').lower() for cell in stream.readline().split("\t")}
    return len(cells) > 1 and bool(cells & {"sequence", "seq"})


RUN_TOML = config.get("run", "run.toml")
SETTINGS = sections(RUN_TOML)
WORKFLOW = DEFAULTS | SETTINGS.get("workflow", {})
if "run" in SETTINGS:
    TABLES = rows_of_run(SETTINGS["run"])
else:
    TABLES = {name: table(WORKFLOW[name]) for name in ("models", "anchors")}
validate({"workflow": WORKFLOW, **TABLES}, "tables.schema.yaml")
OUT = WORKFLOW["out"]
MODELS, ANCHORS = by_name(TABLES["models"]), by_name(TABLES["anchors"])
MODEL, RUN = f"{OUT}/models/{{model}}", f"{OUT}/runs/{{model}}/{{anchors}}"
CROSSED = f"{OUT}/crossed/{{anchors}}"
HELD_OUT = [name for name, row in ANCHORS.items() if not {"records", "file"} & set(row)]
SHARED = [name for name, row in ANCHORS.items() if {"file", "chosen-by"} & set(row)]
ALONE = [name for name, row in MODELS.items() if "consensus" not in row]


def keeps_checkpoints(row):
    """Of a model's row how many checkpoints its training keeps; 0: none, or it is not trained here."""
    is_trained = {"positives", "table"} & set(row)
    return row.get("checkpoints", SETTINGS.get("train", {}).get("checkpoints", 0)) if is_trained else 0


if "learning" in SETTINGS and not any(map(keeps_checkpoints, MODELS.values())):
    raise WorkflowError(f"{RUN_TOML}: [learning]: no model is trained with checkpoints; give checkpoints in [train]")


def options(command, wildcards, lacks=()):
    """What a run's rows ask of a command, beside run.toml, but for options that it lacks, as words for the shell."""
    asked = {"config": RUN_TOML, **of_model(command, wildcards), **of_anchors(command, wildcards)}
    return shlex.join(each for name, found in asked.items() if name not in lacks for each in words(name, found))


def of_doctor(command, wildcards):
    """What the doctor is asked for a command: as the command is, where it has the same options."""
    lacks = NOT_OF_DOCTOR[command]
    own = {name: found for name, found in SETTINGS.get(command, {}).items() if name not in lacks}
    told = shlex.join(each for name, found in own.items() for each in words(name, found))
    return f"{told} {options(command, wildcards, lacks)}"


def shaping(command):
    """What run.toml says that shapes what a command gives."""
    names = (*SHAPING.get(command, ()), command)
    seed = SETTINGS.get("sampling", {}).get("seed")
    return json.dumps([seed, *(SETTINGS.get(name) for name in names)])


def words(name, found):
    """--name, --no-name, or --name=value, of several values one each."""
    if isinstance(found, bool):
        return [f"--{name}" if found else f"--no-{name}"]
    return [f"--{name}={each}" for each in (found if isinstance(found, list) else [found])]


def of_model(command, wildcards):
    """A model's row is what says how to train or adopt it, or where it is."""
    asked = ("motifs",) if asks_pairs() else ()
    if command not in ("train", "predict", "sample", "gc-probe", "attribute", "variants", "design", "learning", *asked):
        return {}
    row = {name: found for name, found in MODELS[wildcards.model].items() if name != "name"}
    return row if command == "train" else as_models(networks_of(row) or [wildcards.model])


def networks_of(row):
    """The models that one is the consensus of; none where it is a network."""
    return [name.strip() for name in str(row["consensus"]).split(",")] if "consensus" in row else []


def as_models(names):
    """The folders of models, and whether to run the code in them."""
    found = {"model": [folder_of(name) for name in names]}
    trusted = any("adopt" in MODELS[name] or MODELS[name].get("trust-code") for name in names)
    return found | ({"trust-code": True} if trusted else {})


def folder_of(name):
    """The folder of a model: its own, or that of what is trained or adopted here."""
    return MODELS[name].get("model", MODEL.format(model=name))


def asks_pairs():
    """Whether motifs are asked how they go together, which takes the network."""
    return "syntax" in SETTINGS.get("motifs", {})


def trained(wildcards):
    """How the report is told of a network that was trained here."""
    own = {"positives", "table"} & set(MODELS[wildcards.model])
    return shlex.join(["--train", MODEL.format(model=wildcards.model)] if own else [])


def of_anchors(command, wildcards):
    """A set's row is what says how to choose anchors, how to read those given, or which changes to try in them."""
    if command == "variants":
        row = ANCHORS[wildcards.anchors]
        return {name: row[name] for name in VARIANT_FILES if "vcf" in row and name in row}
    if command == "report":
        return files(ANCHORS[wildcards.anchors], "assembly")
    takes = ("predict", "sample", "gc-probe", "attribute", "design", "learning")
    row = ANCHORS[wildcards.anchors] if command in takes else {}
    if (command == "predict") == ("file" in row):
        return {}
    return {name: found for name, found in row.items() if name not in NOT_OF_ANCHORS}


def files(row, *columns):
    """The input files that a row names."""
    return {name: row[name] for name in columns if name in row}


def named(*columns):
    """A pattern of the names of models whose rows have one of these columns."""
    return "|".join(re.escape(name) for name, row in MODELS.items() if set(columns) & set(row)) or "(?!)"


def training_files(wildcards):
    """What a model is trained on."""
    return files(MODELS[wildcards.model], "positives", "negatives", "table", "genome")


def adoption(wildcards):
    """What `maxent adopt` is told of a model, as words for the shell."""
    return shlex.join(shlex.split(str(MODELS[wildcards.model].get("adopt", ""))))


def adopted_files(wildcards):
    """What an adoption reads: files that it names, such as weights, and the code of its network."""
    words = shlex.split(adoption(wildcards))
    named = [name for name in words if Path(name).is_file()]
    return named + sorted({path for name in words if ":" in name for path in code_of(name.partition(":")[0])})


def code_of(module, known=()):
    """The file of a module in this folder, and those of what it imports from here: where one changes, it is new."""
    place = Path(*module.split("."))
    found = [path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file() and path not in known]
    if not found:
        return []
    seen = [*known, *found]
    for name in imported_by(module, found[0]):
        seen += map(Path, code_of(name, seen))
    return [str(path) for path in seen if path not in known]


def imported_by(module, file):
    """Names that may be those of modules which a file imports; what cannot be read, `maxent adopt` will say."""
    try:
        nodes = list(ast.walk(ast.parse(file.read_text())))
    except (SyntaxError, ValueError):
        return
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join(filter(None, [*above, node.module]))
            yield from filter(None, (base, *(f"{base}.{each.name}".lstrip(".") for each in node.names)))


def network(wildcards):
    """The files of the model folder that a network is read from, or of several."""
    return files_of(networks_of(MODELS[wildcards.model]) or [wildcards.model])


def files_of(names):
    """The files of model folders."""
    return [f"{folder_of(name)}/{file}" for name in names for file in ("model.json", "weights.safetensors")]


def records(wildcards):
    """What anchors are chosen from: a file, or what was held out when the model was trained."""
    held_out = f"{MODEL}/test.positives.fa".format(model=chooser(wildcards))
    return {"records": held_out, **files(ANCHORS[wildcards.anchors], "records", "genome")}


def chooser(wildcards):
    """The model that chooses a set's anchors."""
    return ANCHORS[wildcards.anchors].get("chosen-by", wildcards.model)


def crossing(wildcards):
    """What networks that read each other's draws are told: their folders, in the order of the draws."""
    asked = {"config": RUN_TOML, **as_models(ALONE)}
    return shlex.join(each for name, found in asked.items() for each in words(name, found))


def crossed(wildcards):
    """The table of networks that read each other's draws, where a model's are among them."""
    asked = "compare" in SETTINGS and wildcards.anchors in SHARED and wildcards.model in ALONE
    return [f"{CROSSED}/networks.tsv".format(anchors=wildcards.anchors)] if asked else []


def looked_through(wildcards):
    """The records that motifs are looked for in: those that anchors are chosen from."""
    return {} if "file" in ANCHORS[wildcards.anchors] else records(wildcards)


def counting(wildcards):
    """What `maxent motifs` is told of them, as words for the shell."""
    row, found = ANCHORS[wildcards.anchors], looked_through(wildcards)
    asked = {**found, **{name: row[name] for name in READING if found and name in row}}
    return shlex.join(each for name, value in asked.items() for each in words(name, value))


def anchors(wildcards):
    """The anchors, chosen or given."""
    chosen = f"{RUN}/anchors.fa".format(model=chooser(wildcards), anchors=wildcards.anchors)
    return {"anchors": ANCHORS[wildcards.anchors].get("file", chosen)}


def tries_variants(wildcards):
    """Whether changes are to be tried in a set's anchors: those of its VCF, or all."""
    return "vcf" in ANCHORS[wildcards.anchors] or bool(SETTINGS.get("variants", {}).get("all-single"))


def variants_of(wildcards):
    """The table of changes, where some are to be tried."""
    return [f"{RUN}/variants/variants.tsv".format(**wildcards)] if tries_variants(wildcards) else []


def learning_of(wildcards):
    """The steps of a training, where its checkpoints are to be asked."""
    asked = "learning" in SETTINGS and keeps_checkpoints(MODELS[wildcards.model])
    return [f"{RUN}/learning/steps.tsv".format(**wildcards)] if asked else []


def parts(pattern):
    """All parts of a run's result, in order."""

    def of_run(wildcards):
        count = ANCHORS[wildcards.anchors].get("shards", 1)
        return expand(pattern, **wildcards, i=range(1, count + 1), n=count)

    return of_run


def memory(command):
    """MB for a part: what the doctor expects, more each time it is tried again."""

    def of_part(input, attempt):
        size = needs(input)["bytes"] + (of_records(input)["bytes"] if command == "learning" else 0)
        return SNAKEMAKE + int(attempt * SPARE_MEMORY * size / 1e6)

    return lambda wildcards, input, attempt: of_part(input, attempt)


def minutes(command):
    """Minutes for a part: what the doctor expects, more each time it is tried again."""

    def of_part(wildcards, input, attempt):
        need = needs(input)
        anchors = math.ceil(need["anchors"] / int(getattr(wildcards, "n", 1)))
        runs = runs_an_anchor(command, wildcards)
        seconds = anchors * runs * need["seconds"] / need["anchors"]
        seconds += runs * of_records(input)["seconds_a_checkpoint"] if command == "learning" else 0
        return math.ceil(attempt * (START_UP + SPARE_TIME * seconds) / 60)

    return of_part


def needs(input):
    """What `maxent doctor` says that all anchors need, in seconds and bytes."""
    return json.loads(Path(input.doctor).read_text(encoding="utf-8"))["run"]


def of_records(input):
    """What it says that counting the patterns of records takes at a checkpoint."""
    found = json.loads(Path(input.doctor).read_text(encoding="utf-8"))["learning"]
    share = SETTINGS["learning"].get("records", COUNTED) / COUNTED
    return {name: share * found.get(name, 0) for name in ("seconds_a_checkpoint", "bytes")}


def runs_an_anchor(command, wildcards):
    """The probe draws at each mu, and learning at each checkpoint."""
    if command == "learning":
        return keeps_checkpoints(MODELS[wildcards.model])
    if command != "gc-probe":
        return 1
    return len({0.0, *map(float, str(SETTINGS.get(command, {}).get("mu", MU)).strip("[]").split(","))})


def gpus(command):
    """One where the network is to run on one."""
    device = {**SETTINGS.get("sampling", {}), **SETTINGS.get(command, {})}.get("device", "cpu")
    return int(device.startswith("cuda"))


def check():
    """Raise WorkflowError for what run.toml and the tables do not say together."""
    if SETTINGS.get("design", {}).get("best"):
        raise WorkflowError(f"{RUN_TOML}: [design] best: the workflow designs edits of anchors; give to, or maxent design")
    for name, row in ANCHORS.items():
        if "chosen-by" in row and row["chosen-by"] not in MODELS:
            raise WorkflowError(f"anchors {name}: chosen-by names no model; they are {', '.join(MODELS)}")
    for name in HELD_OUT:
        for model in [ANCHORS[name]["chosen-by"]] if "chosen-by" in ANCHORS[name] else MODELS:
            if not {"positives", "table"} & set(MODELS[model]):
                told = "only a model trained here has held-out records; give records, file, or chosen-by"
                raise WorkflowError(f"anchors {name}: {told}")
    for name, row in MODELS.items():
        if "consensus" in row and not (len(networks_of(row)) > 1 and set(networks_of(row)) <= set(ALONE)):
            raise WorkflowError(f"model {name}: consensus is of two or more others; give names such as {','.join(ALONE)}")
    if "compare" in SETTINGS and (len(ALONE) < 2 or not SHARED):
        told = "is of two or more models around the same anchors; give a set a file, or the model that chooses it, chosen-by"
        raise WorkflowError(f"{RUN_TOML}: [compare] {told}")


check()
