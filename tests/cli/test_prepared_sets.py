"""What prepare leaves and image-sets lists, and the sets and scores that are refused."""

import pytest

from sing_core.errors import SingError
from sing_core.leakage import scored_sets
from tests.prepared_sets import WNIDS, class_folders, jpeg

pytestmark = pytest.mark.slow  # sets are prepared


def test_prepare_says_what_was_scored_and_what_not(prepared):
    name, done = prepared
    assert [row["model"] for row in done] == ["lite0", "lite1"]
    for row in done:
        assert (row["set"], row["listed"], row["scored"], row["unusable"]) == (name, 21, 20, 1)


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
