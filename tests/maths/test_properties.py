"""The properties that carry the product (STYLE 1.8), for two dtypes and every awkward head.

Mutants that were made by hand in the named function, each killed by the tests after it (and by
more; these are the ones that say what is wrong):

* rows for columns: ``_svd_split`` returns ``vh`` instead of ``vh.mT``
  -> ``test_both_bases_together_are_one_orthonormal_basis``
* rows for columns: ``_gram_split`` returns ``rows`` instead of ``rows.mT``
  -> ``test_both_bases_together_are_one_orthonormal_basis``
* absolute tolerance: ``from_weight`` counts ``sigma > 1e-5``
  -> ``test_the_rank_is_that_of_the_construction_and_ignores_the_scale``
* float32 SVD: ``from_weight`` takes ``weight.float()`` for its maths
  -> ``test_removing_the_null_part_keeps_every_logit``
* wrong basis: ``principal_basis`` is ``basis[:, -rank:]`` or the left singular vectors
  -> ``test_the_projection_is_the_one_of_the_full_svd``
* parts exchanged: ``remove_null`` returns the null part
  -> ``test_removing_the_null_part_keeps_every_logit``
* swapped AS sign: ``attribute_score_deg`` returns equivalent minus original
  -> ``test_scores_agree_with_the_formulas_of_the_paper``
* float32 arccos: ``angle_deg`` is the arccosine of a float32 cosine
  -> ``test_scores_agree_with_the_formulas_of_the_paper``
* float64 arccos: the same in float64
  -> ``test_small_angles_keep_their_digits``
* no scaling first: ``_unit`` without its division by the largest entry
  -> ``test_angles_do_not_depend_on_the_lengths``
* unprojected gradient: ``null_direction`` returns the gradient itself
  -> ``test_steering_moves_no_logit``
* downhill: ``null_direction`` returns its negative
  -> ``test_steering_moves_towards_the_prompt_at_first``
* penalised intercept: ``_Normal.of`` does not centre
  -> ``test_the_closed_form_is_that_of_scikit_learn``
* shift with bias: ``Translator.linear`` adds the bias
  -> ``test_a_shift_travels_by_the_linear_part``

Property 9, the store, has its own file.
"""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from sing_core.errors import ZeroVectorError
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.ridge import fit_ridge
from sing_core.maths.scores import angle_deg, attribute_score_deg, image_score_deg
from sing_core.maths.steering import null_direction, steer
from sing_core.maths.translator import Translator
from tests import reference
from tests.strategies import (
    build_head,
    feature_batches,
    heads,
    nearby_vectors,
    seeds,
    unit_vectors,
)

ONE_DEGREE = np.pi / 180


@st.composite
def head_and_features(draw):
    head = draw(heads())
    m = head.weight.shape[1]
    return head, draw(feature_batches(m, head.weight.dtype))


@st.composite
def steering_cases(draw):
    """A head with a null space, a translator, a feature and a text."""
    c, m = draw(st.integers(1, 6)), draw(st.integers(7, 14))
    head = build_head(c, m, draw(st.integers(0, c)), seed=draw(seeds))
    rng = np.random.default_rng(draw(seeds))
    d = draw(st.integers(2, 6))
    translator = Translator(
        torch.from_numpy(rng.standard_normal((d, m))), torch.from_numpy(rng.standard_normal(d))
    )
    feature = draw(feature_batches(m, torch.float64, rows=1))[0]
    assume(float(torch.linalg.vector_norm(translator.apply(feature))) > 1e-2)
    return head, translator, feature, draw(unit_vectors(d))


def norm_bound(head, features):
    """The natural size of a logit: |W| |f| per row (``1e-300`` keeps a zero head comparable)."""
    return torch.linalg.matrix_norm(head.weight.double()) * torch.linalg.vector_norm(
        features.double(), dim=-1, keepdim=True
    )


# 1


@pytest.mark.slow
@given(head_and_features())
def test_removing_the_null_part_keeps_every_logit(case):
    head, features = case
    kept = HeadDecomposition.from_weight(head.weight).remove_null(features)
    drift = (kept.double() - features.double()) @ head.weight.double().mT
    assert kept.dtype == features.dtype
    assert (drift.abs() <= head.tolerance * norm_bound(head, features)).all()


@pytest.mark.slow
@given(head_and_features())
def test_the_projection_is_the_one_of_the_full_svd(case):
    head, features = case
    split = HeadDecomposition.from_weight(head.weight)
    expected = np.stack([reference.remove_null(f, head.weight.numpy()) for f in features.numpy()])
    size = torch.linalg.vector_norm(features.double(), dim=-1, keepdim=True)
    difference = split.remove_null(features).double() - torch.from_numpy(expected)
    assert (difference.abs() <= head.tolerance * size).all()
    rest = split.null_part(features) - (features.double() - torch.from_numpy(expected))
    assert (rest.abs() <= head.tolerance * size).all()


# 2


@pytest.mark.slow
@given(heads())
def test_both_bases_together_are_one_orthonormal_basis(head):
    split = HeadDecomposition.from_weight(head.weight)
    whole = torch.cat([split.principal_basis, split.null_basis], dim=1)
    m = head.weight.shape[1]
    assert whole.shape == (m, m)
    assert split.principal_basis.dtype == split.null_basis.dtype == torch.float64
    torch.testing.assert_close(whole.mT @ whole, torch.eye(m, dtype=torch.float64))
    moved = head.weight.double() @ split.null_basis
    assert (moved.abs() <= head.tolerance * norm_bound(head, split.null_basis.new_ones(1))).all()


# 3


@pytest.mark.slow
@given(heads(), st.sampled_from([1e-6, 1e-3, 0.5, 3.0, 1e6]))
def test_the_rank_is_that_of_the_construction_and_ignores_the_scale(head, factor):
    split = HeadDecomposition.from_weight(head.weight)
    scaled = HeadDecomposition.from_weight(head.weight * factor)
    assert split.rank == scaled.rank == head.rank
    assert split.nullity == head.weight.shape[1] - head.rank


# 4


@pytest.mark.slow
@given(head_and_features())
def test_removal_is_idempotent(case):
    head, features = case
    split = HeadDecomposition.from_weight(head.weight)
    once = split.remove_null(features)
    size = torch.linalg.vector_norm(features.double(), dim=-1, keepdim=True)
    assert ((split.remove_null(once) - once).abs() <= head.tolerance * size).all()
    assert (split.null_part(once).abs() <= head.tolerance * size).all()


# 5


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(data=st.data())
def test_the_image_score_is_a_symmetric_angle(dtype, data):
    u, v = data.draw(nearby_vectors(6, dtype))
    score = image_score_deg(u, v)
    assert score.dtype == torch.float64
    assert 0 <= float(score) <= 180
    assert float(score) == pytest.approx(float(image_score_deg(v, u)), abs=1e-12)
    assert float(image_score_deg(u, u.clone())) == 0


@pytest.mark.slow
@given(nearby_vectors(5), st.integers(-200, 200), st.integers(-100, 100))
def test_angles_do_not_depend_on_the_lengths(pair, first, second):
    u, v = pair
    scaled = angle_deg(u * 10.0**first, v * 10.0**second)
    assert float(scaled) == pytest.approx(float(angle_deg(u, v)), rel=1e-12, abs=1e-12)


@pytest.mark.slow
@given(unit_vectors(6), unit_vectors(6), st.floats(-9, 1))
def test_small_angles_keep_their_digits(u, offset, exponent):
    sideways = offset - (offset @ u) * u
    assume(float(torch.linalg.vector_norm(sideways)) > 1e-3)
    wanted = 10.0**exponent
    turned = u + np.tan(wanted * ONE_DEGREE) * sideways / torch.linalg.vector_norm(sideways)
    assert float(angle_deg(u, turned)) == pytest.approx(wanted, rel=1e-6, abs=1e-13)


# 6


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(data=st.data())
def test_scores_agree_with_the_formulas_of_the_paper(dtype, data):
    (z, equivalent), text = data.draw(nearby_vectors(6, dtype)), data.draw(unit_vectors(6, dtype))
    arrays = [vector.double().numpy() for vector in (z, equivalent, text)]
    assert float(image_score_deg(z, equivalent)) == pytest.approx(
        reference.image_score_deg(*arrays[:2]), abs=1e-6
    )
    assert float(attribute_score_deg(z, equivalent, text)) == pytest.approx(
        reference.attribute_score_deg(*arrays), abs=1e-6
    )


@pytest.mark.slow
@given(nearby_vectors(6), unit_vectors(6))
def test_the_attribute_score_changes_sign_and_never_exceeds_the_image_score(pair, text):
    score = attribute_score_deg(*pair, text)
    assert float(score) == -float(attribute_score_deg(*pair[::-1], text))
    assert abs(float(score)) <= float(image_score_deg(*pair)) + 1e-10


def test_a_positive_attribute_score_means_nearer_to_the_text():
    original, equivalent, text = torch.eye(3)[0], torch.eye(3)[0] + torch.eye(3)[1], torch.eye(3)[1]
    assert float(attribute_score_deg(original, equivalent, text)) == pytest.approx(45)


# 7


@pytest.mark.slow
@given(steering_cases(), st.floats(0, 1e3))
def test_steering_moves_no_logit(case, epsilon):
    head, translator, feature, text = case
    split = HeadDecomposition.from_weight(head.weight)
    try:
        direction = null_direction(feature, split, translator, text)
    except ZeroVectorError:
        assume(False)
    assert float(torch.linalg.vector_norm(direction)) == pytest.approx(1, abs=1e-12)
    moved = head.weight @ (steer(feature, direction, epsilon) - feature)
    size = torch.linalg.matrix_norm(head.weight) * (torch.linalg.vector_norm(feature) + epsilon)
    assert (moved.abs() <= 1e-12 * size).all()


@pytest.mark.slow
@given(steering_cases())
def test_steering_moves_towards_the_prompt_at_first(case):
    head, translator, feature, text = case
    matrix, intercept = translator.weight.numpy(), translator.bias.numpy()
    try:
        direction = null_direction(
            feature, HeadDecomposition.from_weight(head.weight), translator, text
        ).numpy()
    except ZeroVectorError:
        assume(False)
    gradient = reference.exact_similarity_gradient(feature.numpy(), matrix, intercept, text.numpy())
    assert gradient @ direction > 0
    expected = reference.null_direction(
        feature.numpy(), head.weight.numpy(), matrix, intercept, text.numpy()
    )
    # The share of the gradient that lies in the null space sets how exact its direction can be.
    share = (gradient @ direction) / np.linalg.norm(gradient)
    np.testing.assert_allclose(direction, expected, atol=1e-12 / share)


# 8


@pytest.mark.slow
@given(seeds, st.integers(2, 30), st.integers(1, 6), st.integers(1, 4), st.floats(-4, 4))
def test_the_closed_form_is_that_of_scikit_learn(seed, n, m, d, exponent):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, m)) + 3, rng.standard_normal((n, d)) - 2
    share, alpha = rng.uniform(0.1, 2, n), 10.0**exponent
    ours = fit_ridge(
        torch.from_numpy(x), torch.from_numpy(y), alpha=alpha, weights=torch.from_numpy(share)
    )
    theirs = Ridge(alpha=alpha, solver="svd").fit(x, y, sample_weight=share)
    np.testing.assert_allclose(ours.weight.numpy(), theirs.coef_.reshape(d, m), atol=1e-8)
    np.testing.assert_allclose(ours.bias.numpy(), theirs.intercept_, atol=1e-8)


@given(seeds, st.sampled_from([torch.float32, torch.float64]))
def test_a_shift_travels_by_the_linear_part(seed, dtype):
    rng = np.random.default_rng(seed)
    weight, bias = rng.standard_normal((4, 7)), rng.standard_normal(4)
    translator = Translator(torch.from_numpy(weight).to(dtype), torch.from_numpy(bias).to(dtype))
    f, v = (torch.from_numpy(rng.standard_normal(7)).to(dtype) for _ in range(2))
    gap = translator.apply(f.double() + v.double()) - translator.apply(f)
    torch.testing.assert_close(gap, translator.linear(v), rtol=0, atol=1e-12)
    both = translator.apply(f.double() + v.double())
    torch.testing.assert_close(
        both + translator.bias.double(),
        translator.apply(f) + translator.apply(v),
        rtol=0,
        atol=1e-12,
    )
