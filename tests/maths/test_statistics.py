"""Intervals that cover, corrections that hold, and tests that do not find what is not there."""

import numpy as np
import pytest
import torch
from scipy import stats

from sing_core.errors import ShapeError
from sing_core.maths import statistics


def draw(rng, classes=60, most=12, shift=0.0):
    """Skewed values in classes of unequal size: class effect plus image effect; mean ``shift``."""
    sizes = rng.integers(1, most + 1, classes)
    labels = np.repeat(np.arange(classes), sizes)
    effect = rng.gamma(4.0, 0.5, classes) - 2.0
    return effect[labels] + rng.standard_normal(len(labels)) + shift, labels


@pytest.mark.slow
@pytest.mark.parametrize(
    ("classes", "runs"), [(3, 4000), (5, 4000), (16, 4000), (60, 500), (200, 500)]
)
def test_95_percent_intervals_over_classes_cover_93_to_97_percent(classes, runs):
    """Of few classes BCa covered 0.68 (3), 0.84 (5), 0.937 (16)."""
    rng = np.random.default_rng(5)
    covered = 0
    for run in range(runs):
        values, labels = draw(rng, classes, shift=1.0)
        found = statistics.clustered_mean(values, labels, draws=999, seed=run)
        covered += found.low <= 1.0 <= found.high
    assert 0.93 <= covered / runs <= 0.97, covered


@pytest.mark.slow
@pytest.mark.parametrize("classes", [3, 5, 16])
def test_ratios_over_few_classes_cover_too(classes):
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(4000):
        below = 4 + rng.standard_normal(classes)
        above = 2 * below + rng.standard_normal(classes)
        found = statistics.clustered_ratio(above, below, np.arange(classes))
        covered += found.low <= 2.0 <= found.high
    assert 0.93 <= covered / 4000 <= 0.97, covered


def test_of_few_classes_interval_and_p_are_those_of_a_t_test():
    values = np.random.default_rng(9).gamma(2.0, 1.0, 19)
    found = statistics.clustered_mean(values, np.arange(19))
    test = stats.ttest_1samp(values, 0)
    ends = test.confidence_interval(0.95)
    assert (found.low, found.high) == (pytest.approx(ends.low), pytest.approx(ends.high))
    assert found.p == pytest.approx(test.pvalue)
    more = np.append(values, 1.5)
    assert statistics.clustered_mean(more, np.arange(20)).p == pytest.approx(
        stats.ttest_1samp(more, 0).pvalue
    )


def test_holm_multiplies_the_smallest_by_all_and_never_turns_the_order():
    found = statistics.family_wise([0.04, np.nan, 0.01, 0.03, 0.9])
    assert found[[0, 2, 3, 4]] == pytest.approx([0.09, 0.04, 0.09, 0.9])
    assert np.isnan(found[1])
    assert statistics.family_wise([0.6, 0.7]).tolist() == [1.0, 1.0]
    assert statistics.family_wise([]).tolist() == []


def test_treating_photos_of_a_class_as_strangers_would_not_cover():
    """Why the bootstrap is clustered: without classes the interval is far too short."""
    rng = np.random.default_rng(6)
    values, labels = draw(rng, classes=40, most=60)
    clustered = statistics.clustered_mean(values, labels)
    strangers = statistics.clustered_mean(values, np.arange(len(values)))
    assert clustered.high - clustered.low > 2 * (strangers.high - strangers.low)


def test_every_class_counts_once_however_many_photos_it_has():
    found = statistics.clustered_mean([0, 0, 0, 0, 0, 4], [7, 7, 7, 7, 7, 9])
    assert (found.estimate, found.clusters) == (2.0, 2)


def test_one_class_alone_has_no_interval_and_decides_nothing():
    found = statistics.clustered_mean([1.0, 2.0], [3, 3])
    assert (found.estimate, found.low, found.high, found.decided) == (1.5, None, None, False)


def test_an_interval_without_spread_is_its_estimate():
    found = statistics.clustered_mean([2.0, 2.0, 2.0], [1, 2, 3])
    assert (found.low, found.high, found.decided) == (2.0, 2.0, True)


def test_the_same_seed_gives_the_same_interval_and_another_one_does_not():
    values, labels = draw(np.random.default_rng(0))
    first, again, other = (statistics.clustered_mean(values, labels, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first.low != other.low


def test_a_ratio_resamples_both_parts_together():
    """With a constant ratio there is nothing to be unsure about."""
    values, labels = draw(np.random.default_rng(1), shift=5.0)
    found = statistics.clustered_ratio(3 * values, values, labels)
    assert found.estimate == pytest.approx(3)
    assert (found.low, found.high) == (pytest.approx(3), pytest.approx(3))


def test_a_ratio_to_nothing_is_not_a_number():
    found = statistics.clustered_ratio([1.0, 2.0], [0.0, 0.0], [1, 2])
    assert np.isnan(found.estimate)
    assert not found.decided


def test_a_paired_difference_is_sharper_than_two_intervals():
    rng = np.random.default_rng(2)
    values, labels = draw(rng)
    better = values + 0.2 + 0.05 * rng.standard_normal(len(values))
    found = statistics.paired_difference(better, values, labels)
    assert found.decided
    assert found.low < 0.2 < found.high
    alone = statistics.clustered_mean(values, labels)
    assert alone.high - alone.low > 5 * (found.high - found.low)


def test_student_agrees_with_scipy_row_by_row():
    rng = np.random.default_rng(3)
    rows = [rng.standard_normal(n) + 0.3 for n in (2, 5, 40)]
    low, high, p = statistics.student(
        [r.mean() for r in rows], [r.std(ddof=1) for r in rows], [len(r) for r in rows]
    )
    for i, row in enumerate(rows):
        test = stats.ttest_1samp(row, 0)
        ends = test.confidence_interval(0.95)
        assert (low[i], high[i]) == (pytest.approx(ends.low), pytest.approx(ends.high))
        assert p[i] == pytest.approx(test.pvalue)


def test_one_photo_has_neither_interval_nor_p():
    low, high, p = statistics.student([1.0, 1.0], [np.nan, 0.0], [1, 3])
    assert np.isnan([low, high, p]).all()


def test_the_equivalence_test_is_two_one_sided_tests():
    row = np.random.default_rng(4).standard_normal(30) / 10
    found = statistics.equivalence_p([row.mean()], [row.std(ddof=1)], [30], 0.1)
    above = stats.ttest_1samp(row, -0.1, alternative="greater").pvalue
    below = stats.ttest_1samp(row, 0.1, alternative="less").pvalue
    assert found[0] == pytest.approx(max(above, below))


def test_too_few_photos_never_show_equivalence():
    """A failed test of a difference would call these equal; the equivalence test does not."""
    row = np.array([-3.0, 0.5, 2.0])
    sd, n = row.std(ddof=1), len(row)
    assert stats.ttest_1samp(row, 0).pvalue > 0.5
    assert statistics.equivalence_p([row.mean()], [sd], [n], 0.5)[0] > 0.05


def test_a_bound_of_nothing_is_refused():
    with pytest.raises(ShapeError, match="positive bound"):
        statistics.equivalence_p([0.0], [1.0], [5], 0.0)


def test_adjusted_p_values_follow_benjamini_and_hochberg_and_skip_what_has_none():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.5])
    found = statistics.adjusted(p)
    known = np.array([0.01, 0.04, 0.03, 0.5])
    order = np.argsort(known)
    expected = np.empty(4)
    running = 1.0
    for rank in range(4, 0, -1):
        running = min(running, known[order[rank - 1]] * 4 / rank)
        expected[order[rank - 1]] = running
    assert np.isnan(found[1])
    assert found[[0, 2, 3, 4]] == pytest.approx(expected)
    assert np.isnan(statistics.adjusted([np.nan])).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: statistics.clustered_mean([1.0, 2.0], [1]),
        lambda: statistics.clustered_mean([], []),
        lambda: statistics.paired_difference([1.0], [1.0, 2.0], [1]),
    ],
)
def test_lists_of_unequal_length_are_refused(call):
    with pytest.raises(ShapeError):
        call()


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 37, 4001])
def test_the_mean_over_images_of_classes_of_one_image_is_that_over_classes(n):
    values = np.random.default_rng(n).gamma(2.0, 1.0, n)
    found = statistics.mean_over_images(torch.from_numpy(values), np.arange(n))
    over_classes = statistics.clustered_mean(values, np.arange(n))
    for end in ("estimate", "low", "high"):
        assert getattr(found, end) == pytest.approx(getattr(over_classes, end), rel=1e-9)
    assert found.clusters == n


@pytest.mark.slow
@pytest.mark.parametrize("classes", [8, 40])
def test_the_mean_over_images_covers_where_images_of_a_class_are_alike(classes):
    """Classes of 1 to 20 images that have more in common than apart; the true mean is 0."""
    rng, held, naive, runs = np.random.default_rng(classes), 0, 0, 400
    for _ in range(runs):
        sizes = rng.integers(1, 21, classes)
        own = np.repeat(np.arange(classes), sizes)
        values = rng.standard_normal(classes)[own] + 0.5 * rng.standard_normal(len(own))
        found = statistics.mean_over_images(values, own, draws=400)
        assert found.estimate == pytest.approx(values.mean())
        held += found.low <= 0 <= found.high
        apart = statistics.mean_over_images(values, np.arange(len(own)), draws=400)
        naive += apart.low <= 0 <= apart.high
    assert held / runs >= 0.88
    assert naive / runs < 0.7, "images that counted for themselves would be too sure"
