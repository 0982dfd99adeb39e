"""Intervals, tests and corrections that the leakage tables stand on; SciPy does the arithmetic.

The unit of chance is the class: photos of one class resemble each other, so that a figure over many
classes is resampled by class, and every class counts once however many photos it has.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from sing_core.errors import ShapeError

DRAWS = 2_000
LEVEL = 0.95
FALSE_DISCOVERY_RATE = 0.05
FAMILY_WISE_ERROR = 0.05
FEWEST_FOR_BCA = 20
_ROUNDING = 1e-14  # of the largest value: classes that differ by less are alike
_BATCH = 50  # resamples at once: memory is this many times the values

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its interval, in the unit of what was estimated.

    Attributes:
        estimate: the value on the data.
        low: lower end; None (like ``high``) where one class alone cannot give an interval.
        high: upper end.
        clusters: number of classes that it rests on, or of images where each counts for itself.
        p: two-sided, of "it is 0", by a t test over classes; None where there is none.
    """

    estimate: float
    low: float | None
    high: float | None
    clusters: int
    p: float | None = field(default=None, compare=False)  # follows from what the rest rests on

    @property
    def decided(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def times(self, factor: float) -> "Interval":
        """Return the same in another unit, ``factor > 0`` of which make one of this."""
        low, high = (None if end is None else factor * end for end in (self.low, self.high))
        return Interval(factor * self.estimate, low, high, self.clusters, self.p)


def clustered_mean(
    values: ArrayLike, clusters: ArrayLike, *, draws: int = DRAWS, seed: int = 0
) -> Interval:
    """Return the mean over classes of the class means of ``values`` ``(n,)``.

    ``clusters`` ``(n,)`` are the classes. The 95 % interval is a BCa bootstrap over classes; of
    fewer than 20 it covers too little (0.68 of three, 0.84 of five), and a t interval is given.

    Raises:
        ShapeError: the two are not lists of one length, or empty.
    """
    (means,) = cluster_means(clusters, values)
    return _bootstrap((means,), draws, seed)


def mean_over_images(
    values: ArrayLike, clusters: ArrayLike, *, draws: int = DRAWS, seed: int = 0
) -> Interval:
    """Return the mean of ``values`` ``(n,)``, in which every image counts alike.

    For measures of a translator. The interval is over classes all the same: ``clusters`` ``(n,)``
    are resampled whole, with as many images as each has; see ``clustered_mean``.

    Raises:
        ShapeError: the two are not lists of one length, or empty.
    """
    (means,) = cluster_means(clusters, values)
    counts = np.unique(np.asarray(clusters), return_counts=True)[1].astype(np.float64)
    return _bootstrap((means * counts, counts), draws, seed)


def clustered_ratio(
    numerator: ArrayLike,
    denominator: ArrayLike,
    clusters: ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """Return the ratio of two clustered means, both resampled by the same classes.

    Of fewer than 20 classes a t interval of what is left of the linearised ratio is given.

    Arguments are ``(n,)`` each. Where the denominator is 0 throughout the ratio is not a number.

    Raises:
        ShapeError: the lists differ in length, or are empty.
    """
    means = cluster_means(clusters, numerator, denominator)
    if not means[1].any():
        return Interval(float("nan"), None, None, len(means[1]))
    return _bootstrap(means, draws, seed)


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    clusters: ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """Return the clustered mean of ``first - second`` ``(n,)``, measured on the same photos.

    Raises:
        ShapeError: the lists differ in length, or are empty.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise ShapeError(f"Pairs need equal lengths, got {a.shape} and {b.shape}.")
    return clustered_mean(a - b, clusters, draws=draws, seed=seed)


def cluster_means(clusters: ArrayLike, *values: ArrayLike) -> tuple[Floats, ...]:
    """Return the class means ``(k,)`` of each list of ``values`` ``(n,)``, in one order.

    Raises:
        ShapeError: the lists differ in length, or are empty.
    """
    names = np.asarray(clusters)
    lists = [np.asarray(v, dtype=np.float64) for v in values]
    if names.ndim != 1 or not len(names) or any(v.shape != names.shape for v in lists):
        shapes = ", ".join(str(v.shape) for v in lists)
        raise ShapeError(f"Values and their classes need one length, got {shapes}, {names.shape}.")
    _, index = np.unique(names, return_inverse=True)
    counts = np.bincount(index)
    return tuple(np.bincount(index, weights=v) / counts for v in lists)


def student(
    mean: ArrayLike, sd: ArrayLike, n: ArrayLike, *, level: float = LEVEL
) -> tuple[Floats, Floats, Floats]:
    """Return lower and upper ends of t intervals and the two-sided p of "the mean is 0".

    ``mean``, sample ``sd`` and ``n`` are ``(k,)``, one entry per class or concept. An entry
    with one photo, or without any spread, has no interval: not a number.
    """
    centre, error, freedom = _standard_errors(mean, sd, n)
    with np.errstate(invalid="ignore"):
        half = stats.t.isf((1 - level) / 2, freedom) * error
        p = 2 * stats.t.sf(np.abs(centre / error), freedom)
    return centre - half, centre + half, p


def equivalence_p(mean: ArrayLike, sd: ArrayLike, n: ArrayLike, bound: float) -> Floats:
    """Return the p of "the mean lies outside ±bound" by two one-sided t tests (TOST), ``(k,)``.

    A small p says that the mean is as good as 0; a failed test of "it is 0" never says that.

    Raises:
        ShapeError: ``bound`` is not positive.
    """
    if not bound > 0:
        raise ShapeError(f"Equivalence needs a positive bound, got {bound}.")
    centre, error, freedom = _standard_errors(mean, sd, n)
    above = stats.t.sf((centre + bound) / error, freedom)  # of "the mean is at most -bound"
    larger: Floats = np.maximum(above, below_p(mean, sd, n, bound))
    return larger


def below_p(mean: ArrayLike, sd: ArrayLike, n: ArrayLike, bound: float) -> Floats:
    """Return the p of "the mean is at least ``bound``" by one-sided t tests, ``(k,)``.

    An entry with one photo, or without any spread, has none: not a number.
    """
    centre, error, freedom = _standard_errors(mean, sd, n)
    found: Floats = stats.t.cdf((centre - bound) / error, freedom)
    return found


def adjusted(p: ArrayLike) -> Floats:
    """Return Benjamini-Hochberg adjusted p values ``(k,)``; what is not a number stays so.

    Calling those at most 0.05 found keeps the expected share of false finds at 5 %.
    """
    raw = np.asarray(p, dtype=np.float64)
    result = np.full_like(raw, np.nan)
    known = np.isfinite(raw)
    if known.any():
        result[known] = stats.false_discovery_control(raw[known])
    return result


def level_of_decided(p_adjusted: ArrayLike) -> float:
    """Return the level at which an interval decides what the corrected tests ``(k,)`` decide.

    ``1 - 5 % R / m`` for ``R`` decided ones of ``m``: the false coverage rate of Benjamini and
    Yekutieli (2005). What is not a number was not tested; without a test it is that of one.
    """
    found = np.asarray(p_adjusted, dtype=np.float64)
    tested = found[np.isfinite(found)]
    decided = int((tested <= FALSE_DISCOVERY_RATE).sum())
    return 1 - FALSE_DISCOVERY_RATE * max(1, decided) / max(1, len(tested))


def family_wise_levels(p: ArrayLike) -> Floats:
    """Return the levels ``(k,)`` at which intervals decide what Holm's correction decides.

    Of those in the order of their p values, the i-th has ``1 - 5 % / (k - i + 1)``, and all behind
    the last one that is decided the level of the first of them. What is not a number counts not.
    """
    raw = np.asarray(p, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(raw))
    result = np.full_like(raw, 1 - FAMILY_WISE_ERROR)
    order = known[np.argsort(raw[known], kind="stable")]
    decided = int((family_wise(raw)[known] <= FAMILY_WISE_ERROR).sum())
    before = np.minimum(np.arange(len(order)), decided)
    result[order] = 1 - FAMILY_WISE_ERROR / np.maximum(len(order) - before, 1)
    return result


def family_wise(p: ArrayLike) -> Floats:
    """Return Holm's adjusted p values ``(k,)``; what is not a number stays so and counts not.

    Calling those at most 0.05 found errs anywhere among all of them once in twenty times.
    """
    raw = np.asarray(p, dtype=np.float64)
    result = np.full_like(raw, np.nan)
    known = np.flatnonzero(np.isfinite(raw))
    order = known[np.argsort(raw[known], kind="stable")]
    steps = np.arange(len(order), 0, -1)
    result[order] = np.minimum(np.maximum.accumulate(raw[order] * steps), 1)
    return result


def as_many_by_chance(found: int, looked_at: int, place: int, draws: int) -> float:
    """Return how probable it is that ``found`` or more of ``looked_at`` fall below a drawn bound.

    The bound is the value ``place``, from below, of ``draws`` random ones; what is looked at comes
    by chance from where these come from. One bound serves all of them: its own chance is in it.
    """
    return float(stats.betabinom.sf(found - 1, looked_at, place, draws + 1 - place))


def _standard_errors(mean: ArrayLike, sd: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return means, standard errors and degrees of freedom; NaN where there is no spread."""
    centre, spread, count = (np.asarray(v, dtype=np.float64) for v in (mean, sd, n))
    usable = (count >= 2) & (spread > 0)
    error = np.where(usable, spread / np.sqrt(np.maximum(count, 1)), np.nan)
    return centre, error, np.where(usable, count - 1, np.nan)


def _bootstrap(parts: tuple[Floats, ...], draws: int, seed: int) -> Interval:
    """Return mean, or ratio of two means, with an interval over the entries of ``parts``."""

    def statistic(*drawn: Floats, axis: int = -1) -> Floats:
        centres = [part.mean(axis=axis) for part in drawn]
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Floats = centres[0] if len(centres) == 1 else centres[0] / centres[1]
        return found

    estimate, count = float(statistic(*parts)), len(parts[0])
    if count < 2 or not np.isfinite(estimate):
        return Interval(estimate, None, None, count)
    # What each class adds to the estimate: of a ratio, by its linearisation.
    lead = parts[0] - estimate if len(parts) == 1 else parts[0] - estimate * parts[1]
    if np.abs(lead).max() <= _ROUNDING * np.abs(parts[0]).max():
        return Interval(estimate, estimate, estimate, count)
    error = float(lead.std(ddof=1) / np.sqrt(count) / (1 if len(parts) == 1 else parts[1].mean()))
    p = float(2 * stats.t.sf(abs(estimate) / error, count - 1)) if error > 0 else None
    if count < FEWEST_FOR_BCA:
        half = float(stats.t.isf((1 - LEVEL) / 2, count - 1)) * error
        return Interval(estimate, estimate - half, estimate + half, count, p)
    found = stats.bootstrap(
        parts, statistic, n_resamples=draws, confidence_level=LEVEL, method="BCa",
        paired=True, vectorized=True, batch=_BATCH, rng=np.random.default_rng(seed),
    )  # fmt: skip
    ends = found.confidence_interval
    return Interval(estimate, float(ends.low), float(ends.high), count, p)
