"""Measures of both heads: nothing of what is left out is trained on, and what a probe counts."""

import math
from dataclasses import replace

import pytest
import torch

from sing_core.making import measure_heads
from sing_core.making.captions import GROUPS, training_prompts
from sing_core.making.heads import Head, Heads, TextHead, Views
from sing_core.making.material import Material
from sing_core.making.measure_heads import (
    PROBES,
    Found,
    Training,
    measure_folds,
    overlap,
    probe,
    summary,
)
from sing_core.maths.folds import FOLDS
from sing_core.settings import Settings
from tests.making.small_world import CLASSES, FEATURES, RECIPE, TEXT_DIM, World

DIM = 384
WORLD = World()
QUICK = replace(RECIPE, joint=4, alone=2)


def keeping(width):
    """A text head that shows texts exactly as they are: gelu(x) - gelu(-x) is x."""
    eye = torch.eye(width)
    return TextHead(torch.cat([eye, -eye]), torch.cat([eye, -eye], dim=1))


SAME = Heads(Head(torch.eye(DIM), torch.zeros(DIM)), keeping(DIM))


class Small:
    """What training asks of ``Material``: the first 24 views are the photographs, one a class.

    The others are of them as well, but for every tenth; eight show every change there is.
    """

    fast = False

    def views(self):
        plain = torch.arange(10 * CLASSES) % CLASSES
        plain[CLASSES + 9 :: 10] = -1
        changed = torch.arange(8).repeat_interleave((len(WORLD.views.labels) - len(plain)) // 8)
        return WORLD.views, torch.cat([plain, changed])

    def sample_folds(self):
        return torch.arange(CLASSES) % FOLDS

    def embed(self, prompts):
        """Return a direction of its own for every sentence."""
        rows = [
            torch.randn(TEXT_DIM, generator=torch.Generator().manual_seed(sum(p.encode())))
            for p in prompts
        ]
        return torch.stack(rows)


@pytest.fixture
def training():
    return Training(Small(), WORLD.words, WORLD.classifier, QUICK)


@pytest.fixture
def asked(monkeypatch):
    """What training is called with; it returns heads without training any."""
    calls = []

    def train(views, words, classifier, recipe, progress, *, fast):
        calls.append((views, words, classifier))
        weight = torch.zeros(TEXT_DIM, FEATURES)
        return Heads(Head(weight, torch.zeros(TEXT_DIM)), keeping(TEXT_DIM))

    monkeypatch.setattr(measure_heads, "train_heads", train)
    return calls


def told_apart(views):
    """Every view by its feature, which no two share."""
    return {tuple(row) for row in views.features.tolist()}


def test_no_view_of_the_folds_photographs_is_trained_on(training, asked):
    for fold in range(FOLDS):
        _, held = training.without_photographs(fold)
        kept, words, classifier = asked[-1]
        mine = (training.rows >= 0) & (training.rows % FOLDS == fold)
        assert told_apart(held) == told_apart(training.views.take(mine.nonzero().squeeze(1)))
        assert told_apart(held) & told_apart(kept) == set()
        assert told_apart(held) | told_apart(kept) == told_apart(training.views)
        assert words is WORLD.words
        assert classifier is WORLD.classifier


def test_classes_left_out_have_no_view_no_text_and_no_row_and_the_others_new_numbers(
    training, asked
):
    out = torch.arange(CLASSES) % 4 == 1
    training.without_classes(out)
    ((kept, words, (weight, bias)),) = asked
    there = ~out[WORLD.views.labels]
    assert told_apart(kept) == told_apart(WORLD.views.take(there.nonzero().squeeze(1)))
    known = (~out).nonzero().squeeze(1)
    assert known[kept.labels].tolist() == WORLD.views.labels[there].tolist()
    assert weight.equal(WORLD.classifier[0][~out])
    assert bias.equal(WORLD.classifier[1][~out])
    assert words.texts.classes.equal(WORLD.texts.classes[:, ~out])
    assert words.kin.kinship.shape[1] == len(known)


def test_the_photographs_are_the_first_view_of_each(training):
    assert training.photos.labels.tolist() == list(range(CLASSES))
    assert training.photos.features.equal(WORLD.views.features[:CLASSES])


def test_what_ships_is_trained_on_everything(training, asked):
    training.everything()
    ((views, words, classifier),) = asked
    assert views is WORLD.views
    assert (words, classifier) == (WORLD.words, WORLD.classifier)


@pytest.mark.slow
def test_every_photograph_is_asked_about_once_in_each_case(training):
    found, said = Found(), []
    folds = [fold for fold, _ in measure_folds(training, found, said.append)]
    assert folds == list(range(FOLDS))
    assert len(said) == 2 * FOLDS
    result = summary(found)
    assert result["photographs_asked"] == CLASSES
    left_out = result["zero_shot_top1_class_left_out"]
    assert list(left_out) == [
        f"{question}, by {name}"
        for name in ("name", "name and definition")
        for question in ("among themselves", "over 1,000 classes")
    ]
    for name in ("name", "name and definition"):
        among = left_out[f"among themselves, by {name}"]
        assert among >= left_out[f"over 1,000 classes, by {name}"]
    shares = [
        result["zero_shot_top1_class_without_photographs"],
        *result["zero_shot_top1_class_without_photographs_by_fold"],
        *left_out.values(),
        *result["neighbours_kept_in_folds"],
        *(share for probes in result["probes"].values() for share in probes.values()),
    ]
    assert all(0 <= share <= 1 for share in shares)


def test_a_summary_counts_photographs_alike_and_folds_alike_for_the_probes():
    found = Found(
        without=[torch.tensor([True]), torch.tensor([False, False, True])],
        by_fold=[1.0, 1 / 3],
        own_deg=[torch.tensor([10.0]), torch.tensor([30.0, 20.0])],
        other_deg=[torch.tensor([80.0]), torch.tensor([90.0, 85.0])],
        left_out={"by name": [torch.tensor([True]), torch.tensor([False] * 3)]},
        overlap=[0.5, 0.6],
        probes=[{g: [v] * len(PROBES[g][1]) for g in PROBES} for v in (0.4, 0.8)],
    )
    result = summary(found)
    assert result["zero_shot_top1_class_without_photographs"] == 0.5
    assert result["zero_shot_top1_class_without_photographs_by_fold"] == [1.0, 1 / 3]
    assert result["zero_shot_top1_class_left_out"] == {"by name": 0.25}
    assert result["photographs_asked"] == 4
    assert result["angle_deg"] == {"own class": 20, "other classes": 85}
    assert result["neighbours_kept_in_folds"] == [0.5, 0.6]
    assert set(result["probes"]) == set(PROBES)
    for group, (_, rows) in PROBES.items():
        assert list(result["probes"][group]) == [" / ".join(prompts[:2]) for prompts in rows]
        assert all(math.isclose(share, 0.6) for share in result["probes"][group].values())


def test_a_text_head_that_keeps_cosines_keeps_every_neighbour():
    assert overlap(Small(), Heads(SAME.image, keeping(TEXT_DIM))) == 1


@pytest.fixture(scope="module")
def material(small_data):
    return Material(Settings(), small_data)


def seen_as(material, prompts, group, names):
    """Views whose features are exactly the embeddings of ``prompts``, one per name."""
    index = [value.name for value in GROUPS[group]]
    values = torch.tensor([index.index(name) for name in names])
    features = torch.nn.functional.normalize(material.embed(list(prompts)), dim=1)
    labels = torch.zeros(len(values)).long()
    return Views(features, labels, (group,) * len(values), values, labels == 0)


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


@pytest.mark.slow
@pytest.mark.parametrize("group", PROBES)
def test_a_probe_is_right_about_what_it_sees_and_wrong_about_the_opposite(material, group):
    names, rows = PROBES[group]
    official = rows[0]
    assert probe(material, SAME, seen_as(material, official, group, names), group)[0] == 1
    turned = (*official[1:], official[0])
    assert probe(material, SAME, seen_as(material, turned, group, names), group)[0] == 0


@pytest.mark.slow
def test_a_probe_weighs_values_alike_however_often_they_occur(material):
    (dark, bright), rows = PROBES["light"]
    blind = [rows[0][0]] * 10  # everything looks dark
    views = seen_as(material, blind, "light", [dark] * 9 + [bright])
    assert probe(material, SAME, views, "light")[0] == pytest.approx(0.5)


@pytest.mark.slow
def test_a_probe_looks_at_its_own_group_alone(material):
    names, rows = PROBES["light"]
    own = seen_as(material, rows[0], "light", names)
    wrong = seen_as(material, rows[0][::-1], "blur", PROBES["blur"][0])
    both = Views(
        torch.cat([own.features, wrong.features]),
        torch.cat([own.labels, wrong.labels]),
        own.groups + wrong.groups,
        torch.cat([own.values, wrong.values]),
        torch.cat([own.full, wrong.full]),
    )
    assert probe(material, SAME, both, "light") == probe(material, SAME, own, "light")
