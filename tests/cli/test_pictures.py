"""``render`` and ``renderers``: pictures in a folder, and a manifest that says what they are."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

PROMPT = "an image of a jellyfish"


def test_the_renderers_are_listed_with_why_one_is_not_here(rows):
    found = {row["name"]: row for row in rows("renderers")}
    assert set(found) == {"inversion", "drawn", "neighbours", "karlo"}
    assert found["inversion"]["available"]
    assert not found["karlo"]["available"]
    assert "karlo" in found["karlo"]["reason"].lower()


@pytest.mark.slow
def test_a_picture_per_image_and_step_with_its_manifest(rows, photos, tmp_path):
    out = tmp_path / "pictures"
    ask = ("--model", "lite0", "--prompt", PROMPT, "--epsilon", "0", "--epsilon", "5")
    printed = rows("render", photos[0], *ask, "--size", "64", "--out", out)
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert printed == manifest
    names = [f"{photos[0].stem}_{step}.png" for step in ("0", "5")]
    assert [row["file"] for row in manifest] == names
    assert [row["epsilon"] for row in manifest] == [0.0, 5.0]
    for row in manifest:
        with Image.open(out / row["file"]) as picture:
            assert picture.size == (64, 64)
        assert -1 <= row["cosine"] <= 1
        assert row["feature_max_logit_drift"] < 1e-3 < row["picture_max_logit_drift"]
    with Image.open(out / names[0]) as first, Image.open(out / names[1]) as second:
        assert not np.array_equal(np.asarray(first), np.asarray(second))


@pytest.mark.slow
def test_pictures_beside_controls_differ_from_seed_to_seed_by_the_drawing_alone(
    rows, photos, tmp_path
):
    out = tmp_path / "pictures"
    ask = ("--model", "lite0", "--prompt", PROMPT, "--epsilon", "6", "--controls", "--seed", "3")
    printed = rows("render", photos[0], *ask, "--size", "64", "--out", out)
    kinds = ("f", "null", "random", "principal")
    assert [row["file"] for row in printed] == [
        f"{photos[0].stem}_6_{kind}_{seed}.png" for seed in (3, 4, 5, 6) for kind in kinds
    ]
    for kind in kinds:
        own = [row for row in printed if row["control"] == kind]
        assert [row["seed"] for row in own] == [3, 4, 5, 6]
        assert len({row["feature_max_logit_drift"] for row in own}) == 1, "another perturbation"
        assert len({(out / row["file"]).read_bytes() for row in own}) == 4


@pytest.mark.slow
def test_many_images_are_drawn_together_and_a_head_of_few_classes_decides(rows, photos, tmp_path):
    out = tmp_path / "pictures"
    ask = ("--model", "lite0", "--prompt", PROMPT, "--epsilon", "6", "--classes", "281-296")
    printed = rows("render", *photos[:2], *ask, "--feasible", "--size", "64", "--out", out)
    assert [row["image"] for row in printed] == [path.name for path in photos[:2]]
    for row in printed:
        assert (out / row["file"]).is_file()
        assert row["feature_max_logit_drift"] < 1e-3, "few classes leave exact feasible ways"
        assert 0 <= row["infeasible_share"] < 0.5
        assert row["attribute_score_deg"] > 0
    again = rows("render", photos[1], *ask, "--feasible", "--size", "64", "--out", tmp_path / "b")
    assert again[0]["cosine"] == pytest.approx(printed[1]["cosine"], abs=1e-4), "from the cache"


def test_a_step_that_is_too_long_is_refused_before_anything_is_drawn(refusal, photos, tmp_path):
    message = refusal(
        "render", photos[0], "--model", "lite0", "--prompt", PROMPT, "--epsilon", "1e12",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert "--epsilon" in message
    assert not (tmp_path / "out").exists()


def test_pictures_of_one_name_are_refused_before_one_takes_anothers_place(
    refusal, photos, tmp_path
):
    ask = ("--model", "lite0", "--prompt", PROMPT, "--out", tmp_path / "out")
    same = refusal("render", photos[0], *ask, "--epsilon", "10", "--epsilon", "10.00000001")
    assert "Two pictures would be called" in same
    assert not (tmp_path / "out").exists()


def test_embeddings_need_a_renderer_of_embeddings_and_its_weights(refusal, tmp_path):
    path = tmp_path / "e.safetensors"
    save_file({"embeddings": torch.ones(2, 768)}, path)
    ask = ("render", "--embeddings", path, "--out", tmp_path / "out")
    assert "features" in refusal(*ask)
    message = refusal(*ask, "--renderer", "karlo")
    assert "karlo" in message.lower()


def test_nothing_to_draw_is_a_usage_error(refusal, tmp_path):
    refusal("render", "--out", tmp_path, kind="UsageError")
