"""Another penalty from the translator alone gives what a new fit with that penalty gives."""

import pytest
import torch

from sing_core.errors import ShapeError
from sing_core.maths.ridge import fit_ridge
from sing_core.maths.ridge_path import centred_scatter, other_penalty, repenalised


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
    mean, scatter = centred_scatter(features, len(features))
    change = repenalised(mean, other_penalty(scatter, 2.0, 2.0 * factor))
    weight, bias = change(fitted.weight, fitted.bias)
    assert torch.allclose(weight.double(), wanted.weight.double(), atol=1e-4)
    assert torch.allclose(bias.double(), wanted.bias.double(), atol=1e-3)


def test_a_scatter_of_fewer_images_is_scaled_to_those_of_the_fit(pairs):
    features, _ = pairs
    twice = torch.cat([features, features])
    _, whole = centred_scatter(twice, 120)
    _, scaled = centred_scatter(features, 120)
    assert torch.allclose(whole, scaled, rtol=1e-5)


def test_what_is_no_scatter_or_no_penalty_is_refused():
    with pytest.raises(ShapeError, match="scatter"):
        other_penalty(torch.ones(2, 3), 1.0, 1.0)
    with pytest.raises(ShapeError, match="positive"):
        other_penalty(torch.eye(2), 1.0, 0.0)
