"""The place that a sentence names holds most of the map, and never more than all of it."""

import pytest
import torch

from sing_core.units.places import place_of


def planted(rows, columns, value=1.0, *, noise=0.0, shape=(16, 16)):
    generator = torch.Generator().manual_seed(3)
    heat = noise * torch.randn(shape, generator=generator, dtype=torch.float64)
    heat[rows, columns] += value
    return heat


@pytest.mark.parametrize(
    ("rows", "columns", "name"),
    [
        (slice(0, 3), slice(0, 3), "upper left"),
        (slice(0, 3), slice(13, 16), "upper right"),
        (slice(7, 9), slice(7, 9), "centre"),
        (slice(12, 16), slice(6, 9), "lower middle"),
        (slice(14, 16), slice(0, 16), "band along the bottom"),
        (slice(0, 16), slice(7, 9), "strip down the middle"),
    ],
)
@pytest.mark.parametrize("value", [1.0, -1.0])
def test_what_was_planted_is_named(rows, columns, name, value):
    found = place_of(planted(rows, columns, value, noise=0.002))
    assert found.name == name
    assert 0.8 < found.share <= 1.0
    assert found.words.startswith(f"mostly in the {name} of the photo: ")
    assert found.total * value > 0


def test_patches_that_cancel_leave_a_share_that_is_no_more_than_all():
    heat = planted(slice(0, 2), slice(0, 2)) - planted(slice(0, 2), slice(2, 4))
    heat[15, 15] = 0.5
    found = place_of(heat)
    assert float(heat.sum()) == pytest.approx(0.5)
    assert (found.name, found.total) == ("upper left", 0.0)
    assert found.share == pytest.approx(8 / 8.5)
    assert found.words == ("mostly in the upper left of the photo: 94 % of it, on 10 % of the area")


def test_what_is_everywhere_is_called_spread_and_nothing_has_no_share():
    found = place_of(torch.ones(16, 16))
    assert found.words.startswith("spread over the photo: the ")
    assert found.share == pytest.approx(found.area)
    assert place_of(torch.zeros(3, 5)).share == 0.0
