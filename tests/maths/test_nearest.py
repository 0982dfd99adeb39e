"""The nearest rows, against a sort of all distances."""

import pytest
import torch

from sing_core.errors import ShapeError
from sing_core.maths.nearest import nearest


@pytest.mark.parametrize(("n", "width", "count"), [(700, 20, 10), (12, 3, 11), (600, 1, 2)])
def test_they_are_those_of_a_sort_of_all_distances(n, width, count):
    rows = 100 + torch.randn(n, width, generator=torch.Generator().manual_seed(n))
    whole = torch.cdist(rows.double(), rows.double()).fill_diagonal_(torch.inf)
    expected = whole.topk(count, largest=False)
    places, apart = nearest(rows, count)
    # Two that are as near to single precision may stand either way: their distances are judged.
    assert torch.allclose(whole.gather(1, places), expected.values, atol=1e-4)
    assert torch.allclose(apart.double(), expected.values, atol=1e-4)
    assert all(len(set(row)) == count for row in places.tolist())


def test_other_rows_can_be_asked_about_and_never_meet_themselves():
    generator = torch.Generator().manual_seed(1)
    rows, asked = torch.randn(2, 300, 8, generator=generator)
    whole = torch.cdist(asked.double(), rows.double()).fill_diagonal_(torch.inf)
    assert torch.equal(nearest(rows, 5, asked)[0], whole.topk(5, largest=False).indices)


def test_copies_are_0_apart_however_long_they_are():
    rows = 1e3 * torch.randn(40, 500, generator=torch.Generator().manual_seed(0))
    rows[7] = rows[31]
    places, apart = nearest(rows, 1)
    assert (int(places[7]), int(places[31])) == (31, 7)
    assert float(apart[7]) == 0.0


def test_what_has_too_few_rows_is_refused():
    with pytest.raises(ShapeError, match="need more rows"):
        nearest(torch.zeros(3, 2), 3)
    with pytest.raises(ShapeError, match="none are neighbours"):
        nearest(torch.zeros(3, 2), 1, torch.zeros(4, 2))
