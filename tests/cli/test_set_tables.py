"""The tables of a prepared set that classes, compare and concepts print."""

import numpy as np
import pytest

from sing_core.leakage import variant_scores
from tests.prepared_sets import WNIDS

pytestmark = pytest.mark.slow  # sets are prepared
FIELDS = [
    "class", "wnid", "n", "as_mean", "as_low", "as_high", "abs_as_mean", "is_mean", "p_adjusted",
]  # fmt: skip


def test_classes_prints_the_fields_of_the_contract(prepared, rows):
    found = rows("classes", "--model", "lite0", "--set", prepared[0])
    assert [row["wnid"] for row in found] == list(WNIDS)
    for row in found:
        assert list(row)[: len(FIELDS)] == FIELDS
        assert row["n"] == 5
        assert row["as_low"] <= row["as_mean"] <= row["as_high"]
        assert abs(row["as_mean"]) <= row["abs_as_mean"] <= row["is_mean"]
        assert abs(row["contrast_mean"]) <= 2 * row["is_mean"]
        decided = row["contrast_p_adjusted"] <= 0.05
        way = "towards" if row["contrast_mean"] > 0 else "away"
        assert row["verdict"] == (way if decided else "not decided")
        assert 0 <= row["foreign_decided"] <= 1
        assert row["stratum"] == ""


def test_classes_are_narrowed_after_the_correction_and_ordered_on_demand(prepared, rows, run):
    ask = ("classes", "--model", "lite0", "--set", prepared[0])
    every = {row["wnid"]: row for row in rows(*ask)}
    assert rows(*ask, "--group", "Fish", "--least", 2) == [every[WNIDS[0]], every[WNIDS[1]]]
    assert rows(*ask, "--search", "GOLD") == [every[WNIDS[1]]]
    ordered = rows(*ask, "--order", "decided")
    assert ordered == sorted(
        every.values(), key=lambda r: (r["verdict"] == "not decided", -abs(r["contrast_mean"]))
    )
    for form in ((), ("--json",)):
        code, out, err = run(*ask, "--least", 6, *form)
        assert (code, out) == (0, "")
        assert err.startswith("No class of this group")


def test_a_class_is_the_mean_of_its_images(prepared, rows):
    name = prepared[0]
    (row,) = (
        r for r in rows("classes", "--model", "lite0", "--set", name) if r["wnid"] == WNIDS[2]
    )
    images = rows("classes", "--model", "lite0", "--set", name, "--images", WNIDS[2])
    assert len(images) == 5
    scores = np.array([image["attribute_score_deg"] for image in images])
    assert row["as_mean"] == pytest.approx(scores.mean(), abs=1e-12)
    assert row["abs_as_mean"] == pytest.approx(np.abs(scores).mean(), abs=1e-12)


def test_the_order_in_every_reference_leaves_out_those_without_scores(prepared, rows, run):
    """Of the references in the table most are not here: nothing was measured in them."""
    found = rows("compare", "--across-references", "--set", prepared[0])
    assert {row["reference"] for row in found} == {"mini"}
    assert {row["model"] for row in found} == {"lite0", "lite1"}
    code, _, err = run("compare", "--across-references", "--set", "no such set")
    assert code != 0
    assert "No prepared set is called “no such set”. There are: " in err


def test_compare_prints_intervals_controls_and_the_place_among_the_draws(prepared, rows):
    found = rows("compare", "--set", prepared[0])
    assert [row["model"] for row in found] == ["lite0", "lite1"]
    for row in found:
        assert (row["n"], row["classes"], row["nullity"], row["feature_dim"]) == (20, 4, 280, 1280)
        assert row["control_draws"] >= 50
        assert row["stratum"] == ""
        assert isinstance(row["cross_fitted"], bool)
        assert 1 <= row["rank_among_draws"] <= row["control_draws"] + 1
        means = ("image_score", "ratio", "dim_abs_attribute_score", "energy_ratio", "above_energy")
        for name in (*means, "principal_abs_attribute_score", "above_principal"):
            assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
        assert row["ratio"] == pytest.approx(row["image_score"] / row["abs_attribute_score"])


def test_paired_differences_are_those_of_the_means(prepared, rows):
    models = {row["model"]: row for row in rows("compare", "--set", prepared[0])}
    pairs = {row["measure"]: row for row in rows("compare", "--set", prepared[0], "--paired")}
    expected = models["lite0"]["image_score"] - models["lite1"]["image_score"]
    row = pairs["image_score_deg"]
    assert row["difference"] == pytest.approx(expected)
    decided = row["difference_low"] > 0 or row["difference_high"] < 0
    assert (row["verdict"] == "not decided") != (decided and row["p_adjusted"] <= 0.05)
    assert {0 <= pair["p_adjusted"] <= 1 for pair in pairs.values()} == {True}


def test_for_people_the_first_sentence_of_the_page_stands_above_the_table(prepared, run):
    words = ("--concept", "gold*fish", "--concept", "lemon")
    for ask, said in (
        (("compare",), "lite0"),
        (("compare", "--paired"), "lite1"),
        (("classes", "--model", "lite0"), "of 4 classes that can be tested, null removal turns"),
        (("concepts", "--model", "lite0", *words), "of 2 concepts"),
    ):
        code, out, err = run(*ask, "--set", prepared[0])
        assert (code, err) == (0, "")
        *paragraphs, table = out.split("\n\n", 2 if ask[0] != "concepts" else 1)
        assert said in paragraphs[0]
        assert "°" in paragraphs[-1]
        assert not any(mark in text for text in paragraphs for mark in ("**", "\\", "\u2060"))
        assert "lite0" in table or "gold*fish" in table or "goldfish" in table


def test_compare_asks_the_same_classes_of_every_head(prepared, rows, run):
    ask = ("compare", "--set", prepared[0])
    found = rows(*ask, "--classes", "0-1, 281")
    whole = rows(*ask)
    assert [list(row) for row in found] == [list(row) for row in whole]
    for row in found:
        assert (row["n"], row["classes"], row["nullity"], row["feature_dim"]) == (15, 3, 1277, 1280)
        assert row["image_score_low"] <= row["image_score"] <= row["image_score_high"]
    assert {row["nullity"] for row in rows(*ask, "--classes", "several")} == {1276}
    (one,) = rows(*ask, "--model", "lite1", "--classes", "0-1, 281", "--centred")
    assert (one["nullity"], one["n"]) == (1278, 15)
    (one,) = rows(*ask, "--model", "lite1", "--classes", "0-1, 281", "--dimension", 100)
    assert (one["nullity"], one["n"]) == (100, 15)
    pairs = {row["measure"]: row for row in rows(*ask, "--classes", "0-1, 281", "--paired")}
    difference = found[0]["image_score"] - found[1]["image_score"]
    assert pairs["image_score_deg"]["difference"] == pytest.approx(difference)
    _, _, err = run(*ask, "--classes", "1,555", "--json")
    assert "lite0: scoring 10 images where these classes decide" in err
    assert run(*ask, "--classes", "1,555", "--json")[2] == "", "they were not kept"


def test_a_dimension_that_no_null_space_has_is_refused_with_the_largest(prepared, refusal):
    ask = ("--set", prepared[0], "--model", "lite0", "--model", "lite1", "--dimension")
    for command in ("compare", "multiverse"):
        message = refusal(command, *ask, 99_999, kind="HeadError")
        assert "No null space here has 99,999 dimensions" in message
        assert "that of lite0, has 280. Give a number from 1 to 280." in message
    assert "1 to 1,277" in refusal("compare", *ask, 1_278, "--classes", "0-1, 281")


def test_a_model_that_is_named_twice_counts_once_and_that_is_said(prepared, run):
    for command, kept in (("compare", 1), ("multiverse", 1), ("validate-heads", 1)):
        ask = (command, "--set", prepared[0], "--model", "lite0", "--model", "lite0", "--json")
        code, out, err = run(*ask)
        assert (code, len(out.splitlines())) == (0, kept)
        assert "lite0 was named more than once; it counts once." in err


def test_a_wrong_kind_of_images_or_class_is_refused_before_scores_are_computed(
    prepared, refusal, monkeypatch
):
    monkeypatch.setattr(variant_scores, "under", None)  # calling it would fail
    ask = ("--set", prepared[0], "--classes", "0-1, 281")
    assert "All are of one kind" in refusal("compare", *ask, "--stratum", "photo")
    words = refusal("multiverse", *ask, "--class", "unicorns of old")
    assert "unicorns of old" in words


def test_compare_says_when_no_image_is_left_and_what_is_no_class(prepared, refusal):
    ask = ("compare", "--set", prepared[0], "--classes")
    assert "No image is left" in refusal(*ask, "2-9", kind="ImageSetError")
    assert "“unicorn” is no class of this head" in refusal(*ask, "unicorn", kind="HeadError")


def test_concepts_prints_angles_scores_and_both_tests(prepared, rows):
    ask = ("--model", "lite0", "--set", prepared[0], "--concept", "goldfish", "--concept", "a lamp")
    for of, n in (((), 4), (("--class", WNIDS[1]), 5)):
        found = rows("concepts", *ask, *of)
        assert [row["concept"] for row in found] == ["goldfish", "a lamp"]
        for row in found:
            assert row["n"] == n
            assert row["angle_before"] - row["angle_after"] == pytest.approx(row["as_mean"])
            assert row["as_low"] <= row["as_mean"] <= row["as_high"]
            assert row["bound_deg"] == found[0]["bound_deg"] > 0
            assert row["loosely_related"] is row["spurious"] is False


def test_the_own_name_of_a_class_scores_as_in_the_table_of_classes(prepared, rows):
    ask = ("--model", "lite0", "--set", prepared[0])
    (row,) = (r for r in rows("classes", *ask) if r["wnid"] == WNIDS[1])
    (concept,) = rows("concepts", *ask, "--class", row["class"], "--concept", row["class"])
    assert concept["as_mean"] == pytest.approx(row["as_mean"], abs=1e-6)
    assert concept["directed_mean"] == pytest.approx(row["directed_mean"], abs=1e-6)
