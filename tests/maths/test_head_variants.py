"""Chosen classes, softmax level, thresholds: what each null space promises, for awkward heads."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sing_core.errors import HeadError
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.head_variants import (
    WHOLE_HEAD,
    HeadVariant,
    check_variant,
    deciding_head,
    drift_per_step,
    parse_classes,
    split_variant,
)
from sing_core.maths.linear_head import LinearHead
from sing_core.studies.heads import THRESHOLDS, _stored, class_names, describe_head, threshold_costs
from sing_core.studies.photo import analyse_image, steer_image
from sing_core.studies.question import Question
from tests.strategies import build_head, feature_batches, heads, seeds

PROMPT = "an image of a jellyfish"


def zeros(weight):
    return weight.new_zeros(len(weight))


@pytest.mark.slow
@given(st.data())
def test_only_the_chosen_classes_keep_their_logits(data):
    head = data.draw(heads(torch.float64))
    c, m = head.weight.shape
    chosen = sorted(data.draw(st.sets(st.integers(0, c - 1), min_size=1)))
    variant = HeadVariant(tuple(chosen))
    split = split_variant(head.weight, variant)
    features = data.draw(feature_batches(m, torch.float64))
    weight, _ = deciding_head(head.weight, zeros(head.weight), variant)
    assert torch.equal(weight, head.weight[chosen])
    moved = weight @ (split.remove_null(features) - features).mT
    scale = float(torch.linalg.matrix_norm(weight)) * float(torch.linalg.matrix_norm(features))
    assert float(moved.abs().max()) <= 1e-10 * scale
    assert split.nullity >= HeadDecomposition.from_weight(head.weight).nullity


@pytest.mark.slow
@given(seeds, st.integers(2, 20))
def test_choosing_k_classes_of_a_head_of_full_rank_leaves_m_minus_k(seed, k):
    head = build_head(30, 24, 24, seed=seed)
    assert split_variant(head.weight, HeadVariant(tuple(range(k)))).nullity == 24 - k
    assert split_variant(head.weight, WHOLE_HEAD).nullity == 0


@pytest.mark.slow
@given(seeds, st.sampled_from([torch.float32, torch.float64]))
def test_the_centred_null_space_keeps_every_probability_and_has_one_dimension_more(seed, dtype):
    head = build_head(9, 14, 9, dtype=dtype, seed=seed)
    variant = HeadVariant(centred=True)
    split = split_variant(head.weight, variant)
    assert split.nullity == 14 - 9 + 1
    extra = split.null_basis
    logits = head.weight.double() @ extra
    spread = logits - logits.mean(dim=0)
    assert float(spread.abs().max()) <= 10 * head.tolerance
    assert float(logits.abs().max()) > 1e-3  # a direction that the head itself does see


@given(seeds)
def test_centring_adds_nothing_where_no_direction_moves_all_logits_alike(seed):
    head = build_head(40, 12, 12, seed=seed)  # more classes than features, as in ViT-B
    assert split_variant(head.weight, HeadVariant(centred=True)).nullity == 0


@pytest.mark.slow
@given(st.data())
def test_centred_logits_are_those_of_softmax(data):
    head = data.draw(heads(torch.float64))
    if len(head.weight) < 2 or float(head.weight.abs().max()) > 1e3:
        return
    bias = torch.from_numpy(
        np.random.default_rng(data.draw(seeds)).standard_normal(len(head.weight))
    )
    weight, offset = deciding_head(head.weight, bias, HeadVariant(centred=True))
    f = torch.ones(head.weight.shape[1], dtype=torch.float64)
    before, after = head.weight @ f + bias, weight @ f + offset
    torch.testing.assert_close(after.softmax(-1), before.softmax(-1))
    assert abs(float(after.sum())) <= 1e-9 * max(1.0, float(before.abs().sum()))


@pytest.mark.slow
@given(st.data(), st.floats(0.001, 0.9))
def test_a_threshold_costs_what_is_said_and_never_more_than_its_share(data, threshold):
    head = data.draw(heads(torch.float64))
    split = split_variant(head.weight, HeadVariant(threshold=threshold))
    cost = drift_per_step(head.weight, split)
    sigma = float(split.singular_values[0])
    assert cost <= threshold * sigma * (1 + 1e-9) + 1e-12 * sigma
    basis = split.null_basis
    if basis.shape[1] and sigma:  # the worst step is among the rows' own null parts
        rows = torch.linalg.vector_norm(head.weight / sigma @ basis, dim=-1)
        assert cost / sigma == pytest.approx(float(rows.max()), rel=1e-6, abs=1e-10)


def test_a_larger_threshold_never_hides_less():
    head = build_head(20, 20, 20, spread=1e-3, seed=1)
    found = [split_variant(head.weight, HeadVariant(threshold=t)) for t in (0, 0.01, 0.1, 0.5)]
    nullities = [split.nullity for split in found]
    costs = [drift_per_step(head.weight, split) for split in found]
    assert nullities == sorted(nullities)
    assert nullities[0] == 0 < nullities[-1]
    assert costs == sorted(costs)


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        (HeadVariant((5,)), "no class 5: this head has classes 0 to 4"),
        (HeadVariant((-1,)), "no class -1"),
        (HeadVariant((1, 1)), "chosen twice"),
        (HeadVariant((1,), centred=True), "choose two"),
        (HeadVariant(threshold=1.0), "between 0 and 1"),
        (HeadVariant(threshold=-0.1), "between 0 and 1"),
        (HeadVariant(threshold=float("nan")), "between 0 and 1"),
    ],
)
def test_what_no_head_has_is_refused(variant, words):
    with pytest.raises(HeadError, match=words):
        check_variant(variant, 5)


def test_classes_are_named_by_number_range_or_label():
    labels = ("ant", "bee", "Crow", "ant")
    assert parse_classes("2, bee", labels) == (1, 2)
    assert parse_classes("0-2,crow", labels) == (0, 1, 2)
    assert parse_classes("ANT", labels) == (0,)
    for wrong, words in (
        ("4", "no class"),
        ("2-9", "no range"),
        ("owl", "“owl”"),
        (" ,", "at least"),
    ):
        with pytest.raises(HeadError, match=words):
            parse_classes(wrong, labels)


@pytest.mark.slow
def test_sixteen_classes_of_lite0_hide_1264_directions_and_keep_their_logits(toy_bench, chelsea):
    variant = HeadVariant(tuple(range(280, 296)))
    ask = {"model": "lite0", "prompt": PROMPT, "steps": 5, "variant": variant}
    for mode in ("steer", "remove"):
        report = analyse_image(toy_bench, chelsea, Question(mode=mode, **ask))
        assert (report.nullity, report.rank) == (1264, 16)
        assert {entry.index for entry in report.top5_before} <= set(range(280, 296))
        labels = class_names(toy_bench, "lite0")
        assert all(entry.label == labels[entry.index] for entry in report.top5_before)
        assert max(report.sweep.max_logit_drift) <= 1e-5 * report.max_abs_logit


@pytest.mark.slow
def test_a_threshold_lets_logits_drift_and_says_how_far(toy_bench, chelsea):
    exact = steer_image(
        toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, epsilon=5.0, target_deg=None)
    )
    lenient = steer_image(
        toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, epsilon=5.0,
        variant=HeadVariant(threshold=0.1), target_deg=None))  # fmt: skip
    found = describe_head(toy_bench, "lite0", HeadVariant(threshold=0.1))
    assert found.nullity > 280
    assert exact.max_logit_drift < 1e-3 < lenient.max_logit_drift <= 5.0 * found.drift_per_step
    assert "logits may move" in found.sentence


@pytest.mark.slow
def test_the_table_of_thresholds_is_what_each_of_them_gives(toy_bench):
    table = threshold_costs(toy_bench, "lite0", HeadVariant(centred=True))
    assert [cost.threshold for cost in table] == list(THRESHOLDS)
    for cost in (table[0], table[3]):
        variant = HeadVariant(centred=True, threshold=cost.threshold)
        found = describe_head(toy_bench, "lite0", variant)
        assert cost.nullity == found.nullity
        assert cost.drift_per_step == pytest.approx(found.drift_per_step, rel=1e-4, abs=1e-5)
    assert table[0].nullity == 281


@pytest.mark.slow
def test_the_command_line_asks_for_each_of_them(rows, photos, refusal):
    (whole,) = rows("head", "lite0")
    assert (whole["rank"], whole["nullity"]) == (1000, 280)
    (few,) = rows("head", "lite0", "--classes", "0-14, jellyfish")
    assert (few["deciding"], few["nullity"]) == (16, 1264)
    (centred,) = rows("head", "lite0", "--centred")
    assert centred["nullity"] == 281
    assert len(rows("head", "lite0", "--costs")) == len(THRESHOLDS)
    ask = ("--model", "lite0", "--prompt", PROMPT)
    (scored,) = rows("score", photos[0], *ask, "--classes", "0-15")
    assert scored["nullity"] == 1264
    (swept,) = rows("sweep", photos[0], *ask, "--centred", "--steps", 3)
    assert len(swept["epsilon"]) == 3
    (step,) = rows("steer", photos[0], *ask, "--epsilon", 1, "--threshold", "0.1")
    assert step["max_logit_drift"] > 0
    refusal("score", photos[0], *ask, "--classes", "5000", kind="HeadError")
    assert "--threshold" in refusal("score", photos[0], *ask, "--threshold", "2", kind="UsageError")


def test_a_head_stored_in_half_precision_says_what_that_costs():
    weight = torch.randn(100, 30) @ torch.randn(30, 256)
    told = _stored(LinearHead.from_weight(weight.bfloat16().float()))
    assert told == (
        "Its weights were stored as bfloat16: 70 directions are read by that rounding alone and "
        "count as not read, so that a step may move a logit by up to 0.39% of the largest."
    )
    assert _stored(LinearHead.from_weight(weight)) == ""
