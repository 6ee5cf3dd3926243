"""The report: one HTML file that asks for nothing else, made from what the commands wrote."""

import base64
import hashlib
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from maxent_cli.io import report_drawing as drawing
from maxent_cli.io import report_inputs as inputs
from maxent_cli.io.logos import COLOURS
from maxent_cli.io.provenance import read_provenance
from maxent_cli.io.report_cards import TURNING, island
from maxent_cli.io.report_inputs import Row, Sources
from maxent_cli.io.report_parts import PARTS, Base, PagePart, Shown
from maxent_cli.io.report_verdict import verdict
from maxent_cli.tables import SHOWN, WRITTEN, Table

TEMPLATES = Path(__file__).parents[1] / "templates"
MOST_SAVED = 1_500_000  # bytes of tables that can be saved from the page
NOTHING = 1e-6  # numbers below are shown as 0
LONGEST_NAME = 60  # letters of a name that are shown; all of it is in the title


def page_of(sources: Sources) -> str:
    """The report as HTML, the most telling thousand anchors drawn.

    Raises InputError where a part that was given cannot be read or belongs to other draws.
    """
    header, found = inputs.read_anchors(sources)
    base = Base(sources, header, *inputs.rank(found))
    shown = [(part, one) for part in PARTS if (one := part.shown(base))]
    environment = _environment()
    files, texts = _savable(shown)
    common: Row = {"header": header, "rows": base.rows, "by": base.by, "files": files}
    sections = [
        {
            "anchor": part.anchor,
            "title": part.title,
            "folded": part.folded,
            "html": environment.get_template(f"report/{part.anchor}.html").render({**common, **one.values}),
        }
        for part, one in shown
    ]
    cards: list[Row] = next((one.values["cards"] for _, one in shown if "cards" in one.values), [])
    return environment.get_template("report.html").render(
        **common,
        sections=sections,
        verdict=verdict([said for _, one in shown for said in one.says]),
        tiles=[tile for _, one in shown for tile in one.tiles],
        terms=[term for _, one in shown for term in one.terms],
        made={command: (output, read_provenance(output)) for command, output in sources.commands.items()},
        absent={command: about for command, about in SHOWN.items() if command not in sources.parts},
        island=island({"cards": cards, "files": files, "texts": texts, "assembly": sources.assembly}),
    )


def _savable(shown: Sequence[tuple[PagePart, Shown]]) -> tuple[dict[str, str], dict[str, str]]:
    """Tables, as far as there is room for them, and other texts that can be saved from the page, by their names."""
    files, texts, room = dict[str, str](), dict[str, str](), MOST_SAVED
    for _, one in shown:
        texts |= one.texts
        for name, path in one.files.items():
            size = Path(path).stat().st_size
            if name not in files and size <= room:
                files[name] = Path(path).read_text(encoding="utf-8", errors="replace")
                room -= size
    return files, texts


def _environment() -> Environment:
    """Everything is escaped, once; the style and the script are ours and known to the page by their digests."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=straight,
    )
    style, script = ((TEMPLATES / f"report.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    environment.globals |= {
        "style": style,
        "script": script,
        "digests": {"style": _digest(style), "script": _digest(script)},
        "glyphs": drawing.glyphs(),
        "colours": COLOURS,
        "says": says,
        "nan": math.nan,
    }
    environment.filters |= {"pm": with_error, "sig": significant, "chance": chance, "short": shortened, "shell": shell}
    return environment


def says(command: str, file: str, name: str) -> str:
    """What a column of a table that a command writes means, by the schema, with its unit and when it is empty."""
    table = next(one for one in WRITTEN[command] if isinstance(one, Table) and one.file == file)
    column = next(one for one in table.columns if one.name == name)
    unit = f" Unit: {column.unit}." if column.unit else ""
    missing = f" Unknown where {column.missing}." if column.missing else ""
    return f"{column.meaning}{unit}{missing}"


def straight(value: Any) -> Any:
    """What the page shows; of text, letters that would turn the words around them are spelled out."""
    return value.translate(TURNING) if isinstance(value, str) else value


def with_error(value: float, error: float) -> str:
    """A number and its error, to the error's second digit: 9.04 ± 0.37."""
    if not math.isfinite(value) or not math.isfinite(error):
        return significant(value)
    digits = min(max(1 - math.floor(math.log10(error)), 0), 4) if error > 0 else 2
    return f"{_fixed(value, digits)} ± {_fixed(error, digits)}"


def significant(value: float, digits: int = 3) -> str:
    """A number to some significant digits, whole where it is larger, 0 where it is next to it; a dash: unknown."""
    if not math.isfinite(value):
        return "\u2013" if math.isnan(value) else drawing.signed("\u221e" if value > 0 else "-\u221e")
    if abs(value) < NOTHING:
        return "0"
    return drawing.signed(f"{value:.0f}" if 10**digits <= abs(value) < 1e6 else f"{value:.{digits}g}")


def chance(value: float, digits: int = 2) -> str:
    """A probability, however small."""
    return "\u2013" if math.isnan(value) else drawing.signed(f"{value:.{digits}g}")


def _fixed(value: float, digits: int) -> str:
    """A number with so many decimals, and no sign where these are all 0."""
    text = f"{value:.{digits}f}"
    return drawing.signed(text if float(text) else text.lstrip("-"))


def shortened(text: str) -> str:
    """Text cut, visibly, to the letters that are shown of a name."""
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def shell(words: Sequence[str]) -> str:
    """A command line as it can be typed again, without the place of the program."""
    return shlex.join([Path(words[0]).name, *words[1:]]) if words else ""


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
