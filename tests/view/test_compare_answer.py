"""Compare's answer: one sentence from real rows, with its magnitude, and never over a barrier."""

from dataclasses import replace
from itertools import combinations

import pytest

from pages._view.tables import compare
from sing_core.leakage import compare_answer
from sing_core.leakage.comparison import ModelRow
from sing_core.leakage.differences import PairRow
from sing_core.maths.statistics import Interval

TITLES = {"a": "Alpha", "b": "Beta", "c": "Gamma", "own": "Twin", "full": "Full"}
NOTHING = Interval(0.0, 0.0, 0.0, 9)


def row(model, score, above=NOTHING, *, nullity=280, shares_tower=False):
    values = dict.fromkeys(ModelRow.__slots__, NOTHING)
    values |= {"model": model, "nullity": nullity, "shares_tower": shares_tower}
    return ModelRow(
        **values | {"abs_attribute_score": Interval(score, 0, 1, 9), "above_energy": above}
    )


@pytest.mark.parametrize(
    ("above", "said"),
    [
        (Interval(0.1, 0.05, 0.15, 9), "**more** than random subspaces that remove as much"),
        (Interval(-0.1, -0.15, -0.05, 9), "**less** than random subspaces that remove as much"),
        (Interval(0.1, -0.05, 0.25, 9), "that remove as much **not decided**"),
    ],
)
def test_the_verdict_of_a_model_names_its_place_among_the_draws(above, said):
    found = replace(row("a", 0.5, above), feature_dim=1280, control_draws=50, rank_among_draws=51)
    text = compare.verdict(found, "Alpha")
    assert said in text
    assert text.endswith("; beside 50 of them its |AS| has place 51 of 51, 1 being the smallest.")


def pairs(rows, width):
    """All pairs of the rows, with intervals of this half width."""
    found = []
    for a, b in combinations(rows, 2):
        gap = a.abs_attribute_score.estimate - b.abs_attribute_score.estimate
        interval = Interval(gap, gap - width, gap + width, 9)
        found.append(PairRow(a.model, b.model, "abs_attribute_score_deg", 9, interval))
        found.append(PairRow(a.model, b.model, "image_score_deg", 9, NOTHING))
    return found


def said(rows, width=0.01):
    return compare_answer.answer(rows, pairs(rows, width), TITLES)


def test_of_two_the_one_that_leaks_more_comes_first_with_by_how_much_and_how_surely():
    text = said([row("a", 0.2), row("b", 0.5)])
    assert text.startswith("**Beta leaks more than Alpha, by 0.300°.**")
    assert "0.500° nearer to or further from its own class with Beta, 0.200° with Alpha" in text
    assert "+0.300° (95 %: +0.290° to +0.310°)" in text


def test_of_three_one_leaks_most_only_where_both_others_are_told_from_it():
    rows = [row("a", 0.5), row("b", 0.2), row("c", 0.48)]
    assert said(rows).startswith("**Alpha leaks most, 0.300° more than Beta.**")
    open_ = said(rows, 0.05)
    assert open_.startswith("**Alpha leaks more than Beta, by 0.300°.**")
    assert "Not told apart: Alpha and Gamma." in open_


def test_what_is_not_decided_is_said_with_its_size():
    text = said([row("a", 0.279), row("b", 0.280)], 0.018)
    lead = "**Which of Beta and Alpha leaks more is not decided: they are 0.001° apart.**"
    assert text.startswith(lead)
    assert "+0.001° (95 %: −0.017° to +0.019°)" in text


def test_a_set_without_intervals_decides_nothing():
    rows = [row("a", 0.2), row("b", 0.5)]
    gap = Interval(-0.3, None, None, 1)
    found = [PairRow("a", "b", "abs_attribute_score_deg", 9, gap)]
    text = compare_answer.answer(rows, found, TITLES)
    assert "is not decided" in text
    assert "+0.300° (no interval from one class)" in text


def test_who_may_not_be_compared_is_not_ranked_and_the_reason_is_said_once():
    text = said([row("a", 0.2), row("own", 0.9, shares_tower=True), row("full", 0.0, nullity=0)])
    assert text.startswith("**Alpha alone can be judged: without its null part an")
    assert text.endswith("Not ranked: Twin (its own image tower) and Full (no null space).")
    assert text.count("Twin") == text.count("Full") == 1


def test_a_twin_alone_is_judged_by_itself_and_where_nothing_can_leak_that_is_the_answer():
    assert said([row("own", 0.9, shares_tower=True)]).startswith("**Twin alone can be judged: ")
    assert said([row("full", 0.0, nullity=0)]).startswith("**None of these classifiers has")


def test_the_random_subspace_stands_beside_the_ranking():
    rows = [
        row("a", 0.5, Interval(0.1, 0.05, 0.15, 9)),
        row("b", 0.2, Interval(-0.1, -0.15, -0.05, 9)),
        row("c", 0.1, Interval(-0.1, -0.15, 0.05, 9)),
    ]
    assert (
        "remove as much, that is **more** with Alpha, **less** with Beta and **not decided** with "
        "Gamma." in said(rows)
    )


@pytest.mark.parametrize(
    ("gap", "verdict"),
    [
        (Interval(0.3, 0.2, 0.4, 9), "Alpha is larger"),
        (Interval(-0.3, -0.4, -0.2, 9), "Beta is larger"),
        (Interval(-0.0001, -0.4, 0.2, 9), "not decided"),
    ],
)
def test_a_difference_names_the_larger_one_or_nobody(gap, verdict):
    pair = PairRow("a", "b", "image_score_deg", 9, gap)
    text = compare.difference(pair, TITLES)
    assert text.startswith("IS, Alpha − Beta: ")
    assert text.endswith(f"**{verdict}**.")


def test_a_pair_with_a_barrier_has_no_verdict_but_that():
    decided = Interval(0.3, 0.2, 0.4, 9)
    pair = PairRow("a", "own", "image_score_deg", 9, decided, "own is measured in its own tower")
    assert pair.verdict == pair.as_row()["verdict"] == "not comparable"
    assert pair.as_row()["barrier"] == "own is measured in its own tower"
    assert PairRow("a", "b", "image_score_deg", 9, decided).verdict == "a is larger"


def test_a_difference_that_the_number_of_pairs_explains_decides_nothing_anywhere():
    gap = Interval(0.3, 0.2, 0.4, 9)
    pair = PairRow("a", "b", "abs_attribute_score_deg", 9, gap, p_adjusted=0.2)
    assert pair.verdict == "not decided"
    assert compare.difference(pair, TITLES).endswith("**not decided**.")
    text = compare_answer.answer([row("a", 0.5), row("b", 0.2)], [pair], TITLES)
    assert "is not decided" in text


def test_where_kinds_of_images_say_different_things_there_is_no_pooled_verdict():
    kinds = [
        PairRow("a", "b", "abs_attribute_score_deg", 9, Interval(v, v - 0.01, v + 0.01, 9),
                stratum=kind)
        for kind, v in (("photograph", 0.05), ("thumbnail", -0.07))
    ]  # fmt: skip
    gap = Interval(0.03, 0.02, 0.04, 9)
    pooled = PairRow("a", "b", "abs_attribute_score_deg", 9, gap, by_stratum=tuple(kinds))
    told = compare_answer.answer([row("b", 0.4), row("a", 0.5)], [pooled], TITLES)
    assert told.startswith(
        "**Which leaks more depends on the kind of images: on photographs Alpha, by 0.050°; on "
        "thumbnails Beta, by 0.070°.**"
    )
    assert "+0.050° (95 %: +0.040° to +0.060°) on photographs" in told
    assert "−0.070° (95 %: −0.080° to −0.060°) on thumbnails" in told
    back = compare_answer.answer([row("a", 0.4), row("b", 0.5)], [pooled], TITLES)
    assert "−0.050° (95 %: −0.060° to −0.040°) on photographs" in back
    assert compare.difference(pooled, TITLES).endswith("**kinds of images differ**.")
    assert compare.difference(kinds[1], TITLES).endswith("**Beta is larger**.")


def test_a_kind_that_decides_nothing_is_said_to_be_not_decided():
    kinds = [
        PairRow("a", "b", "abs_attribute_score_deg", 9, Interval(v, v - 0.02, v + 0.02, 9),
                stratum=kind)
        for kind, v in (("photograph", 0.05), ("thumbnail", -0.01))
    ]  # fmt: skip
    gap = Interval(0.03, 0.01, 0.05, 9)
    pooled = PairRow("a", "b", "abs_attribute_score_deg", 9, gap, by_stratum=tuple(kinds))
    told = compare_answer.answer([row("a", 0.5), row("b", 0.4)], [pooled], TITLES)
    assert "on photographs Alpha, by 0.050°; on thumbnails not decided.**" in told


@pytest.mark.parametrize("width", [0.01, 0.05])
@pytest.mark.parametrize("scores", [(0.5, 0.2), (0.5, 0.2, 0.48), (0.5,)])
def test_the_first_sentence_is_short_and_has_one_magnitude(scores, width):
    rows = [row(name, score) for name, score in zip("abc", scores, strict=False)]
    first = said(rows, width).split("**")[1]
    assert len(first.split()) <= 25
    assert first.count("°") == 1
