"""Sparse descriptions: exact where a sparse one exists, and never worse with one text more."""

import pytest
import torch

from sing_core.errors import ShapeError
from sing_core.maths.sparse_texts import omp, somp

WIDTH, TEXTS = 32, 90


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def texts():
    """Rows of any length: a description does not depend on it."""
    return normal(TEXTS, WIDTH, seed=1) * torch.linspace(0.1, 9, TEXTS)[:, None]


def test_a_sparse_sum_of_orthogonal_texts_is_recovered_with_its_signs():
    texts = torch.linalg.qr(normal(WIDTH, WIDTH)).Q
    vector = 3 * texts[4] - 2 * texts[11] + 0.5 * texts[20]
    found = omp(vector, texts, 3)
    assert found.chosen == (4, 11, 20)
    torch.testing.assert_close(found.coefficients, torch.tensor([3, -2, 0.5], dtype=torch.float64))
    assert float(found.unexplained[-1]) < 1e-14
    assert omp(vector, texts, 30).chosen == (4, 11, 20)


def test_a_sparse_sum_of_almost_orthogonal_texts_is_recovered_whatever_their_lengths(texts):
    texts = torch.cat([torch.eye(WIDTH, dtype=torch.float64) * 5, texts[:3]])
    texts[:WIDTH] += 0.01 * normal(WIDTH, WIDTH, seed=2)
    unit = torch.nn.functional.normalize(texts, dim=1)
    found = omp(unit[3] - 4 * unit[8], texts, 2)
    assert found.chosen == (8, 3)
    torch.testing.assert_close(found.coefficients, torch.tensor([-4, 1], dtype=torch.float64))


def test_the_residual_is_orthogonal_to_every_chosen_text_and_completes_the_sum(texts):
    vector = normal(WIDTH)
    found = omp(vector, texts, 12)
    unit = torch.nn.functional.normalize(texts, dim=1)[list(found.chosen)]
    assert float((unit @ found.residual).abs().max()) < 1e-13
    torch.testing.assert_close(found.coefficients @ unit + found.residual, vector)
    length = torch.linalg.vector_norm(found.residual) / torch.linalg.vector_norm(vector)
    assert float(found.unexplained[-1]) == pytest.approx(float(length))


def test_no_text_is_taken_twice_and_none_makes_it_worse(texts):
    found = omp(normal(WIDTH), texts, 128)
    assert len(set(found.chosen)) == len(found.chosen) == WIDTH
    assert float(found.unexplained[0]) == 1
    assert bool((found.unexplained.diff() <= 0).all())
    assert float(found.unexplained[-1]) < 1e-10


def test_a_turned_or_scaled_direction_keeps_its_texts(texts):
    vector = normal(WIDTH)
    plain, turned = omp(vector, texts, 8), omp(-100 * vector, texts, 8)
    assert plain.chosen == turned.chosen
    torch.testing.assert_close(turned.coefficients, -100 * plain.coefficients)
    torch.testing.assert_close(turned.unexplained, plain.unexplained)


def test_nothing_is_said_of_a_zero_vector_nor_by_texts_that_say_nothing(texts):
    for vector, words in (
        (torch.zeros(WIDTH), texts),
        (normal(WIDTH), torch.zeros(3, WIDTH)),
        (normal(WIDTH), texts[:0]),
    ):
        found = omp(vector, words, 4)
        assert found.chosen == ()
        assert found.coefficients.shape == (0,)
        assert torch.equal(found.residual, vector.double())
    assert omp(normal(WIDTH), texts[:1].repeat(3, 1), 3).chosen in {(0,), (1,), (2,)}


def test_the_other_criterion_of_the_shared_pursuit_chooses_otherwise_and_explains_as_it_says(texts):
    rows = normal(200, WIDTH, seed=4).pow(3)
    found, other = somp(rows, texts, 10), somp(rows, texts, 10, criterion="l1")
    assert found.chosen != other.chosen
    centred = rows - rows.mean(dim=0)
    for one in (found, other):
        assert bool((one.explained.diff() >= 0).all())
        left = float(one.residual.square().sum() / centred.square().sum())
        assert float(one.explained[-1]) == pytest.approx(1 - left)


def test_what_does_not_fit_together_is_refused(texts):
    with pytest.raises(ShapeError, match="A vector"):
        omp(normal(WIDTH + 1), texts, 3)
    with pytest.raises(ShapeError, match="Rows"):
        somp(normal(4, WIDTH + 1), texts, 3)
