"""What training starts from: rows of features and what is known about each, never out of step."""

import pytest
import torch

from sing_core.making.captions import GROUPS
from sing_core.making.data import ImageFolder
from sing_core.making.features import CLASSIFIERS, REFERENCE, FeatureCache, bfloat16_is_fast
from sing_core.making.material import REFERENCE_PLAN, TRANSLATOR_PLAN, Material, Plan
from sing_core.settings import Settings
from tests.making.conftest import PHOTO_CLASSES

SMALL = Plan(crops=0, attributes=2, tiny=1, tiny_attributes=1)


@pytest.fixture(scope="module")
def views(small_data):
    return SMALL.views(ImageFolder(small_data))


@pytest.fixture(scope="module")
def material(small_data):
    return Material(Settings(), small_data)


def test_a_plan_is_the_same_every_time_and_the_translators_look_at_fewer_views(small_data):
    folder = ImageFolder(small_data)
    plan = Plan(crops=1, attributes=4, tiny=5, tiny_attributes=6)
    assert plan.views(folder) == plan.views(ImageFolder(small_data))
    for name in ("crops", "attributes", "tiny", "tiny_attributes"):
        assert getattr(TRANSLATOR_PLAN, name) <= getattr(REFERENCE_PLAN, name)


@pytest.mark.slow
def test_every_row_is_told_by_its_view(material, views, small_data):
    found, rows = material.views(SMALL)
    folder = ImageFolder(small_data)
    own = FeatureCache(Settings(), folder, fast=bfloat16_is_fast()).features(views, [REFERENCE])
    assert torch.equal(found.features, own[REFERENCE])
    assert found.labels.tolist() == folder.labels(views).tolist()
    for view, row, label, group, value in zip(
        views,
        rows.tolist(),
        found.labels.tolist(),
        found.groups,
        found.values.tolist(),
        strict=True,
    ):
        assert row == (view.row if view.source == "sample" else -1)
        assert row == -1 or label == PHOTO_CLASSES[row]
        if view.kind in GROUPS:
            assert group == view.kind
            assert GROUPS[group][value].name == view.value
        else:
            assert (group, value) == ("", 0)


@pytest.mark.slow
def test_the_plain_photographs_come_first_one_per_photograph(material, views):
    """``measure`` and ``make`` take them from there."""
    _, rows = material.views(SMALL)
    assert rows[:5].tolist() == list(range(5))
    assert [view.kind for view in views[:5]] == ["plain"] * 5


@pytest.mark.slow
def test_pairs_are_of_the_same_views_under_both_networks(material, views, small_data):
    pairs, rows = material.pairs(SMALL)
    reference, expected = material.views(SMALL)
    assert set(pairs) == set(CLASSIFIERS)
    assert rows.tolist() == expected.tolist()
    for one in pairs.values():
        assert torch.equal(one.reference, reference.features)
        assert torch.equal(one.labels, reference.labels)
        assert one.weights.tolist() == [2.0 if row >= 0 else 1.0 for row in rows.tolist()]
        assert one.photographs == tuple(ImageFolder(small_data).digests(views))
        assert one.plain.tolist() == [view.kind not in GROUPS for view in views]
    kinds = [pairs[name].features for name in CLASSIFIERS]
    assert not any(torch.equal(kinds[i], kinds[j]) for i, j in ((0, 1), (0, 2), (1, 2)))


def test_prompts_become_unit_vectors_in_their_order(material):
    prompts = ["a red dog", "a photo of a much longer sentence about a grey cat", "blue"]
    found = material.embed(prompts)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))
    for place in range(3):
        torch.testing.assert_close(
            material.embed([prompts[place]])[0], found[place], rtol=1e-3, atol=1e-4
        )
