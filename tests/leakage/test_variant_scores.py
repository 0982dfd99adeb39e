"""The same classes decide for every classifier: scores of the null spaces that they leave."""

import dataclasses

import numpy as np
import pytest
import torch

from sing_core.errors import HeadError, ImageSetError
from sing_core.leakage.comparison import model_row
from sing_core.leakage.differences import pair_rows
from sing_core.leakage.null_lines import NullGrams
from sing_core.leakage.scored_sets import open_set
from sing_core.leakage.steered import steered_row
from sing_core.leakage.variant_scores import deciding_classes, under
from sing_core.maths.controls import RandomSubspaces
from sing_core.maths.folds import Folds
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant
from sing_core.maths.scores import angle_deg
from sing_core.maths.unseen import Unseen, unseen_by
from tests import reference, toy
from tests.leakage.variants import THREE, table
from tests.prepared_sets import made_up_set

pytestmark = pytest.mark.slow  # sets are prepared
LABELS = (0, 1, 281, 555)  # of the wnids of the made-up set


def null_basis(rows):
    """Return ``(m, m - r)`` columns that the rows of a head do not read, by a full SVD."""
    _, sigma, vh = np.linalg.svd(rows, full_matrices=True)
    return vh[int((sigma > 1e-6 * sigma[0]).sum()) :].T


def test_scores_are_those_of_the_null_space_that_the_deciding_rows_leave(whole, bench):
    found = under(whole, THREE)
    rows = table(found)
    assert [row["label"] for row in rows] == [0] * 5 + [1] * 5 + [281] * 5
    own, translator = bench.classifier("lite0").linear, bench.translator("lite0", "mini")
    texts = bench.vocabulary("mini").embeddings.double().numpy()
    null = null_basis(own.weight[list(THREE.classes)].double().numpy())
    assert found.nullity == null.shape[1] == 1277
    features = torch.cat([part for _, part in whole.features([row["row"] for row in rows])])
    for row, feature in zip(rows, features.double().numpy(), strict=True):
        z = reference.translate(feature, translator.weight, translator.bias)
        rest = feature - null @ (null.T @ feature)
        moved = reference.translate(rest, translator.weight, translator.bias)
        assert row["image_score_deg"] == pytest.approx(
            reference.image_score_deg(z, moved), abs=1e-4
        )
        assert row["attribute_score_deg"] == pytest.approx(
            reference.attribute_score_deg(z, moved, texts[row["label"]]), abs=1e-4
        )
        logits = own.logits(torch.from_numpy(feature))[list(THREE.classes)]
        assert row["top1"] == THREE.classes[int(logits.argmax())]


def test_the_random_controls_are_as_large_as_the_null_space_of_the_variant(whole, bench):
    rows = table(under(whole, THREE))
    translator = bench.translator("lite0", "mini")
    controls = RandomSubspaces.draw(translator, 1277)
    features = torch.cat([part for _, part in whole.features([row["row"] for row in rows])])
    z = translator.apply(features)
    found = controls.score(features, z, torch.ones(len(z)), z.flip(0)).dim_image_score
    asked = [row["control_dim_image_score_deg"] for row in rows]
    assert asked == pytest.approx(found.tolist(), abs=1e-6)


def test_each_image_is_scored_by_the_fit_that_did_not_see_it(whole, bench, monkeypatch):
    real = bench.translator("lite0", "mini")
    rows = table(whole)
    seen = [row["digest"] for row in rows[::2]]
    weights = [real.weight + toy.seeded(f"fold {k}", *real.weight.shape) / 20 for k in range(5)]
    folds = Folds.of(weights, [real.bias] * 5, [torch.zeros(1280)] * 5, seen)
    crossed = dataclasses.replace(real, folds=folds)
    monkeypatch.setattr(bench, "translator", lambda model, reference: crossed)
    found = table(under(whole, THREE))
    linear = bench.deciding("lite0", THREE).linear
    features = torch.cat([part for _, part in whole.features([row["row"] for row in found])])
    outside = 0
    for row, feature in zip(found, features, strict=True):
        own = unseen_by(crossed, row["digest"])
        pair = own.apply(feature), own.apply(linear.head.remove_null(feature))
        assert row["image_score_deg"] == pytest.approx(float(angle_deg(*pair)), abs=1e-5)
        outside += own is crossed
    assert 0 < outside < len(found)
    assert Unseen.of(crossed, seen).place.unique().numel() > 1


def test_two_networks_of_different_width_are_compared_where_the_same_classes_decide(bench):
    heads = {model: open_set(bench, model, images="made-up") for model in ("lite0", "vits")}
    assert [model_row(scored).nullity for scored in heads.values()] == [280, 0]
    sets = [under(scored, HeadVariant(LABELS)) for scored in heads.values()]
    rows = [model_row(scored) for scored in sets]
    assert [(row.nullity, row.feature_dim, row.n) for row in rows] == [
        (1276, 1280, 20), (380, 384, 20)
    ]  # fmt: skip
    assert all(row.image_score.estimate > 1 for row in rows)
    pairs = pair_rows(sets)
    assert {pair.n for pair in pairs} == {20}
    assert pairs[0].difference.estimate == pytest.approx(
        rows[0].image_score.estimate - rows[1].image_score.estimate
    )


def test_pairs_and_steering_follow_the_variant(whole, bench):
    scored = under(whole, THREE)
    linear = bench.deciding("lite0", THREE).linear
    translator = bench.translator("lite0", "mini")
    ((rows, pairs, _),) = list(scored.pairs([0, 5]))
    assert rows == [0, 5]
    assert float(pairs.max_logit_drift.max()) <= 1e-5 * float(pairs.max_abs_logit.max())
    feature = next(part for _, part in whole.features([0]))
    moved = translator.apply(linear.head.remove_null(feature))
    assert torch.allclose(pairs.z_equivalent[:1], moved)
    inside = linear.head.null_part(translator.weight.double())
    assert torch.allclose(NullGrams(scored).of(-1, translator), inside @ inside.mT)


def test_without_a_null_space_no_image_is_steered_anywhere(bench):
    scored = open_set(bench, "vits", images="made-up")
    assert not scored.linear.head.nullity
    row = steered_row(scored, toy.ATTRIBUTES[0], 5.0)
    assert (row.unreachable, row.abs_as) == (1.0, None)
    chosen = steered_row(under(scored, THREE), toy.ATTRIBUTES[0], 5.0)
    assert (chosen.unreachable, chosen.n) == (0.0, 15)


def test_all_classes_are_the_whole_head(whole):
    assert under(whole, WHOLE_HEAD) is whole
    assert under(whole, HeadVariant(tuple(range(1000)))) is whole


def test_several_means_the_classes_with_several_distinct_images(bench, settings):
    made_up_set(bench, settings.cache_dir / "prepared" / "uneven", counts=(1, 2, 3, 1))
    scored = open_set(bench, "lite0", images="uneven")
    assert deciding_classes(scored, " Several ") == (1, 281)
    assert deciding_classes(scored, "goldfish, 555") == (1, 555)
    made_up_set(bench, settings.cache_dir / "prepared" / "single", counts=(1, 1, 1, 1))
    with pytest.raises(ImageSetError, match="No class of the set single has several images"):
        deciding_classes(open_set(bench, "lite0", images="single"), "several")


@pytest.mark.parametrize(
    ("variant", "kind", "sentence"),
    [
        (
            HeadVariant((2, 3)),
            ImageSetError,
            "images of 4 classes, and the 2 that shall decide are",
        ),
        (HeadVariant((7,)), ImageSetError, "the 1 that shall decide is not among them"),
        (HeadVariant((0,), threshold=0.1), HeadError, "without a threshold"),
        (HeadVariant((1000,)), HeadError, "no class 1000"),
        (HeadVariant((0,), centred=True), HeadError, "choose two"),
    ],
    ids=["no image", "no image of one", "threshold", "no such class", "one class centred"],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(whole, variant, kind, sentence):
    with pytest.raises(kind, match=sentence):
        under(whole, variant)


def test_a_head_of_other_classes_is_not_compared_by_their_numbers(whole, bench, monkeypatch):
    own = bench.classifier("lite0")
    less = dataclasses.replace(own.linear, weight=own.linear.weight[:100])
    other = dataclasses.replace(own, linear=less)
    monkeypatch.setattr(bench, "classifier", lambda model: other)
    with pytest.raises(HeadError, match="100 classes of its own, not those of ImageNet-1k"):
        under(whole, THREE)
