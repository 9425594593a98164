"""Projection: many channels in a plane, with as much of their spread
as a plane can hold."""

import numpy as np


def pca(x, count=2):
    """x (M, I) -> points (M, O), directions (I, O), ratios (O,), each
    direction's fraction of the variance, largest first (Pearson, 1901;
    Hotelling, 1933). O: count."""
    # (1) the mean row becomes the origin
    centred = x - x.mean(axis=0)                      # (M, I)
    # (2) how channels vary together
    covariance = centred.T @ centred / len(x)         # (I, I)
    # (3) the directions of the largest variance
    variances, vectors = np.linalg.eigh(covariance)   # (I,), (I, I)
    variances = np.flip(variances, 0)                 # (I,)
    directions = np.flip(vectors, 1)[:, :count]       # (I, O)
    # (4) of the two ways round, that of its largest entry
    largest = np.abs(directions).argmax(axis=0)[None]         # (1, O)
    entry = np.take_along_axis(directions, largest, 0)        # (1, O)
    directions = directions * np.sign(entry)          # (I, O)
    # (5) how far each row lies in these directions
    points = centred @ directions                     # (M, O)
    ratios = variances[:count] / variances.sum()      # (O,)
    return points, directions, ratios
