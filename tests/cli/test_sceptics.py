"""What a sceptic asks of a prepared set: heads, probes, real pairs, choices, planted nuisances."""

import pytest

from sing_core.leakage import probes
from tests.prepared_sets import WNIDS

pytestmark = pytest.mark.slow  # sets are prepared


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


def test_what_was_planted_in_photographs_is_looked_for(prepared, rows, refusal, photos):
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
