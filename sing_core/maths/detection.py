"""How well a score tells some images from others: AUROC with intervals over classes, FPR at 95 %.

The unit of chance is the class, as everywhere: photos of one class resemble each other. The ``p``
of an AUROC is of "it is one half", that of a difference of two of "they are equal".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from sing_core.errors import ShapeError
from sing_core.maths.statistics import LEVEL, Floats, Interval, clustered_ratio

FOUND = 0.95  # of those that are looked for, at the threshold of the false alarms
CHANCE = 0.5


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

    def times(self, sign: float) -> "Sample":
        """Return the same with every score multiplied: -1 turns an alarm round."""
        return Sample(sign * self.scores, self.classes)


def auroc(usual: Sample, other: Sample) -> Interval:
    """Return how often a score of ``other`` is above one of ``usual``; half of the ties count.

    The 95 % interval is that of DeLong's components, summed by class (Obuchowski, 1997).
    """
    parts = _components(usual, other)
    found = _by_class(float(parts[1].mean()), parts, usual, other, of=CHANCE)
    low, high = (
        None if end is None else min(1.0, max(0.0, end)) for end in (found.low, found.high)
    )
    return replace(found, low=low, high=high)


def auroc_difference(
    first: tuple[Sample, Sample], second: tuple[Sample, Sample], *, tests: int = 1
) -> Interval:
    """Return the AUROC of one score minus that of another, on the same images.

    Each is a pair of ``usual`` and ``other``. What both scores make of an image is subtracted
    before anything is squared: of two that agree, little is left. The interval is as wide as a
    choice among ``tests`` such differences asks (Bonferroni).

    Raises:
        ShapeError: the two are not of as many images.
    """
    if any(len(a.scores) != len(b.scores) for a, b in zip(first, second, strict=True)):
        raise ShapeError("Two scores are compared on the same images.")
    left, right = (a - b for a, b in zip(_components(*first), _components(*second), strict=True))
    return _by_class(float(right.mean()), (left, right), *first, tests=tests)


def compared(sample: Sample, looked_for: ArrayLike) -> NDArray[np.bool_]:
    """Return ``(n,)`` which images are of a class that has both kinds: these alone are compared.

    Raises:
        ShapeError: there is not one entry an image.
    """
    wanted = np.asarray(looked_for, dtype=bool)
    if wanted.shape != sample.scores.shape:
        raise ShapeError(f"One entry an image is needed, got {wanted.shape}.")
    _, place = np.unique(sample.classes, return_inverse=True)
    both = (np.bincount(place, weights=wanted) > 0) & (np.bincount(place, weights=~wanted) > 0)
    found: NDArray[np.bool_] = both[place]
    return found


def within_auroc(sample: Sample, looked_for: ArrayLike) -> Interval:
    """Return the same for images of one class: pairs of a class, one of them ``looked_for``.

    Which class an image is of can then not be what tells them apart. Not a number, without an
    interval, where no class has both kinds.

    Raises:
        ShapeError: there is not one entry an image.
    """
    wins, pairs, names = _wins(sample, looked_for)
    if not len(names):
        return Interval(float("nan"), None, None, 0)
    found = clustered_ratio(wins - CHANCE * pairs, pairs, names)  # its p is of chance
    low, high = (None if end is None else CHANCE + end for end in (found.low, found.high))
    told = replace(found, estimate=CHANCE + found.estimate, low=low, high=high)
    if found.p is None and low is not None:  # every class says exactly the same
        return _of_one_mind(told, abs(found.estimate))
    return told


def within_difference(
    first: Sample, second: Sample, looked_for: ArrayLike, *, tests: int = 1
) -> Interval:
    """Return the AUROC of one score minus that of another, both within classes.

    By a t interval of what the classes add to it, as wide as a choice among ``tests`` such
    differences asks (Bonferroni). Not a number where no class has both kinds.

    Raises:
        ShapeError: there is not one entry an image.
    """
    (one, pairs, names), (two, _, _) = (_wins(s, looked_for) for s in (first, second))
    if not len(names):
        return Interval(float("nan"), None, None, 0)
    gap = float((one - two).sum() / pairs.sum())
    lead = one - two - gap * pairs
    count = len(names)
    error = float(lead.std(ddof=1) / np.sqrt(count) / pairs.mean()) if count > 1 else 0.0
    return _interval(gap, error, count, tests=tests)


def false_alarms(usual: Sample, other: Sample, found: float = FOUND) -> float:
    """Return the share of ``usual`` at or above the score that ``found`` of ``other`` reach."""
    threshold = np.quantile(other.scores, 1 - found, method="lower")
    return float((usual.scores >= threshold).mean())


_ROUNDING = 1e-12  # of a share


def _interval(
    estimate: float, error: float, clusters: int, *, of: float = 0.0, tests: int = 1
) -> Interval:
    """Return a t interval with the p of "it is ``of``"; of one class there is none."""
    if clusters < 2:
        return Interval(estimate, None, None, clusters)
    freedom, away = clusters - 1, abs(estimate - of)
    if error <= _ROUNDING:
        return _of_one_mind(Interval(estimate, estimate, estimate, clusters), away)
    half = float(stats.t.isf((1 - LEVEL) / 2 / tests, freedom) * error)
    p = float(2 * stats.t.sf(away / error, freedom))
    return Interval(estimate, estimate - half, estimate + half, clusters, p)


def _of_one_mind(found: Interval, away: float) -> Interval:
    """Return an interval of classes that all say the same, ``away`` from what is tested.

    Their spread says nothing then. By chance they are on one side as coins are; of so few that this
    is no surprise, whose sums may agree by accident, there is no interval.
    """
    if away < _ROUNDING:
        return replace(found, p=1.0)
    p = 2.0 ** (1 - found.clusters)
    return replace(found, p=p) if p <= 1 - LEVEL else replace(found, low=None, high=None, p=None)


def _components(usual: Sample, other: Sample) -> tuple[Floats, Floats]:
    """Return what share of ``other`` is above each of ``usual``, and of ``usual`` below each."""
    above = 1 - _placements(other.scores, usual.scores)
    return above, _placements(usual.scores, other.scores)


def _by_class(
    estimate: float,
    parts: Sequence[Floats],
    usual: Sample,
    other: Sample,
    *,
    of: float = 0.0,
    tests: int = 1,
) -> Interval:
    left, right = (_square_error(v, s) for v, s in zip(parts, (usual, other), strict=True))
    clusters = min(len(np.unique(usual.classes)), len(np.unique(other.classes)))
    return _interval(estimate, float(np.sqrt(left + right)), clusters, of=of, tests=tests)


def _wins(sample: Sample, looked_for: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return of each class with both kinds how many pairs are told apart, and of how many."""
    wanted, both = np.asarray(looked_for, dtype=bool), compared(sample, looked_for)
    wins, pairs, names = [], [], np.unique(sample.classes[both])
    for name in names:
        own = sample.classes == name
        found, others = sample.scores[own & wanted], sample.scores[own & ~wanted]
        wins.append(float(_placements(others, found).sum() * len(others)))
        pairs.append(float(len(found) * len(others)))
    return np.array(wins), np.array(pairs), names


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
