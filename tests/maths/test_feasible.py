"""Steps steered inside what a network with a last ReLU can produce."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from sing_core.errors import ShapeError
from sing_core.maths.feasible import feasible_steps
from sing_core.maths.head import HeadDecomposition

seeds = st.integers(0, 10_000)
RADII = torch.tensor([0.0, 0.5, 2.0], dtype=torch.float64)


def case(seed, classes=3, width=10, zeros=2):
    """A head, a non-negative feature with some zeros, and a unit null direction."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(classes, width, generator=generator).double()
    feature = torch.rand(width, generator=generator).double()
    feature[:zeros] = 0
    head = HeadDecomposition.from_weight(weight)
    direction = head.null_part(torch.randn(width, generator=generator).double())
    return weight, feature, direction / torch.linalg.vector_norm(direction)


@pytest.mark.slow
@settings(max_examples=15)
@given(seed=seeds, zeros=st.integers(0, 9), budget=st.sampled_from([0.0, 0.05, 0.5]))
def test_every_constraint_is_met_and_nothing_better_was_missed(seed, zeros, budget):
    weight, feature, direction = case(seed, zeros=zeros)
    found = feasible_steps(feature, direction, RADII, weight, budget=budget)
    moves = found.features - feature
    assert found.bounded
    assert float(found.features.min()) >= -1e-12
    assert bool((torch.linalg.vector_norm(moves, dim=1) <= RADII * (1 + 1e-9)).all())
    assert float(found.max_logit_drift.max()) <= budget + 1e-5
    room = 2e-3 if budget else 1e-5
    assert float(found.gap.max()) < room, "the dual bound leaves room: this is not the best step"
    assert bool(((found.lost_share >= 0) & (found.lost_share <= 1)).all())
    torch.testing.assert_close(found.features[0], feature, rtol=0, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("budget", [0.0, 0.2])
@settings(max_examples=15)
@given(seed=st.integers(0, 60))
def test_another_solver_goes_no_further(seed, budget):
    weight, feature, direction = case(seed)
    found = feasible_steps(feature, direction, RADII[2:], weight, budget=budget)
    head, goal = weight.numpy(), direction.numpy()
    rows = np.concatenate([head, -head])
    other = minimize(
        lambda d: -goal @ d,
        np.zeros(len(goal)),
        jac=lambda d: -goal,
        bounds=[(-value, None) for value in feature.tolist()],
        constraints=[
            {"type": "ineq", "fun": lambda d: budget + 1e-9 - rows @ d, "jac": lambda d: -rows},
            {"type": "ineq", "fun": lambda d: 4.0 - d @ d, "jac": lambda d: -2 * d},
        ],
        method="SLSQP",
        options={"ftol": 1e-10, "maxiter": 500},
    )
    reached = float((found.features[0] - feature) @ direction)
    assert reached + 2.0 * float(found.gap[0]) >= -other.fun - 1e-4, "the gap is an upper bound"
    if other.success:
        assert reached == pytest.approx(-other.fun, abs=4e-3 if budget else 1e-4)


def test_a_step_that_the_network_can_produce_stays_as_it_is():
    weight, feature, direction = case(0, zeros=0)
    found = feasible_steps(feature, direction, torch.tensor([1e-3]), weight, budget=0.0)
    torch.testing.assert_close(found.features[0], feature + 1e-3 * direction, rtol=0, atol=1e-8)
    assert float(found.lost_share[0]) < 1e-5


def test_features_that_may_be_negative_know_no_bound():
    weight, feature, direction = case(1)
    found = feasible_steps(feature - 0.5, direction, RADII, weight, budget=0.0)
    assert not found.bounded
    torch.testing.assert_close(found.features[2], feature - 0.5 + 2 * direction)
    assert float(found.lost_share.max()) < 1e-12


def test_a_feature_with_too_many_zeros_needs_a_budget():
    """More zeros than the null space has dimensions to spare leave the feature next to alone."""
    weight, feature, direction = case(2, classes=30, width=40, zeros=38)
    exact, priced = (
        feasible_steps(feature, direction, RADII[2:], weight, budget=budget)
        for budget in (0.0, 1.0)
    )
    assert float(exact.lost_share[0]) == pytest.approx(1, abs=1e-3)
    assert float(priced.lost_share[0]) < 1 - 1e-2


def test_a_larger_budget_costs_less_of_the_move():
    weight, feature, direction = case(3, zeros=5)
    lost = [
        float(feasible_steps(feature, direction, RADII[2:], weight, budget=b).lost_share[0])
        for b in (0.02, 0.2, 2.0)
    ]
    assert lost == sorted(lost, reverse=True)
    assert lost[0] > lost[-1]


def test_steps_do_not_depend_on_the_company():
    weight, feature, direction = case(4, zeros=4)
    together = feasible_steps(feature, direction, RADII, weight, budget=0.1).features
    for row in range(len(RADII)):
        alone = feasible_steps(feature, direction, RADII[row : row + 1], weight, budget=0.1)
        torch.testing.assert_close(together[row], alone.features[0], rtol=0, atol=1e-5)


def test_a_head_of_another_width_is_refused():
    weight, feature, direction = case(0)
    with pytest.raises(ShapeError, match="reads 10 features"):
        feasible_steps(feature[:-1], direction[:-1], RADII, weight, budget=0.0)
