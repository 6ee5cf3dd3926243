"""Sequences of a known grammar, and BPNets trained on it: one whose labels heed the spacing, and a twin's do not.

Three words are planted on either strand. `one` and `two` raise the label by one each; where `two` follows `one` on the
same strand about SPACING bp on, a spaced network's labels rise by PREFERENCE more. `decoy` does nothing. Half of the
pairs stand so and half anyhow, in the sequences of both networks.
"""

import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from maxent_cli.alphabet import Codes, encode, reverse_complement
from maxent_cli.data import Floats
from workflows.benchmark.today import BPNet

WORDS = {"one": "CGTTAGTC", "two": "CTGGGGTT", "decoy": "GAACATGG"}  # unlike each other and themselves on either strand
LENGTH, WIDEST = 200, 30  # bp; the second between facing ends
SPACING, TOLERANCE, PREFERENCE = 10, 2.0, 2.0  # bp, bp, output
PRESENT, PREFERRED, ERRORS = 0.7, 0.5, 0.05  # shares of sequences, of pairs, of a site's letters
FILTERS, LAYERS, BATCH = 64, 5, 64
KINDS = ("spaced", "twin")


def label(places: NDArray[np.int64], kind: str) -> Floats:
    """Labels (n,) of what is planted (n, 4): one, two, bp from one to two (-1: not so), decoy."""
    near = np.where(places[:, 2] < 0, 0.0, np.exp(-np.square((places[:, 2] - SPACING) / TOLERANCE)))
    return np.asarray(places[:, 0] + places[:, 1] + PREFERENCE * near * (kind == "spaced"))


def simulated(count: int, random: np.random.Generator) -> tuple[Codes, NDArray[np.int64]]:
    """Codes (n, L), and what is planted (n, 4), as `label` takes it."""
    codes, places = random.integers(0, 4, (count, LENGTH), np.uint8), np.zeros((count, 4), np.int64)
    for row in range(count):
        one, two, decoy = random.random(3) < PRESENT
        pieces, apart = _pair(random) if one and two else (_site("one" if one else "two", random), -1)
        if one or two:
            codes[row] = _put(codes[row], pieces, random, 0)
        if decoy:
            codes[row] = _put(codes[row], _site("decoy", random), random, 1)
        places[row] = one, two, apart, decoy
    return codes, places


def _pair(random: np.random.Generator) -> tuple[Codes, int]:
    """Both words and what is between them (w,); bp from one to two on one's strand, or -1."""
    preferred = random.random() < PREFERRED
    apart = SPACING if preferred else int(random.integers(0, WIDEST + 1))
    gap = random.integers(0, 4, apart, np.uint8)
    sites = [_noisy(encode(WORDS[name]), random) for name in ("one", "two")]
    if preferred:
        return _turned(np.concatenate([sites[0], gap, sites[1]]), random), apart
    first, turn = random.integers(0, 2, 2)  # of four arrangements
    other = sites[1] if not turn else reverse_complement(sites[1])
    ordered = (sites[0], gap, other) if not first else (other, gap, sites[0])
    return _turned(np.concatenate(ordered), random), apart if not first and not turn else -1


def _site(name: str, random: np.random.Generator) -> Codes:
    return _turned(_noisy(encode(WORDS[name]), random), random)


def _noisy(word: Codes, random: np.random.Generator) -> Codes:
    return np.where(random.random(len(word)) < ERRORS, random.integers(0, 4, len(word), np.uint8), word)


def _turned(piece: Codes, random: np.random.Generator) -> Codes:
    return reverse_complement(piece) if random.random() < 0.5 else piece


def _put(codes: Codes, piece: Codes, random: np.random.Generator, half: int) -> Codes:
    """The codes (L,) with a piece in their first 140 letters, or their last 60, so that nothing overlaps."""
    low, high = ((0, 140), (140, LENGTH))[half]
    start = int(random.integers(low, high - len(piece) + 1))
    return np.concatenate([codes[:start], piece, codes[start + len(piece) :]])


def one_hot(codes: Codes) -> torch.Tensor:
    """(n, L) to (n, 4, L)."""
    return functional.one_hot(torch.from_numpy(codes.astype(np.int64)), 4).float().transpose(1, 2)


def trained(kind: str, seconds: float, folder: Path) -> nn.Module:
    """The network of a kind, after so many CPU seconds of training; its weights are kept in the folder."""
    torch.manual_seed(1)
    model, path = BPNet(LENGTH, FILTERS, LAYERS), folder / f"{kind}.pt"
    if path.exists():
        model.load_state_dict(torch.load(path, weights_only=True))
        return model.eval()
    random, optimizer, started = (
        np.random.default_rng(1),
        torch.optim.Adam(model.parameters(), 2e-3),
        time.process_time(),
    )
    while (done := (time.process_time() - started) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (1 - done) + 2e-5
        codes, places = simulated(BATCH, random)
        wanted = torch.from_numpy(label(places, kind)).float()
        loss = functional.mse_loss(model(one_hot(codes))[:, 0], wanted)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    torch.save(model.state_dict(), path)
    return model.eval()


def learned(model: nn.Module, kind: str) -> dict[str, float]:
    """On 2,000 new sequences: r with the labels; how much more pairs at SPACING give than others, and its error."""
    codes, places = simulated(2000, np.random.default_rng(2))
    with torch.no_grad():
        output = model(one_hot(codes))[:, 0].numpy()
    both = (places[:, 0] == 1) & (places[:, 1] == 1)
    preferred, others = output[both & (places[:, 2] == SPACING)], output[both & (places[:, 2] < 0)]
    error = np.hypot(preferred.std() / np.sqrt(len(preferred)), others.std() / np.sqrt(len(others)))
    r = np.corrcoef(output, label(places, kind))[0, 1]
    return {"r": float(r), "preference": float(preferred.mean() - others.mean()), "preference_error": float(error)}
