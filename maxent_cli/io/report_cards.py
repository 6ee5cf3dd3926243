"""What the page draws an anchor's card from: plain text, and rows of numbers packed as whole ones."""

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from maxent_cli.alphabet import decode
from maxent_cli.data import Floats
from maxent_cli.io.report_inputs import Row, Track, Tracks
from maxent_cli.io.samples import open_draws

MOST_LETTERS = 1_500_000  # of example draws on a page
EXAMPLES = 20  # draws of an anchor, fewer where anchors are many and long
FINE, MIDDLING, COARSE = (
    4096,
    1024,
    256,
)  # how many different numbers a track of shares or bits, of scores, of errors has
# marks, embeddings, overrides and isolates of text that runs from right to left
TURNING = {code: f"[U+{code:04X}]" for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def packed(values: Floats, codes: int = FINE) -> dict[str, object]:
    """Numbers as whole ones below codes, (whole + offset) · step, of which 0 is one; 65535 is: not known.

    In base64 are first their lower bytes, then their higher ones, which compress better apart.
    """
    flat = np.ravel(values)
    known = flat[np.isfinite(flat)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    step = max((high - low) / (codes - 2), 1e-12 * max(abs(low), abs(high))) or 1.0
    offset = round(low / step)
    whole = np.full(flat.shape, 65535, np.uint16)
    whole[np.isfinite(flat)] = np.rint(known / step) - offset
    planes = np.concatenate([whole & 255, whole >> 8]).astype(np.uint8)
    return {"offset": offset, "step": step, "codes": base64.b64encode(planes.tobytes()).decode()}


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
        "p_error": packed(tracks.letter_errors, COARSE),
        "information": packed(tracks.information),
        "information_error": packed(tracks.errors, COARSE),
        "more": [_further(track) for track in tracks.more],
        "sites": [site | {"hue": colours.get(str(site["motif"]), 0)} for site in sites],
        "draws": list(examples),
    }


def _further(track: Track) -> Row:
    errors = None if track.errors is None else packed(track.errors, COARSE)
    return {"name": track.name, "unit": track.unit, "values": packed(track.values, MIDDLING), "errors": errors}


def examples_of(path: str, numbers: Sequence[int]) -> dict[int, list[str]]:
    """Some draws of the anchors of these numbers, evenly over chains and time, as letters."""
    found = dict[int, list[str]]()
    with open_draws(path) as draws:
        for number in numbers:
            codes = draws.drawn(number)
            length = codes.shape[-1]
            flat = codes.reshape(-1, length)
            count = min(len(flat), EXAMPLES, max(4, MOST_LETTERS // (len(numbers) * length)))
            found[number] = [decode(flat[at]) for at in np.linspace(0, len(flat) - 1, count).round().astype(int)]
    return found


def island(value: object) -> str:
    """JSON, compressed (zlib, base64): nothing in it opens or ends a tag, or turns the words around it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(TURNING)
    return base64.b64encode(zlib.compress(text.encode())).decode()


def _known(value: object) -> object:
    return None if isinstance(value, float) and not np.isfinite(value) else value
