# What the rules read off the configuration.
import shlex

OUT = config["out"]
MODEL = config.get("model", f"{OUT}/model")
MODEL_FILES = [f"{MODEL}/model.json", f"{MODEL}/weights.safetensors"]
RECORDS = config.get("records", f"{OUT}/model/test.positives.fa")  # held out in training, where we train
SEEDED = ("train", "sample", "periodicity", "gc-probe")


def given(*names):
    """The input files that the configuration names, by name."""
    return {name: config[name] for name in names if name in config}


def genome_of_records():
    """The genome, where records to choose anchors from are BED of the user's."""
    return given("genome") if "records" in config else {}


def named(files, without=""):
    """Named input files as options of the same names."""
    return " ".join(f"--{name} {shlex.quote(str(path))}" for name, path in files.items() if name != without)


def options(command):
    """The options of a command in the configuration, and the seed, as words for the shell."""
    asked = {**({"seed": config["seed"]} if command in SEEDED else {}), **config[command]}
    return " ".join(shlex.quote(word) for name, value in asked.items() for word in option(name, value))


def option(name, value):
    """--name, --no-name, or --name=value."""
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}={value}"]
