"""Distances between sets of features [n, d]."""

import numpy as np
import torch


def frechet(a, b):
    """Fréchet distance of two sets, taken as normal distributions (Heusel et al., 2017)."""
    a, b = (x.double().numpy() for x in (a, b))
    first, second = (np.cov(x, rowvar=False) for x in (a, b))
    # tr √(AB) from the eigenvalues of the symmetric √A B √A, which has the same.
    values, vectors = np.linalg.eigh(first)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ second @ root).clip(0)).sum()
    gap = a.mean(0) - b.mean(0)
    return float(gap @ gap + np.trace(first) + np.trace(second) - 2 * cross)


def nearest(a, b):
    """For each of `a` the distance to, and the place of, the nearest of `b`."""
    return tuple(torch.cdist(a, b).min(1))
