"""A prepared set steered towards a text: by classes, by compare, and image by image."""

import pytest

from sing_core.leakage import scored_sets
from sing_core.leakage.null_lines import null_gram, steered_scores
from sing_core.maths.scores import angle_deg
from sing_core.maths.steering import epsilon_for_image_score, null_direction
from tests.prepared_sets import WNIDS

pytestmark = pytest.mark.slow  # sets are prepared


def test_steering_a_set_agrees_with_stepping_image_by_image(prepared, toy_bench):
    scored = scored_sets.open_set(toy_bench, "lite0", images=prepared[0])
    bench = scored.bench
    text = bench.vocabulary("mini").embeddings[40].double()
    chunk = scored.folder.chunk("lite0", bench.entry("lite0").weights_digest, 0)
    classifier, translator = bench.classifier("lite0"), bench.translator("lite0", "mini")
    z0 = translator.apply(chunk.features)
    gram = null_gram(classifier.linear.head, translator)
    found = steered_scores(z0, gram, text, 25.0)
    for feature, z, value in zip(chunk.features, z0, found, strict=True):
        direction = null_direction(feature, classifier.linear.head, translator, text)
        w = translator.linear(direction)
        step = epsilon_for_image_score(z, w, 25.0)
        assert step.reachable
        moved = angle_deg(z, text) - angle_deg(z + step.epsilon * w, text)
        assert float(value) == pytest.approx(float(moved), abs=1e-6)
    assert steered_scores(z0, gram, text, 179.0).isnan().all()


def test_classes_steers_one_class_towards_all_others(prepared, rows):
    ask = ("--model", "lite0", "--set", prepared[0])
    found = rows("classes", *ask, "--steer", WNIDS[0], "--image-score", 20)
    assert len(found) == 999
    scores = [row["as_mean"] for row in found]
    assert scores == sorted(scores, reverse=True)
    assert all(row["n"] == 5 and row["unreachable"] == 0 for row in found)
    assert all(0 < row["feasible_image_score_deg"] < 20 for row in found[:12])
    assert {row["feasible_image_score_deg"] for row in found[12:]} == {None}
    assert all(0 < score <= 20 for score in scores)
    assert all(row["drifting"] == 0 and 0 < row["max_logit_drift"] < 0.01 for row in found)


def test_compare_steers_towards_a_prompt(prepared, rows):
    ask = ("--set", prepared[0], "--prompt", "an image of a jellyfish", "--image-score")
    (row, _) = rows("compare", *ask, 20)
    assert (row["unreachable"], row["drifting"], row["n"]) == (0, 0, 20)
    assert 0 < row["max_logit_drift"] < 0.01
    assert row["abs_as_low"] <= row["abs_as"] <= row["abs_as_high"] <= 20
    assert 0 < row["feasible_image_score_deg"] < 20
    assert row["feasible_abs_as"] < row["abs_as"]
    assert row["fixed_image_score"] == pytest.approx(20, abs=1e-4)
    assert row["fixed_image_score_sd"] > 0 < row["fixed_abs_as_sd"]
    (row, _) = rows("compare", *ask, 179)
    assert (row["unreachable"], row["abs_as"]) == (1, None)
    assert row["feasible_image_score_deg"] is row["fixed_epsilon"] is None


def test_compare_steers_the_images_of_one_class(prepared, rows, refusal):
    ask = ("compare", "--set", prepared[0], "--model", "lite0", "--source", WNIDS[0])
    (row,) = rows(*ask, "--prompt", "an image of a jellyfish", "--image-score", 20)
    assert (row["n"], row["source"]) == (5, "tench")
    assert row["epsilon"] > 0 < row["epsilon_sd"]
    assert "--source says whose images" in refusal(*ask, kind="UsageError")
    wrong = ("--prompt", "a lamp", "--source", "unicorn")
    assert "has no class “unicorn”" in refusal(*ask, *wrong, kind="ImageSetError")
