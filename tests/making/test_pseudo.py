"""Pseudo-features: pushed exactly as far as asked, from photographs that there are."""

import pytest
import torch
from torch.nn.functional import normalize

from sing_core.making.pseudo import Neighbours, draw_margins, push

CLASSES, WIDTH = 40, 64


@pytest.fixture
def classifier():
    generator = torch.Generator().manual_seed(2)
    return torch.randn(CLASSES, WIDTH, generator=generator), torch.zeros(CLASSES)


def test_a_push_gives_exactly_the_margin_asked_for(classifier):
    features = torch.randn(6, WIDTH)
    origins, goals = torch.arange(6), torch.arange(6) + 10
    margins = torch.linspace(1, 6, 6)
    logits = push(features, origins, goals, margins, classifier) @ classifier[0].mT
    found = logits.gather(1, goals[:, None]) - logits.gather(1, origins[:, None])
    torch.testing.assert_close(found.squeeze(1), margins, rtol=1e-3, atol=1e-3)


def test_a_photograph_of_the_class_stays_as_it_is(classifier):
    features = torch.randn(6, WIDTH)
    assert push(features, torch.arange(6), torch.arange(6), torch.ones(6), classifier).equal(
        features
    )


def test_margins_lie_between_the_two_that_are_given():
    found = draw_margins(1000, 6.0, 14.0, torch.Generator().manual_seed(0))
    assert 6 <= float(found.min()) < 6.5
    assert 13.5 < float(found.max()) <= 14


def test_neighbours_come_only_from_near_classes_that_have_photographs(classifier):
    weight, generator = classifier[0], torch.Generator().manual_seed(0)
    labels = torch.randint(20, (400,), generator=generator)
    neighbours = Neighbours(labels, torch.arange(400), weight)
    goals = torch.arange(len(weight)).repeat(20)
    origins = labels[neighbours.near(goals, generator)]
    units = normalize(weight - weight.mean(0), dim=1)
    nearest = (units @ units[:20].mT).topk(10, dim=1).indices
    assert bool((nearest[goals] == origins[:, None]).any(1).all())
    rows, drawn = neighbours.draw(4000, generator)
    assert set(drawn.tolist()) == set(range(len(weight)))
    inside = (nearest[drawn] == labels[rows][:, None]).any(1).float().mean()
    assert 0.8 < float(inside) < 0.95  # a quarter from anywhere, half of which are near by chance
