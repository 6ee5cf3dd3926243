"""Puts this folder on the path, for exact.py, toy.py and broken.py, and makes every run of the tests the same run."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")  # no test needs a screen

import torch
from hypothesis import settings

torch.set_num_threads(1)  # as the sampler runs
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
