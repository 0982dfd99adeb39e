"""The parts of training on small made-up features, and the shipped head on real photographs."""

import json

import pytest
import torch
from torch.nn.functional import normalize

from sing_core.making.captions import GROUPS
from sing_core.making.geometry import (
    Texts,
    attribute_directions,
    value_names,
)
from sing_core.making.pseudo import Neighbours, push
from sing_core.making.train import Recipe, Views, train_head
from sing_core.settings import Settings

CLASSES, WIDTH, DIM = 40, 64, 48


@pytest.fixture
def texts():
    generator = torch.Generator().manual_seed(1)
    common = torch.randn(DIM, generator=generator)
    classes = normalize(torch.randn(2, CLASSES, DIM, generator=generator) * 0.1 + common, dim=-1)
    classes[1] = classes[0]
    values = {
        group: [normalize(torch.randn(5, DIM, generator=generator) + common, dim=1) for _ in named]
        for group, named in GROUPS.items()
        if len(named) == 2
    }
    return Texts(classes, values)


@pytest.fixture
def classifier():
    generator = torch.Generator().manual_seed(2)
    return torch.randn(CLASSES, WIDTH, generator=generator), torch.zeros(CLASSES)


def make_views(classifier, texts, count=400):
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(CLASSES // 2, (count,), generator=generator)  # half of the classes
    features = classifier[0][labels] + 0.5 * torch.randn(count, WIDTH, generator=generator)
    groups = [""] * (count // 2) + [texts.groups[i % len(texts.groups)] for i in range(count // 2)]
    values = torch.randint(2, (count,), generator=generator)
    for i, group in enumerate(groups):
        if group:
            features[i, texts.groups.index(group)] += 6.0 * (2 * values[i] - 1)
    return Views(features, labels, tuple(groups), values)


def test_a_push_gives_exactly_the_margin_asked_for(classifier):
    features = torch.randn(6, WIDTH)
    origins, goals = torch.arange(6), torch.arange(6) + 10
    margins = torch.linspace(1, 6, 6)
    logits = push(features, origins, goals, margins, classifier) @ classifier[0].mT
    found = logits.gather(1, goals[:, None]) - logits.gather(1, origins[:, None])
    torch.testing.assert_close(found.squeeze(1), margins, rtol=1e-3, atol=1e-3)


def test_neighbours_come_only_from_classes_that_have_photographs(classifier):
    labels = torch.randint(20, (100,))
    rows, goals = Neighbours(labels, torch.arange(100), classifier[0]).draw(
        64, 0.25, torch.Generator().manual_seed(0)
    )
    assert bool((rows >= 0).all())
    assert bool((rows < 100).all())
    assert torch.equal(goals[:16], labels[rows[:16]])


def test_what_names_an_attribute_names_it_alone(texts):
    names = value_names(texts)
    product = names @ attribute_directions(texts)
    wanted = names @ torch.linalg.pinv(names)  # the part of the identity that centring leaves
    assert float((product - wanted).norm() / wanted.norm()) < 0.2


def test_a_short_training_knows_classes_it_never_saw(texts, classifier):
    views = make_views(classifier, texts)
    recipe = Recipe(steps=60, batch=64, removed=2, offset=0.3, margins=(3.0, 30.0))
    head = train_head(views, texts, classifier, recipe)
    unseen = torch.arange(CLASSES // 2, CLASSES)
    guess = normalize(head.embed(classifier[0][unseen]), dim=1) @ texts.classes[0].mT
    assert float((guess.argmax(1) == unseen).float().mean()) > 10 / CLASSES


def test_measures_and_weights_belong_together():
    assets = Settings().assets_dir
    measures = json.loads((assets / "mini" / "measures.json").read_text("utf-8"))
    assert set(measures["translators"]) == {f"tf_efficientnet_lite{n}" for n in range(3)}
    assert 0.5 < measures["zero_shot_top1_unseen_classes"] < 1
