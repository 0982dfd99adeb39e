"""How well a score tells some images from others: AUROC with intervals over classes, FPR at 95 %.

The unit of chance is the class, as everywhere: photos of one class resemble each other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from sing_core.errors import ShapeError
from sing_core.maths.statistics import LEVEL, Floats, Interval, clustered_ratio

FOUND = 0.95  # of those that are looked for, at the threshold of the false alarms


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Scores ``(n,)`` of images and the classes ``(n,)`` that they are of."""

    scores: Floats
    classes: Floats

    @classmethod
    def of(cls, scores: ArrayLike, classes: ArrayLike) -> "Sample":
        """Check that there is one class an image.

        Raises:
            ShapeError: the lists differ in length or are empty.
        """
        values, names = np.asarray(scores, dtype=np.float64), np.asarray(classes)
        if values.ndim != 1 or values.shape != names.shape or not len(values):
            raise ShapeError(f"Scores need one class each, got {values.shape} and {names.shape}.")
        return cls(values, names)


def auroc(usual: Sample, other: Sample) -> Interval:
    """Return how often a score of ``other`` is above one of ``usual``; half of the ties count.

    The 95 % interval is that of DeLong's components, summed by class (Obuchowski, 1997).
    """
    below, above = _placements(usual.scores, other.scores), _placements(other.scores, usual.scores)
    estimate = float(below.mean())
    left, right = (_square_error(v, s) for v, s in ((1 - above, usual), (below, other)))
    clusters = min(len(np.unique(usual.classes)), len(np.unique(other.classes)))
    if clusters < 2:
        return Interval(estimate, None, None, clusters)
    half = float(stats.t.isf((1 - LEVEL) / 2, clusters - 1) * np.sqrt(left + right))
    return Interval(estimate, max(0.0, estimate - half), min(1.0, estimate + half), clusters)


def within_auroc(sample: Sample, looked_for: ArrayLike) -> Interval:
    """Return the same for images of one class: pairs of a class, one of them ``looked_for``.

    Which class an image is of can then not be what tells them apart. Not a number, without an
    interval, where no class has both kinds.

    Raises:
        ShapeError: there is not one entry an image.
    """
    wanted = np.asarray(looked_for, dtype=bool)
    if wanted.shape != sample.scores.shape:
        raise ShapeError(f"One entry an image is needed, got {wanted.shape}.")
    wins, pairs, names = [], [], []
    for name in np.unique(sample.classes):
        own = sample.classes == name
        found, others = sample.scores[own & wanted], sample.scores[own & ~wanted]
        if len(found) and len(others):
            wins.append(float(_placements(others, found).sum() * len(others)))
            pairs.append(float(len(found) * len(others)))
            names.append(name)
    if not names:
        return Interval(float("nan"), None, None, 0)
    return clustered_ratio(wins, pairs, names)


def false_alarms(usual: Sample, other: Sample, found: float = FOUND) -> float:
    """Return the share of ``usual`` at or above the score that ``found`` of ``other`` reach."""
    threshold = np.quantile(other.scores, 1 - found, method="lower")
    return float((usual.scores >= threshold).mean())


def _placements(among: Floats, values: Floats) -> Floats:
    """Return for each of ``values`` the share of ``among`` below it, ties by half."""
    order = np.sort(among)
    below, up_to = (np.searchsorted(order, values, side=side) for side in ("left", "right"))
    share: Floats = (below + up_to) / (2 * len(among))
    return share


def _square_error(components: Floats, sample: Sample) -> float:
    """Return the variance of the mean of ``components``, by classes."""
    _, place = np.unique(sample.classes, return_inverse=True)
    sums = np.bincount(place, weights=components - components.mean())
    count = len(sums)
    return float((sums**2).sum() / len(components) ** 2 * count / max(1, count - 1))
