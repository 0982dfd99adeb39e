"""Where a figure stands among draws: of one subspace among random ones, of a name among others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from sing_core.errors import ShapeError
from sing_core.maths.statistics import (
    FAMILY_WISE_ERROR,
    LEVEL,
    Floats,
    Interval,
    cluster_means,
    student,
)


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
    figure, others = means[0].mean(), means[1:].mean(axis=1)
    gaps = means[0] - means[1:].mean(axis=0)
    rank = 1 + int((others < figure).sum())
    return AmongDraws(_with_both(gaps, others), rank, len(others))


def one_draw(draws: ArrayLike, clusters: ArrayLike) -> Interval:
    """Return the mean of random ``draws`` ``(n, k)``, with an interval for one more of them.

    It contains the spread of the draws beside that of the classes, as ``among_draws`` has it: 95 %
    of the subspaces that could have been drawn lie in it, for other images too.

    Raises:
        ShapeError: the lists differ in length, are empty, or there are fewer than two draws.
    """
    each = np.asarray(draws, dtype=np.float64)
    if each.ndim != 2 or each.shape[1] < 2:
        raise ShapeError(f"At least two draws of every value are needed, got shape {each.shape}.")
    means = np.stack(cluster_means(clusters, *each.T))  # (k, classes)
    return _with_both(means.mean(axis=0), means.mean(axis=1))


def _with_both(by_class: Floats, by_draw: Floats) -> Interval:
    """Return the mean of ``by_class`` ``(c,)``; the interval is for one more of ``by_draw``."""
    estimate, classes, count = float(by_class.mean()), len(by_class), len(by_draw)
    if classes < 2:
        return Interval(estimate, None, None, classes)
    parts = np.array([by_class.var(ddof=1) / classes, by_draw.var(ddof=1) * (1 + 1 / count)])
    half = 0.0
    if parts.any():
        freedom = parts.sum() ** 2 / (parts**2 / [classes - 1, count - 1]).sum()
        half = float(stats.t.isf((1 - LEVEL) / 2, freedom) * np.sqrt(parts.sum()))
    return Interval(estimate, estimate - half, estimate + half, classes)


@dataclass(frozen=True, slots=True, eq=False)
class AmongNames:
    """How far each of ``g`` groups stands out with its own name among ``k`` foreign ones.

    Attributes:
        mean: ``(g,)`` mean of its images.
        p: ``(g,)`` two-sided, of "its own name is one like any other, or its images do not agree";
            not a number for a group of one image.
        foreign_p: ``(g, k)`` the same, of each foreign name in place of its own.
        detectable: ``(g,)`` how large the mean would have to be for this group to be the one that
            stands out: half its interval (``interval_among_names``) at the level 5 % over the
            number of groups of several images; not a number where ``p`` is none.
    """

    mean: Floats
    p: Floats
    foreign_p: Floats
    detectable: Floats


def among_names(own: ArrayLike, foreign: ArrayLike, groups: ArrayLike) -> AmongNames:
    """Hold the group means of ``own`` ``(n,)`` against those of the ``foreign`` names ``(n, k)``.

    Both are contrasts: their mean over all names is 0 for every image. A t test over images alone
    finds nearly any name somewhere else than the average one, and so says nothing about the own
    one. Hence two tests, of which the larger p counts: the images of the group agree, and the name
    lies further out than foreign names do (a prediction interval: were the own name one of these,
    its p would be uniform).

    Groups are returned in the order of their sorted labels ``(n,)``.

    Raises:
        ShapeError: the lists differ in length, or are empty.
    """
    labels, values = np.asarray(groups), np.asarray(own, dtype=np.float64)
    others = np.asarray(foreign, dtype=np.float64)
    if not labels.size or values.shape != labels.shape or others.shape[:1] != labels.shape:
        raise ShapeError(f"Not one own and foreign name an image: {values.shape}, {others.shape}.")
    order = np.argsort(labels, kind="stable")
    _, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    both = np.column_stack([values, others])[order]
    n = counts[:, None]
    means = np.add.reduceat(both, starts, axis=0) / n
    squares = np.add.reduceat((both - np.repeat(means, counts, axis=0)) ** 2, starts, axis=0)
    spread = np.sqrt(squares / np.maximum(n - 1, 1))
    _, _, agree = student(means, spread, n)
    p = np.maximum(agree, _out_of_line(means))
    return AmongNames(means[:, 0], p[:, 0], p[:, 1:], _detectable(means, spread[:, 0], counts))


def _detectable(means: Floats, spread: Floats, counts: "NDArray[np.int64]") -> Floats:
    """Return how large each of the own ``means`` ``(g, 1 + k)`` would have to be.

    ``spread`` ``(g,)`` is the standard deviation over the ``counts`` images of each group.
    """
    foreign, several = means[:, 1:], counts > 1
    if not foreign.size or not several.any():
        return np.full(len(means), np.nan)
    tail = FAMILY_WISE_ERROR / several.sum() / 2
    agree = stats.t.isf(tail, np.maximum(counts - 1, 1)) * spread / np.sqrt(counts)
    out = stats.t.isf(tail, foreign.shape[1]) * np.sqrt((foreign**2).mean(axis=1))
    return np.where(several, np.maximum(agree, out), np.nan)


def interval_among_names(own: ArrayLike, foreign: ArrayLike, level: float = LEVEL) -> Interval:
    """Return the mean of one group's ``own`` ``(n,)`` with an interval that ``foreign`` widens.

    ``foreign`` ``(n, k)`` as in ``among_names``, and so are the two tests: the interval of the
    ``level`` lies on one side of 0 exactly where the larger p is below ``1 - level``. Of one image
    or without a foreign name there is none.

    Raises:
        ShapeError: the two are not of the same images, or there are none.
    """
    values, others = np.asarray(own, dtype=np.float64), np.asarray(foreign, dtype=np.float64)
    if values.ndim != 1 or not values.size or others.ndim != 2 or len(others) != len(values):
        raise ShapeError(f"Not one own and foreign name an image: {values.shape}, {others.shape}.")
    (n, k), middle = others.shape, float(values.mean())
    if n < 2 or not k:
        return Interval(middle, None, None, n)
    tail = (1 - level) / 2
    agree = stats.t.isf(tail, n - 1) * values.std(ddof=1) / np.sqrt(n)
    out = stats.t.isf(tail, k) * np.sqrt((others.mean(axis=0) ** 2).mean())
    half = float(max(agree, out))
    return Interval(middle, middle - half, middle + half, n)


def _out_of_line(means: Floats) -> Floats:
    """Return the p of each of ``means`` ``(g, 1 + k)`` among the foreign ones, about 0.

    A foreign name is not held against itself. Without another one it is not a number.
    """
    squares = means[:, 1:] ** 2
    total, count = squares.sum(axis=1, keepdims=True), squares.shape[1]
    others = np.column_stack([total, np.maximum(total - squares, 0)])
    freedom = np.array([count, *[count - 1] * count], dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = 2 * stats.t.sf(np.abs(means) / np.sqrt(others / freedom), freedom)
    return found
