"""Projection: many channels in a plane, with as much of their spread
as a plane can hold."""

import torch


def pca(x, count=2):
    """x (N, D) -> points (N, K), directions (D, K), ratios (K,), each
    direction's fraction of the variance, largest first (Pearson, 1901;
    Hotelling, 1933). K: count."""
    # (1) the mean row becomes the origin
    centred = x - x.mean(dim=0)                      # (N, D)
    # (2) how channels vary together
    covariance = centred.T @ centred / len(x)         # (D, D)
    # (3) the directions of the largest variance
    variances, vectors = torch.linalg.eigh(covariance)  # (D,), (D, D)
    variances = variances.flip(0)                     # (D,)
    directions = vectors.flip(1)[:, :count]           # (D, K)
    # (4) of the two ways round, that of its largest entry
    largest = directions.abs().argmax(dim=0)[None]            # (1, K)
    entry = torch.take_along_dim(directions, largest, 0)      # (1, K)
    directions = directions * torch.sign(entry)       # (D, K)
    # (5) how far each row lies in these directions
    points = centred @ directions                     # (N, K)
    ratios = variances[:count] / variances.sum()      # (K,)
    return points, directions, ratios
