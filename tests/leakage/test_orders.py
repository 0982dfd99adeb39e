"""Orders of classifiers across references: what is said of them, and what it is measured from."""

import pytest

from sing_core.errors import ImageSetError, StaleArtefactError
from sing_core.leakage import orders as leakage_orders
from sing_core.leakage.comparison import model_row
from sing_core.leakage.differences import PairRow, pair_rows
from sing_core.leakage.orders import DEFAULT_MEASURE, Order, order_of, orders, sentence
from sing_core.leakage.scored_sets import open_set
from sing_core.maths.statistics import Interval
from sing_core.models.registry import spaces_from


def pair(first, second, low, high):
    found = Interval((low + high) / 2, low, high, 9)
    return PairRow(first, second, DEFAULT_MEASURE, 9, found)


def order(reference, *pairs):
    return Order(reference, (), (), frozenset(), pairs)


def test_few_pairs_are_told_one_by_one_with_their_size():
    here = order("one", pair("a", "b", 1, 2), pair("b", "c", -1, 2))
    there = order("two", pair("b", "a", -3, -1), pair("b", "c", 1, 2))
    assert here.gap("b", "a") == ("b", "a", -1.5, True)
    assert here.gap("a", "d") is None
    assert sentence((here, there), str.upper) == (
        "A and B: in one A leaks more, by 1.500°, in two A leaks more, by 2.000°. "
        "B and C: in one not decided (0.500° apart), in two B leaks more, by 1.500°."
    )


def test_many_pairs_hold_turn_round_or_are_not_decided():
    clear = [pair("a", "b", 1, 2), pair("a", "c", 1, 2), pair("a", "d", 1, 2)]
    here = order("one", *clear, pair("b", "c", -1, 2))
    there = order("two", *clear[:2], pair("d", "a", 1, 2), pair("b", "c", 1, 2))
    assert sentence((here, there), str.upper) == (
        "Of 4 pairs that may be compared in both one and two, 2 have the same order in both, "
        "1 turn round (A and D) and 1 are not decided in one of the two."
    )


def test_what_cannot_be_compared_is_said():
    here = order("one", pair("a", "b", 1, 2))
    assert sentence((here,)).startswith("Only one has scores of all these classifiers")
    said = sentence((here, order("two")))
    assert said == "No two of these classifiers may be compared in both one and two."


def test_a_reference_never_judges_the_tower_that_it_is_built_on():
    scores = (Interval(3, 2, 4, 9), Interval(2, 1, 3, 9), Interval(1, 0, 2, 9))
    here = Order("one", ("own", "a", "b"), scores, frozenset({"own"}), (pair("a", "b", 1, 2),))
    there = Order("two", ("a", "b", "own"), scores, frozenset(), (pair("a", "b", 1, 2),))
    assert [row["place"] for row in here.as_rows()] == [None, 1, 2]
    assert sentence((here, there)).endswith(
        "own is not judged in one, which is built on its own image tower: in two it has place 3 "
        "of 3 (1.000°)."
    )


def test_other_references_come_in_the_same_reading(toy_bench):
    assert spaces_from("mini-vit", toy_bench.settings)[:2] == ("mini-vit", "mini")
    assert spaces_from("centred:mini", toy_bench.settings)[:2] == (
        "centred:mini",
        "centred:mini-vit",
    )


def test_a_reference_without_scores_is_left_out_and_the_first_must_have_them():
    asked = []

    def opened(space):
        asked.append(space)
        raise ImageSetError(f"{space} has no scores.")

    with pytest.raises(ImageSetError, match="one has no scores"):
        orders(("one", "two"), opened)
    assert asked == ["one"]


def test_scores_that_are_damaged_are_named_and_not_left_out(monkeypatch):
    def opened(space):
        if space == "two":
            raise StaleArtefactError("The scores of two are damaged.")
        return []

    monkeypatch.setattr(leakage_orders, "order_of", lambda sets, measure: order("one"))
    with pytest.raises(StaleArtefactError, match="damaged"):
        orders(("one", "two"), opened)


@pytest.mark.slow
def test_the_embedded_set_is_ordered_as_compare_orders_it_in_every_reference(real_bench):
    def opened(space):
        models = ("lite0", "lite2", "vits")
        return [open_set(real_bench, m, images="embedded", reference=space) for m in models]

    found = orders(spaces_from("mini", real_bench.settings), opened)
    assert [one.reference for one in found] == ["mini", "mini-vit"]
    sets = opened("mini")
    whole = {row.model: row.abs_attribute_score for row in map(model_row, sets) if row.nullity}
    assert found[0].models == tuple(sorted(whole, key=lambda m: -whole[m].estimate))
    assert found[0].scores == tuple(whole[m] for m in found[0].models)
    assert "vits" not in found[0].models, "its head reads every direction"
    assert (found[0].own_tower, found[1].own_tower) == ({"lite2"}, set())
    assert (len(found[0].pairs), len(found[1].pairs)) == (0, 1), "nobody is judged by its own tower"
    told = [row for row in pair_rows(sets) if row.measure == DEFAULT_MEASURE]
    assert all(row.barrier for row in told if row not in found[0].pairs)
    assert order_of(sets, "image_score_deg").scores != found[0].scores
