"""Replaced units: nothing replaced is the network, everything replaced is one answer for all."""

from dataclasses import replace

import pytest
import torch

from sing_core.errors import ImageSetError
from sing_core.maths.statistics import clustered_mean
from sing_core.models.imagenet import imagenet_places
from sing_core.sets.chunks import ImageRow
from sing_core.units.atlas import (
    CLASS_TOKEN,
    completeness,
    direct_effects,
    rights,
    sentence,
    unit_means,
)
from sing_core.units.recorded import Recorded
from sing_core.units.residual import parts_of, sums_of
from tests.units.photos import photo

CAT, DOG = "n02123045", "n02099601"


@pytest.fixture(scope="module")
def recorded(record):
    return record([CAT if k % 2 else DOG for k in range(24)])


@pytest.mark.slow
def test_nothing_replaced_is_the_network_and_everything_gives_one_answer(inside, recorded):
    means = unit_means(inside, recorded.sums)
    units = inside.shares.all(recorded.sums)
    torch.testing.assert_close(units.mean(dim=0), means, rtol=1e-4, atol=1e-5)
    own = rights(inside, recorded, lambda found, _: found.sum(dim=1)[:, None])
    atlas = direct_effects(inside, recorded)
    per_class = own[:, 0].double()
    expected = (per_class[0::2].mean() + per_class[1::2].mean()) / 2
    assert atlas[0].accuracy.estimate == pytest.approx(float(expected))
    assert len(atlas) == 4 + len(inside.tower.layers)

    def all_replaced(found):
        return (found.sum(dim=1) - (found - means).sum(dim=1))[:, None]

    answers = inside.logits(all_replaced(units)[:, 0]).argmax(dim=-1)
    assert len(set(answers.tolist())) == 1
    assert "% of the images are read rightly" in sentence(atlas)


@pytest.mark.slow
def test_what_the_class_token_gives_itself_is_the_first_token_of_all_heads(inside):
    parts = parts_of(inside.tower, inside.prepare(photo())[None])
    direction = torch.randn(512, generator=torch.Generator().manual_seed(0))
    tokens = inside.shares.token_scores(parts, direction)[0].sum(dim=(0, 1))
    # Both have the first token's values and its share of the biases; shares of what is constant
    # stay with the heads, and are the same for every token.
    count = inside.tower.heads * parts.rows.shape[-1]
    rest = inside.shares._rest(parts.sums, inside.shares.units * count)[0] @ direction
    rest = rest * len(inside.tower.layers) * inside.tower.heads
    own = float(inside.shares.class_token(parts.sums)[0] @ direction)
    assert own == pytest.approx(float(tokens[0] - rest), rel=1e-3, abs=1e-4)
    assert own == pytest.approx(
        float(inside.shares.class_token(sums_of(inside.tower, inside.prepare(photo())[None]))[0]
              @ direction), rel=1e-3, abs=1e-4,
    )  # fmt: skip


@pytest.mark.slow
def test_a_class_token_that_gives_the_same_to_every_image_changes_nothing(inside, recorded):
    same = recorded.sums.own[:1].expand_as(recorded.sums.own)
    still = Recorded(replace(recorded.sums, own=same), recorded.images, ())
    before, _, token, _, *_ = direct_effects(inside, still)
    assert token.replaced == CLASS_TOKEN
    assert token.accuracy == before.accuracy
    # What keeps each image from its class is planted there: taken away, all are read rightly.
    weight = inside.classifier.linear.weight.double()
    wanted = [imagenet_places()[row.wnid] for row in recorded.images]
    into = inside.shares.into_output.double()
    against = torch.linalg.lstsq(into, (weight[wanted] - weight.mean(dim=0)).mT).solution.mT
    loud = replace(recorded.sums, own=-1e4 * against.float())
    assert direct_effects(inside, Recorded(loud, recorded.images, ()))[2].accuracy.estimate == 1


@pytest.mark.slow
def test_texts_that_span_everything_reproduce_the_late_heads_and_none_are_their_mean(
    inside, recorded
):
    means = unit_means(inside, recorded.sums)
    end = 1 + len(inside.tower.layers) * inside.tower.heads

    def without(units, _):
        return (units.sum(dim=1) - (units - means)[:, 1:end].sum(dim=1))[:, None]

    # Classes are what is read where all heads have their mean: that is no other replacement's.
    wnids = {place: wnid for wnid, place in imagenet_places().items()}
    read = inside.logits(without(inside.shares.all(recorded.sums), None)[:, 0]).argmax(dim=-1)
    rows = [replace(row, wnid=wnids[int(k)]) for row, k in zip(recorded.images, read, strict=True)]
    known = replace(recorded, images=(replace(rows[0], wnid=DOG), *rows[1:]))
    width = inside.translator.weight.shape[0]
    found = completeness(inside, known, torch.eye(width), [3, width])
    assert [effect.texts for effect in found] == [None, 0, 3, width]
    early, none, few, whole = (effect.accuracy.estimate for effect in found)
    assert whole == pytest.approx(early)
    classes = [row.wnid for row in known.images]
    own = rights(inside, known, without)[:, 0].double().numpy()
    assert none == pytest.approx(clustered_mean(own, classes).estimate)
    assert none >= 0.5
    assert early < none
    assert few != none, "three texts say something"


def test_images_without_classes_have_no_accuracy(inside, recorded):
    rows = tuple(ImageRow(row.row, row.name, "", row.digest) for row in recorded.images)
    with pytest.raises(ImageSetError, match="two classes"):
        direct_effects(inside, Recorded(recorded.sums, rows, ()))
