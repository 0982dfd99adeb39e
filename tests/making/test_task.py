"""The losses: nought where nothing is wrong, more where something is, and a start that is near."""

import pytest
import torch
from torch.nn.functional import normalize

from sing_core.making.heads import TextHead
from sing_core.making.task import Task
from tests.making.small_world import CLASSES, FEATURES, RECIPE, TEXT_DIM, World

WORLD = World()


@pytest.fixture
def task():
    """A task of its own for each test: the losses draw from its generator."""
    return Task(WORLD.views, WORLD.words, WORLD.classifier, RECIPE, fast=False)


def same(scale=1.0):
    """A text head that shows texts exactly as they are: gelu(x) - gelu(-x) is x."""
    eye = torch.eye(TEXT_DIM)
    return TextHead(torch.cat([eye, -eye]), scale * torch.cat([eye, -eye], dim=1))


def random(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return TextHead(
        torch.randn(56, TEXT_DIM, generator=generator), torch.randn(64, 56, generator=generator)
    )


def test_a_text_head_that_keeps_every_cosine_loses_nothing(task):
    assert float(task.whole_loss(same(3.0))) == pytest.approx(0, abs=1e-4)
    assert float(task.whole_loss(random())) > 0.1


def test_the_start_is_finite_and_keeps_sentences_better_than_chance(task):
    inner, text = task.start()
    assert inner.shape == (RECIPE.dim, FEATURES)
    assert text.inner.shape == ((TEXT_DIM + RECIPE.dim) // 2, TEXT_DIM)
    assert text.outer.shape == (RECIPE.dim, (TEXT_DIM + RECIPE.dim) // 2)
    for part in (inner, text.inner, text.outer):
        assert bool(part.isfinite().all())
    assert float(task.whole_loss(text)) < 0.7 * float(task.whole_loss(random()))


def test_the_start_knows_classes_before_any_step(task):
    inner, text = task.start()
    head = task.head(inner, torch.zeros(RECIPE.dim))
    photos = WORLD.views.take(WORLD.views.rows_of(""))
    prompts = normalize(text.embed(WORLD.texts.classes[0]), dim=1)
    guess = (head.embed(photos.features) @ prompts.mT).argmax(1)
    assert float((guess == photos.labels).float().mean()) > 5 / CLASSES


def test_the_class_loss_of_the_start_is_below_that_of_a_random_head(task):
    inner, text = task.start()
    centre = torch.zeros(RECIPE.dim)
    other = torch.randn(inner.shape, generator=torch.Generator().manual_seed(1)) * inner.std()
    good, bad = (task.class_loss(one, centre, text) for one in (inner, other))
    assert float(good) < float(bad)


def test_a_head_gives_the_mean_view_its_centre_and_keeps_what_it_is_told_to(task):
    inner, _ = task.start()
    centre = torch.arange(RECIPE.dim).float()
    mean = WORLD.views.features.mean(0, keepdim=True)
    torch.testing.assert_close(
        task.head(inner, centre).embed(mean)[0], centre, rtol=1e-4, atol=1e-4
    )
    keep = torch.diag((torch.arange(RECIPE.dim) > 9).float())
    kept = task.head(inner, centre, keep).embed(WORLD.views.features)
    assert float(kept[:, :10].abs().max()) == 0
    whole = task.head(inner, centre).embed(WORLD.views.features)
    torch.testing.assert_close(kept[:, 10:], whole[:, 10:], rtol=1e-4, atol=1e-4)


def test_two_tasks_of_one_seed_ask_the_same():
    first, second = (
        Task(WORLD.views, WORLD.words, WORLD.classifier, RECIPE, fast=False) for _ in range(2)
    )
    assert float(first.whole_loss(random())) == float(second.whole_loss(random()))
