"""Another penalty from the translator alone gives what a new fit with that penalty gives."""

from dataclasses import replace
from functools import reduce

import pytest
import torch

from sing_core.errors import ShapeError
from sing_core.maths.cross_fit import cross_fit
from sing_core.maths.folds import OUTSIDE
from sing_core.maths.ridge import Moments, fit_from_moments, fit_ridge
from sing_core.maths.ridge_path import Scatter, penalty_shares


@pytest.fixture
def pairs():
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(60, 12, generator=generator) + 3
    embeddings = torch.randn(60, 5, generator=generator) + features[:, :5]
    return features, embeddings


@pytest.mark.parametrize("factor", [0.1, 1.0, 10.0])
def test_it_is_the_fit_with_that_penalty(pairs, factor):
    features, embeddings = pairs
    fitted = fit_ridge(features, embeddings, alpha=2.0)
    wanted = fit_ridge(features, embeddings, alpha=2.0 * factor)
    spread = Scatter.of_rows(features)
    turned = spread.turned(fitted.weight)
    weight, bias = spread.repenalised(turned, fitted.bias, 2.0, 2.0 * factor)
    translated = spread.turned(features) @ weight.mT + bias
    assert torch.allclose((weight @ spread.vectors.mT).double(), wanted.weight.double(), atol=1e-4)
    assert torch.allclose(bias.double(), wanted.bias.double(), atol=1e-3)
    assert torch.allclose(translated.double(), wanted.apply(features).double(), atol=1e-3)


def test_a_penalty_is_known_as_a_share_whatever_the_rows_of_the_fit_weighed():
    """Of the fit of everything, and of each stand-in, by its own share."""
    chance = torch.Generator().manual_seed(1)
    features = torch.rand(400, 12, generator=chance) * torch.linspace(0.1, 3, 12)
    embeddings = features @ torch.randn(12, 5, generator=chance)
    embeddings += 3 * torch.randn(400, 5, generator=chance)
    folds = torch.arange(400) % 5
    parts = [
        Moments.of(features[folds == k], embeddings[folds == k], torch.full((80,), 7.0 + 3 * k))
        for k in range(5)
    ]
    fitted = cross_fit(parts)
    whole = fitted.translator(f"{row:064x}" for row in range(400))
    shares = penalty_shares(whole)
    assert set(shares) == {OUTSIDE, 0, 1, 2, 3, 4}
    total = reduce(Moments.merge, parts)
    for place, share in shares.items():
        rest = total if place == OUTSIDE else total.without(parts[place])
        wanted = fit_from_moments(rest, 0.1 * share * rest.mean_eigenvalue)
        own = fitted.whole if place == OUTSIDE else fitted.translators[place]
        spread = Scatter.of(rest.feature_mean, rest.xx / rest.weight)  # of other rows, as many
        penalty = share * spread.mean_eigenvalue
        turned = spread.turned(own.weight)
        weight, bias = spread.repenalised(turned, own.bias, penalty, 0.1 * penalty)
        assert torch.allclose((weight @ spread.vectors.mT).double(), wanted.weight, atol=1e-4)
        assert torch.allclose(bias.double(), wanted.bias, atol=1e-3)
    assert penalty_shares(replace(whole, details={"lambda": "3"})) == {}


def test_what_is_no_scatter_or_no_penalty_is_refused():
    with pytest.raises(ShapeError, match="scatter"):
        Scatter.of(torch.ones(2), torch.ones(2, 3))
    with pytest.raises(ShapeError, match="positive"):
        Scatter.of(torch.ones(2), torch.eye(2)).repenalised(torch.eye(2), torch.ones(2), 1.0, 0.0)
