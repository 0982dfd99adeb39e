"""The verbs: one image's report beside the same computed from the paper's formulas."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch

from sing_core.maths.steering import angles_along
from sing_core.models.prompts import Vocabulary
from sing_core.studies.photo import analyse_image, steer_image, top_classes
from sing_core.studies.question import MARKS_DEG, Question
from sing_core.studies.reports import Sweep
from sing_core.studies.subject import Subject, null_energy
from tests import reference

PROMPT = "an image of a jellyfish"


def ingredients(bench, photo, prompt, model="lite0"):
    """Return feature, W, A, b, text as float64 NumPy arrays."""
    classifier, translator = bench.classifier(model), bench.translator(model, "mini")
    text = bench.text_embedding("mini", prompt, bench.vocabulary("mini"))
    matrices = classifier.linear.weight, translator.weight, translator.bias
    tensors = bench.features(model, photo), *matrices
    return [t.double().numpy() for t in (*tensors, text)]


@functools.lru_cache(maxsize=2)
def null_projector(payload, shape):
    """The reference's own projector, as for the stored type; its full SVD is done once."""
    return reference.null_projector(np.frombuffer(payload, np.float32).reshape(shape))


def projector_of(weight):
    return null_projector(weight.astype(np.float32).tobytes(), weight.shape)


def expected_scores(bench, photo, prompt, mode, epsilon):
    """AS and IS of one step by the formulas of the paper."""
    feature, weight, matrix, intercept, text = ingredients(bench, photo, prompt)
    null = projector_of(weight)
    if mode == "remove":
        direction = -null @ feature
    else:
        direction = null @ reference.exact_similarity_gradient(feature, matrix, intercept, text)
    direction /= np.linalg.norm(direction)
    z = reference.translate(feature, matrix, intercept)
    moved = reference.translate(reference.steer(feature, direction, epsilon), matrix, intercept)
    return reference.attribute_score_deg(z, moved, text), reference.image_score_deg(z, moved)


def assert_sweep_agrees(bench, photo, report):
    sweep = report.sweep
    for i in (0, 1, len(sweep.epsilon) // 2, len(sweep.epsilon) - 1):
        attribute, image = expected_scores(
            bench, photo, report.prompt, report.mode, sweep.epsilon[i]
        )
        assert sweep.attribute_score_deg[i] == pytest.approx(attribute, abs=1e-6)
        assert sweep.image_score_deg[i] == pytest.approx(image, abs=1e-6)


@pytest.mark.parametrize("mode", ["steer", "remove"])
@pytest.mark.slow
def test_scores_of_a_real_feature_agree_with_the_paper_to_a_millionth_degree(
    mode, toy_bench, chelsea
):
    report = analyse_image(
        toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, mode=mode, steps=9)
    )
    assert_sweep_agrees(toy_bench, chelsea, report)
    if mode == "remove":
        feature, weight, *_ = ingredients(toy_bench, chelsea, PROMPT)
        length = np.linalg.norm(projector_of(weight) @ feature)
        assert report.sweep.epsilon[-1] == pytest.approx(length, rel=1e-9)
        assert report.null_energy == pytest.approx(length / np.linalg.norm(feature), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["steer", "remove"])
def test_scores_of_the_shipped_translator_agree_with_the_paper(mode, real_bench, rocket):
    report = analyse_image(
        real_bench, rocket, Question(model="lite0", prompt=PROMPT, mode=mode, steps=5)
    )
    assert_sweep_agrees(real_bench, rocket, report)


@pytest.mark.parametrize("mode", ["steer", "remove"])
def test_a_sweep_has_a_step_exactly_at_every_mark_that_it_reaches(mode, toy_bench, chelsea):
    asked = Question(model="lite0", prompt=PROMPT, mode=mode, steps=9)
    marked = analyse_image(toy_bench, chelsea, asked).sweep
    plain = analyse_image(toy_bench, chelsea, replace(asked, marks_deg=(), target_deg=None)).sweep
    reached = [mark for mark in MARKS_DEG if mark <= marked.image_score_deg[-1]]
    assert reached
    for mark in reached:
        nearest = min(marked.image_score_deg, key=lambda score: abs(score - mark))
        assert nearest == pytest.approx(mark, abs=1e-6)
    assert len(plain.epsilon) == 9
    assert len(marked.epsilon) == 9 + len(reached)


def test_only_unusual_marks_have_a_key_of_their_own():
    asked = Question(model="lite0", prompt=PROMPT)
    assert replace(asked, marks_deg=()).key != asked.key
    assert replace(asked, marks_deg=MARKS_DEG).key == asked.key


def test_a_report_says_what_was_asked_and_what_was_found(toy_bench, chelsea):
    report = analyse_image(
        toy_bench, chelsea, Question(model="lite0", prompt=f"  {PROMPT}\n", steps=41)
    )
    assert (report.model, report.reference, report.prompt) == ("lite0", "mini", PROMPT)
    assert (report.feature_dim, report.rank, report.nullity) == (1280, 1000, 280)
    assert report.digest == chelsea.digest
    assert not report.shares_tower
    assert 0 < report.null_energy < 1
    sweep = report.sweep
    assert sweep.epsilon[0] == sweep.image_score_deg[0] == sweep.attribute_score_deg[0] == 0
    assert sweep.max_logit_drift[0] == 0
    assert all(np.diff(sweep.epsilon) > 0)
    assert all(np.diff(sweep.image_score_deg) > 0)
    assert max(sweep.max_logit_drift) <= 1e-5 * report.max_abs_logit
    assert all(
        abs(a) <= i + 1e-9
        for a, i in zip(sweep.attribute_score_deg, sweep.image_score_deg, strict=True)
    )
    assert report.top5_before[0].label in ("tabby cat", "Egyptian Mau", "tiger cat")
    assert [c.label for c in report.top5_after] == [c.label for c in report.top5_before]
    assert sum(c.probability for c in report.top5_before) <= 1


def test_the_wanted_image_score_is_a_step_of_the_sweep(toy_bench, chelsea):
    report = analyse_image(
        toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, target_deg=12.5)
    )
    target = report.sweep.target
    assert target.reachable
    assert report.index == target.index
    assert report.sweep.image_score_deg[target.index] == pytest.approx(12.5, abs=1e-6)
    assert target.sentence.startswith("IS = 12.5° is reached at ε = ")


def test_a_wanted_image_score_out_of_reach_is_a_sentence(toy_bench, chelsea):
    report = analyse_image(
        toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, target_deg=179.0)
    )
    target = report.sweep.target
    assert (target.reachable, target.index) == (False, None)
    assert "IS = 179° is not reachable" in target.sentence
    assert report.index == len(report.sweep.epsilon) - 1


def test_null_removal_says_when_the_wanted_score_lies_beyond_it(toy_bench, chelsea):
    ask = {"model": "lite0", "prompt": PROMPT, "mode": "remove"}
    end = analyse_image(toy_bench, chelsea, Question(**ask)).sweep.image_score_deg[-1]
    beyond = analyse_image(toy_bench, chelsea, Question(**ask, target_deg=end + 1)).sweep.target
    assert (beyond.reachable, beyond.index) == (False, None)
    assert "beyond null removal" in beyond.sentence
    within = analyse_image(toy_bench, chelsea, Question(**ask, target_deg=end - 1))
    assert within.sweep.target.reachable
    assert within.index == len(within.sweep.epsilon) - 1  # the mode's own end


def test_a_step_of_ones_own_is_the_nearest_one_of_the_sweep(toy_bench, chelsea):
    ask = {"model": "lite0", "prompt": PROMPT, "steps": 41}
    steps = analyse_image(toy_bench, chelsea, Question(**ask)).sweep.epsilon
    for wanted, index in ((0.0, 0), (steps[7] * 1.0001, 7), (1e9, len(steps) - 1)):
        assert analyse_image(toy_bench, chelsea, Question(**ask, epsilon=wanted)).index == index


def test_concepts_begin_with_the_prompt_and_hold_the_nearest_of_every_step(toy_bench, chelsea):
    report = analyse_image(
        toy_bench, chelsea, Question(model="lite0", prompt="a purple piano", steps=5)
    )
    own, *others = report.sweep.concepts
    assert (own.label, own.kind) == ("a purple piano", "prompt")
    assert toy_bench.pool.reference("mini").asked[-1] == "a purple piano"
    assert {c.kind for c in others} <= {"class", "attribute"}
    feature, _, matrix, intercept, _ = ingredients(toy_bench, chelsea, "a purple piano")
    z = reference.translate(feature, matrix, intercept)
    vocabulary = toy_bench.vocabulary("mini")
    angles = [reference.angle_deg(z, row) for row in vocabulary.embeddings.double().numpy()]
    nearest = [vocabulary.labels[i] for i in np.argsort(angles)[:10]]
    assert set(nearest) <= {c.label for c in others}
    found = {c.label: c.angle_deg[0] for c in others}
    assert found[nearest[0]] == pytest.approx(min(angles), abs=1e-6)


def test_a_prompt_of_the_vocabulary_is_not_shown_twice(toy_bench, chelsea):
    report = analyse_image(toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, steps=5))
    assert [c.prompt for c in report.sweep.concepts].count(PROMPT) == 1


@pytest.mark.parametrize("prompt", ["an image of an espresso", "espresso"])
def test_a_class_in_a_persons_own_words_is_not_shown_twice(toy_bench, chelsea, prompt):
    report = analyse_image(toy_bench, chelsea, Question(model="lite0", prompt=prompt, steps=5))
    labels = [concept.label for concept in report.sweep.concepts]
    assert labels[0] == prompt
    assert "espresso" not in labels[1:]
    assert len(set(labels)) == len(labels)
    assert report.sweep.concept_count == len(toy_bench.vocabulary("mini").labels)


def test_the_rank_counts_the_concepts_that_are_nearer_than_the_prompt(toy_bench, chelsea):
    report = analyse_image(toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, steps=5))
    feature, _, matrix, intercept, _ = ingredients(toy_bench, chelsea, PROMPT)
    z = reference.translate(feature, matrix, intercept)
    vocabulary = toy_bench.vocabulary("mini")
    angles = [reference.angle_deg(z, row) for row in vocabulary.embeddings.double().numpy()]
    own = angles[vocabulary.prompts.index(PROMPT)]
    assert report.sweep.prompt_rank[0] == 1 + sum(angle < own for angle in angles)
    assert report.sweep.concept_count == len(vocabulary.labels)


def test_the_concepts_that_rise_and_fall_most_are_among_those_shown(toy_bench, chelsea):
    ask = Question(model="lite0", prompt="a purple piano", steps=5)
    report = analyse_image(toy_bench, chelsea, ask)
    subject = Subject.of(toy_bench, chelsea, ask)
    last = torch.tensor([0.0, report.sweep.epsilon[-1]], dtype=torch.float64)
    vocabulary = subject.vocabulary
    angles = angles_along(subject.line.z0, subject.line.w, last, vocabulary.embeddings)
    order = (angles[0] - angles[1]).argsort().tolist()
    extremes = {vocabulary.labels[i] for i in (*order[:5], *order[-5:])}
    assert extremes <= {concept.label for concept in report.sweep.concepts}


@pytest.mark.slow
def test_the_average_score_is_over_the_whole_vocabulary(toy_bench, chelsea):
    report = analyse_image(toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, steps=5))
    feature, weight, matrix, intercept, text = ingredients(toy_bench, chelsea, PROMPT)
    gradient = reference.exact_similarity_gradient(feature, matrix, intercept, text)
    direction = projector_of(weight) @ gradient
    step = report.sweep.epsilon[3] * direction / np.linalg.norm(direction)
    z = reference.translate(feature, matrix, intercept)
    moved = reference.translate(feature + step, matrix, intercept)
    concepts = toy_bench.vocabulary("mini").embeddings.double().numpy()
    scores = [reference.attribute_score_deg(z, moved, concept) for concept in concepts]
    assert report.sweep.average_score_deg[0] == 0
    assert report.sweep.average_score_deg[3] == pytest.approx(np.mean(scores), abs=1e-6)


@pytest.mark.slow
def test_one_steered_pair_agrees_with_the_sweep_and_the_paper(toy_bench, chelsea):
    found = steer_image(toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, target_deg=20.0))
    assert found.reachable
    assert found.image_score_deg == pytest.approx(20, abs=1e-6)
    attribute, image = expected_scores(toy_bench, chelsea, PROMPT, "steer", found.epsilon)
    assert found.attribute_score_deg == pytest.approx(attribute, abs=1e-6)
    assert found.image_score_deg == pytest.approx(image, abs=1e-6)
    assert found.top1_before.label == found.top1_after.label
    again = steer_image(
        toy_bench,
        chelsea,
        Question(model="lite0", prompt=PROMPT, epsilon=found.epsilon, target_deg=None),
    )
    assert again.image_score_deg == pytest.approx(20, abs=1e-9)
    never = steer_image(
        toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, target_deg=179.0)
    )
    assert (never.reachable, never.epsilon, never.top1_after) == (False, None, None)
    assert never.supremum_deg == pytest.approx(found.supremum_deg)


def test_null_energy_lies_between_zero_and_one(toy_bench):
    classifier = toy_bench.classifier("lite0")
    inside = classifier.linear.head.null_part(torch.randn(1280))
    assert null_energy(classifier, inside) == pytest.approx(1)
    assert null_energy(classifier, classifier.linear.head.principal_part(torch.randn(1280))) < 1e-9
    assert null_energy(classifier, torch.zeros(1280)) == 0


def test_classes_without_known_names_are_numbered():
    vocabulary = Vocabulary(("a", "b"), ("a", "b"), 2, torch.eye(2), "space")
    found = top_classes(torch.tensor([1.0, 3.0, 2.0]), vocabulary, 2)
    assert [entry.label for entry in found] == ["class 1", "class 2"]
    assert [e.label for e in top_classes(torch.tensor([1.0, 3.0]), vocabulary)] == ["b", "a"]


def test_the_position_of_a_step_is_the_nearest_one():
    sweep = Sweep(
        (0.0, 1.0, 3.0), (0.0,) * 3, (0.0,) * 3, (0.0,) * 3, (0.0,) * 3, (), None, (1,) * 3, 1
    )
    assert [sweep.index_of(e) for e in (-5, 0.4, 1.9, 2.1, 99)] == [0, 0, 1, 2, 2]
