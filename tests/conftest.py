"""Puts this folder on the path, for exact.py, toy.py and broken.py; one torch thread, as the sampler runs."""

import torch

torch.set_num_threads(1)
