"""The head split: edge cases, the Gram shortcut beside the SVD, the complement's hard cases."""

import numpy as np
import pytest
import torch

from sing_core.errors import HeadError, ShapeError
from sing_core.maths import head as module
from sing_core.maths.head import HeadDecomposition, orthogonal_complement
from tests import reference
from tests.strategies import build_head


def projector(basis):
    return basis @ basis.mT


def assert_orthonormal(*bases, tolerance=1e-12):
    whole = torch.cat(bases, dim=1)
    gap = whole.mT @ whole - torch.eye(whole.shape[1], dtype=whole.dtype)
    assert float(gap.abs().max()) <= tolerance


def with_condition(c, m, condition, seed=0):
    """A full-rank wide head whose singular values span this ratio."""
    return build_head(c, m, min(c, m), seed=seed, spread=1 / condition).weight


@pytest.mark.parametrize(
    ("weight", "rank", "nullity"),
    [
        (torch.zeros(3, 5), 0, 5),
        (torch.ones(1, 4), 1, 3),
        (torch.zeros(1, 1), 0, 1),
        (torch.ones(4, 1), 1, 0),
        (torch.ones(4, 6), 1, 5),
        (torch.eye(5)[:3], 3, 2),
        (torch.randn(9, 4, generator=torch.Generator().manual_seed(0)), 4, 0),
    ],
    ids=["zero", "one class", "one zero", "one feature", "all equal", "identity", "more classes"],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_edge_heads_have_the_rank_they_should(weight, rank, nullity, dtype):
    split = HeadDecomposition.from_weight(weight.to(dtype))
    assert (split.rank, split.nullity) == (rank, nullity)
    assert split.null_basis.shape == (weight.shape[1], nullity)
    assert_orthonormal(split.principal_basis, split.null_basis)
    assert split.singular_values.shape == (min(weight.shape),)


def test_a_zero_head_loses_everything_and_a_full_one_nothing():
    features = torch.randn(2, 5, dtype=torch.float64)
    nothing = HeadDecomposition.from_weight(torch.zeros(3, 5, dtype=torch.float64))
    assert not nothing.remove_null(features).any()
    everything = HeadDecomposition.from_weight(torch.eye(5, dtype=torch.float64))
    torch.testing.assert_close(everything.remove_null(features), features)
    assert float(everything.null_part(features).abs().max()) < 1e-15


def test_the_singular_values_are_those_of_numpy_in_descending_order():
    for condition in (1.0, 50.0, 1e6):
        weight = with_condition(12, 20, condition)
        found = HeadDecomposition.from_weight(weight).singular_values.numpy()
        _, _, expected = reference.split(weight.numpy())
        assert (np.diff(found) <= 1e-12).all()
        np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_an_explicit_tolerance_cuts_small_singular_values():
    weight = torch.diag(torch.tensor([1.0, 1e-2, 1e-4], dtype=torch.float64))
    assert [HeadDecomposition.from_weight(weight, rtol=r).rank for r in (1e-5, 1e-3, 0.1)] == [
        3,
        2,
        1,
    ]


def test_features_of_any_leading_shape_are_taken_and_their_type_is_kept():
    split = HeadDecomposition.from_weight(torch.randn(3, 6))
    for shape in ((6,), (2, 6), (2, 3, 6), (0, 6)):
        features = torch.randn(shape)
        assert split.remove_null(features).shape == features.shape
        assert split.remove_null(features).dtype == torch.float32
        assert split.null_part(features).dtype == torch.float64


def test_nothing_given_is_changed():
    weight, features = torch.randn(3, 6), torch.randn(2, 6)
    copies = weight.clone(), features.clone()
    split = HeadDecomposition.from_weight(weight)
    split.remove_null(features), split.null_part(features), split.null_basis
    assert torch.equal(weight, copies[0])
    assert torch.equal(features, copies[1])


@pytest.mark.parametrize("weight", [torch.zeros(3), torch.zeros(0, 3), torch.zeros(2, 3, 4)])
def test_a_head_that_is_no_matrix_is_refused(weight):
    with pytest.raises(ShapeError, match="classes, features"):
        HeadDecomposition.from_weight(weight)


@pytest.mark.parametrize(
    "weight",
    [torch.full((2, 3), float("nan")), torch.full((2, 3), float("inf")), torch.ones(2, 3).half()],
)
def test_a_head_of_another_type_or_not_finite_is_refused(weight):
    with pytest.raises(HeadError, match="float"):
        HeadDecomposition.from_weight(weight)


@pytest.mark.parametrize("features", [torch.zeros(5), torch.zeros(2, 7), torch.tensor(1.0)])
def test_features_of_another_width_are_refused(features):
    split = HeadDecomposition.from_weight(torch.randn(3, 6))
    for method in (split.principal_part, split.null_part, split.remove_null):
        with pytest.raises(ShapeError, match="6 features"):
            method(features)


# The Gram shortcut


@pytest.mark.parametrize("condition", [1.0, 5.0, 9.0, 300.0, 5e3])
@pytest.mark.parametrize("scale", [1.0, 1e-20, 1e20])
def test_the_gram_shortcut_agrees_with_the_svd(condition, scale):
    weight = with_condition(40, 70, condition) * scale
    found = module._gram_split(weight, 1e-14)
    assert found is not None
    sigma, basis = found
    expected_sigma, expected = module._svd_split(weight)
    torch.testing.assert_close(sigma, expected_sigma, rtol=1e-8, atol=0)
    torch.testing.assert_close(projector(basis), projector(expected), rtol=0, atol=1e-11)
    assert_orthonormal(basis)


@pytest.mark.parametrize(
    "weight",
    [
        with_condition(20, 40, 1e5),
        build_head(20, 40, 19).weight,
        build_head(20, 40, 20).weight[[0, *range(20)]],
        torch.zeros(4, 9, dtype=torch.float64),
        build_head(9, 4, 4).weight,
        build_head(5, 9, 5, scale=1e-160).weight,
        build_head(5, 9, 5, scale=1e160).weight,
    ],
    ids=["ill-conditioned", "rank", "class twice", "zero", "tall", "tiny", "huge"],
)
def test_the_gram_shortcut_declines_where_the_svd_is_needed(weight):
    assert module._gram_split(weight, 1e-14) is None
    split = HeadDecomposition.from_weight(weight)
    _, _, sigma = reference.split(weight.numpy())
    np.testing.assert_allclose(
        split.singular_values.numpy(), sigma, rtol=1e-9, atol=1e-13 * sigma[0]
    )
    expected = torch.from_numpy(reference.principal_projector(weight.numpy()))
    torch.testing.assert_close(projector(split.principal_basis), expected, rtol=0, atol=1e-9)
    assert_orthonormal(split.principal_basis, split.null_basis)


def test_the_shortcut_is_what_a_wide_well_conditioned_head_takes(monkeypatch):
    def refuse(weight):
        raise AssertionError("the SVD was not needed")

    monkeypatch.setattr(module, "_svd_split", refuse)
    assert HeadDecomposition.from_weight(with_condition(10, 16, 100.0)).rank == 10


# The complement


def hard_bases():
    m, r = 12, 5
    rotation, _ = torch.linalg.qr(torch.randn(m, m, dtype=torch.float64))
    eye = torch.eye(m, dtype=torch.float64)
    half = eye[:, :r].clone()
    half[:, 0] = (eye[:, 0] + eye[:, m - 1]) / 2**0.5
    singular_top = torch.cat([eye[:, :2], eye[:, r : r + 3]], dim=1)
    mixing, _ = torch.linalg.qr(torch.randn(r, r, dtype=torch.float64))
    return {
        "random": rotation[:, :r],
        "identity on top": eye[:, :r],
        "minus identity on top": -eye[:, :r],
        "zero on top": eye[:, m - r :],
        "singular top block": singular_top,
        "singular top block, rotated": singular_top @ mixing,
        "one column shared": half,
        "permuted": eye[:, [4, 3, 2, 1, 0]],
        "wide": rotation[:, : m - 1],
        "one column": rotation[:, :1],
        "nothing": rotation[:, :0],
        "everything": rotation,
    }


@pytest.mark.parametrize("name", hard_bases())
@pytest.mark.parametrize("fallback", [False, True])
def test_the_complement_is_orthonormal_in_every_hard_case(name, fallback, monkeypatch):
    torch.manual_seed(1)
    basis = hard_bases()[name]
    if fallback:
        monkeypatch.setattr(module, "_orthonormality_defect", lambda basis, complement: 1.0)
    complement = orthogonal_complement(basis)
    m, r = basis.shape
    assert complement.shape == (m, m - r)
    assert_orthonormal(basis, complement, tolerance=1e-13)


def test_a_complement_that_is_not_orthonormal_is_noticed_and_made_by_qr(monkeypatch):
    basis = hard_bases()["random"]
    good = orthogonal_complement(basis)
    assert module._orthonormality_defect(basis, good) < 1e-13
    assert module._orthonormality_defect(basis, good * (1 + 1e-9)) > 1e-11
    leaking = good + 1e-9 * basis[:, :1]
    assert module._orthonormality_defect(basis, leaking) > 1e-11
    monkeypatch.setattr(torch.linalg, "solve_triangular", lambda a, b, upper: b.clone())
    assert_orthonormal(basis, orthogonal_complement(basis), tolerance=1e-13)
