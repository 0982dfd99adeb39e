"""Cross-fitting: the fit without a fold is the fit from the other rows, and nothing leaks."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sing_core.errors import ShapeError, UnsupportedImageError
from sing_core.maths.cross_fit import (
    CrossFit,
    cross_fit,
    fit_without,
    moments_by_fold,
    partner_of,
)
from sing_core.maths.folds import FOLDS, fold_of
from sing_core.maths.ridge import SHARES, Moments, fit_from_moments, fit_ridge

M, D = 12, 5


def rows(n, noise, seed=0, m=M, d=D):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, m, generator=generator, dtype=torch.float64) + 1
    matrix = torch.randn(m, d, generator=generator, dtype=torch.float64)
    y = x @ matrix + noise * torch.randn(n, d, generator=generator, dtype=torch.float64) - 2
    return x, y


def folded(x, y, count=FOLDS):
    folds = torch.arange(len(x)) % count
    return folds, moments_by_fold(x, y, folds, count)


@given(seed=st.integers(0, 99), cut=st.integers(1, 29))
def test_taking_a_part_away_undoes_a_merge(seed, cut):
    x, y = rows(30, 1.0, seed)
    part, rest = Moments.of(x[:cut], y[:cut]), Moments.of(x[cut:], y[cut:])
    left = part.merge(rest).without(part)
    for name in Moments.__slots__:
        found, wanted = getattr(left, name), getattr(rest, name)
        torch.testing.assert_close(
            torch.as_tensor(found), torch.as_tensor(wanted), rtol=1e-9, atol=1e-8
        )


def test_what_is_not_there_cannot_be_taken_away():
    x, y = rows(20, 1.0)
    small, whole = Moments.of(x[:5], y[:5]), Moments.of(x, y)
    for part, of in ((whole, small), (whole, whole), (Moments.of(x[:, :3], y), whole)):
        with pytest.raises(ShapeError, match="can be taken away"):
            of.without(part)


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e3])
def test_a_fit_by_cholesky_is_the_fit_from_rows(alpha):
    x, y = rows(40, 0.5)
    found, wanted = fit_from_moments(Moments.of(x, y), alpha), fit_ridge(x, y, alpha=alpha)
    torch.testing.assert_close(found.weight, wanted.weight, rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(found.bias, wanted.bias, rtol=1e-9, atol=1e-9)
    with pytest.raises(ShapeError, match="positive lambda"):
        fit_from_moments(Moments.of(x, y), 0.0)


def test_each_translator_is_the_fit_of_the_other_folds_rows():
    x, y = rows(200, 2.0)
    folds, moments = folded(x, y)
    found = cross_fit(moments)
    for k, translator in enumerate(found.translators):
        others = folds != k
        wide = x[others] - x[others].mean(dim=0)
        alpha = found.shares[k] * float(wide.square().sum() / M)
        wanted = fit_ridge(x[others], y[others], alpha=alpha)
        torch.testing.assert_close(translator.weight, wanted.weight, rtol=1e-8, atol=1e-9)
        torch.testing.assert_close(found.means[k], x[others].mean(dim=0))
        alone, share = fit_without(moments, k)
        assert share == found.shares[k]
        torch.testing.assert_close(alone.weight, translator.weight)
    z = found.apply(x, folds)
    for k in range(FOLDS):
        assert torch.equal(z[folds == k], found.translators[k].apply(x[folds == k]))


def test_lambda_is_the_best_on_the_partner_among_fits_that_saw_neither():
    x, y = rows(60, 6.0, m=40)  # more features than a third of the rows: lambda matters
    folds, moments = folded(x, y)
    found = cross_fit(moments)
    for k, share in enumerate(found.shares):
        chosen = folds == partner_of(k, FOLDS)
        inside = ~chosen & (folds != k)
        wide = x[inside] - x[inside].mean(dim=0)
        scale = float(wide.square().sum() / x.shape[1])
        errors = []
        for candidate in SHARES:
            fit = fit_ridge(x[inside], y[inside], alpha=candidate * scale)
            errors.append(float((fit.apply(x[chosen]) - y[chosen]).square().mean()))
        assert errors[SHARES.index(share)] == pytest.approx(min(errors), rel=1e-4)


def test_a_fold_has_no_say_in_the_fit_that_scores_it():
    x, y = rows(100, 2.0)
    folds, moments = folded(x, y)
    before = cross_fit(moments)
    changed = y.clone()
    changed[folds == 2] = torch.randn(int((folds == 2).sum()), D, dtype=torch.float64) * 50
    after = cross_fit(folded(x, changed)[1])
    torch.testing.assert_close(
        after.translators[2].weight, before.translators[2].weight, rtol=1e-6, atol=1e-7
    )
    assert after.shares[2] == before.shares[2]
    assert not torch.allclose(after.translators[0].weight, before.translators[0].weight)


def test_without_over_fit_in_sample_and_cross_fitted_embeddings_agree():
    x, y = rows(20_000, 0.3)
    folds, moments = folded(x, y)
    found = cross_fit(moments)
    inside, outside = found.whole.apply(x), found.apply(x, folds)
    cosine = torch.cosine_similarity(inside, outside, dim=-1)
    assert float(cosine.min()) > 0.9999


@pytest.mark.slow
def test_far_fewer_images_than_features_are_fitted_all_the_same():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(24, 1280, generator=generator).relu()
    found = cross_fit(folded(x, torch.randn(24, D, generator=generator))[1])
    assert all(bool(fit.weight.isfinite().all()) for fit in (*found.translators, found.whole))


def test_where_a_fit_can_memorise_only_cross_fitting_tells():
    """Random targets: a fit finds them again in its own rows, and knows nothing of others."""
    x, _ = rows(100, 1.0, m=80)
    y = torch.randn(100, D, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    folds, moments = folded(x, y)
    found = cross_fit(moments)
    memorised = fit_ridge(x, y, alpha=1e-6)
    own = float(torch.cosine_similarity(memorised.apply(x), y, dim=-1).mean())
    honest = float(torch.cosine_similarity(found.apply(x, folds), y, dim=-1).mean())
    assert own > 0.8
    assert abs(honest) < 0.2


@pytest.mark.parametrize("count", [3, 4, 5, 10])
def test_no_fold_is_its_own_partner(count):
    partners = [partner_of(fold, count) for fold in range(count)]
    assert all(0 <= other < count and other != fold for fold, other in enumerate(partners))


def test_all_views_of_a_photograph_are_in_one_fold_and_folds_are_even():
    digests = [f"{i * 2654435761 % 2**32:08x}{'0' * 56}" for i in range(5000)]
    counts = np.bincount([fold_of(digest) for digest in digests], minlength=FOLDS)
    assert counts.min() > 0.9 * counts.max()
    assert fold_of(digests[7]) == fold_of(digests[7][:8] + "f" * 56)


def test_what_makes_no_sense_is_refused():
    x, y = rows(40, 1.0)
    _, moments = folded(x, y)
    with pytest.raises(ShapeError, match="at least three folds"):
        cross_fit(moments[:2])
    same = torch.ones(9, M, dtype=torch.float64)
    with pytest.raises(UnsupportedImageError, match="no difference"):
        cross_fit([Moments.of(same, torch.randn(9, D))] * 3)
    found = cross_fit(moments)
    assert isinstance(found, CrossFit)
    for folds in (torch.full((40,), FOLDS), torch.full((40,), -1), torch.zeros(39)):
        with pytest.raises(ShapeError, match="Every row has a fold"):
            found.apply(x, folds)
