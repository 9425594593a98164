"""Projection: many channels in a plane, with as much of their spread
as a plane can hold."""

import numpy as np


def pca(x, count=2):
    """x (N, D) -> points (N, K), directions (D, K), ratios (K,), each
    direction's fraction of the variance, largest first (Pearson, 1901;
    Hotelling, 1933). K: count."""
    # (1) the mean row becomes the origin
    centred = x - x.mean(axis=0)                      # (N, D)
    # (2) how channels vary together
    covariance = centred.T @ centred / len(x)         # (D, D)
    # (3) the directions of the largest variance
    variances, vectors = np.linalg.eigh(covariance)   # (D,), (D, D)
    variances = np.flip(variances, 0)                 # (D,)
    directions = np.flip(vectors, 1)[:, :count]       # (D, K)
    # (4) of the two ways round, that of its largest entry
    largest = np.abs(directions).argmax(axis=0)[None]         # (1, K)
    entry = np.take_along_axis(directions, largest, 0)        # (1, K)
    directions = directions * np.sign(entry)          # (D, K)
    # (5) how far each row lies in these directions
    points = centred @ directions                     # (N, K)
    ratios = variances[:count] / variances.sum()      # (K,)
    return points, directions, ratios
