"""The command ``alarms --planted``, and what it and ``nuisances`` refuse."""

import pytest

from tests.prepared_sets import class_folders

pytestmark = pytest.mark.slow  # photographs are planted in


def test_a_planted_nuisance_is_told_from_its_own_photographs(rows, refusal, run, tmp_path):
    images = class_folders(tmp_path / "images", per_class=2)
    ask = ("alarms", "--model", "lite0", "--images", images, "--limit", 4)
    found = rows(*ask, "--planted", "dark")
    assert [row["score"] for row in found] == [
        "null_energy", "image_score_deg", "directed_score_deg", "probability", "max_logit",
    ]  # fmt: skip
    assert all((row["n"], row["looked_for"], row["stratum"]) == (4, 4, "") for row in found)
    assert all(0.5 <= row["auroc"] <= 1 for row in found)
    code, _, err = run(*ask, "--planted", "dark")
    assert code == 0
    assert "photographs planted with “dark”" in " ".join(err.split())
    assert "There are: grey, blur," in refusal(*ask, "--planted", "fog")


def test_nuisances_are_planted_in_the_photographs_behind_a_set(run, refusal, tmp_path):
    images = class_folders(tmp_path / "images", per_class=2)
    name = f"planted-{tmp_path.name}"
    code, _, err = run("prepare", "--images", images, "--name", name, "--model", "lite0")
    assert code == 0, err
    code, _, err = run("nuisances", "--set", name, "--limit", 2)
    assert code == 0, err
    assert "of 7 planted nuisances" in " ".join(err.split())
    assert "All are of one kind" in refusal("nuisances", "--set", name, "--stratum", "small")


def test_what_does_not_go_together_is_refused_before_a_network_is_loaded(refusal, tmp_path):
    said = refusal("alarms", "--model", "lite0", "--planted", "dark", "--against", "other")
    assert "one of the two" in said
    assert "goes with --planted" in refusal("alarms", "--model", "lite0", "--images", tmp_path)
    for verb in ("alarms", "nuisances"):
        asked = ("--planted", "dark") if verb == "alarms" else ()
        said = refusal(verb, "--model", "lite0", *asked, "--stratum", "full photograph")
        assert "--stratum goes with --set" in said
