"""Do two measures agree about classes, and not merely about the same photographs?

Two classifiers that see one photograph agree about that photograph, and so do means over the same
few photographs of a class. What they agree on about the class shows only between images that the
other one did not judge: half of a class's images under one measure, the other half under the other.
The same between halves of one measure is its reliability, beyond which nothing can agree with it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from sing_core.errors import ShapeError
from sing_core.maths.statistics import LEVEL, Floats, Interval

FEWEST_IMAGES = 4  # of a class: two in each half
FEWEST_CLASSES = 10
_SPLITS = 50


@dataclass(frozen=True, slots=True)
class Halves:
    """Spearman correlations over classes, each between disjoint halves of the images.

    Attributes:
        between: of the two measures; ``first`` and ``second`` of each with itself.
        classes: how many have enough images.
    """

    between: Interval
    first: Interval
    second: Interval
    classes: int


def halves(first: ArrayLike, second: ArrayLike, classes: ArrayLike, *, seed: int = 0) -> Halves:
    """Correlate class means of two measures ``(n,)`` of the same images over disjoint halves.

    Classes of fewer than four images are left out. Estimates are means over 50 random splits; the
    95 % intervals are those of a jackknife over classes, on Fisher's scale: an image takes part in
    many splits, and a permutation of class names would not know that.

    Raises:
        ShapeError: the lists differ in length, or fewer than ten classes have enough images.
    """
    label, x, y = (np.asarray(values) for values in (classes, first, second))
    if label.ndim != 1 or not label.shape == x.shape == y.shape:
        raise ShapeError(f"Not two values an image: {x.shape}, {y.shape}, {label.shape}.")
    _, place, counts = np.unique(label, return_inverse=True, return_counts=True)
    enough = counts >= FEWEST_IMAGES
    if enough.sum() < FEWEST_CLASSES:
        raise ShapeError(
            f"{int(enough.sum())} classes have {FEWEST_IMAGES} images or more: a rank correlation "
            f"needs {FEWEST_CLASSES} of them."
        )
    kept = enough[place]
    order = np.argsort(place[kept], kind="stable")
    values = np.stack([x[kept][order], y[kept][order]]).astype(np.float64)
    ranks = _ranks_of_halves(values, counts[enough], np.random.default_rng(seed))
    (xa, xb), (ya, yb) = ranks
    return Halves(
        _correlation([(xa, yb), (xb, ya)]),
        _correlation([(xa, xb)]),
        _correlation([(ya, yb)]),
        int(enough.sum()),
    )


def _ranks_of_halves(values: Floats, counts: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Return ranks over classes of both halves' means, ``(2 measures, 2 halves, splits, c)``."""
    starts = np.cumsum(counts) - counts
    classes = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(values.shape[1]) - np.repeat(starts, counts)
    first = within < np.repeat(counts // 2, counts)
    means = np.empty((2, 2, _SPLITS, len(counts)))
    for split in range(_SPLITS):
        shuffled = np.lexsort((rng.random(len(classes)), classes))
        mixed = values[:, shuffled]
        for half, own in enumerate((first, ~first)):
            sums = np.add.reduceat(np.where(own, mixed, 0.0), starts, axis=1)
            means[:, half, split] = sums / np.bincount(classes[own], minlength=len(counts))
    ranked: Floats = stats.rankdata(means, axis=-1)
    return ranked


def _correlation(pairs: "list[tuple[Floats, Floats]]") -> Interval:
    """Return the mean correlation of pairs of ranks ``(splits, c)``, jackknifed over classes."""
    whole = float(np.mean([_pearson(a, b) for a, b in pairs]))
    left = np.mean([_left_out(a, b).mean(axis=0) for a, b in pairs], axis=0)
    count = len(left)
    centre = float(np.arctanh(np.clip(whole, -0.999, 0.999)))
    each = np.arctanh(np.clip(left, -0.999, 0.999))
    error = float(np.sqrt((count - 1) / count * ((each - each.mean()) ** 2).sum()))
    if error == 0:
        return Interval(whole, None, None, count)
    half = float(stats.t.isf((1 - LEVEL) / 2, count - 1)) * error
    p = float(2 * stats.t.sf(abs(centre) / error, count - 1))
    low, high = (float(np.tanh(centre + side * half)) for side in (-1, 1))
    return Interval(whole, low, high, count, p)


def _pearson(a: Floats, b: Floats) -> Floats:
    """Return the correlations of rows of ``a`` and ``b`` ``(splits, c)``; 0 of constant ones."""
    x, y = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    return _ratio((x * y).sum(axis=1), (x**2).sum(axis=1), (y**2).sum(axis=1))


def _left_out(a: Floats, b: Floats) -> Floats:
    """Return the same without each of the ``c`` classes in turn, ``(splits, c)``."""
    x, y = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    scale = x.shape[1] / (x.shape[1] - 1)  # a sum of squares about 0 loses this much of its own
    parts = [
        products.sum(axis=1, keepdims=True) - scale * products for products in (x * y, x**2, y**2)
    ]
    return _ratio(*parts)


def _ratio(products: Floats, first: Floats, second: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.nan_to_num(products / np.sqrt(first * second))
    return found
