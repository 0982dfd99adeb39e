"""Angles and scores: shapes, exact values, errors (their properties: ``test_properties``)."""

import pytest
import torch

from sing_core.errors import ShapeError, ZeroVectorError
from sing_core.maths.scores import angle_deg, angle_table, attribute_score_deg, image_score_deg
from sing_core.maths.steering import angles_along

X, Y = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0])


def test_right_straight_and_zero_angles_are_exact():
    assert float(angle_deg(X, Y)) == 90
    assert float(angle_deg(X, -X)) == 180
    assert float(angle_deg(X, 5 * X)) == 0
    assert float(angle_deg(X, X + Y)) == pytest.approx(45, abs=1e-12)


def test_an_angle_that_float32_arccosine_loses_is_kept():
    tilted = torch.tensor([1.0, 1e-4, 0.0])
    cosine = torch.nn.functional.cosine_similarity(X, tilted, dim=0)
    assert float(torch.rad2deg(torch.arccos(cosine))) == 0
    assert float(angle_deg(X, tilted)) == pytest.approx(0.00572958, abs=1e-7)


def test_batches_broadcast():
    many = torch.randn(4, 1, 3), torch.randn(2, 3)
    assert angle_deg(*many).shape == (4, 2)
    assert image_score_deg(many[1], X).shape == (2,)
    assert attribute_score_deg(many[0], many[1], X).shape == (4, 2)
    single = angle_deg(many[0][2, 0], many[1][1])
    assert float(angle_deg(*many)[2, 1]) == pytest.approx(float(single), abs=1e-12)


def test_tiny_and_huge_vectors_have_angles():
    tiny, huge = X.double() * 1e-300, (X + Y).double() * 1e300
    assert float(angle_deg(tiny, huge)) == pytest.approx(45, abs=1e-12)


@pytest.mark.parametrize("bad", [torch.zeros(3), X * float("nan"), X * float("inf")])
def test_a_zero_or_infinite_vector_has_no_angle(bad):
    for call in (lambda: angle_deg(X, bad), lambda: angle_deg(bad, X)):
        with pytest.raises(ZeroVectorError, match="zero or not finite"):
            call()
    with pytest.raises(ZeroVectorError):
        attribute_score_deg(X, Y, bad)
    with pytest.raises(ZeroVectorError):
        angle_deg(torch.stack([X, bad]), Y)


@pytest.mark.parametrize("other", [torch.ones(2), torch.tensor(1.0), torch.ones(3, 0)])
def test_vectors_of_different_width_are_refused(other):
    with pytest.raises(ShapeError, match="equal last dimensions"):
        angle_deg(X, other)
    with pytest.raises(ShapeError):
        angle_deg(torch.ones(0), torch.ones(0))


def test_a_table_and_a_line_settle_small_angles_alike():
    """Both leave an arccosine that has lost its digits to the half-angle form."""
    z0, w = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    steps = torch.tensor([1e-9, 1e-6, 1e-3])
    along = angles_along(z0, w, steps, z0[None])
    table = angle_table(z0 + steps[:, None].double() * w, z0[None])
    exact = torch.rad2deg(torch.atan(steps.double()))[:, None]
    torch.testing.assert_close(along, exact, rtol=1e-12, atol=0)
    torch.testing.assert_close(table, exact, rtol=1e-12, atol=0)
