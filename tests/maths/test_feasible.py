"""Steps that a network with a last ReLU could have taken: exact, and at a stated price."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from sing_core.errors import ShapeError
from sing_core.maths.feasible import feasible_step, nearly_feasible
from sing_core.maths.head import HeadDecomposition

seeds = st.integers(0, 10_000)


def case(seed, classes=3, width=10, zeros=2):
    """A head, a non-negative feature with some zeros, and a step inside the null space."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(classes, width, generator=generator).double()
    feature = torch.rand(width, generator=generator).double()
    feature[:zeros] = 0
    head = HeadDecomposition.from_weight(weight)
    step = head.null_part(torch.randn(width, generator=generator).double())
    return weight, head, feature, feature + 2 * step


@given(seed=seeds, zeros=st.integers(0, 6))
@pytest.mark.slow
def test_the_feasible_step_keeps_the_logits_and_is_not_negative(seed, zeros):
    weight, head, feature, asked = case(seed, zeros=zeros)
    found = feasible_step(feature, asked, head)
    assert found.bounded
    assert float((weight @ (found.features - feature)).abs().max()) < 1e-7
    assert float(found.features.min()) > -1e-7
    assert 0 <= found.infeasible_share <= 1


@given(seed=st.integers(0, 60))
def test_no_other_feasible_point_is_nearer(seed):
    weight, head, feature, asked = case(seed)
    found = feasible_step(feature, asked, head)
    other = minimize(
        lambda x: ((x - asked.numpy()) ** 2).sum(),
        feature.numpy(),
        jac=lambda x: 2 * (x - asked.numpy()),
        bounds=[(0, None)] * len(feature),
        constraints={"type": "eq", "fun": lambda x: weight.numpy() @ (x - feature.numpy())},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert float((found.features - asked).square().sum()) <= other.fun + 1e-5


def test_a_feasible_step_stays_as_it_is():
    _, head, feature, asked = case(0, zeros=0)
    near = feature + 1e-3 * (asked - feature)
    found = feasible_step(feature, near, head)
    assert torch.equal(found.features, near)
    assert found.infeasible_share == 0


def test_features_that_may_be_negative_know_no_bound():
    _, head, feature, asked = case(1)
    shifted = feature - 0.5
    found = feasible_step(shifted, asked - 0.5, head)
    assert not found.bounded
    assert torch.equal(found.features, asked - 0.5)


def test_a_feature_with_too_many_zeros_has_no_feasible_step():
    """More zeros than the null space has dimensions to spare leave the feature alone."""
    weight, head, feature, asked = case(2, classes=30, width=40, zeros=38)
    found = feasible_step(feature, asked, head)
    assert found.infeasible_share == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(found.features, feature, rtol=0, atol=1e-6)
    priced = nearly_feasible(feature, asked[None], weight, budget=1.0)
    assert float(priced.infeasible_share[0]) < 1 - 1e-3


@pytest.mark.slow
@given(seed=seeds, budget=st.sampled_from([0.05, 0.5]))
def test_a_priced_step_stays_within_its_budget(seed, budget):
    weight, _, feature, asked = case(seed, zeros=4)
    steps = torch.stack([feature, (feature + asked) / 2, asked])
    found = nearly_feasible(feature, steps, weight, budget=budget)
    assert float(found.features.min()) >= 0
    assert float(found.max_logit_drift[-1]) <= budget * 1.01
    assert float(found.infeasible_share[0]) == 0
    assert float(found.infeasible_share.max()) <= 1
    torch.testing.assert_close(found.features[0], feature, rtol=0, atol=1e-6)


def test_a_larger_budget_cuts_off_less():
    weight, _, feature, asked = case(3, zeros=5)
    cuts = [
        float(nearly_feasible(feature, asked[None], weight, budget=b).infeasible_share[0])
        for b in (0.02, 0.2, 2.0)
    ]
    assert cuts == sorted(cuts, reverse=True)
    assert cuts[0] > cuts[-1]


def test_features_of_another_width_are_refused():
    _, head, feature, asked = case(0)
    with pytest.raises(ShapeError, match="Both features"):
        feasible_step(feature[:-1], asked, head)
