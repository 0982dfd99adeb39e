"""Matched-norm perturbations (Fig. 9), the spectrum, and the 0.972 protocol."""

import numpy as np
import pytest
import torch

from sing_core.errors import ShapeError, WeightsUnavailableError
from sing_core.files.images import decode_image
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.head_transfer import pearson, transfer
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import Unseen
from sing_core.models import registry
from sing_core.models.bench import Classifier
from sing_core.sets.chunks import ImageRow
from sing_core.studies.moved import MEASURES, Moved
from sing_core.studies.validation import (
    KINDS,
    perturb,
    spectrum,
    validate,
    validate_set,
)


def classifier_of(weight, bias=None):
    entry = registry.ModelEntry(
        name="toy", title="Toy", architecture="none", source="", licence="", weights_digest="",
        feature_dim=weight.shape[1], nullity=0,
    )  # fmt: skip
    return Classifier(entry, LinearHead.from_weight(weight, bias))


def test_the_spectrum_is_numpys_and_says_where_it_is_cut():
    weight = torch.randn(7, 12, dtype=torch.float64)
    weight[6] = weight[0] + weight[1]
    found = spectrum(HeadDecomposition.from_weight(weight))
    np.testing.assert_allclose(
        found.singular_values, np.linalg.svd(weight.numpy(), compute_uv=False), atol=1e-12
    )
    assert (found.rank, found.nullity, found.feature_dim) == (6, 6, 12)
    assert found.singular_values[5] > found.threshold >= found.singular_values[6]


def test_perturbations_have_one_norm_and_the_changes_of_their_definition():
    torch.manual_seed(1)
    classifier = classifier_of(torch.randn(5, 20), torch.randn(5))
    features = torch.randn(8, 20)
    names = [f"image {i}" for i in range(8)]
    found = perturb(classifier, features, names, seed=3)
    norms = torch.linalg.vector_norm(classifier.linear.head.null_part(features), dim=-1)
    np.testing.assert_allclose(found.norms, norms.numpy())
    weight, bias = classifier.linear.weight.double(), classifier.linear.bias.double()
    logits = features.double() @ weight.mT + bias
    top = weight[logits.argmax(-1)]
    moved = norms * torch.linalg.vector_norm(top @ weight.mT, dim=-1)
    moved = moved / torch.linalg.vector_norm(top, dim=-1)
    expected = moved / torch.linalg.vector_norm(logits, dim=-1)
    np.testing.assert_allclose(found.class_row.relative, expected.numpy(), rtol=1e-9)
    absolute = expected * torch.linalg.vector_norm(logits, dim=-1)
    np.testing.assert_allclose(found.class_row.absolute, absolute.numpy(), rtol=1e-9)
    assert max(found.null.relative) < 1e-13
    assert min(found.random.relative) > 1e-3
    assert found.null.degrees == ()
    assert found == perturb(classifier, features, names, seed=3)
    other = perturb(classifier, features, names, seed=4)
    assert other.random != found.random
    assert other.class_row == found.class_row


def test_a_null_step_turns_the_meaning_of_a_translator_that_reads_it_and_of_no_other():
    torch.manual_seed(2)
    classifier, features = classifier_of(torch.randn(5, 20)), torch.randn(8, 20)
    names = [f"image {i}" for i in range(8)]
    head = classifier.linear.head
    plain = Translator(torch.eye(20).double(), torch.zeros(20).double())
    found = perturb(classifier, features, names, translator=Unseen.of(plain, names))
    length = torch.linalg.vector_norm(features.double(), dim=-1)
    step = torch.tensor(found.norms, dtype=torch.float64)
    turned = torch.tensor(found.null.degrees).double().deg2rad()
    # By the law of cosines a step of that length turns by no more than to its tangent.
    assert bool((turned <= torch.arcsin(step / length) + 1e-9).all())
    assert min(found.null.degrees) > 5
    read = Translator(classifier.linear.weight.double(), torch.zeros(5).double())
    blind = perturb(classifier, features, names, translator=Unseen.of(read, names))
    assert max(blind.null.degrees) < 1e-9 < 1 < min(blind.class_row.degrees)
    assert (head.nullity, blind.null.relative) == (15, found.null.relative)


def test_a_set_is_looked_at_part_by_part_and_none_of_its_images_is_lost(toy_bench, monkeypatch):
    torch.manual_seed(4)
    classifier = classifier_of(torch.randn(5, 20))
    plain = Translator(torch.eye(20).double(), torch.zeros(20).double())
    monkeypatch.setattr(toy_bench, "classifier", lambda model: classifier)
    monkeypatch.setattr(toy_bench, "translator", lambda model, reference: plain)
    rows = [ImageRow(i, f"{i}.png", "", f"{i}") for i in range(7)]
    features = torch.randn(7, 20)
    parts = [(rows[:4], features[:4]), (rows[4:], features[4:])]
    found = validate_set(toy_bench, parts, model="toy", seed=3)
    moved, names = found.perturbations, [row.name for row in rows]
    assert (moved.names, found.cosine) == (tuple(names), ())
    assert "features alone" in found.no_photos
    for place, (part, own) in enumerate(parts):
        alone = perturb(classifier, own, names[: len(part)], seed=3 + place)
        start = 0 if place == 0 else 4
        assert moved.random.relative[start : start + len(part)] == alone.random.relative
        assert moved.norms[start : start + len(part)] == alone.norms
    assert len(moved.null.degrees) == 7
    assert (found.kinds, found.counted) == ((), {})
    kinds = {row.name: "small" if row.row % 3 else "full" for row in rows}
    several = validate_set(toy_bench, parts, model="toy", seed=3, kind_of=kinds.__getitem__)
    assert several.counted == {"full": 3, "small": 4}
    full = several.of_kind("full", "random")
    assert full.relative == tuple(moved.random.relative[place] for place in (0, 3, 6))
    assert several.of_kind("small", "null").median("degrees") > 0
    with pytest.raises(ShapeError, match="at least one image"):
        validate_set(toy_bench, [], model="toy")


def test_without_a_null_space_there_is_a_sentence():
    found = perturb(classifier_of(torch.randn(9, 6)), torch.randn(2, 6), ["a", "b"])
    assert "has no null space" in found.sentence
    assert found.names == ("a", "b")
    assert found.null == found.random == Moved()
    with pytest.raises(ShapeError, match="no perturbations"):
        found.null.median()


def test_a_perturbation_that_makes_no_sense_is_refused(toy_bench):
    with pytest.raises(ShapeError, match="pair up"):
        perturb(classifier_of(torch.randn(3, 6)), torch.randn(2, 6), ["a"])
    with pytest.raises(ShapeError, match="at least one image"):
        validate(toy_bench, [], model="lite0")


@pytest.mark.slow
def test_without_a_translator_all_but_the_cosines_is_there(toy_bench, chelsea, monkeypatch):
    whole = validate(toy_bench, [("cat", chelsea)], model="lite0")

    def none(model, reference):
        raise WeightsUnavailableError("There is no translator.")

    monkeypatch.setattr(toy_bench, "translator", none)
    found = validate(toy_bench, [("cat", chelsea)], model="lite0")
    assert (found.cosine, found.no_translator) == ((), "There is no translator.")
    assert found.spectrum == whole.spectrum
    moved, before = found.perturbations, whole.perturbations
    assert all(moved.of(kind).absolute == before.of(kind).absolute for kind in KINDS)
    assert (moved.null.degrees, len(before.null.degrees)) == ((), 1)


def test_the_median_is_that_of_the_values():
    found = Moved((1, 5, 2), (4, 4, 9), (7, 8, 9))
    assert [found.median(measure) for measure in MEASURES] == [2, 4, 8]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["lite0", "lite1", "lite2"])
def test_on_the_embedded_stack_null_steps_move_nothing_and_others_do(real_bench, model):
    photos = [(s.name, decode_image(sample_bytes(s.name))) for s in SAMPLES]
    found = validate(real_bench, photos, model=model)
    moved = found.perturbations
    assert moved.null.median() <= 1e-6
    for kind in ("random", "class_row"):
        assert moved.of(kind).median() >= 1e3 * moved.null.median()
        assert moved.of(kind).median() > 0.05
    assert moved.null.median("degrees") > 1, "the head hears nothing; the translator does"
    assert (found.spectrum.rank, found.spectrum.nullity) == (1000, 280)
    assert len(found.cosine) == len(SAMPLES)
    # The translator saw none of these photos, and no constant is shared by all embeddings.
    assert 0.3 < min(found.cosine) <= max(found.cosine) <= 1


def classes_of(spread, n=240, m=16, seed=0):
    """Six classes around centres; ``spread`` is the noise."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((6, m))
    labels = np.arange(n) % 6
    rows = centres[labels] + spread * rng.standard_normal((n, m))
    return torch.from_numpy(rows), [f"class {i}" for i in labels]


def test_a_head_that_sees_nothing_of_a_class_cannot_be_trained_to_name_it():
    rows, labels = classes_of(0.1)
    every = HeadDecomposition.from_weight(torch.eye(16, dtype=torch.float64))
    plain = Translator(torch.eye(16).double(), torch.zeros(16).double())
    blind = Translator(torch.zeros(4, 16).double(), torch.randn(4).double())
    seen = transfer("a", rows, labels, every, plain)
    assert (seen.n, seen.n_test, seen.classes) == (180, 60, 6)
    assert seen.before == seen.after == 1.0
    assert transfer("a", rows, labels, every, blind).after < 0.5
    # A class direction inside the null space is not among the principal features.
    first = HeadDecomposition.from_weight(torch.eye(16, dtype=torch.float64)[:1])
    assert transfer("a", rows, labels, first, plain).before < 0.9


def test_accuracies_before_and_after_are_correlated_over_models():
    every = HeadDecomposition.from_weight(torch.eye(16, dtype=torch.float64))
    mixed = Translator(torch.randn(8, 16).double(), torch.zeros(8).double())
    found = [
        transfer(f"{spread}", *classes_of(spread), every, mixed) for spread in (0.3, 1.0, 2.0, 4.0)
    ]
    before, after = [row.before for row in found], [row.after for row in found]
    assert before[0] > before[-1]
    correlation = pearson(found)
    assert correlation == pytest.approx(float(np.corrcoef(before, after)[0, 1]))
    assert correlation > 0.8
    assert pearson(found[:2]) is None
    assert pearson([found[0]] * 3) is None


@pytest.mark.parametrize(
    ("labels", "words"),
    [(["a"] * 12, "two classes"), (["a"] * 10 + ["b"] * 2, "smallest with 2"), (["a"], "pair up")],
)
def test_heads_need_classes_with_enough_images(labels, words):
    every = HeadDecomposition.from_weight(torch.eye(4, dtype=torch.float64))
    plain = Translator(torch.eye(4).double(), torch.zeros(4).double())
    with pytest.raises(ShapeError, match=words):
        transfer("a", torch.randn(12, 4), labels, every, plain)
