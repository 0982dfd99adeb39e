"""The network of concepts: a plane that keeps angles where it can, the same every time."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sing_core.leakage.concept_map import concept_map


def test_texts_on_a_great_circle_keep_their_angles():
    turns = torch.tensor([0.0, 10.0, 25.0, 60.0]).deg2rad()
    texts = torch.stack([turns.cos(), turns.sin(), torch.zeros(4)], dim=-1)
    found = concept_map(texts)
    for i, j, degrees in ((0, 1, 10.0), (1, 2, 15.0), (0, 3, 60.0)):
        assert math.dist(found.places[i], found.places[j]) == pytest.approx(degrees, abs=1e-4)
    assert [(i, j) for i, j, _ in found.edges] == [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]
    assert found.edges[0][2] == pytest.approx(10.0, abs=1e-4)


@pytest.mark.slow
@given(st.integers(1, 12), st.integers(0, 2**31))
def test_every_concept_has_a_place_and_its_nearest_neighbours(k, seed):
    texts = torch.randn(k, 6, generator=torch.Generator().manual_seed(seed))
    found = concept_map(texts)
    assert len(found.places) == k
    assert all(math.isfinite(x) and math.isfinite(y) for x, y in found.places)
    joined = [{i, j} for i, j, _ in found.edges]
    assert all(sum(n in pair for pair in joined) >= min(2, k - 1) for n in range(k))
    assert found == concept_map(texts.clone())
