"""What the page draws an anchor's card from: plain text, and rows of numbers packed into 16 bits each."""

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from maxent_cli.alphabet import decode
from maxent_cli.data import Floats
from maxent_cli.io.report_inputs import Row, Tracks
from maxent_cli.io.samples import open_draws

MOST_LETTERS = 1_500_000  # of example draws on a page
EXAMPLES = 20  # draws of an anchor, fewer where anchors are many and long
_STEPS = 65534  # 65535 is: not known
# marks, embeddings, overrides and isolates of text that runs from right to left
TURNING = {code: f"[U+{code:04X}]" for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def packed(values: Floats) -> dict[str, object]:
    """Numbers as 16 bits each between their lowest and their highest (little-endian, base64); nan is the last code."""
    flat = np.ravel(values)
    known = flat[np.isfinite(flat)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    codes = np.full(flat.shape, _STEPS + 1, "<u2")
    codes[np.isfinite(flat)] = np.rint((known - low) / ((high - low) or 1.0) * _STEPS)
    return {"low": low, "high": high, "codes": base64.b64encode(codes.tobytes()).decode()}


def card(row: Row, tracks: Tracks, examples: Sequence[str], colours: dict[str, int]) -> dict[str, Any]:
    """All that the page draws of an anchor: packed tracks, further ones by name, sites, and examples of its draws."""
    interval = row["interval"]
    kept = ("start", "end", "strand", "motif", "called", "occupancy", "occupancy_error")
    sites = [{name: _known(site[name]) for name in kept} for site in row["sites"]]
    return {
        "record": row["record"],
        "rank": row["rank"],
        "interval": interval and [interval.chromosome, interval.start, interval.end, interval.strand],
        "letters": tracks.letters,
        "p": packed(tracks.probabilities),
        "p_error": packed(tracks.letter_errors),
        "information": packed(tracks.information),
        "information_error": packed(tracks.errors),
        "more": [{"name": one.name, "unit": one.unit, "values": packed(one.values)} for one in tracks.more],
        "sites": [site | {"hue": colours.get(str(site["motif"]), 0)} for site in sites],
        "draws": list(examples),
    }


def examples_of(path: str, numbers: Sequence[int]) -> dict[int, list[str]]:
    """Some draws of the anchors of these numbers, evenly over chains and time, as letters."""
    found = dict[int, list[str]]()
    with open_draws(path) as draws:
        for number in numbers:
            codes = draws[number].codes
            length = codes.shape[-1]
            flat = codes.reshape(-1, length)
            count = min(len(flat), EXAMPLES, max(4, MOST_LETTERS // (len(numbers) * length)))
            found[number] = [decode(flat[at]) for at in np.linspace(0, len(flat) - 1, count).round().astype(int)]
    return found


def island(value: object) -> str:
    """JSON that can stand in a page: nothing in it opens or ends a tag, or turns the words around it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(TURNING)
    return text.translate({ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"})


def _known(value: object) -> object:
    return None if isinstance(value, float) and not np.isfinite(value) else value
