"""Where a figure of one subspace stands among the same figure of random ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from sing_core.errors import ShapeError
from sing_core.maths.statistics import LEVEL, Interval, cluster_means


@dataclass(frozen=True, slots=True)
class AmongDraws:
    """A figure of one subspace beside the same figure of random ones.

    Attributes:
        difference: the figure minus the mean of the draws.
        rank: its place among them in ascending order, 1 to ``draws + 1``.
        draws: how many there are.
    """

    difference: Interval
    rank: int
    draws: int


def among_draws(own: ArrayLike, draws: ArrayLike, clusters: ArrayLike) -> AmongDraws:
    """Hold the clustered mean of ``own`` ``(n,)`` against those of random ``draws`` ``(n, k)``.

    Were ``own`` one more draw, it would differ from their mean by the draws' own spread, however
    many images there are. The 95 % interval contains that spread beside the spread of the classes;
    its degrees of freedom follow Satterthwaite. A verdict from the classes alone would call most
    random subspaces larger or smaller than the others.

    Raises:
        ShapeError: the lists differ in length, are empty, or there are fewer than two draws.
    """
    each = np.asarray(draws, dtype=np.float64)
    if each.ndim != 2 or each.shape[1] < 2:
        raise ShapeError(f"At least two draws of every value are needed, got shape {each.shape}.")
    means = np.stack(cluster_means(clusters, own, *each.T))  # (1 + k, classes)
    figure, others, count = means[0].mean(), means[1:].mean(axis=1), len(each.T)
    gaps = means[0] - means[1:].mean(axis=0)
    rank = 1 + int((others < figure).sum())
    estimate = float(gaps.mean())
    if len(gaps) < 2:
        return AmongDraws(Interval(estimate, None, None, len(gaps)), rank, count)
    parts = np.array([gaps.var(ddof=1) / len(gaps), others.var(ddof=1) * (1 + 1 / count)])
    half = 0.0
    if parts.any():
        freedom = parts.sum() ** 2 / (parts**2 / [len(gaps) - 1, count - 1]).sum()
        half = float(stats.t.isf((1 - LEVEL) / 2, freedom) * np.sqrt(parts.sum()))
    found = Interval(estimate, estimate - half, estimate + half, len(gaps))
    return AmongDraws(found, rank, count)
