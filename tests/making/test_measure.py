"""The measures of the translators, and that what ships is what these measures say."""

import json

import pytest
import torch

from sing_core.making import measure as module
from sing_core.making.features import CLASSIFIERS, REFERENCE
from sing_core.making.heads import Head, Heads, TextHead, Views
from sing_core.making.material import photograph_rows
from sing_core.making.measure import measure
from sing_core.making.measure_heads import PROBES
from sing_core.making.translators import Pairs
from sing_core.maths.folds import FOLDS, folds_of
from sing_core.settings import Settings

CLASSES, WIDTH, PHOTOS = 12, 16, 60


def test_the_plain_view_of_each_photograph_is_its_first():
    rows = torch.tensor([0, 1, 2, 0, 1, 2, -1, -1, 1])
    assert photograph_rows(rows).tolist() == [0, 1, 2]


class Folded:
    """A training whose every fold finds the same heads: features are embeddings, as texts are."""

    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        eye = torch.eye(WIDTH)
        self.heads = Heads(
            Head(eye, torch.zeros(WIDTH)),
            TextHead(torch.cat([eye, -eye]), torch.cat([eye, -eye], dim=1)),
        )
        self.weight = 4 * torch.nn.functional.normalize(
            torch.randn(CLASSES, WIDTH, generator=generator), dim=1
        )
        self.photographs = tuple(f"{place * 40503 % 2**32:08x}" for place in range(PHOTOS))
        self.labels = torch.arange(PHOTOS) % CLASSES
        noise = torch.randn(PHOTOS, WIDTH, generator=generator)
        self.features = self.weight[self.labels] + 0.1 * noise
        self.material, self.settings = self, Settings()
        self.words = self.texts = self
        self.classes = self.weight[None]
        self.folds, self.asked = folds_of(self.photographs), []
        self.folds, self.asked = folds_of(self.photographs), []

    def pairs(self):
        everything = torch.ones(PHOTOS)
        one = Pairs(
            self.features,
            self.features,
            self.labels,
            everything,
            everything.bool(),
            self.photographs,
        )
        return dict.fromkeys(CLASSIFIERS, one), torch.arange(PHOTOS)

    def views(self, plan):
        places = torch.arange(PHOTOS)
        return Views(
            torch.zeros(PHOTOS, 1), self.labels, ("",) * PHOTOS, places, self.labels >= 0
        ), places

    def tiny_val(self):
        return dict.fromkeys((REFERENCE, *CLASSIFIERS), self.features), self.labels


@pytest.fixture
def folded(monkeypatch):
    world = Folded()

    def folds(training, found, say):
        for fold in range(FOLDS):
            mine = folds_of(world.photographs) == fold
            for rows in (found.without, found.own_deg, found.other_deg):
                rows.append(torch.ones(int(mine.sum())))
            found.probes.append({group: [1.0] * len(PROBES[group][1]) for group in PROBES})
            yield fold, world.heads

    classifier = (world.weight, torch.zeros(CLASSES))
    monkeypatch.setattr(module, "classifier_head", lambda name, settings: classifier)
    monkeypatch.setattr(module, "measure_folds", folds)
    monkeypatch.setattr(module, "overlap", lambda material, heads: 0.5)

    def probe(material, heads, test, group):
        """Asked about the views of one fold, with the features that the transformer has of them."""
        (fold,) = set(world.folds[test.values].tolist())
        assert torch.equal(test.features, world.features[world.folds == fold])
        world.asked.append((fold, group))
        return [1.0] * len(PROBES[group][1])

    monkeypatch.setattr(module, "probe", probe)
    return world


def test_where_every_network_is_one_all_translators_are_nearly_perfect(folded):
    said = []
    found = measure(folded, folded.heads, said.append)
    assert set(found["translators"]) == set(CLASSIFIERS)
    assert found["neighbours_kept"] == 0.5
    assert found["zero_shot_top1_photograph_new"] == 1
    assert len(said) == 1
    assert sorted(folded.asked) == sorted(
        (fold, group) for fold in range(FOLDS) for group in PROBES
    )
    for measured in found["translators"].values():
        assert measured.pop("lambda") > 0
        assert len(measured) == 9
        for name, share in measured.items():
            assert 0.95 < share <= 1 + 1e-6, name
    assert json.loads(json.dumps(found)) == found


def shipped():
    path = Settings().assets_dir / "mini" / "measures.json"
    return json.loads(path.read_text("utf-8"))


def test_the_measures_that_ship_are_those_of_these_probes():
    found = shipped()
    assert set(found["probes"]) == set(PROBES)
    for group, (_, rows) in PROBES.items():
        assert list(found["probes"][group]) == [" / ".join(prompts[:2]) for prompts in rows]
        assert all(0 <= share <= 1 for share in found["probes"][group].values())
    assert set(found["translators"]) == set(CLASSIFIERS)


def test_the_measures_that_ship_tell_the_three_cases(folded):
    found = shipped()
    assert set(measure(folded, folded.heads, lambda _: None)) == set(found)
    chance = 1 / 1000
    assert found["zero_shot_top1_class_without_photographs"] > 100 * chance
    assert found["zero_shot_top1_photograph_new"] > 100 * chance
    assert len(found["zero_shot_top1_class_left_out"]) == 4
    assert all(share > 10 * chance for share in found["zero_shot_top1_class_left_out"].values())
    assert found["photographs_asked"] == 800
