"""A null space cut to fewer dimensions: inside it, where most of the features lie."""

import pytest
import torch

from sing_core.errors import ShapeError
from sing_core.maths.controls import DRAWS, PER_FRAME, choices, random_basis
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.null_cut import cut_controls, cut_to, largest_null_directions
from sing_core.maths.translator import Translator

M, C, K = 24, 10, 5


@pytest.fixture
def head():
    return HeadDecomposition.from_weight(torch.randn(C, M, dtype=torch.float64))


@pytest.fixture
def features():
    """Features that vary more in some directions than in others, around a mean that is not 0."""
    scales = torch.linspace(0.1, 3, M, dtype=torch.float64)
    return torch.randn(200, M, dtype=torch.float64) * scales + 0.5


def cut(head, features, dimension):
    return cut_to(head, largest_null_directions(head, features.mT @ features, dimension))


def test_the_cut_lies_in_the_null_space_and_has_the_dimension_that_was_asked(head, features):
    found = cut(head, features, K)
    assert found.nullity == K
    removed = features - found.remove_null(features)
    assert torch.linalg.matrix_rank(removed, rtol=1e-9) == K
    assert torch.allclose(head.null_part(removed), removed, atol=1e-12)


def test_no_other_part_of_the_null_space_holds_more_of_the_features(head, features):
    held = found = cut(head, features, K).null_part(features).square().sum()
    for seed in range(20):
        other = head.null_basis @ random_basis(head.nullity, K, seed)
        held = max(held, (features @ other).square().sum())
    assert held == found


def test_uncut_it_is_the_null_space_itself(head, features):
    whole = cut(head, features, head.nullity)
    assert torch.allclose(whole.null_part(features), head.null_part(features), atol=1e-10)


def test_the_controls_are_cut_from_random_subspaces_as_large_as_the_whole_null_space(
    head, features
):
    translator = Translator(torch.randn(7, M), torch.zeros(7))
    moment = features.mT @ features
    found = cut_controls(head, moment, K, translator)
    assert len(found.bases) == DRAWS
    for draw, basis in enumerate(found.bases):
        frame = random_basis(M, M, draw // PER_FRAME, torch.float32).double()
        subset = choices(M, head.nullity, PER_FRAME, draw // PER_FRAME)[draw % PER_FRAME]
        whole, cut = frame[:, subset], basis.double()
        assert basis.shape == (M, K)
        assert torch.allclose(whole @ (whole.mT @ cut), cut, atol=1e-5)
        held = (features @ cut).square().sum()
        assert held > 1.2 * (features @ whole[:, :K]).square().sum()
    assert torch.allclose(found.translated[0], translator.weight @ found.bases[0])


def test_directions_that_are_not_there_are_refused(head, features):
    moment = features.mT @ features
    for dimension in (0, head.nullity + 1):
        with pytest.raises(ShapeError, match="cannot be kept"):
            largest_null_directions(head, moment, dimension)
    with pytest.raises(ShapeError, match="square"):
        largest_null_directions(head, moment[:5, :5], 2)
