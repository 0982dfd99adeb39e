"""One step for all images of a set: as long as brings the mean image score to the wanted one."""

import pytest
import torch

from sing_core.leakage.fixed_step import NO_STEP, LinePlanes, class_weights
from sing_core.maths.scores import angle_deg, attribute_score_deg, image_score_deg

N, D = 30, 8


def lines(seed=0):
    generator = torch.Generator().manual_seed(seed)
    z, w = torch.randn(2, N, D, generator=generator, dtype=torch.float64)
    text = torch.randn(D, generator=generator, dtype=torch.float64)
    return z, w, text, LinePlanes.of(z, w, text)


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 2.0, 50.0])
def test_scores_along_the_lines_are_those_of_the_points(epsilon):
    z, w, text, planes = lines()
    moved = z + epsilon * w
    torch.testing.assert_close(
        planes.image_score_deg(epsilon), image_score_deg(z, moved), rtol=0, atol=1e-5
    )
    torch.testing.assert_close(
        planes.attribute_score_deg(epsilon), attribute_score_deg(z, moved, text), rtol=0, atol=1e-5
    )
    torch.testing.assert_close(planes.supremum_deg(), angle_deg(z, w), rtol=0, atol=1e-5)


def test_the_mean_image_score_is_the_wanted_one_each_class_counting_once():
    _, _, _, planes = lines()
    labels = torch.tensor([0] * 20 + [1] * 9 + [2])
    step = planes.step_to(40.0, labels)
    turned = planes.image_score_deg(step)
    means = [float(turned[labels == label].mean()) for label in range(3)]
    assert sum(means) / 3 == pytest.approx(40, abs=1e-6)
    found = planes.at(step, labels, torch.ones(N, dtype=torch.bool), torch.arange(N).double())
    assert (found.n, found.max_logit_drift) == (N, N - 1)
    assert found.image_score == pytest.approx(40, abs=1e-6)
    assert found.image_score_sd == pytest.approx(float(turned.std()))
    assert found.abs_as_sd == pytest.approx(float(planes.attribute_score_deg(step).abs().std()))


def test_a_mean_that_no_step_reaches_has_none():
    _, _, _, planes = lines()
    labels = torch.zeros(N, dtype=torch.long)
    assert planes.step_to(float(planes.supremum_deg().mean()) + 1e-6, labels) is None
    nowhere = LinePlanes(torch.full((N, 5), torch.nan, dtype=torch.float64))
    assert nowhere.step_to(1.0, labels) is None
    assert NO_STEP.as_row()["fixed_epsilon"] is None


def test_an_image_without_a_line_takes_no_part():
    _, _, _, planes = lines()
    products = planes.products.clone()
    products[3] = torch.nan
    labels = torch.zeros(N, dtype=torch.long)
    rest = torch.arange(N) != 3
    own = LinePlanes(planes.products[rest]).step_to(30.0, labels[rest])
    assert LinePlanes(products).step_to(30.0, labels) == own


def test_weights_count_every_class_once():
    weights = class_weights(torch.tensor([7, 7, 7, 2]))
    torch.testing.assert_close(weights, torch.tensor([1, 1, 1, 3], dtype=torch.float64) / 6)
