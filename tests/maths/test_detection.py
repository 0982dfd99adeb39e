"""AUROC and its intervals against counting, chance and a plain library."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from sing_core.errors import ShapeError
from sing_core.maths.detection import Sample, auroc, false_alarms, within_auroc


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
