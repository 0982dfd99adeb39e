"""A reference as its own classifier, by the same verbs as any other."""

import pytest
import torch

from sing_core.errors import PromptError
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant
from sing_core.models.zero_shot import NAME, SCALE, ZeroShotBench
from sing_core.studies.photo import analyse_image, steer_image
from sing_core.studies.question import Question

CLASSES = ("cat", "dog", "cup of coffee", "rocket", "motorcycle", "person")


@pytest.fixture
def bench(toy_bench):
    return ZeroShotBench(toy_bench, "mini", CLASSES)


def test_the_head_is_unit_text_embeddings_times_the_scale(bench, toy_bench):
    texts = toy_bench.pool.reference("mini").embed_texts(
        [f"an image of a {name}" for name in CLASSES]
    )
    expected = SCALE * texts / torch.linalg.vector_norm(texts, dim=-1, keepdim=True)
    classifier = bench.deciding(NAME, WHOLE_HEAD)
    torch.testing.assert_close(classifier.linear.weight, expected)
    assert (classifier.linear.head.rank, classifier.linear.head.nullity) == (6, 384 - 6)
    assert float(classifier.linear.bias.abs().max()) == 0
    assert (classifier.entry.feature_dim, classifier.entry.nullity) == (384, 378)


def test_nothing_is_lost_in_translation(bench, toy_bench, chelsea):
    feature = bench.features(NAME, chelsea)
    assert float(torch.linalg.vector_norm(feature)) == pytest.approx(1, abs=1e-6)
    translator = bench.translator(NAME, "mini")
    assert torch.equal(translator.apply(feature), feature.double())
    translator.check_belongs(
        model=NAME,
        model_digest=bench.entry.weights_digest,
        space_id=toy_bench.pool.reference("mini").space_id,
    )
    with pytest.raises(PromptError, match="measured in mini itself"):
        bench.translator(NAME, "other")


def test_the_same_verbs_run_on_it(bench, chelsea):
    for mode in ("remove", "steer"):
        report = analyse_image(
            bench, chelsea, Question(model=NAME, prompt="an image of a rocket", mode=mode, steps=5)
        )
        sweep = report.sweep
        assert max(sweep.max_logit_drift) <= 1e-5 * report.max_abs_logit
        assert sweep.image_score_deg[-1] > 1
        assert {c.label for c in report.top5_before} <= set(CLASSES)
        assert [c.index for c in report.top5_before] == [c.index for c in report.top5_after]
    found = steer_image(bench, chelsea, Question(model=NAME, prompt="a red rose", target_deg=15))
    assert found.image_score_deg == pytest.approx(15, abs=1e-6)


def test_the_class_list_comes_first_in_the_vocabulary_and_no_concept_twice(bench, toy_bench):
    own, base = bench.vocabulary("mini"), toy_bench.vocabulary("mini")
    assert own.labels[:6] == CLASSES
    assert own.n_classes == 6
    assert len(set(own.labels)) == len(own.labels) == len(own.embeddings) == len(own.prompts)
    place = own.labels.index("red")
    assert torch.equal(own.embeddings[place], base.embeddings[base.labels.index("red")])


@pytest.mark.parametrize("variant", [HeadVariant((0, 3)), HeadVariant(centred=True)])
def test_it_has_the_null_spaces_of_any_head(bench, chelsea, variant):
    question = Question(NAME, "an image of a rocket", steps=5, variant=variant)
    report = analyse_image(bench, chelsea, question)
    assert report.nullity == (382 if variant.classes else 379)
    assert max(report.sweep.max_logit_drift) <= 1e-5 * report.max_abs_logit
    assert {c.label for c in report.top5_before} <= (
        {CLASSES[0], CLASSES[3]} if variant.classes else set(CLASSES)
    )


def test_as_many_classes_as_dimensions_leave_no_null_space(toy_bench, chelsea):
    bench = ZeroShotBench(toy_bench, "mini", [f"thing {i}" for i in range(400)])
    report = analyse_image(
        bench, chelsea, Question(model=NAME, prompt="an image of a cat", steps=3)
    )
    assert report.nullity == 0
    assert report.sweep is None
    assert "has no null space" in report.no_sweep_reason


@pytest.mark.parametrize("classes", [["cat"], ["cat", " cat"], []])
def test_a_list_that_is_none_is_refused(toy_bench, classes):
    with pytest.raises(PromptError, match="at least two names"):
        ZeroShotBench(toy_bench, "mini", classes)


def test_another_list_has_another_digest(toy_bench):
    lists = (CLASSES, CLASSES[::-1], CLASSES[:3])
    digests = {ZeroShotBench(toy_bench, "mini", c).entry.weights_digest for c in lists}
    assert len(digests) == 3


@pytest.mark.slow
def test_mini_names_the_sample_photos_and_its_null_space_moves_nothing(real_bench, chelsea, rocket):
    bench = ZeroShotBench(real_bench, "mini", CLASSES)
    for photo, name in ((chelsea, "cat"), (rocket, "rocket")):
        report = analyse_image(
            bench, photo, Question(model=NAME, prompt="an image of a dog", mode="remove", steps=2)
        )
        assert report.top5_before[0].label == name
        assert report.sweep.max_logit_drift[-1] <= 1e-5 * report.max_abs_logit
        assert report.nullity == 506
