"""The measures: what a probe counts, which words it uses, and that its numbers ship."""

import json

import pytest
import torch
from torch.nn.functional import cosine_similarity, normalize

from sing_core.files.digests import sha256_of_bytes
from sing_core.making.captions import GROUPS, training_prompts
from sing_core.making.features import CLASSIFIERS
from sing_core.making.material import Material
from sing_core.making.measure import PROBES, probe
from sing_core.making.train import Head, Views
from sing_core.making.translators import Pairs, fit_translator
from sing_core.maths.unseen import Unseen
from sing_core.settings import Settings

DIM = 384
SAME = Head(torch.eye(DIM), torch.zeros(DIM))


@pytest.fixture(scope="module")
def material(small_data):
    return Material(Settings(), small_data)


def seen_as(material, prompts, group, names):
    """Views whose features are exactly the embeddings of ``prompts``, one per name."""
    index = [value.name for value in GROUPS[group]]
    values = torch.tensor([index.index(name) for name in names])
    features = material.embed(list(prompts))
    return Views(features, torch.zeros(len(values)).long(), (group,) * len(values), values)


@pytest.mark.parametrize("group", PROBES)
def test_every_wording_has_one_prompt_per_value(group):
    names, rows = PROBES[group]
    assert set(names) <= {value.name for value in GROUPS[group]}
    for prompts in rows:
        assert len(prompts) == len(set(prompts)) == len(names)


def test_words_kept_for_measuring_never_enter_training():
    trained = {
        prompt
        for group, values in GROUPS.items()
        for value in values
        for prompt in training_prompts(group, value)
    }
    kept = {prompt for values in GROUPS.values() for value in values for prompt in value.held_out}
    assert trained
    assert trained & kept == set()
    for group in ("grey", "blur", "light", "distance"):
        assert set(PROBES[group][1][-1]) <= kept, "no wording of this group is unseen"


@pytest.mark.parametrize("group", PROBES)
def test_a_probe_is_right_about_what_it_sees_and_wrong_about_the_opposite(material, group):
    names, rows = PROBES[group]
    official = rows[0]
    assert probe(material, SAME, seen_as(material, official, group, names), group)[0] == 1
    turned = (*official[1:], official[0])
    assert probe(material, SAME, seen_as(material, turned, group, names), group)[0] == 0


def test_a_probe_weighs_values_alike_however_often_they_occur(material):
    (dark, bright), rows = PROBES["light"]
    blind = [rows[0][0]] * 10  # everything looks dark
    views = seen_as(material, blind, "light", [dark] * 9 + [bright])
    assert probe(material, SAME, views, "light")[0] == pytest.approx(0.5)


def test_a_probe_looks_at_its_own_group_alone(material):
    names, rows = PROBES["light"]
    own = seen_as(material, rows[0], "light", names)
    wrong = seen_as(material, rows[0][::-1], "blur", PROBES["blur"][0])
    both = Views(
        torch.cat([own.features, wrong.features]),
        torch.cat([own.labels, wrong.labels]),
        own.groups + wrong.groups,
        torch.cat([own.values, wrong.values]),
    )
    assert probe(material, SAME, both, "light") == probe(material, SAME, own, "light")


def test_a_classifier_that_is_the_references_own_tower_is_translated_by_the_head():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(600, 16, generator=generator)
    classifier = (torch.randn(40, 16, generator=generator), torch.zeros(40))
    labels = (features @ classifier[0].mT).argmax(1)
    everything = torch.ones(600)
    photographs = tuple(sha256_of_bytes(str(place // 2).encode()) for place in range(600))
    pairs = Pairs(features, features, labels, everything, everything.bool(), photographs)
    head = Head(torch.randn(8, 16, generator=generator), normalize(torch.ones(8), dim=0))
    fitted = fit_translator(pairs, head, (classifier, classifier))
    fresh = torch.randn(100, 16, generator=generator)
    found = cosine_similarity(fitted.apply(fresh).float(), head.embed(fresh))
    assert float(found.min()) > 0.99
    unseen = Unseen.of(fitted, photographs)
    assert bool((unseen.place >= 0).all())
    crossed = cosine_similarity(unseen.apply(features).float(), head.embed(features))
    assert float(crossed.min()) > 0.98
    assert fitted.details["images"] == "300"


def test_the_measures_that_ship_are_those_of_these_probes():
    path = Settings().assets_dir / "mini" / "measures.json"
    found = json.loads(path.read_text("utf-8"))
    assert set(found["probes"]) == set(PROBES)
    for group, (_, rows) in PROBES.items():
        assert list(found["probes"][group]) == [" / ".join(prompts[:2]) for prompts in rows]
        assert all(0 <= share <= 1 for share in found["probes"][group].values())
    assert set(found["translators"]) == set(CLASSIFIERS)
