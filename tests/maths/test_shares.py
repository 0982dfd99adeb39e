"""Shares of a null part add up, leaving one unit out moves no logit, and first order is first."""

import pytest
import torch

from sing_core.errors import ShapeError
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.scores import angle_deg
from sing_core.maths.shares import left_out, null_shares
from sing_core.maths.translator import Translator

UNITS, WIDTH, CLASSES, DIM = 13, 40, 15, 12


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(params=range(3))
def world(request):
    seed = request.param
    weight = normal(CLASSES, WIDTH, seed=seed)
    translator = Translator(normal(DIM, WIDTH, seed=seed + 10), normal(DIM, seed=seed + 20))
    units = normal(UNITS, WIDTH, seed=seed + 30) * torch.linspace(0.1, 2, UNITS)[:, None]
    return weight, HeadDecomposition.from_weight(weight), units, translator


def test_shares_sum_to_one_and_parts_to_the_whole(world):
    _, head, units, _ = world
    found = null_shares(units, head)
    whole = head.null_part(units.sum(dim=0))
    assert not found.is_empty
    assert float(found.share.sum()) == pytest.approx(1, abs=1e-12)
    own = head.null_part(units) @ whole / (whole @ whole)
    torch.testing.assert_close(found.share, own)
    squares = found.null_norm.square() + found.principal_norm.square()
    torch.testing.assert_close(squares, found.norm.square())
    torch.testing.assert_close(found.null_fraction * found.norm.square(), found.null_norm.square())
    assert bool(((found.null_fraction >= 0) & (found.null_fraction <= 1)).all())


def test_a_unit_inside_one_space_is_said_to_be_there(world):
    _, head, units, _ = world
    null, principal = head.null_part(units[:1]), head.principal_part(units[1:2])
    found = null_shares(torch.cat([null, principal, torch.zeros(1, WIDTH)]), head)
    torch.testing.assert_close(found.null_fraction, torch.tensor([1.0, 0, 0]).double())
    torch.testing.assert_close(found.share, torch.tensor([1.0, 0, 0]).double())


def test_a_unit_that_writes_against_the_rest_has_a_negative_share(world):
    _, head, units, _ = world
    found = null_shares(torch.cat([units[:1], -0.25 * units[:1]]), head)
    torch.testing.assert_close(found.share, torch.tensor([4 / 3, -1 / 3]).double())


def test_leaving_out_a_null_part_moves_no_logit(world):
    weight, head, units, _ = world
    feature = units.sum(dim=0)
    logits = feature @ weight.mT
    drift = (feature - head.null_part(units)) @ weight.mT - logits
    assert float(drift.abs().max() / logits.abs().max()) < 1e-12


def test_scores_are_those_of_the_feature_without_that_null_part(world):
    _, head, units, translator = world
    text, feature = normal(DIM, seed=5), units.sum(dim=0)
    found = left_out(units, head, translator, text)
    for unit in range(UNITS):
        other = translator.apply(feature - head.null_part(units[unit]))
        z = translator.apply(feature)
        turned = angle_deg(z, text) - angle_deg(other, text)
        torch.testing.assert_close(found.attribute_score_deg[unit], turned)
        torch.testing.assert_close(found.image_score_deg[unit], angle_deg(z, other))
    assert bool((found.attribute_score_deg.abs() <= found.image_score_deg + 1e-9).all())


def test_first_order_shares_add_up_to_the_derivative_along_the_null_part(world):
    _, head, units, translator = world
    text, feature = normal(DIM, seed=5), units.sum(dim=0)
    found = left_out(units, head, translator, text)
    step = 1e-5 * head.null_part(feature)
    ahead, behind = (angle_deg(translator.apply(feature + s * step), text) for s in (1, -1))
    assert float(found.linear_share_deg.sum()) == pytest.approx(
        float((ahead - behind) / 2e-5), rel=1e-6
    )


def test_for_small_units_the_exact_score_is_the_first_order_one(world):
    _, head, units, translator = world
    small = torch.cat([units[:1], 1e-6 * units[1:]])
    found = left_out(small, head, translator, normal(DIM, seed=5))
    torch.testing.assert_close(
        found.attribute_score_deg[1:], found.linear_share_deg[1:], rtol=1e-3, atol=1e-10
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_without_a_null_space_all_shares_are_zero_and_it_is_said(dtype):
    units = normal(UNITS, WIDTH).to(dtype)
    head = HeadDecomposition.from_weight(normal(WIDTH, WIDTH, seed=1))
    found = null_shares(units, head)
    assert head.nullity == 0
    assert found.is_empty
    assert not found.share.any()
    assert not found.null_norm.any()
    translator = Translator(normal(DIM, WIDTH), normal(DIM))
    scores = left_out(units, head, translator, normal(DIM, seed=5))
    for values in (scores.attribute_score_deg, scores.image_score_deg, scores.linear_share_deg):
        assert not values.any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_units_whose_null_parts_cancel_leave_nothing_to_share(world, dtype):
    _, head, units, _ = world
    found = null_shares(torch.cat([units, -units]).to(dtype), head)
    inside = null_shares(head.principal_part(units).to(dtype), head)
    for one in (found, inside):
        assert one.is_empty
        assert not one.share.any()
        assert bool(one.null_fraction.isfinite().all())


def test_an_angle_at_its_kink_has_no_first_order(world):
    _, head, units, translator = world
    for sign in (1, -1):
        text = sign * translator.apply(units.sum(dim=0))
        found = left_out(units, head, translator, text)
        assert not found.linear_share_deg.any()
        assert bool(found.attribute_score_deg.isfinite().all())


def test_units_of_another_shape_are_refused(world):
    _, head, units, _ = world
    with pytest.raises(ShapeError, match="Units"):
        null_shares(units[0], head)
    with pytest.raises(ShapeError, match="reads"):
        null_shares(units[:, 1:], head)
