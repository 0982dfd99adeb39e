"""The nearest rows, against a sort of all distances."""

import pytest
import torch

from sing_core.errors import ShapeError
from sing_core.maths import nearest as looked_for
from sing_core.maths.nearest import nearest


@pytest.fixture(params=[7, 64, 10_000], ids="blocks of {}".format)
def block(request, monkeypatch):
    """Rows at a time: few, some that divide no set here, and more than any set has."""
    monkeypatch.setattr(looked_for, "_BLOCK", request.param)


@pytest.mark.slow
@pytest.mark.usefixtures("block")
@pytest.mark.parametrize(
    ("n", "width", "count"),
    [(300, 20, 10), (12, 3, 11), (150, 2, 149), (200, 1, 2), (2, 4, 1), (64, 5, 8)],
)
def test_they_are_those_of_a_sort_of_all_distances(n, width, count):
    rows = 100 + torch.randn(n, width, generator=torch.Generator().manual_seed(n))
    whole = torch.cdist(rows.double(), rows.double()).fill_diagonal_(torch.inf)
    expected = whole.topk(count, largest=False)
    places, apart = nearest(rows, count)
    # Two that are as near to single precision may stand either way: their distances are judged.
    assert torch.allclose(whole.gather(1, places), expected.values, atol=1e-4)
    assert torch.allclose(apart.double(), expected.values, atol=1e-4)
    assert all(len(set(row)) == count for row in places.tolist())
    assert not (places == torch.arange(n)[:, None]).any()


def test_more_rows_than_a_block_as_it_is_set_meet_all_others():
    n = looked_for._BLOCK + 300
    rows = torch.randn(n, 3, generator=torch.Generator().manual_seed(0))
    whole = torch.cdist(rows.double(), rows.double()).fill_diagonal_(torch.inf)
    _, apart = nearest(rows, 4)
    assert torch.allclose(apart.double(), whole.topk(4, largest=False).values, atol=1e-4)


@pytest.mark.slow
@pytest.mark.usefixtures("block")
def test_other_rows_can_be_asked_about_and_never_meet_themselves():
    generator = torch.Generator().manual_seed(1)
    rows, asked = torch.randn(2, 300, 8, generator=generator)
    whole = torch.cdist(asked.double(), rows.double()).fill_diagonal_(torch.inf)
    assert torch.equal(nearest(rows, 5, asked)[0], whole.topk(5, largest=False).indices)


def test_a_row_is_multiplied_with_another_block_once(monkeypatch):
    """What one product says serves both: with b blocks b (b + 1) / 2 products, not b²."""
    monkeypatch.setattr(looked_for, "_BLOCK", 10)
    made, product = [], torch.mm
    monkeypatch.setattr(torch, "mm", lambda a, b, **to: made.append(a.shape) or product(a, b, **to))
    rows, asked = torch.randn(2, 45, 6, generator=torch.Generator().manual_seed(0))
    nearest(rows, 3)
    assert len(made) == 5 * 6 // 2
    nearest(rows, 3, asked)
    assert len(made) == 5 * 6 // 2 + 5 * 5


def test_neighbours_that_single_precision_cannot_tell_apart_are_told_in_order():
    """Far from 0 by 1,000 in 400 directions: products of single precision are some 100 off."""
    generator = torch.Generator().manual_seed(3)
    steps = 1e-2 * torch.randperm(30, generator=generator).float()
    rows = torch.randn(60, 400, generator=generator) * 1e3
    rows[30:] = rows[0]
    rows[30:, 0] += 1 + steps
    places, apart = nearest(rows, 30)
    whole = (rows[0, 0].double() - rows[30:, 0].double()).abs()
    assert torch.equal(places[0], 30 + whole.argsort())
    assert torch.allclose(apart[0].double(), whole.sort().values, rtol=1e-6, atol=0)


@pytest.mark.usefixtures("block")
def test_copies_are_0_apart_however_long_they_are():
    rows = 1e3 * torch.randn(40, 500, generator=torch.Generator().manual_seed(0))
    rows[7] = rows[31]
    places, apart = nearest(rows, 1)
    assert (int(places[7]), int(places[31])) == (31, 7)
    assert float(apart[7]) == 0.0


@pytest.mark.slow
@pytest.mark.usefixtures("block")
def test_what_is_far_from_all_rows_keeps_their_order():
    """Its own square would swallow what tells the others apart: it is never added."""
    rows = torch.randn(400, 4, generator=torch.Generator().manual_seed(2))
    asked = rows + torch.tensor([1e4, 0.0, 0.0, 0.0])
    whole = torch.cdist(asked.double(), rows.double()).fill_diagonal_(torch.inf)
    places, _ = nearest(rows, 5, asked)
    expected = whole.topk(5, largest=False).values
    assert torch.allclose(whole.gather(1, places), expected, rtol=0, atol=0.01)


def test_what_has_too_few_rows_is_refused():
    with pytest.raises(ShapeError, match="need more rows"):
        nearest(torch.zeros(3, 2), 3)
    with pytest.raises(ShapeError, match="none are neighbours"):
        nearest(torch.zeros(3, 2), 1, torch.zeros(4, 2))
