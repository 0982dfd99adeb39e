"""What training starts from: rows of features and what is known about each, never out of step."""

import pytest
import torch

from sing_core.making.captions import (
    CLASS_TEMPLATES,
    GROUPS,
    class_prompts,
    training_prompts,
)
from sing_core.making.data import ImageFolder
from sing_core.making.features import CLASSIFIERS, REFERENCE, FeatureCache, bfloat16_is_fast
from sing_core.making.material import REFERENCE_PLAN, TRANSLATOR_PLAN, Material, Plan
from sing_core.making.texts import class_names
from sing_core.making.wordnet import WordNet
from sing_core.models.prompts import CLASS_TEMPLATE
from sing_core.settings import Settings
from tests.making.conftest import PHOTO_CLASSES

SMALL = Plan(crops=0, attributes=2, tiny=1, tiny_attributes=1)


@pytest.fixture(scope="module")
def views(small_data):
    return SMALL.views(ImageFolder(small_data))


@pytest.fixture(scope="module")
def material(small_data):
    return Material(Settings(), small_data)


@pytest.mark.slow
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
    assert found.full.tolist() == [view.source == "sample" for view in views]
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


@pytest.mark.slow
def test_prompts_become_what_the_text_tower_gives_in_their_order(material):
    prompts = ["a red dog", "a photo of a much longer sentence about a grey cat", "blue"]
    found = material.embed(prompts)
    assert found.shape == (3, 384)
    assert not bool(torch.isclose(found.norm(dim=1), torch.ones(3), atol=1e-3).any())
    for place in range(3):
        torch.testing.assert_close(
            material.embed([prompts[place]])[0], found[place], rtol=1e-3, atol=1e-4
        )


@pytest.fixture
def said(monkeypatch, tmp_path):
    """Words of a WordNet that knows seven synsets beside the classes, and what was embedded."""
    _, lemmas = class_names()
    others = ("anvil", "tench", "quay", "goldfish", "ripple", "gnu", "brook")
    wnids = tuple(f"n{place:08d}" for place in range(1000 + len(others)))
    definitions = tuple(f"what number {place} is; " + 40 * "and so on " for place in range(1007))
    parents = dict.fromkeys(wnids[1:1000], wnids[:1])  # all of one kind, and the others of each
    parents |= {wnid: (above,) for wnid, above in zip(wnids[1000:], wnids[500:], strict=False)}
    known = WordNet(wnids, (*lemmas, *others), definitions, parents)
    prompts = []

    def embed(self, texts):
        prompts.append(list(texts))
        return torch.full((len(texts), 8), float(len(prompts)))

    monkeypatch.setattr(WordNet, "read", lambda path: known)
    monkeypatch.setattr(Material, "embed", embed)
    return Material(Settings(), tmp_path).words(tmp_path / "data.noun"), prompts


def test_names_of_kin_are_none_of_the_classes_names(said):
    words, prompts = said
    of_kin = [p for p in prompts if len(p) == 5 and any("anvil" in line for line in p)]
    assert len(of_kin) == 1
    for name, line in zip(("anvil", "quay", "ripple", "gnu", "brook"), of_kin[0], strict=True):
        assert name in line
    assert words.kin.kinship.shape == (len(words.kin.texts), 1000)
    assert words.kin.kinship.argmax(1).tolist() == [500, 502, 504, 505, 506]
    assert words.sentences.shape == (5, 8)


def test_the_last_template_of_the_classes_is_the_name_with_its_definition_cut_short(said):
    words, prompts = said
    curated, _ = class_names()
    assert words.texts.classes.shape == (2 * len(CLASS_TEMPLATES) + 1, 1000, 8)
    (place,) = [i for i, p in enumerate(prompts) if p[0].startswith(f"{curated[0]}: ")]
    assert prompts[place][7].startswith(f"{curated[7]}: what number 7 is; and so on")
    assert {len(p) - len(name) for p, name in zip(prompts[place], curated, strict=True)} == {162}
    assert words.texts.classes[-1].eq(place + 1).all()
    (official,) = [i for i, p in enumerate(prompts) if p == class_prompts(curated, CLASS_TEMPLATE)]
    assert words.texts.classes[0].eq(official + 1).all()


def test_every_attribute_value_has_its_training_prompts(said):
    words, prompts = said
    assert words.texts.groups == sorted(GROUPS)
    for group, options in GROUPS.items():
        for value, rows in zip(options, words.texts.values[group], strict=True):
            told = training_prompts(group, value)
            assert len(rows) == len(told)
            assert told in prompts
