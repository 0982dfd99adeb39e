"""What a search in pixels reaches, in linear networks where that is known in closed form."""

import pytest
import torch

from sing_core.errors import ShapeError
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.pixel_search import PixelBall, reach

SHAPE = (3, 2, 2)
VALUES = 12
SEEN, HIDDEN = 0, 2  # the head reads features 0 and 1
DIRECTION = torch.eye(4)[[HIDDEN]]


def ball(matrix, picture=None, budget=0.03, second=0.0):
    """A network that multiplies the picture's values by ``matrix`` (values, 4); logits of 100."""
    weight = torch.zeros(2, 4)
    weight[0, 0] = weight[1, 1] = 1.0
    linear = LinearHead.from_weight(weight, torch.tensor([100.0, second]))
    levels = torch.full(SHAPE, 100.0) if picture is None else picture
    rest = levels.flatten() @ matrix
    return PixelBall.around(levels, lambda x: x.flatten(1) @ matrix - rest, linear, budget)


def one(found):
    return [reached[0] for reached in found]


def test_what_no_logit_sees_is_reached_to_the_edge_of_the_ball():
    """Half of the values move the hidden feature alone: r times the sum of what they weigh."""
    matrix = torch.zeros(VALUES, 4)
    generator = torch.Generator().manual_seed(1)
    matrix[:6, HIDDEN] = torch.randn(6, generator=generator)
    matrix[6:, SEEN] = 1.0
    picture = torch.full(SHAPE, 100.0)
    most = float(matrix[:, HIDDEN].abs().sum())
    for reached, radius in zip(
        one(reach(ball(matrix, picture), DIRECTION, (1, 4, 8), steps=40)), (1, 4, 8), strict=True
    ):
        assert reached.radius == radius
        assert reached.along == pytest.approx(radius * most, rel=1e-4)
        change = (reached.picture - picture).flatten()
        assert change[:6].tolist() == (radius * matrix[:6, HIDDEN].sign()).tolist()


def test_values_at_the_end_of_their_range_do_not_leave_it():
    matrix = torch.zeros(VALUES, 4)
    matrix[:2, HIDDEN] = torch.tensor([1.0, -1.0])
    picture = torch.full(SHAPE, 100.0)
    picture.view(-1)[:2] = torch.tensor([253.0, 1.0])
    (reached,) = one(reach(ball(matrix, picture), DIRECTION, (8,), steps=40))
    assert reached.along == pytest.approx(2 + 1)
    assert reached.picture.flatten()[:2].tolist() == [255, 0]


@pytest.mark.parametrize(("radius", "levels"), [(2, 2), (3, 3), (8, 5)])
def test_what_logits_show_too_is_reached_as_far_as_they_may_move(radius, levels):
    """One value moves both by 1 and 0.55: a logit may move by 3, hence 5 levels and no more."""
    matrix = torch.zeros(VALUES, 4)
    matrix[0, HIDDEN], matrix[0, SEEN] = 1.0, 0.55
    around = ball(matrix)
    (reached,) = one(reach(around, DIRECTION, (radius,), steps=120, starts=4))
    assert reached.along == pytest.approx(levels)
    logits = around.linear.logits(around.sees(torch.stack([around.picture, reached.picture])))
    assert float((logits[1] - logits[0]).abs().max()) <= 0.03 * around.largest


def test_a_picture_of_another_class_is_not_what_was_looked_for():
    """The logit may move by 3, 5 levels of 0.55; from 2 levels on the second class is the first."""
    matrix = torch.zeros(VALUES, 4)
    matrix[0, HIDDEN], matrix[0, SEEN] = 1.0, -0.55
    for second, levels in ((0.0, 5), (99.0, 1)):
        around = ball(matrix, second=second)
        (reached,) = one(reach(around, DIRECTION, (8,), steps=120, starts=4))
        assert reached.along == pytest.approx(levels)


def test_what_shows_in_a_logit_is_made_good_by_other_values():
    """Value 0 moves a logit, value 1 moves it back: together they reach all of the ball."""
    matrix = torch.zeros(VALUES, 4)
    matrix[0, HIDDEN], matrix[0, SEEN], matrix[1, SEEN] = 1.0, 2.0, 2.0
    (reached,) = one(reach(ball(matrix), DIRECTION, (8,), steps=200, starts=4))
    assert reached.along == pytest.approx(8)
    assert reached.picture.flatten()[1] < 100 - 8 + 2


def test_where_no_value_moves_it_the_picture_stays_and_a_larger_radius_never_reaches_less():
    matrix = torch.zeros(VALUES, 4)
    matrix[:, SEEN] = 1.0
    picture = torch.full(SHAPE, 100.0)
    (reached,) = one(reach(ball(matrix, picture), DIRECTION, (8,), steps=5))
    assert reached.along == 0
    assert torch.equal(reached.picture, picture)
    tangled = torch.randn(VALUES, 4, generator=torch.Generator().manual_seed(3))
    found = one(reach(ball(tangled), DIRECTION, (1, 2, 3, 4), steps=40, starts=1))
    assert [r.along for r in found] == sorted(r.along for r in found)
    assert found[0].along > 0


def test_each_direction_is_followed_by_itself_and_draws_are_seeded():
    matrix = torch.randn(VALUES, 4, generator=torch.Generator().manual_seed(4))
    both = torch.stack([DIRECTION[0], -3 * torch.eye(4)[3]])
    two = [list(reach(ball(matrix), both, (4,), steps=30, starts=1)) for _ in range(2)]
    alone = one(reach(ball(matrix), both[1:], (4,), steps=30, starts=1))
    assert two[0][0][1].along == pytest.approx(alone[0].along)
    assert torch.equal(two[0][0][0].picture, two[1][0][0].picture)


def test_noise_moves_every_value_by_the_radius():
    noise = ball(torch.zeros(VALUES, 4)).noise(3, 5, torch.Generator().manual_seed(0))
    assert noise.shape == (5, *SHAPE)
    assert set((noise - 100).abs().flatten().tolist()) == {3}


@pytest.mark.parametrize(
    "asked", [{"radii": (2, 1)}, {"radii": (0,)}, {"radii": ()}, {"steps": 0}, {"starts": 0}]
)
def test_what_cannot_be_searched_is_refused(asked):
    options = {"radii": (1,), "steps": 1, "starts": 1} | asked
    with pytest.raises(ShapeError):
        list(reach(ball(torch.zeros(VALUES, 4)), DIRECTION, **options))
    with pytest.raises(ShapeError):
        PixelBall.around(torch.zeros(1, 3, 2, 2), None, None)
