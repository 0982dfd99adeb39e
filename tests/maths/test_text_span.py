"""TextSpan beside what must hold of it, beside PCA, and beside simultaneous pursuit."""

import pytest
import torch

from sing_core.errors import ShapeError
from sing_core.maths.sparse_texts import somp
from sing_core.maths.text_span import TextSpan, text_span, text_spans

ROWS, WIDTH, RANK, TEXTS = 400, 24, 9, 60
RULES = ("variance", "gain")


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def unit(rows):
    return torch.nn.functional.normalize(rows, dim=-1)


def unit_outputs(seed=0, rank=RANK):
    """Rows like a head's: of low rank, uneven, and with a mean inside their span."""
    scales = torch.logspace(0, -1, rank, dtype=torch.float64)
    hidden = normal(ROWS, rank, seed=seed) * scales + normal(rank, seed=seed + 1)
    return hidden @ normal(rank, WIDTH, seed=seed + 2)


def candidates(seed=0, count=TEXTS):
    return unit(normal(count, WIDTH, seed=100 + seed))


def centred(rows):
    return rows - rows.mean(dim=0)


def variance(rows):
    return float(centred(rows).square().sum() / len(rows))


@pytest.fixture(params=range(3))
def world(request):
    return unit_outputs(request.param), candidates(request.param)


@pytest.mark.parametrize("rule", RULES)
def test_atoms_are_orthonormal_and_gains_are_what_they_explain(world, rule):
    rows, texts = world
    found = text_span(rows, texts, 6, rule=rule)
    assert len(found.chosen) == len(set(found.chosen)) == 6
    torch.testing.assert_close(found.atoms @ found.atoms.mT, torch.eye(6, dtype=torch.float64))
    assert bool((found.gains >= 0).all())
    for m in range(7):
        part = centred(rows) @ found.atoms[:m].mT @ found.atoms[:m]
        explained = variance(part) / variance(rows)
        assert float(found.gains[:m].sum()) == pytest.approx(explained, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("rule", RULES)
def test_the_atoms_span_what_the_projected_texts_span_and_point_their_way(world, rule):
    rows, texts = world
    found = text_span(rows, texts, 5, rule=rule)
    axes = torch.linalg.svd(rows, full_matrices=False)[2][:RANK]
    chosen = texts[list(found.chosen)] @ axes.mT @ axes
    basis = torch.linalg.qr(chosen.mT).Q
    inside = found.atoms @ basis @ basis.mT
    torch.testing.assert_close(inside, found.atoms, rtol=0, atol=1e-10)
    assert bool(((found.atoms * chosen).sum(dim=1) > 0).all())


@pytest.mark.parametrize("rule", RULES)
def test_it_is_exhausted_at_the_rank_of_the_rows_and_then_explains_everything(world, rule):
    rows, texts = world
    found = text_span(rows, texts, 50, rule=rule)
    assert len(found.chosen) == found.rank == RANK
    assert float(found.gains.sum()) == pytest.approx(1, abs=1e-12)
    torch.testing.assert_close(found.project(rows), rows)


@pytest.mark.parametrize("rule", RULES)
def test_no_choice_of_texts_explains_more_than_principal_components(world, rule):
    rows, texts = world
    power = torch.linalg.svdvals(centred(rows)).square()
    bound = (power / power.sum()).cumsum(0)[:RANK]
    explained = text_span(rows, texts, RANK, rule=rule).gains.cumsum(0)
    assert bool((explained <= bound + 1e-12).all())


def test_the_thesis_rule_is_simultaneous_pursuit_by_standard_deviation(world):
    rows, texts = world
    found, other = text_span(rows, texts, RANK), somp(rows, texts, RANK)
    assert found.chosen == other.chosen
    torch.testing.assert_close(found.gains.cumsum(0), other.explained)
    torch.testing.assert_close(rows - found.project(rows), other.residual, rtol=0, atol=1e-10)
    fewer, others = text_span(rows, texts, 4), somp(rows, texts, 4)
    assert fewer.chosen == others.chosen == found.chosen[:4]
    torch.testing.assert_close(rows - fewer.project(rows), others.residual, rtol=0, atol=1e-10)


def test_the_greedy_rule_explains_at_least_as_much_at_the_first_step(world):
    rows, texts = world
    greedy, thesis = (text_span(rows, texts, 1, rule=rule) for rule in ("gain", "variance"))
    assert float(greedy.gains[0]) >= float(thesis.gains[0])
    each = [float(text_span(rows, text[None], 1).gains[0]) for text in texts]
    assert float(greedy.gains[0]) == pytest.approx(max(each))


@pytest.mark.parametrize("rule", RULES)
def test_a_planted_direction_is_found_first_and_explains_almost_all(rule):
    texts = candidates()
    rows = 5 * normal(ROWS, 1) * texts[17] + 0.02 * normal(ROWS, WIDTH, seed=1)
    found = text_span(rows, texts, 3, rule=rule)
    assert found.chosen[0] == 17
    assert float(found.gains[0]) > 0.99


def test_texts_that_wrote_the_rows_explain_more_than_random_ones():
    texts = candidates()
    rows = normal(ROWS, 5) @ texts[:5] + 0.1 * normal(ROWS, WIDTH, seed=1)
    planted = float(text_span(rows, texts, 5).gains.sum())
    shuffled = texts[:, torch.randperm(WIDTH, generator=torch.Generator().manual_seed(0))]
    assert planted > 0.9
    for others in (candidates(seed=7), shuffled):
        assert float(text_span(rows, others, 5).gains.sum()) < planted - 0.1


def test_spare_directions_are_not_given_to_the_texts():
    """Asking for more dimensions than the rows have changes nothing; fewer bound what is said."""
    rows, texts = unit_outputs(), candidates()
    plain, generous = text_span(rows, texts, 6), text_span(rows, texts, 6, rank=20)
    assert plain.chosen == generous.chosen
    assert plain.rank == generous.rank == RANK
    assert text_span(rows.float(), texts, 6).rank == RANK  # rounding gives no dimension away
    narrow = text_span(rows, texts, 6, rank=4)
    assert len(narrow.chosen) == narrow.rank == 4
    assert float(narrow.gains.sum()) < 1


def test_a_text_outside_the_span_of_the_rows_is_never_chosen():
    rows = unit_outputs()
    basis = torch.linalg.qr(torch.linalg.svd(rows, full_matrices=False)[2][:RANK].mT).Q
    outside = normal(5, WIDTH, seed=3)
    outside = unit(outside - outside @ basis @ basis.mT)
    texts = torch.cat([outside, torch.zeros(1, WIDTH), candidates(count=4)])
    for rule in RULES:
        assert set(text_span(rows, texts, 10, rule=rule).chosen) == {6, 7, 8, 9}


@pytest.mark.parametrize("rule", RULES)
def test_the_same_text_is_not_taken_twice_in_other_words(rule):
    rows, texts = unit_outputs(), candidates(count=6)
    found = text_span(rows, torch.cat([texts, texts, 3 * texts]), 18, rule=rule)
    assert len({place % 6 for place in found.chosen}) == len(found.chosen) == 6


@pytest.mark.parametrize("rows", [torch.zeros(5, WIDTH), torch.ones(50, WIDTH) / 3])
def test_rows_that_do_not_vary_have_nothing_to_be_said_of_them(rows):
    found = text_span(rows, candidates(), 5)
    assert found.chosen == ()
    assert found.gains.shape == (0,)
    assert found.atoms.shape == (0, WIDTH)
    torch.testing.assert_close(found.project(rows), rows.double())


def test_without_texts_only_the_mean_is_left():
    rows = unit_outputs()
    found = text_span(rows, torch.zeros(0, WIDTH), 5)
    assert found.chosen == ()
    torch.testing.assert_close(found.project(rows[:2]), rows.mean(dim=0).expand(2, -1))
    assert text_span(rows, candidates(), 0).chosen == ()


def test_coefficients_are_how_far_a_row_lies_from_the_mean_along_each_atom():
    rows, texts = unit_outputs(), candidates()
    found = text_span(rows, texts, 4)
    coordinates = found.coefficients(rows)
    assert coordinates.shape == (ROWS, 4)
    torch.testing.assert_close(coordinates.mean(dim=0), torch.zeros(4, dtype=torch.float64))
    shares = coordinates.square().mean(dim=0) / variance(rows)
    torch.testing.assert_close(shares, found.gains)
    shifted = rows[0] + 2.5 * found.atoms[1]
    moved = found.coefficients(shifted) - coordinates[0]
    torch.testing.assert_close(moved, torch.tensor([0, 2.5, 0, 0], dtype=torch.float64))


def test_a_mean_a_thousand_times_the_spread_costs_no_digits():
    rows, texts = centred(unit_outputs()), candidates()
    basis = torch.linalg.svd(rows, full_matrices=False)[2][:RANK]
    far = rows + 1e3 * basis[0]
    plain, moved = text_span(rows, texts, 6), text_span(far, texts, 6)
    assert plain.chosen == moved.chosen
    torch.testing.assert_close(plain.gains, moved.gains, rtol=1e-8, atol=0)


def test_many_units_are_each_read_as_if_alone():
    rows = torch.stack([unit_outputs(seed) for seed in (0, 5, 9)], dim=1).float()
    texts = candidates()
    for unit_at, found in enumerate(text_spans(rows, texts, 5)):
        alone = text_span(rows[:, unit_at], texts, 5)
        assert isinstance(found, TextSpan)
        assert found.chosen == alone.chosen
        assert torch.equal(found.gains, alone.gains)


def test_what_does_not_fit_together_is_refused():
    rows, texts = unit_outputs(), candidates()
    with pytest.raises(ShapeError, match="one width"):
        text_span(rows, texts[:, 1:], 3)
    with pytest.raises(ShapeError, match="there is a row"):
        text_span(rows[:0], texts, 3)
    with pytest.raises(ShapeError, match="not negative"):
        text_span(rows, texts, -1)
    with pytest.raises(ShapeError, match="several units"):
        next(text_spans(rows, texts, 3))
    with pytest.raises(ShapeError, match="These rows"):
        text_span(rows, texts, 3).project(rows[:, 1:])
