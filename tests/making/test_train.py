"""Both heads on a small world: they learn, alike every time, and do without what is left out."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from sing_core.making.train import train_heads
from tests.making.small_world import CLASSES, FEATURES, RECIPE, TEXT_DIM, World

WORLD = World()
SHORT = replace(RECIPE, joint=8, alone=4)


@pytest.fixture(scope="module")
def trained():
    """Heads, and what was reported while they were trained."""
    steps = []
    heads = train_heads(
        WORLD.views,
        WORLD.words,
        WORLD.classifier,
        RECIPE,
        lambda *told: steps.append(told),
    )
    return heads, steps


def guesses(heads, photos):
    prompts = heads.unit(WORLD.texts.classes[0])
    return (normalize(heads.image.embed(photos.features), dim=1) @ prompts.mT).argmax(1)


@pytest.mark.slow
def test_training_tells_photographs_apart(trained):
    heads, _ = trained
    photos = WORLD.views.take(WORLD.views.rows_of(""))
    assert float((guesses(heads, photos) == photos.labels).float().mean()) > 0.8
    assert heads.image.weight.shape == (RECIPE.dim, FEATURES)
    assert heads.text.inner.shape == ((TEXT_DIM + RECIPE.dim) // 2, TEXT_DIM)
    for part in (heads.image.weight, heads.image.bias, heads.text.inner, heads.text.outer):
        assert bool(part.isfinite().all())
        assert not part.requires_grad


@pytest.mark.slow
def test_progress_tells_steps_of_both_parts_and_a_falling_loss(trained):
    _, steps = trained
    assert [told[:2] for told in steps] == [(20, 90), (40, 90), (60, 90), (80, 90)]
    assert steps[2][2] < steps[0][2]


def test_the_same_recipe_gives_the_same_heads_and_another_seed_gives_others():
    first, second, other = (
        train_heads(WORLD.views, WORLD.words, WORLD.classifier, recipe)
        for recipe in (SHORT, SHORT, replace(SHORT, seed=1))
    )
    assert first.text.inner.equal(second.text.inner)
    assert first.text.outer.equal(second.text.outer)
    assert first.image.weight.equal(second.image.weight)
    assert first.image.bias.equal(second.image.bias)
    assert not first.image.weight.equal(other.image.weight)


@pytest.mark.slow
def test_a_class_left_out_entirely_is_trained_without_and_found_by_its_kin():
    out = torch.arange(CLASSES) >= CLASSES - 4
    views = WORLD.views.take(torch.nonzero(~out[WORLD.views.labels]).squeeze(1))
    weight, bias = WORLD.classifier
    heads = train_heads(views, WORLD.words.without(out), (weight[~out], bias[~out]), RECIPE)
    photos = WORLD.views.take(WORLD.views.rows_of(""))
    unseen = photos.take(torch.nonzero(out[photos.labels]).squeeze(1))
    prompts = heads.unit(WORLD.texts.classes[0])[out]
    found = (heads.image.embed(unseen.features) @ prompts.mT).argmax(1) + CLASSES - 4
    assert float((found == unseen.labels).float().mean()) > 0.5


@pytest.mark.slow
def test_training_in_bfloat16_learns_as_well():
    heads = train_heads(WORLD.views, WORLD.words, WORLD.classifier, RECIPE, fast=True)
    photos = WORLD.views.take(WORLD.views.rows_of(""))
    assert float((guesses(heads, photos) == photos.labels).float().mean()) > 0.8
    assert heads.image.weight.dtype == torch.float32
