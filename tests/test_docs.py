"""What the documentation says exists, and what exists is documented."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import maxent_cli
from maxent_cli import __version__
from maxent_cli.commands import COMMANDS, maxent

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = {str(path.relative_to(ROOT)): path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]}
REFERENCE = PAGES["docs/commands.md"]
MOST_WORDS = 950  # of the README, which is read before the manual


def command_of(name: str) -> click.Command:
    command = maxent.get_command(click.Context(maxent), name)
    assert command is not None
    return command


def documented() -> Iterator[list[str]]:
    """The words of each `maxent` command in the shell blocks of the README and the manual."""
    for text in PAGES.values():
        for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words and words[0] == "maxent":
                    yield words[1:]


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    assert len(README.split()) <= MOST_WORDS
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


@pytest.mark.parametrize("page", [name for name in PAGES if "results" not in name and name != "README.md"])
def test_a_page_begins_with_what_the_reader_gets(page: str) -> None:
    assert re.match(r"# [^\n]+\n\n(\w|`|Every|```\{include)", PAGES[page])


def test_every_public_name_is_in_the_reference() -> None:
    listed = set(re.findall(r"^\.\. auto\w+:: (\w+)", PAGES["docs/python.md"], re.MULTILINE))
    assert listed == set(maxent_cli.__all__)


def test_pages_that_include_results_are_all_there() -> None:
    found = {str(path.relative_to(ROOT)) for path in (ROOT / "workflows").glob("*/results.md")}
    shown = {name for text in PAGES.values() for name in re.findall(r"\{include\} (?:\.\./)+(\S+)", text)}
    assert found <= shown


def test_the_manual_shows_every_command() -> None:
    assert {words[0] for words in documented() if not words[0].startswith("-")} == set(COMMANDS)


@pytest.mark.parametrize("words", list(documented()), ids=lambda words: words[0])
def test_options_in_the_manual_exist(words: list[str]) -> None:
    command = maxent if words[0] not in COMMANDS else command_of(words[0])
    offered = {"--help", "-h", *(word for option in command.params for word in (*option.opts, *option.secondary_opts))}
    assert {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)} <= offered


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_documented(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", REFERENCE, re.MULTILINE), "the manual's table of commands lacks it"
    assert command_of(name).help


@pytest.mark.parametrize("name", COMMANDS)
def test_bounded_numbers(name: str) -> None:
    """A number without a range takes what makes no sense, infinities among it."""
    assert not [p.name for p in command_of(name).params if type(p.type) in (type(click.INT), type(click.FLOAT))]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("CHANGELOG.md", "## {}"),
        ("CITATION.cff", "version: {}"),
        ("packaging/conda/meta.yaml", '{{% set version = "{}" %}}'),
    ],
)
def test_the_version_is_the_same_everywhere(file: str, line: str) -> None:
    assert re.search(rf"^{re.escape(line.format(__version__))}(?![\w.])", (ROOT / file).read_text(), re.MULTILINE)


@pytest.mark.parametrize("file", ["workflows/environment.yaml", "packaging/conda/meta.yaml"])
def test_conda_is_asked_for_what_the_project_needs(file: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / file).read_text()
    found = re.findall(r"^ +- ([a-z0-9-]+?)(?:-base)? ?(>=\S+)$", text.partition("\n  run:")[2] or text, re.MULTILINE)
    wanted = {name.replace("torch", "pytorch").lower() for name in project["dependencies"]}
    assert {"".join(one) for one in found} == wanted | {f"python{project['requires-python']}"}
