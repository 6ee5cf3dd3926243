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
from maxent_cli.io.report_inputs import Row, Sources
from maxent_cli.io.report_parts import PARTS, Base

# marks, embeddings, overrides and isolates of text that runs from right to left
_TURNING = {
    code: f"[U+{code:04X}]" for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
TEMPLATES = Path(__file__).parents[1] / "templates"
LONGEST_NAME = 60  # letters of a name that are shown; all of it is in the title


def page_of(sources: Sources) -> str:
    """The report as HTML, the most telling hundred anchors drawn.

    Raises InputError where a part that was given cannot be read or belongs to other draws.
    """
    header, found = inputs.read_anchors(sources)
    base = Base(sources, header, *inputs.rank(found))
    shown = [(part, one) for part in PARTS if (one := part.show(base))]
    environment = _environment()
    common: Row = {"header": header, "rows": base.rows, "by": base.by}
    sections = [
        {
            "anchor": part.anchor,
            "title": part.title,
            "html": environment.get_template(f"report/{part.anchor}.html").render({**common, **one.values}),
        }
        for part, one in shown
    ]
    return environment.get_template("report.html").render(
        **common,
        sections=sections,
        tiles=[tile for _, one in shown for tile in one.tiles],
        terms=[term for _, one in shown for term in one.terms],
        made={command: (output, read_provenance(output)) for command, output in sources.commands.items()},
    )


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
        "left": drawing.LEFT,
    }
    environment.filters |= {"pm": with_error, "sig": significant, "short": shortened, "shell": shell}
    return environment


def straight(value: Any) -> Any:
    """What the page shows; of text, letters that would turn the words around them are spelled out."""
    return value.translate(_TURNING) if isinstance(value, str) else value


def with_error(value: float, error: float) -> str:
    """A number and its error, to the error's second digit: 9.04 ± 0.37."""
    if not math.isfinite(value) or not math.isfinite(error):
        return significant(value)
    digits = min(max(1 - math.floor(math.log10(error)), 0), 4) if error > 0 else 2
    return drawing.signed(f"{value:.{digits}f} ± {error:.{digits}f}")


def significant(value: float, digits: int = 3) -> str:
    """A number to some significant digits, whole where it is larger; a dash where it is unknown."""
    if math.isnan(value):
        return "\u2013"
    return drawing.signed(f"{value:.0f}" if 10**digits <= abs(value) < 1e6 else f"{value:.{digits}g}")


def shortened(text: str) -> str:
    """Text cut, visibly, to the letters that are shown of a name."""
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def shell(words: Sequence[str]) -> str:
    """A command line as it can be typed again, without the place of the program."""
    return shlex.join([Path(words[0]).name, *words[1:]]) if words else ""


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
