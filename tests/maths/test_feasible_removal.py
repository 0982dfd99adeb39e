"""What a network can produce of null removal: no entry below 0, logits held, as near as can be."""

import pytest
import torch

from sing_core.errors import ShapeError
from sing_core.maths.feasible import FEASIBLE_BUDGET
from sing_core.maths.feasible_removal import FeasibleRemoval
from sing_core.maths.linear_head import LinearHead

C, M = 12, 40


def world(seed=0, count=30):
    generator = torch.Generator().manual_seed(seed)
    linear = LinearHead.from_weight(torch.randn(C, M, generator=generator))
    return linear, torch.randn(count, M, generator=generator).clamp_min(0)


def distance(linear, features, found):
    return torch.linalg.vector_norm(found - linear.head.remove_null(features), dim=1)


def drift(linear, features, found):
    moved = (linear.logits(found) - linear.logits(features)).abs().amax(dim=1)
    return moved / linear.logits(features).abs().amax(dim=1)


@pytest.mark.parametrize("share", [0.0, 1e-3, FEASIBLE_BUDGET])
def test_what_is_found_has_no_negative_entry_and_holds_the_logits(share):
    linear, features = world()
    found = FeasibleRemoval(linear, share).nearest(features)
    assert bool((found >= 0).all())
    assert float(drift(linear, features, found).max()) <= share + 1e-5
    assert bool((linear.head.remove_null(features) < 0).any()), "nothing was to be avoided"


def independent(linear, feature, equivalent):
    """Return the least distance to the ``equivalent`` of ``feature`` by SciPy's SLSQP."""
    from scipy.optimize import minimize

    goal, origin = equivalent.numpy(), feature.numpy()
    weight = linear.weight.double().numpy()
    limit = FEASIBLE_BUDGET * float(linear.logits(feature).abs().max())
    held = [
        {"type": "ineq", "fun": lambda x: limit - weight @ (x - origin), "jac": lambda x: -weight},
        {"type": "ineq", "fun": lambda x: limit + weight @ (x - origin), "jac": lambda x: weight},
    ]
    best = minimize(
        lambda x: ((x - goal) ** 2).sum(), origin, jac=lambda x: 2 * (x - goal),
        bounds=[(0, None)] * M, constraints=held, method="SLSQP", options={"ftol": 1e-10},
    )  # fmt: skip
    assert best.success
    return best.fun**0.5


def test_it_is_as_near_as_an_independent_solver_comes():
    linear, features = world(3, count=4)
    found = distance(linear, features, FeasibleRemoval(linear).nearest(features)).tolist()
    for feature, ours in zip(features.double(), found, strict=True):
        best = independent(linear, feature, linear.head.remove_null(feature))
        assert best - 1e-4 <= ours <= 1.05 * best


def test_of_a_long_step_it_is_as_near_as_an_independent_solver_comes():
    """Steering goes further than the feature is long, and most of that is below 0."""
    linear, features = world(5, count=4)
    towards = linear.head.null_part(torch.randn(4, M, generator=torch.Generator().manual_seed(1)))
    length = torch.linalg.vector_norm(features, dim=1, keepdim=True)
    goals = features + 1.5 * length * torch.nn.functional.normalize(towards, dim=1)
    found = FeasibleRemoval(linear).nearest(features, goals)
    assert bool((found >= 0).all())
    assert float(drift(linear, features, found).max()) <= FEASIBLE_BUDGET + 1e-5
    left = torch.linalg.vector_norm(found - goals, dim=1).tolist()
    for feature, goal, ours in zip(features.double(), goals.double(), left, strict=True):
        best = independent(linear, feature, goal)
        assert best - 1e-4 <= ours <= 1.05 * best


def test_there_is_one_equivalent_a_feature():
    linear, features = world()
    with pytest.raises(ShapeError, match="has an equivalent"):
        FeasibleRemoval(linear).nearest(features, features[1:])


def test_where_the_equivalent_can_be_produced_it_is_what_is_found():
    weight = world()[0].weight.clone()
    weight[0] = 1.0  # so that the head sees how much there is of a feature in all
    linear, features = LinearHead.from_weight(weight), 10 + torch.rand(5, M)
    goal = linear.head.remove_null(features)
    assert bool((goal > 0).all())
    found = FeasibleRemoval(linear).nearest(features)
    torch.testing.assert_close(found, goal, rtol=1e-3, atol=1e-3)


def test_of_a_feature_with_a_negative_entry_nothing_is_known():
    linear, features = world()
    features[1, 0] = -0.1
    found = FeasibleRemoval(linear).nearest(features)
    assert bool(found[1].isnan().all())
    assert bool(found[[0, 2]].isfinite().all())


def test_without_a_null_space_nothing_is_taken_away():
    linear = LinearHead.from_weight(torch.randn(60, M))
    features = torch.rand(5, M)
    torch.testing.assert_close(FeasibleRemoval(linear).nearest(features), features)


def test_more_images_at_once_change_nothing():
    linear, features = world()
    removal = FeasibleRemoval(linear)
    alone = torch.cat([removal.nearest(row[None]) for row in features])
    torch.testing.assert_close(removal.nearest(features), alone, rtol=0, atol=1e-3)


def test_features_of_another_width_are_refused():
    with pytest.raises(ShapeError, match="reads 40 features"):
        FeasibleRemoval(world()[0]).nearest(torch.rand(2, 3))
