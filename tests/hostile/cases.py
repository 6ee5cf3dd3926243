"""What is done to a good command line: its inputs damaged, its options odd, its outputs where none can be."""

import contextlib
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click
from hostile_files import _mutated
from test_faults import FAULTS, LINES, PLACES, kinds, place_of, words

from maxent_cli.commands import load

ODD = (
    *(
        "",
        " ",
        "-1",
        "0",
        "1",
        "2",
        "3",
        "1e999",
        "-1e999",
        "nan",
        "inf",
        "1e-300",
        "9" * 30,
        "0.5",
        "1.5",
        "-0.0",
        "1/2",
    ),
    *(
        "2/1",
        "0,1",
        "1,0",
        "1,1",
        "a,b",
        ",",
        "a",
        "A",
        "ACGT",
        "acgt",
        "AACC",
        "²",
        "\u0663",
        "\u202egnp",
        "é☃",
        "\ud800",
    ),
    *(
        "{",
        "{}",
        "[]",
        "[1]",
        "null",
        "=1+1",
        "--",
        "-",
        "'",
        '"',
        "a b",
        "x" * 5000,
        "..",
        "/",
        "/dev/null",
        "/dev/full",
    ),
    *(
        "/proc/self/in",
        "../../x",
        "$(x)",
        "%s",
        "{x}",
        "*",
        "none",
        "auto",
        "data",
        "all",
        "gc",
        "kmer:",
        "kmer:N",
        "motif:x",
    ),
    *(
        "chr1",
        "3-1",
        "0-3",
        "0-10000",
        "-3",
        "3,40-60",
        "cuda:99",
        "meta",
        "png",
        "both",
        "yes",
        "module:name",
        "os:path",
    ),
)
ODD_PLACES = (
    "",
    ".",
    "..",
    "/",
    "/proc/x",
    "/dev/full",
    "/dev/null",
    "x" * 300,
    "a/../b",
    "in/in/in",
    "new/",
    "~",
    "-",
)
ODD_NUMBERS = ("", "0", "-1", "²", "9" * 5000, "4(x2)", "two", "nan")
VARIABLES = (
    "SLURM_CPUS_PER_TASK",
    "NSLOTS",
    "PBS_NUM_PPN",
    "LSB_DJOB_NUMPROC",
    "MAXENT_MEMORY_GIB",
    "SLURM_MEM_PER_NODE",
)


@dataclass
class Case:
    """A command line, the variables that it is run with, and what was done to it, for people."""

    words: list[str]
    done: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)


def make_case(chance: random.Random, folder: Path, begins: str = "") -> Case:
    """A good line of one of the commands in a folder of good inputs, with one to three things wrong.

    begins: of the line, by which the lines are chosen.
    """
    line = chance.choice([line for line in LINES if line.startswith(begins)])
    case = Case(words(line, folder))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        kind = chance.choices(CHANGES, WEIGHTS)[0]
        with contextlib.suppress(Exception):  # what was changed before may be no file any more
            kind(case, line, chance, folder)
    return case


def damage(case: Case, line: str, chance: random.Random, folder: Path) -> None:
    """Change bytes of an input, or of a file of a folder."""
    kind = chance.choice([kind for kind in kinds(line) if kind not in PLACES] or ["genome"])
    place = place_of(kind, folder)
    if place.is_dir():
        place = chance.choice([file for file in sorted(place.rglob("*")) if file.is_file()])
    if not place.is_file():  # but a pipe by now, which nobody would write into, or a device that never ends
        return
    place.write_bytes(_mutated(place.read_bytes(), chance))
    case.done.append(f"damaged {place.relative_to(folder)}")


def fault(case: Case, line: str, chance: random.Random, folder: Path) -> None:
    """One of the faults that have a name."""
    kind = chance.choice([kind for kind in kinds(line) if kind in FAULTS])
    name = chance.choice(sorted(FAULTS[kind]))
    if not (place_of(kind, folder).is_file() or place_of(kind, folder).is_dir()):
        return
    case.done.append(f"{kind}: {name}")
    FAULTS[kind][name](place_of(kind, folder))


def option(case: Case, line: str, chance: random.Random, folder: Path) -> None:
    """Another option, or another value of one that is there."""
    known = [
        param for param in load(line.split()[0]).params if isinstance(param, click.Option) and param.name != "config"
    ]
    chosen = chance.choice(known)
    given = [] if chosen.is_flag else [value_of(chosen, chance, folder)] * max(chosen.nargs, 1)
    case.words += [chosen.opts[0], *given]
    case.done.append(f"{chosen.opts[0]} {' '.join(given)[:60]}")


def value_of(chosen: click.Option, chance: random.Random, folder: Path) -> str:
    """Something odd, or one of the choices, or a path that is there."""
    if isinstance(chosen.type, click.Choice) and chance.random() < 0.7:
        return str(chance.choice(list(chosen.type.choices)))
    if chance.random() < 0.15:
        return str(chance.choice(sorted(folder.iterdir())))
    return chance.choice(ODD).replace("\ud800", "?")


def words_changed(case: Case, line: str, chance: random.Random, folder: Path) -> None:  # noqa: ARG001
    """A word left out, given twice or odd."""
    at = chance.randrange(1, len(case.words))
    new = chance.choice(([], [case.words[at]] * 2, [chance.choice(ODD).replace("\ud800", "?")]))
    case.done.append(f"{case.words[at][-60:]} became {' '.join(new)[:60] or 'nothing'}")
    case.words[at : at + 1] = new


def output(case: Case, line: str, chance: random.Random, folder: Path) -> None:
    """An output where none can be: an input, a folder of the user's, a link, or an odd name."""
    outputs = [kind for kind in kinds(line) if kind in PLACES]
    if not outputs:
        return
    place = str(place_of(chance.choice(outputs), folder))
    inputs = [str(place_of(kind, folder)) for kind in kinds(line) if kind not in PLACES]
    new = chance.choice([*inputs, *ODD_PLACES, f"{place}/", f"{inputs[0]}/in" if inputs else place])
    if chance.random() < 0.3:
        Path(place).mkdir(exist_ok=True)
        (Path(place) / "notes.txt").write_text("mine")
        new = place
    case.words = [new if word == place else word for word in case.words]
    case.done.append(f"output {new[-60:]}")


def link(case: Case, line: str, chance: random.Random, folder: Path) -> None:
    """An input that is a link to another, to nothing or to itself."""
    places = [place_of(kind, folder) for kind in kinds(line) if kind not in PLACES]
    if not places:
        return
    place = chance.choice(places)
    shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
    place.symlink_to(chance.choice([place.name, "nothing", "model", "anchors", "..", "/dev/null", "/dev/zero"]))
    case.done.append(f"{place.name} links to {place.readlink()}")


def variable(case: Case, line: str, chance: random.Random, folder: Path) -> None:  # noqa: ARG001
    """A variable of a scheduler that no scheduler sets."""
    name, value = chance.choice(VARIABLES), chance.choice(ODD_NUMBERS)
    case.variables[name] = value
    case.done.append(f"{name}={value[:20]}")


def configured(case: Case, line: str, chance: random.Random, folder: Path) -> None:
    """A file of options with a fault in it."""
    section, name = (
        chance.choice(["law", "sampling", "network", line.split()[0], "x", ""]),
        chance.choice(["keep", "chains", "x"]),
    )
    text = f"[{section}]\n{name} = {chance.choice(['1', '-1', 'nan', '[1]', '{}', chr(34) * 2, '[' * 300, ''])}\n"
    (folder / "run.toml").write_bytes(_mutated(text.encode(), chance) if chance.random() < 0.3 else text.encode())
    case.words += ["--config", str(folder / "run.toml")]
    case.done.append(f"config {text[:40]!r}")


Change = Callable[[Case, str, random.Random, Path], None]
CHANGES: tuple[Change, ...] = (damage, fault, option, words_changed, output, link, variable, configured)
WEIGHTS = (6, 3, 6, 2, 2, 1, 0.5, 0.5)
