"""The report: one HTML file that asks for nothing else, made from what the commands wrote."""

import base64
import hashlib
import math
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from maxent_cli.io import report_drawing as drawing
from maxent_cli.io import report_inputs as inputs
from maxent_cli.io.logos import COLOURS
from maxent_cli.io.provenance import read_provenance
from maxent_cli.io.report_inputs import Row, Sources
from maxent_cli.tables.periodicity import BAND

# marks, embeddings, overrides and isolates of text that runs from right to left
_TURNING = {
    code: f"[U+{code:04X}]" for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
TEMPLATES = Path(__file__).parents[1] / "templates"
MOST_SHOWN = 100  # anchors that are drawn
HUES = 6  # colours of motifs in report.css, used again and again
LONGEST_NAME = 60  # letters of a name that are shown; all of it is in the title
MOST_COUNTS = 12  # of those that the probe asks about that are shown, the most rigid first
MOST_Q = 0.05  # of a distance between motifs that is shown


def page_of(sources: Sources) -> str:
    """The report as HTML, the most telling hundred anchors drawn.

    Raises InputError where a part that was given cannot be read or belongs to other draws.
    """
    header, anchors = inputs.read_anchors(sources)
    by, ranked = inputs.rank(anchors)
    parts = {
        "motifs": _motifs(sources.motifs, ranked) if sources.motifs else None,
        "series": _series(sources.series, anchors) if sources.series else None,
        "gc": _gc_probe(sources.gc_probe) if sources.gc_probe else None,
        "periodicity": _periodicity(sources.periodicity) if sources.periodicity else None,
        "convergence": drawing.convergence_plot(ranked, header.get("run", {}).get("max_rhat")),
        "made": {command: (output, read_provenance(output)) for command, output in sources.commands.items()},
    }
    template = _environment().get_template("report.html")
    return template.render(header=header, rows=ranked, by=by, **parts)


def _series(path: str, anchors: list[Row]) -> list[drawing.Plot] | None:
    """What is shown of the beta series; nothing where there is but the beta in use."""
    ladders = inputs.read_series(path, [row["record"] for row in anchors])
    shown = [replicas for replicas in ladders if len(replicas) > 1 and replicas[-1]["beta"] > 0]
    return drawing.series_plots(shown) if shown else None


def _motifs(folder: str, ranked: list[Row]) -> dict[str, Any]:
    """What is shown of the motifs; the anchors are given their drawings."""
    motifs = inputs.read_motifs(folder)
    _draw(ranked, folder, {motif.row["motif"]: place % HUES for place, motif in enumerate(motifs)})
    return {"table": motifs, "rates": inputs.read_rates(folder), "spacing": inputs.read_spacing(folder, MOST_Q)}


def _draw(ranked: list[Row], folder: str, colours: dict[str, int]) -> None:
    """Give all anchors what they hold, and the first of them their drawings."""
    in_order = sorted(ranked, key=lambda row: row["number"])
    sites, occupancies = inputs.read_sites(folder, in_order)
    shown = ranked[:MOST_SHOWN]
    tracks = inputs.read_tracks(folder, [row["record"] for row in in_order], {row["number"] for row in shown})
    top, count = drawing.top_of(tracks.values()), Counter(row["record"] for row in ranked)
    for row in ranked:
        held = sorted(occupancies[row["number"]], key=lambda each: -each["occupancy"])
        row["held"] = [each for each in held if each["present"]]
        row["sites"], row["same_name"] = sites[row["number"]], count[row["record"]] > 1
    for row in shown:
        row["strips"] = drawing.strips(tracks[row["number"]], row["sites"], colours, top)


def _gc_probe(folder: str) -> dict[str, Any]:
    """What is shown of the GC probe."""
    tables = inputs.read_gc_probe(folder)
    scores = [abs(row["z"]) for row in tables["checks"] if math.isfinite(row["z"])]
    return {
        "counted": tables["response"][0]["counted"],
        "answer": tables["answer"][:MOST_COUNTS],
        "held": [row["count"] for row in tables["answer"] if row["held"] == "yes"],
        "plots": drawing.gc_plots(tables["response"]),
        "checks": len(scores),
        "within": sum(score <= 3 for score in scores),
        "responses": len(tables["response"]),
        "unsettled": sum(not row["converged"] for row in tables["response"]),
    }


def _periodicity(folder: str) -> dict[str, Any]:
    """What is shown of the periodicity."""
    rows, spectra = inputs.read_periodicity(folder)
    return {"rows": rows, "plot": drawing.period_plot(spectra), "band": BAND}


def _environment() -> Environment:
    """Everything is escaped but the style and the script, which are ours and known to the page by their digests."""
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
        "hues": HUES,
        "motif_letters": drawing.motif_letters,
        "left": drawing.LEFT,
        "lane": drawing.LANE,
        "most_sites": drawing.MOST_SITES,
        "most_shown": MOST_SHOWN,
        "known": inputs.KNOWN,
        "most_q": MOST_Q,
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
