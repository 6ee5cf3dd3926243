"""Sample sets made in memory: draws of independent positions, that may hold their letters from draw to draw."""

import numpy as np

from maxent_cli.data import Replicas, SampleSet


def independent_draws(rng, law, chains, draws, hold=0.0):
    """Codes (C, D, L) of law (L, 4); each letter is kept from the draw before with probability hold."""
    edges = np.cumsum(law, axis=1)[:, :3]
    codes = (rng.random((chains, draws, len(law), 1)) > edges).sum(axis=-1).astype(np.uint8)
    for draw in range(1, draws):
        kept = rng.random((chains, len(law))) < hold
        codes[:, draw] = np.where(kept, codes[:, draw - 1], codes[:, draw])
    return codes


def no_replicas(chains, length):
    """A ladder without replicas."""
    nothing = np.zeros((chains, 0, 0))
    return Replicas(np.zeros(0), nothing, nothing, np.zeros((chains, 0, length, 4), np.uint32), np.zeros((0, 0)))


def sample_set(codes, background=None, **given):
    """A sample set around draws (C, D, L); what is not given is plain."""
    shape = codes.shape[:2]
    plain = {
        "name": "anchor",
        "interval": None,
        "anchor": codes[0, 0],
        "energy": np.random.default_rng(7).normal(size=shape),
        "output": np.random.default_rng(8).normal(size=shape),
        "background": np.full((codes.shape[2], 4), 0.25) if background is None else background,
        "mutable": np.ones(codes.shape[2], bool),
        "beta": 10.0,
        "anchor_output": 4.0,
        "energy_background": 5.0,
        "output_background": np.array([-1.0, 0.0, 1.0]),
        "thin": 100,
        "acceptance": 0.4,
        "kernel": "full passes",
        "drift_start": 0.0,
        "drift": 0.0,
        "replicas": no_replicas(shape[0], codes.shape[2]),
    }
    return SampleSet(codes=codes, **(plain | given))
