"""The commands prepare, image-sets, classes, compare and concepts, on a small prepared set."""

import json
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest

from sing_core.errors import SingError
from sing_core.leakage import probes, scored_sets, variant_scores
from sing_core.leakage.null_lines import null_gram, steered_scores
from sing_core.maths.scores import angle_deg
from sing_core.maths.steering import epsilon_for_image_score, null_direction
from tests.benches import exit_code, pretend_reference
from tests.prepared_sets import WNIDS, class_folders, jpeg

pytestmark = pytest.mark.slow  # sets are prepared

SET = "command-line"
FIELDS = [
    "class", "wnid", "n", "as_mean", "as_low", "as_high", "abs_as_mean", "is_mean", "p_adjusted",
]  # fmt: skip


@pytest.fixture(scope="module")
def prepared(toy_assets, tmp_path_factory):
    """The set, prepared by the command once for all tests here, and what the command printed."""
    images = class_folders(tmp_path_factory.mktemp("set") / "images", per_class=5)
    (images / WNIDS[0] / "broken.jpg").write_bytes(jpeg(1)[:90])
    ask = ("--images", images, "--name", SET, "--model", "lite0", "--model", "lite1", "--json")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as printed:
        patch.setenv("SING_ASSETS_DIR", str(toy_assets))
        pretend_reference(toy_assets, patch)
        assert exit_code(patch, "prepare", *ask) == 0
    return SET, [json.loads(line) for line in printed.getvalue().splitlines()]


def test_prepare_says_what_was_scored_and_what_not(prepared):
    name, done = prepared
    assert [row["model"] for row in done] == ["lite0", "lite1"]
    for row in done:
        assert (row["set"], row["listed"], row["scored"], row["unusable"]) == (name, 21, 20, 1)


def test_heads_are_validated_on_the_set_without_its_images(prepared, rows, refusal):
    name, _ = prepared
    found = rows("validate-heads", "--set", name, "--model", "lite0", "--model", "lite1")
    assert [(row["images"], row["images_test"], row["classes"]) for row in found] == [
        (16, 4, 4), (16, 4, 4)
    ]  # fmt: skip
    assert "No prepared set" in refusal("validate-heads", "--set", "other", "--model", "lite0")


def test_a_sceptic_asks_what_can_be_read_and_for_real_pairs(prepared, rows, refusal, monkeypatch):
    monkeypatch.setattr(probes, "DRAWS", 2)
    ask = ("--set", prepared[0], "--model", "lite0")
    found = rows("probe", *ask)
    assert [row["subspace"] for row in found] == ["null", "random", "read", "principal", "full"]
    for row in found:
        assert {*row} == {"subspace", "dim", "accuracy", "low", "high", "draws"}
        assert 0 <= row["low"] <= row["accuracy"] <= row["high"] <= 1
    pairs = rows("real-pairs", *ask, "--neighbours", "3", "--top", "4")
    assert len(pairs) == 4
    for pair in pairs:
        assert pair["row"] != pair["other_row"]
        assert pair["swapped"] < 90
    claims = rows("multiverse", *ask, "--model", "lite1")
    assert len(claims) == 2 + 3
    for claim in claims:
        assert claim["survives"] + len(claim["fails"]) == claim["choices"]
        assert claim["low"] <= claim["estimate"] <= claim["high"]
    (claim,) = rows("multiverse", *ask, "--class", WNIDS[1])
    (row,) = (row for row in rows("classes", *ask) if row["wnid"] == WNIDS[1])
    assert claim["class"] == row["class"]
    assert claim["estimate"] == pytest.approx(row["contrast_mean"], abs=1e-3)
    assert claim["survives"] + len(claim["fails"]) == claim["choices"]
    words = ("--concept", "goldfish", "--concept", "lemon")
    for of in ((), ("--class", WNIDS[1])):
        claims = rows("multiverse", *ask, *words, *of)
        table = rows("concepts", *ask, *words, *of)
        assert [claim["concept"] for claim in claims] == ["goldfish", "lemon"]
        for claim, row in zip(claims, table, strict=True):
            assert claim["class"] == ("goldfish" if of else "")
            assert claim["estimate"] == pytest.approx(row["directed_mean"], abs=1e-3)
            assert claim["survives"] + len(claim["fails"]) == claim["choices"]
    assert "one of the two" in refusal("multiverse", *ask, *words, "--list", "words.txt")
    for verb, more in (("translations", ()), ("multiverse", ("--networks",))):
        assert "prepare it again with --embed" in refusal(verb, *ask, *more, kind="ImageSetError")
    assert "--class or --concept" in refusal("multiverse", *ask, "--stratum", "small")
    assert "two labels with 5 classes" in refusal("probe", *ask, "--read", "groups")
    assert "need more than 20 images" in refusal("real-pairs", *ask, "--neighbours", "20")
    for verb in ("probe", "real-pairs", "alarms"):
        assert "All are of one kind" in refusal(verb, *ask, "--stratum", "small")


def test_what_was_planted_in_photographs_is_looked_for(prepared, rows, refusal, run, photos):
    fields = [
        "nuisance", "dose", "null_share", "null_share_random", "logit_change", "top1_changed",
        "attribute_score_deg", "contrast_deg", "low", "high", "rank", "n",
    ]  # fmt: skip
    found = rows("nuisances", *photos, "--model", "lite0")
    assert len(found) == 6 * 5 + 2
    for row in found:
        assert list(row)[: len(fields)] == fields
        assert (row["n"], row["null_share_random"]) == (2, 280 / 1280)
        assert row["low"] <= row["contrast_deg"] <= row["high"]
        assert (row["verdict"] == "") == (row["dose"] < 1)
    assert "one of the three" in refusal("nuisances", *photos, "--set", prepared[0])
    assert "no null space" in refusal("nuisances", *photos, "--model", "vits")
    code, _, err = run("nuisances", "--set", prepared[0], "--limit", 2)
    assert code == 0
    assert "of 7 planted nuisances" in " ".join(err.split())


def test_bad_images_are_named_on_standard_error(run, tmp_path):
    images = class_folders(tmp_path / "images", per_class=1)
    (images / WNIDS[0] / "broken.jpg").write_bytes(jpeg(1)[:90])
    code, _, err = run("prepare", "--images", images, "--name", f"bad-{tmp_path.name}")
    assert code == 0
    assert f"{WNIDS[0]}/broken.jpg: This JPEG file is damaged" in " ".join(err.split())


def test_image_sets_lists_it_with_its_models(prepared, rows):
    found = {row["name"]: row for row in rows("image-sets")}
    assert found[prepared[0]]["models"] == ["lite0", "lite1"]
    assert found[prepared[0]]["images"] == 21


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


def test_what_is_not_there_is_refused_with_a_sentence(prepared, refusal, tmp_path):
    name = prepared[0]
    for arguments, sentence in (
        (("classes", "--model", "lite2", "--set", name), "not prepared for lite2"),
        (("classes", "--model", "lite0", "--set", "nothing"), "No prepared set is called"),
        (
            ("classes", "--model", "lite0", "--set", name, "--images", "unicorn"),
            "no class “unicorn”",
        ),
        (("classes", "--model", "lite0", "--set", name, "--group", "x"), "There are: Fish, Birds"),
        (
            ("classes", "--model", "lite0", "--set", name, "--images", WNIDS[0], "--least", 2),
            "no table to narrow",
        ),
        (
            ("classes", "--model", "lite0", "--set", name, "--versus", "lite1"),
            "4 classes have 4 images or more",
        ),
        (("compare", "--set", name, "--stratum", "photo"), "All are of one kind."),
        (("concepts", "--model", "lite0", "--set", name), "Give --list or --concept"),
        (("prepare", "--images", tmp_path / "nowhere"), "nowhere: no such folder or file"),
    ):
        assert sentence in refusal(*arguments)


def test_scores_by_another_translator_are_refused(prepared, toy_bench, monkeypatch):
    import dataclasses

    real = toy_bench.translator("lite0", "mini")
    refitted = dataclasses.replace(real, bias=real.bias + 0.1)
    monkeypatch.setattr(toy_bench, "translator", lambda model, reference: refitted)
    with pytest.raises(SingError, match="made with another translator; prepare"):
        scored_sets.open_set(toy_bench, "lite0", images=prepared[0])


def test_scores_of_other_weights_are_refused(prepared, toy_bench, monkeypatch):
    import dataclasses

    real = toy_bench.entry("lite0")
    other = dataclasses.replace(real, weights_digest="0" * 64)
    monkeypatch.setattr(toy_bench, "entry", lambda model: other)
    with pytest.raises(SingError, match="made with other weights"):
        scored_sets.open_set(toy_bench, "lite0", images=prepared[0])
