"""Rank correlations over classes, between images that the other measure did not judge."""

import numpy as np
import pytest
from scipy import stats

from sing_core.errors import ShapeError
from sing_core.maths.split_halves import halves
from sing_core.maths.statistics import cluster_means


def judged(seed, classes=40, images=6, *, shared=0.0, photograph=1.0):
    """Return two measures of the same images; ``shared`` is what they share of a class."""
    rng = np.random.default_rng(seed)
    label = np.repeat(np.arange(classes), images)
    each = photograph * rng.standard_normal(len(label))
    own = shared * rng.standard_normal(classes)[label]
    first, second = (own + each + 0.3 * rng.standard_normal(len(label)) for _ in range(2))
    return first, second, label


@pytest.mark.slow
def test_agreement_about_photographs_alone_is_no_correlation_of_classes():
    """Over class means on the same photographs it was one in every run."""
    runs = 200
    found = [halves(*judged(seed)).between for seed in range(runs)]
    assert sum(row.decided for row in found) / runs <= 0.06
    assert abs(np.mean([row.estimate for row in found])) < 0.03
    former = 0
    for seed in range(20):
        *both, label = judged(seed)
        means = [cluster_means(label, values)[0] for values in both]
        former += stats.spearmanr(*means).pvalue <= 0.05
    assert former == 20


def test_agreement_about_classes_is_found_and_is_no_more_than_they_are_reliable():
    found = halves(*judged(1, shared=1.0))
    assert found.classes == 40
    assert found.between.low > 0.3
    assert found.first.estimate == pytest.approx(found.between.estimate, abs=0.15)
    assert found.second.low > 0.3


@pytest.mark.slow
def test_the_interval_covers_what_many_classes_say():
    truth = halves(*judged(7, classes=4000, shared=0.7)).between.estimate
    inside = 0
    for seed in range(200):
        row = halves(*judged(1000 + seed, shared=0.7)).between
        inside += row.low <= truth <= row.high
    assert 0.9 <= inside / 200 <= 0.99


def test_an_estimate_is_spearmans_over_the_halves():
    """With two images that are all a half has, halves of a class are alike in every split."""
    values = np.repeat(np.random.default_rng(2).standard_normal((2, 12)), 4, axis=1)
    found = halves(*values, np.repeat(np.arange(12), 4))
    means = values[:, ::4]
    assert found.between.estimate == pytest.approx(stats.spearmanr(*means).statistic)
    assert found.first.estimate == pytest.approx(1.0)


def test_classes_of_few_images_are_left_out_and_few_classes_are_refused():
    first, second, label = judged(3, classes=12, images=4)
    more = [np.append(values, extra) for values, extra in ((first, 9), (second, 9), (label, 99))]
    assert halves(*more) == halves(first, second, label)
    with pytest.raises(ShapeError, match="9 classes have 4 images or more"):
        halves(*judged(3, classes=9, images=4))
    with pytest.raises(ShapeError, match="0 classes"):
        halves(*judged(3, classes=20, images=3))
    with pytest.raises(ShapeError, match="Not two values"):
        halves([1.0], [1.0, 2.0], [1, 1])
