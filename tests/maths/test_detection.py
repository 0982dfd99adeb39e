"""AUROC and its intervals against counting, chance and a plain library."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from sing_core.errors import ShapeError
from sing_core.maths.detection import (
    Sample,
    auroc,
    auroc_difference,
    false_alarms,
    within_auroc,
    within_difference,
)


def samples(rng, classes, each, *, lift=0.0, spread=1.0):
    """Two sets of images whose classes differ, and whose scores differ by ``lift``."""

    def drawn(shift):
        centres = spread * rng.standard_normal(classes)
        scores = centres.repeat(each) + rng.standard_normal(classes * each) + shift
        return Sample.of(scores, np.arange(classes).repeat(each))

    return drawn(0.0), drawn(lift)


def test_it_is_the_share_of_pairs_ties_by_half():
    rng = np.random.default_rng(0)
    usual = Sample.of(rng.integers(0, 6, 80), np.arange(80) % 8)
    other = Sample.of(rng.integers(2, 8, 50), np.arange(50) % 5)
    truth = np.r_[np.zeros(80), np.ones(50)]
    expected = roc_auc_score(truth, np.r_[usual.scores, other.scores])
    found = auroc(usual, other)
    assert found.estimate == pytest.approx(expected, abs=1e-12)
    assert found.low < expected < found.high


@pytest.mark.parametrize("classes", [12, 40])
def test_intervals_hold_what_is_true_19_times_of_20(classes):
    rng, held, tries = np.random.default_rng(classes), 0, 400
    for _ in range(tries):
        found = auroc(*samples(rng, classes, 6))
        held += found.low <= 0.5 <= found.high
    assert binomtest(held, tries, 0.95).pvalue > 0.001, held


def test_images_taken_for_independent_would_have_had_too_narrow_an_interval():
    rng, held = np.random.default_rng(1), 0
    for _ in range(200):
        usual, other = samples(rng, 20, 8)
        alone = [Sample(s.scores, np.arange(len(s.scores))) for s in (usual, other)]
        found = auroc(*alone)
        held += found.low <= 0.5 <= found.high
    assert held / 200 < 0.8


def test_a_class_that_errs_often_is_no_alarm_within_classes():
    rng = np.random.default_rng(2)
    classes = np.arange(60).repeat(20)
    hard = rng.random(60)
    scores = 5 * hard[classes] + rng.standard_normal(1200)
    wrong = rng.random(1200) < hard[classes]
    sample = Sample.of(scores, classes)
    pooled = auroc(*(Sample.of(scores[part], classes[part]) for part in (~wrong, wrong)))
    assert pooled.low > 0.6, "harder classes have higher scores"
    within = within_auroc(sample, wrong)
    assert within.low <= 0.5 <= within.high


def test_what_warns_within_classes_is_found():
    rng = np.random.default_rng(3)
    wrong = rng.random(600) < 0.4
    sample = Sample.of(rng.standard_normal(600) + 1.5 * wrong, np.arange(30).repeat(20))
    found = within_auroc(sample, wrong)
    assert found.low > 0.7
    assert (found.clusters, np.isnan(within_auroc(sample, np.zeros(600)).estimate)) == (30, True)


def test_false_alarms_are_counted_where_95_percent_are_found():
    usual = Sample.of(np.arange(100.0), np.arange(100))
    other = Sample.of(np.arange(100.0) + 60, np.arange(100))
    threshold = 60 + 4
    assert false_alarms(usual, other) == pytest.approx((usual.scores >= threshold).mean())
    assert (other.scores >= threshold).mean() >= 0.95


def test_lists_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="one class each"):
        Sample.of([1.0, 2.0], [1])
    with pytest.raises(ShapeError, match="entry an image"):
        within_auroc(Sample.of([1.0, 2.0], [1, 1]), [True])


@pytest.mark.slow
def test_the_p_of_an_auroc_is_of_chance_and_uniform_there():
    rng, tries = np.random.default_rng(5), 400
    between = [auroc(*samples(rng, 20, 5)) for _ in range(tries)]
    within = []
    for _ in range(tries):
        wrong = rng.random(15 * 12) < 0.4
        within.append(within_auroc(Sample.of(rng.random(180), np.arange(15).repeat(12)), wrong))
    for found in (between, within):
        below = sum(one.p <= 0.05 for one in found)
        assert binomtest(below, tries, 0.05).pvalue > 0.001, below
    sure = auroc(Sample.of(np.zeros(8), np.arange(8)), Sample.of(np.ones(8), np.arange(8)))
    assert (sure.estimate, sure.low, sure.p) == (1, 1, 2**-7)
    level = auroc(Sample.of(np.zeros(8), np.arange(8)), Sample.of(np.zeros(8), np.arange(8)))
    assert (level.estimate, level.p) == (0.5, 1)


def test_few_classes_whose_sums_agree_by_accident_give_no_interval():
    """Two classes of three images each: what they add to the share is the same in both."""
    usual = Sample.of([1, 4, 6, 1.5, 4.5, 5.5], [0, 0, 0, 1, 1, 1])
    other = Sample.of([2, 5, 3, 2.5, 5.2, 2.8], [0, 0, 0, 1, 1, 1])
    found = auroc(usual, other)
    assert (found.clusters, found.low, found.high, found.p) == (2, None, None, None)
    apart = auroc(Sample.of(np.zeros(5), np.arange(5)), Sample.of(np.ones(5), np.arange(5)))
    assert (apart.estimate, apart.low, apart.p) == (1, None, None), "five coins fall alike"
    names, wrong = np.arange(4).repeat(2), np.tile([False, True], 4)
    assert within_auroc(Sample.of(wrong.astype(float), names), wrong).p is None


def two_scores(rng, classes, each, *, lift):
    """Two scores of the same images, nearly alike, of which the second is ``lift`` better."""
    usual, other = samples(rng, classes, each, lift=0.5)
    noise = [0.3 * rng.standard_normal(len(s.scores)) for s in (usual, other)]
    second = [
        Sample.of(s.scores + n + up, s.classes)
        for s, n, up in zip((usual, other), noise, (0, lift), strict=True)
    ]
    return (usual, other), tuple(second)


def test_a_difference_of_two_scores_is_measured_on_the_same_images():
    rng = np.random.default_rng(6)
    first, second = two_scores(rng, 60, 10, lift=0.4)
    gap = auroc_difference(second, first)
    assert gap.estimate == pytest.approx(auroc(*second).estimate - auroc(*first).estimate)
    assert gap.low > 0, "told apart"
    assert auroc(*first).high > auroc(*second).low, "which their own intervals would not show"
    wide = auroc_difference(second, first, tests=6)
    assert wide.estimate == gap.estimate
    assert wide.high - wide.low > 1.2 * (gap.high - gap.low)
    wrong = rng.random(600) < 0.4
    sample = Sample.of(rng.standard_normal(600) + wrong, np.arange(30).repeat(20))
    other = Sample.of(sample.scores + 2 * wrong, sample.classes)
    gap = within_difference(other, sample, wrong)
    assert gap.estimate == pytest.approx(
        within_auroc(other, wrong).estimate - within_auroc(sample, wrong).estimate
    )
    assert gap.low > 0
    assert within_difference(sample, sample, wrong).estimate == 0
    assert np.isnan(within_difference(sample, other, np.zeros(600)).estimate)
    with pytest.raises(ShapeError, match="same images"):
        auroc_difference(second, two_scores(rng, 20, 10, lift=0)[0])


@pytest.mark.slow
def test_two_scores_that_are_as_good_are_told_apart_once_in_twenty_times():
    rng, tries, between, within = np.random.default_rng(7), 400, 0, 0
    of = np.arange(25).repeat(8)
    for _ in range(tries):
        usual, other = samples(rng, 25, 4, lift=0.5)
        pairs = [
            [
                Sample.of(s.scores + 0.5 * rng.standard_normal(100), s.classes)
                for s in (usual, other)
            ]
            for _ in range(2)
        ]
        between += auroc_difference(*(tuple(pair) for pair in pairs)).decided
        wrong = rng.random(200) < 0.4
        shared = rng.standard_normal(200) + wrong
        one, two = (Sample.of(shared + 0.5 * rng.standard_normal(200), of) for _ in range(2))
        within += within_difference(one, two, wrong).decided
    for found in (between, within):
        assert binomtest(found, tries, 0.05).pvalue > 0.001, found
