"""Attribute read-outs on made-up features: they tell values, and are silent without a change."""

import pytest
import torch

from sing_core.making.attributes import attribute_part, attribute_probes
from sing_core.making.captions import GROUPS
from sing_core.making.geometry import value_names
from tests.making.small_world import World

RIDGE = 0.01


@pytest.fixture(scope="module")
def world():
    return World()


def spans():
    """Group -> its rows among those of all values."""
    place, found = 0, {}
    for group in sorted(GROUPS):
        found[group] = slice(place, place + len(GROUPS[group]))
        place += len(GROUPS[group])
    return found


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_the_read_out_of_a_group_tells_its_values_apart(world, group):
    read = attribute_probes(world.views, RIDGE)
    chosen = world.views.take(world.views.rows_of(group))
    guess = read.embed(chosen.features)[:, spans()[group]].argmax(1)
    assert float((guess == chosen.values).float().mean()) > 0.9


def test_photographs_as_they_are_read_near_zero(world):
    read = attribute_probes(world.views, RIDGE)
    assert read.weight.shape[0] == sum(map(len, GROUPS.values()))
    photos = world.views.features[world.views.rows_of("")]
    changed = world.views.features[[i for i, name in enumerate(world.views.groups) if name]]
    plain, loud = (read.embed(rows).square().mean().sqrt() for rows in (photos, changed))
    assert float(plain) < 0.5 * float(loud)


def test_values_alike_count_alike_however_often_they_occur(world):
    rows = world.views.rows_of("light")
    seldom = rows[world.views.values[rows] == 1][2:]
    kept = torch.tensor([i for i in range(len(world.views.labels)) if i not in seldom.tolist()])
    few = world.views.take(kept)
    read = attribute_probes(few, 3.0).embed(world.views.features[rows])[:, spans()["light"]]
    wanted = world.views.values[rows]
    gap = read[:, 1] - read[:, 0]
    assert float(gap[wanted == 1].mean()) > 0 > float(gap[wanted == 0].mean())


def test_the_part_is_as_long_on_photographs_as_asked(world):
    part = attribute_part(world.views, world.texts, ridge=RIDGE, length=0.45)
    photos = world.views.features[world.views.rows_of("")]
    assert float(part.mean_length(photos)) == pytest.approx(0.45, rel=1e-4)


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_a_changed_photograph_moves_along_the_words_for_the_change(world, group):
    part = attribute_part(world.views, world.texts, ridge=RIDGE, length=1.0)
    chosen = world.views.take(world.views.rows_of(group))
    scores = part.embed(chosen.features) @ value_names(world.texts)[spans()[group]].mT
    share = float((scores.argmax(1) == chosen.values).float().mean())
    assert share > 0.8
