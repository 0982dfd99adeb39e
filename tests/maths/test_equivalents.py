"""Lines inside the null space, their grids, and the proof that their points are equivalent."""

import pytest
import torch

from sing_core.errors import LogitDriftError, RoundingDriftError, ZeroVectorError
from sing_core.maths.equivalents import Equivalents, NullLine
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.linear_head import DRIFT_BUDGET, LinearHead
from sing_core.maths.scores import image_score_deg
from sing_core.maths.translator import Translator
from tests.strategies import build_head


def setting(c=4, m=12, d=5, seed=0):
    torch.manual_seed(seed)
    weight = build_head(c, m, c, dtype=torch.float32, seed=seed).weight
    linear = LinearHead(weight, torch.randn(c), HeadDecomposition.from_weight(weight))
    return linear, Translator(torch.randn(d, m), torch.randn(d)), torch.randn(m), torch.randn(d)


def test_the_line_is_the_translated_walk():
    linear, translator, features, text = setting()
    line = NullLine.towards(text, features, linear, translator)
    assert line.removal is None
    for epsilon in (0.0, 0.5, 3.0):
        moved = translator.apply(features.double() + epsilon * line.direction)
        torch.testing.assert_close(line.z0 + epsilon * line.w, moved)


def test_removing_ends_where_the_null_part_is_gone():
    linear, translator, features, _ = setting()
    line = NullLine.removing(features, linear, translator)
    grid = line.grid(5, None)
    assert (
        float(grid[-1])
        == line.removal
        == pytest.approx(float(torch.linalg.vector_norm(linear.head.null_part(features))))
    )
    end = line.walk(linear, grid).features[-1]
    torch.testing.assert_close(end, linear.head.remove_null(features), rtol=0, atol=1e-6)


def test_a_grid_starts_at_zero_ascends_and_holds_the_wanted_step():
    linear, translator, features, text = setting()
    line = NullLine.towards(text, features, linear, translator)
    top = line.reach(0.0).supremum_deg
    plain = line.grid(41, None)
    assert len(plain) == 41
    for share in (0.05, 0.5, 0.95, 2.0):
        wanted = line.reach(min(share * top, 179.0))
        grid = line.grid(41, wanted)
        assert float(grid[0]) == 0
        assert bool((grid.diff() > 0).all())
        assert wanted.epsilon is None or wanted.epsilon in grid.tolist()
        assert len(grid) in (41, 42)


@pytest.mark.parametrize("kind", ["steer", "remove"])
def test_a_grid_holds_every_mark_within_its_end_exactly_and_is_no_longer_for_it(kind):
    linear, translator, features, text = setting()
    line = (
        NullLine.towards(text, features, linear, translator)
        if kind == "steer"
        else NullLine.removing(features, linear, translator)
    )
    end = float(line.grid(5, None)[-1])
    reached = float(image_score_deg(line.z0, line.z0 + end * line.w))
    marks = [0.1 * reached, 0.5 * reached, 1.01 * reached]
    grid = line.grid(5, None, marks)
    assert len(grid) == 5 + 2
    assert float(grid[-1]) == end
    scores = image_score_deg(line.z0, line.z0 + grid[:, None] * line.w).tolist()
    assert [min(abs(score - mark) for score in scores) < 1e-9 for mark in marks[:2]] == [True, True]
    assert set(line.grid(5, None).tolist()) < set(grid.tolist())
    wanted = line.reach(marks[0])
    assert torch.equal(line.grid(5, wanted, marks), grid)  # a mark that is wanted comes once


def test_the_walk_measures_the_drift_of_every_step():
    linear, translator, features, text = setting()
    line = NullLine.towards(text, features, linear, translator)
    walk = line.walk(linear, torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64))
    assert walk.features.shape == (3, 12)
    assert walk.features.dtype == walk.logits.dtype == torch.float32
    assert float(walk.max_logit_drift[0]) == 0
    drift = (linear.logits(walk.features) - linear.logits(features)).abs().amax(-1)
    torch.testing.assert_close(walk.max_logit_drift, drift, rtol=0, atol=1e-6)


def test_a_line_that_leaves_the_null_space_is_refused():
    linear, translator, features, text = setting()
    line = NullLine.towards(text, features, linear, translator)
    leaving = NullLine(features, linear.head.principal_basis[:, 0], line.z0, line.w, None)
    with pytest.raises(LogitDriftError, match="not inside the null space"):
        leaving.walk(linear, torch.tensor([1.0]))
    with pytest.raises(LogitDriftError, match="not inside the null space"):
        leaving.sweep(linear, 5, None)


def test_a_feature_without_a_null_part_has_no_line():
    linear, translator, features, _ = setting()
    with pytest.raises(ZeroVectorError):
        NullLine.removing(linear.head.principal_part(features), linear, translator)


def test_the_budget_is_a_hundred_thousandth_of_the_largest_logit():
    assert DRIFT_BUDGET == 1e-5
    drift = torch.tensor([0.0, 0.9e-4, 1.1e-4, 0.0])
    step, row = torch.arange(4.0), torch.zeros(4, 2)
    assert Equivalents(step, row, torch.tensor([-10.0, 2.0]), row, drift).admissible == 2
    for broken in (float("nan"), float("inf")):
        walk = Equivalents(step, row, torch.tensor([10.0]), row, torch.full((4,), broken))
        assert walk.admissible == 0


def test_a_sweep_ends_where_rounding_would_use_up_the_budget():
    linear, translator, features, text = setting()
    line = NullLine.towards(text, features, linear, translator)
    wanted = line.reach(line.reach(0.0).supremum_deg - 1e-7)
    with pytest.raises(RoundingDriftError, match=r"At a step of ε = .* by float32 rounding alone"):
        line.walk(linear, torch.tensor([wanted.epsilon]))
    walk = line.sweep(linear, 41, wanted)
    assert 2 <= len(walk.epsilon) == walk.admissible <= 41
    assert line.grid(41, None)[-1] < walk.epsilon[-1] < wanted.epsilon
    # The next decade would be too much: the end is not cut short without need.
    with pytest.raises(RoundingDriftError):
        line.walk(linear, 10 * walk.epsilon[-1:])


def test_a_feature_whose_logits_vanish_has_no_sweep():
    linear, translator, features, text = setting()
    silent = LinearHead(linear.weight, torch.zeros(4), linear.head)
    unseen = 1e-3 * linear.head.null_part(features).float()
    line = NullLine.towards(text, unseen, silent, translator)
    with pytest.raises(RoundingDriftError):
        line.sweep(silent, 41, None)
    with pytest.raises(RoundingDriftError):
        NullLine.removing(unseen, silent, translator).sweep(silent, 41, None)
