"""What --help shows: at most a screen, in sections; and no command reads the others' state."""

import ast
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import maxent_cli
from maxent_cli.commands import COMMANDS, load, maxent
from maxent_cli.commands.options import Command

PACKAGE = Path(maxent_cli.__file__).parent
MOST_OPTIONS, MOST_LINES, COLUMNS = 14, 50, 100


def shown(*words: str) -> str:
    result = CliRunner().invoke(maxent, words, terminal_width=COLUMNS)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_a_screen(name: str) -> None:
    lines = shown(name, "--help").splitlines()
    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= COLUMNS
    assert not [line for line in lines if re.search(r"[a-z][;,.]  +[a-z]", line)]  # a margin inside a sentence
    command = load(name)
    assert isinstance(command, Command)
    assert len(command.everyday) <= MOST_OPTIONS


@pytest.mark.parametrize("name", COMMANDS)
def test_help_all_shows_every_option_in_words(name: str) -> None:
    text = shown(name, "--help-all")
    for param in load(name).params:
        if isinstance(param, click.Option):
            assert param.opts[0] in text
            assert param.help, param.name
            assert len(param.help) > len("Which.")
    assert len(text) >= len(shown(name, "--help"))


@pytest.mark.parametrize(("name", "table"), [("gc-probe", "checks.tsv"), ("attribute", "scores.bedgraph  ")])
def test_tables_that_have_no_room_in_help_are_explained_by_help_all(name: str, table: str) -> None:
    assert table in shown(name, "--help-all")
    assert table not in shown(name, "--help")


def test_sample_has_sections() -> None:
    titles = re.findall(r"^(\w+):$", shown("sample", "--help"), re.MULTILINE)
    assert titles == ["Network", "Anchors", "Law", "Sampling", "Output", "Help"]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_mapping_of_options_and_no_hidden_context(path: Path) -> None:
    text = path.read_text()
    assert "get_current_context" not in text
    if "commands" not in path.parts:
        assert not re.search(r"^\s*(import|from) click", text, re.MULTILINE)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            for argument in [*node.args.args, *node.args.kwonlyargs]:
                assert argument.arg != "given" or not ast.unparse(argument.annotation or argument).startswith("dict")
