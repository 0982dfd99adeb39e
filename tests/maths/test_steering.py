"""Steering: the closed forms beside autograd, differences and bisection."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from sing_core.errors import ShapeError, ZeroVectorError
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.scores import angle_deg, image_score_deg
from sing_core.maths.steering import (
    angles_along,
    epsilon_for_image_score,
    null_direction,
    removal_direction,
    similarity_gradient,
    steer,
)
from sing_core.maths.translator import Translator
from tests import reference
from tests.strategies import build_head, seeds


def random(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def translator_of(m, d, seed=0):
    return Translator(random(d, m, seed=seed), random(d, seed=seed + 1))


def autograd_gradient(feature, translator, text):
    leaf = feature.double().clone().requires_grad_()
    z = leaf @ translator.weight.double().mT + translator.bias.double()
    torch.nn.functional.cosine_similarity(z, text.double(), dim=0).backward()
    return leaf.grad


@pytest.mark.slow
@given(seeds, st.integers(1, 12), st.integers(1, 6))
def test_the_closed_form_gradient_is_that_of_autograd(seed, m, d):
    translator, feature, text = (
        translator_of(m, d, seed),
        random(m, seed=seed + 2),
        random(d, seed=7),
    )
    found = similarity_gradient(feature, translator, text)
    torch.testing.assert_close(
        found, autograd_gradient(feature, translator, text), rtol=1e-9, atol=1e-12
    )


def test_the_gradient_is_that_of_central_differences_and_of_the_quotient_rule():
    translator, feature, text = translator_of(9, 4), random(9, seed=5), random(4, seed=6)
    arrays = [t.numpy() for t in (feature, translator.weight, translator.bias, text)]
    found = similarity_gradient(feature, translator, text).numpy()
    np.testing.assert_allclose(found, reference.similarity_gradient(*arrays), atol=1e-8)
    np.testing.assert_allclose(found, reference.exact_similarity_gradient(*arrays), atol=1e-13)


def test_gradients_of_a_batch_are_those_of_its_rows():
    translator, features, text = translator_of(9, 4), random(3, 9), random(4)
    found = similarity_gradient(features, translator, text)
    for row, feature in zip(found, features, strict=True):
        torch.testing.assert_close(row, similarity_gradient(feature, translator, text))


def test_float32_features_and_translators_are_taken_in_float64():
    translator = Translator(random(4, 9).float(), random(4).float())
    found = similarity_gradient(random(9).float(), translator, random(4).float())
    assert found.dtype == torch.float64


def test_a_zero_embedding_or_text_has_no_gradient():
    silent = Translator(torch.zeros(3, 5), torch.zeros(3))
    with pytest.raises(ZeroVectorError, match="gradient"):
        similarity_gradient(torch.ones(5), silent, torch.ones(3))
    with pytest.raises(ZeroVectorError, match="gradient"):
        similarity_gradient(torch.ones(5), translator_of(5, 3), torch.zeros(3))
    with pytest.raises(ShapeError, match="text embedding"):
        similarity_gradient(torch.ones(5), translator_of(5, 3), torch.ones(4))


def test_no_null_space_means_no_direction():
    full = HeadDecomposition.from_weight(random(6, 5))
    assert full.nullity == 0
    with pytest.raises(ZeroVectorError, match="null space"):
        null_direction(random(5), full, translator_of(5, 3), random(3))
    with pytest.raises(ZeroVectorError, match="null part"):
        removal_direction(random(5), full)


@pytest.mark.parametrize("seed", range(5))
def test_a_feature_that_lies_on_the_text_has_no_direction_towards_it(seed):
    """What rounding leaves of its gradient, some 1e-17, is no direction."""
    head = HeadDecomposition.from_weight(build_head(3, 8, 3).weight)
    translator, feature = translator_of(8, 4, seed), random(8, seed=seed + 9)
    with pytest.raises(ZeroVectorError, match="No direction"):
        null_direction(feature, head, translator, 3 * translator.apply(feature))
    near = translator.apply(feature) + 1e-6 * random(4, seed=seed)
    direction = null_direction(feature, head, translator, near)
    assert float(direction.norm()) == pytest.approx(1)


def test_a_translator_blind_to_the_null_space_but_for_rounding_has_no_direction_there():
    head = HeadDecomposition.from_weight(build_head(3, 8, 3).weight)
    weight = head.principal_part(random(4, 8)).float()
    assert 0 < float(head.null_part(weight).norm()) < 1e-6
    with pytest.raises(ZeroVectorError, match="No direction"):
        null_direction(random(8), head, Translator(weight, random(4)), random(4))


def test_a_feature_inside_the_principal_space_has_nothing_to_remove():
    head = HeadDecomposition.from_weight(build_head(3, 8, 3).weight)
    with pytest.raises(ZeroVectorError, match="null part"):
        removal_direction(head.principal_part(random(8)), head)


def test_walking_the_removal_direction_to_its_end_is_null_removal():
    weight = build_head(3, 8, 2).weight
    head, feature = HeadDecomposition.from_weight(weight), random(8)
    direction, length = removal_direction(feature, head)
    expected = reference.remove_null(feature.numpy(), weight.numpy())
    np.testing.assert_allclose(steer(feature, direction, length).numpy(), expected, atol=1e-12)


def test_steps_may_be_one_or_many_and_forward_or_back():
    feature, direction = random(5), random(5, seed=1)
    assert steer(feature, direction, 2.0).shape == (5,)
    many = steer(feature, direction, torch.tensor([-1.0, 0.0, 2.0]))
    assert many.shape == (3, 5)
    torch.testing.assert_close(many[1], feature)
    np.testing.assert_allclose(
        many[2].numpy(), reference.steer(feature.numpy(), direction.numpy(), 2.0)
    )
    with pytest.raises(ShapeError, match="Cannot step"):
        steer(feature, torch.ones(4), 1.0)


@given(seeds, st.integers(2, 8), st.floats(0.001, 179), st.floats(-3, 3))
@pytest.mark.slow
def test_the_closed_form_step_is_that_of_bisection(seed, d, wanted, exponent):
    z0, w = random(d, seed=seed), random(d, seed=seed + 1) * 10**exponent
    found = epsilon_for_image_score(z0, w, wanted)
    # Close to the supremum the step grows without bound and bisection has no digits to compare.
    assume(abs(found.supremum_deg - wanted) > 1e-3)
    expected = reference.epsilon_for_image_score(z0.numpy(), w.numpy(), wanted)
    assert found.reachable == (expected is not None)
    assert found.reachable == (wanted < found.supremum_deg)
    if expected is None:
        assert found.epsilon is None
    else:
        assert found.epsilon == pytest.approx(expected, rel=1e-7)
        reached = float(image_score_deg(z0, z0 + found.epsilon * w))
        assert reached == pytest.approx(wanted, abs=1e-6)


def test_an_unreachable_image_score_is_a_stated_result():
    z0, w = torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])
    found = epsilon_for_image_score(z0, w, 60.0)
    assert (found.reachable, found.epsilon) == (False, None)
    assert found.supremum_deg == pytest.approx(45)
    for epsilon in (1.0, 1e3, 1e9):
        assert float(image_score_deg(z0, z0 + epsilon * w)) <= found.supremum_deg
    assert not epsilon_for_image_score(z0, w, found.supremum_deg).reachable
    assert epsilon_for_image_score(z0, w, found.supremum_deg - 1e-6).reachable


def test_a_step_that_changes_nothing_reaches_no_score_but_zero():
    z0, nothing = torch.tensor([1.0, 2.0]), torch.zeros(2)
    assert epsilon_for_image_score(z0, nothing, 10.0).reachable is False
    assert epsilon_for_image_score(z0, nothing, 10.0).supremum_deg == 0
    zero = epsilon_for_image_score(z0, nothing, 0.0)
    assert (zero.reachable, zero.epsilon, zero.supremum_deg) == (True, 0.0, 0.0)
    assert epsilon_for_image_score(z0, z0, 0.0).epsilon == 0.0
    assert not epsilon_for_image_score(z0, z0, 5.0).reachable


def test_a_step_straight_back_turns_over_and_is_reached_nowhere_between():
    # On the line through the origin IS jumps from 0 to 180 degrees.
    found = epsilon_for_image_score(torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 1e-9]), 90.0)
    assert found.epsilon == pytest.approx(1.0)


@pytest.mark.parametrize("wanted", [-1.0, 180.0, 400.0, math.nan, math.inf])
def test_an_image_score_outside_its_range_is_refused(wanted):
    with pytest.raises(ShapeError, match="between 0° and 180°"):
        epsilon_for_image_score(torch.ones(2), torch.tensor([0.0, 1.0]), wanted)


@pytest.mark.slow
@given(seeds, st.floats(0, 4))
def test_angles_along_a_line_are_those_of_its_points(seed, reach):
    z0, w, targets = random(6, seed=seed), random(6, seed=seed + 1), random(4, 6, seed=seed + 2)
    targets[0] = z0 * 3  # the image score itself: zero and small angles
    epsilons = torch.linspace(0, 10**reach, 9, dtype=torch.float64) * 1e-4
    found = angles_along(z0, w, epsilons, targets)
    assert found.shape == (9, 4)
    for i, epsilon in enumerate(epsilons):
        point = (z0 + epsilon * w).numpy()
        for j, target in enumerate(targets.numpy()):
            expected = reference.angle_deg(point, target)
            assert float(found[i, j]) == pytest.approx(expected, abs=1e-6)
        torch.testing.assert_close(
            found[i], angle_deg(z0 + epsilon * w, targets), rtol=0, atol=1e-9
        )


def test_a_line_through_zero_or_a_zero_target_has_no_angles():
    z0, steps = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    with pytest.raises(ZeroVectorError, match="zero vector"):
        angles_along(z0, -z0, steps, torch.ones(1, 2))
    with pytest.raises(ZeroVectorError, match="zero vector"):
        angles_along(z0, z0, steps, torch.zeros(1, 2))
    for targets in (torch.ones(1, 3), torch.ones(2)):
        with pytest.raises(ShapeError, match="Targets"):
            angles_along(z0, z0, steps, targets)
