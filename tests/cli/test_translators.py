"""The commands around translators, through the real command line on the toy assets."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from sing_core.maths.translator import Translator
from sing_core.models.registry import base_of
from sing_core.settings import Settings
from tests.shared_data import shared

PROMPT = "an image of a jellyfish"


@pytest.fixture
def own_translators(tmp_path, monkeypatch):
    """What a test fits or imports is found by no other test."""
    place = tmp_path / "translators"
    monkeypatch.setattr(
        "sing_core.models.workbench.fitted_path",
        lambda s, m, r: place / f"{m}--{base_of(r)}.safetensors",
    )
    return place / "lite0--mini.safetensors"


@pytest.fixture(scope="module")
def image_set(tmp_path_factory):
    """40 small images of two classes, as Parquet."""
    rng, files = np.random.default_rng(0), []
    for place in range(40):
        pixels = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
        pixels[..., place % 2] = 255
        payload = io.BytesIO()
        Image.fromarray(pixels).save(payload, "PNG")
        files.append(payload.getvalue())
    path = tmp_path_factory.mktemp("set") / "set.parquet"
    pq.write_table(pa.table({"jpeg": files, "wnid": ["red", "green"] * 20}), path)
    return path


def test_import_prints_model_reference_and_digest(rows, tmp_path):
    folder = shared("sing_reference/translators/efficientnet") / "linear"
    out = tmp_path / "t.safetensors"
    (row,) = rows("import-translator", folder, "--out", out)
    assert row["model"] == "tf_efficientnet_b0.ns_jft_in1k"
    assert row["reference"] == "ViT-L-14-quickgelu/openai"
    assert (row["features"], row["dim"], len(row["digest"])) == (1280, 768, 64)
    found = Translator.load(out)
    assert (found.model, found.space_id) == (row["model"], row["space_id"])
    (named,) = rows("import-translator", folder, "--model", "lite0", "--out", out)
    assert (named["model"], named["digest"]) == ("lite0", row["digest"])
    assert len(Translator.load(out).model_digest) == 64


def test_import_refuses_wrong_files_and_leaves_the_older_result(refusal, tmp_path):
    out = tmp_path / "t.safetensors"
    out.write_bytes(b"the older result")
    message = refusal("import-translator", tmp_path, "--out", out, kind="TranslatorFileError")
    assert "metadata.yaml" in message
    card = {
        "model_name": "x", "architecture": "linear", "in_dim": 2, "out_dim": 2,
        "embedding_backend": "kakao_karlo_v1_alpha_image_variations", "checkpoint_file": "best.pt",
    }  # fmt: skip
    (tmp_path / "metadata.yaml").write_text(yaml.safe_dump(card))
    (tmp_path / "best.pt").write_bytes(b"no checkpoint")
    message = refusal("import-translator", tmp_path, "--out", out, kind="TranslatorFileError")
    assert "best.pt" in message
    assert out.read_bytes() == b"the older result"


@pytest.mark.slow
def test_a_fitted_translator_is_the_one_that_scores_use_afterwards(
    rows, image_set, photos, own_translators
):
    ask = ("score", photos[0], "--model", "lite0", "--prompt", PROMPT)
    (before,) = rows(*ask)
    (read,) = rows(*ask, "--reference", "centred:mini")
    assert read["reference"] == "centred:mini"
    fit = ("fit-translator", "--model", "lite0", "--images", image_set)
    (fitted,) = rows(*fit, "--reference", "centred:mini")
    assert fitted["reference"] == "mini", "one translator serves both readings"
    assert fitted["images"] == [40, 40, 40]
    assert fitted["architecture"] == "linear"
    assert float(fitted["lambda"]) > 0
    assert fitted["cosine_low"] <= fitted["cosine"] <= fitted["cosine_high"]
    for name in ("model_digest", "data_digest"):
        assert len(fitted[name]) == 64
    assert fitted["out"] == str(own_translators)
    details = Translator.load(own_translators).details
    assert details["data"] == fitted["data_digest"]
    assert float(details["r2"]) == fitted["r2"]
    (after,) = rows(*ask)
    assert after["null_energy"] == before["null_energy"]
    assert after["image_score_deg"] != before["image_score_deg"]
    (other,) = rows(*ask, "--reference", "centred:mini")
    assert len({row["image_score_deg"] for row in (before, read, after, other)}) == 4
    network = ("--architecture", "mlp3", "--loss", "both")
    (other,) = rows("fit-translator", "--model", "lite0", "--images", image_set, *network)
    assert other["out"].endswith("lite0--mini--mlp3.safetensors")
    assert other["lambda"] is None
    assert rows(*ask) == [after]


def test_fewer_images_can_be_asked_for_and_too_few_are_refused(refusal, image_set, tmp_path):
    ask = ("fit-translator", "--model", "lite0", "--images", image_set, "--out", tmp_path / "t")
    assert "at least 20 different images" in refusal(*ask, "--limit", 10, kind="ShapeError")
    assert "“hinge”. There are: mse, cosine" in refusal(*ask, "--loss", "hinge")
    assert "“deep”" in refusal(*ask, "--limit", 20, "--architecture", "deep")
    assert not (tmp_path / "t").exists()


def test_a_reference_can_be_its_own_classifier(rows, refusal, photos, tmp_path):
    classes = tmp_path / "classes.txt"
    classes.write_text("cat\n\ndog\ncup of coffee\n", encoding="utf-16")
    ask = ("zero-shot", *photos, "--prompt", PROMPT, "--classes", classes)
    found = rows(*ask)
    assert [row["image"] for row in found] == [path.name for path in photos]
    for row in found:
        assert (row["model"], row["rank"], row["nullity"]) == ("zero-shot", 3, 381)
        assert {entry["label"] for entry in row["top5"]} == {"cat", "dog", "cup of coffee"}
        assert abs(row["attribute_score_deg"]) <= row["image_score_deg"] + 1e-9
    classes.write_text("cat\n")
    assert "at least two names" in refusal(*ask, kind="PromptError")


@pytest.mark.slow
def test_validate_prints_the_medians_of_the_three_kinds(rows, photos):
    (row,) = rows("validate", *photos, "--model", "lite0")
    assert (row["rank"], row["nullity"], row["images"]) == (1000, 280, 2)
    assert row["null_relative_change"] <= 1e-6
    for kind in ("random", "class_row"):
        assert row[f"{kind}_relative_change"] >= 1e3 * row["null_relative_change"]
        assert row[f"{kind}_absolute_change"] > row[f"{kind}_relative_change"]
    assert row["null_absolute_change"] < 1e-4
    assert row["null_degrees"] > 1


@pytest.mark.slow
def test_heads_before_and_after_translation_and_their_correlation(rows, refusal, image_set):
    ask = ("validate-heads", "--images", image_set, "--model", "lite0")
    (row,) = rows(*ask)
    assert (row["images"], row["images_test"], row["classes"]) == (30, 10, 2)
    assert 0 <= row["accuracy_after"] <= 1
    assert row["accuracy_before"] > 0.7
    assert row["pearson"] is None
    folder = image_set.parent / "flat"
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (40, 40)).save(folder / "a.png")
    assert "class folders" in refusal("validate-heads", "--images", folder, "--model", "lite0")
    assert "either --images or --set" in refusal("validate-heads", "--model", "lite0")


def test_the_place_of_a_fitted_translator_is_a_plain_file_name(tmp_path):
    from sing_core.models.workbench import fitted_path

    settings = Settings(cache_dir=tmp_path)
    path = fitted_path(settings, "hf-hub:a/../b", "ViT-L-14-quickgelu/openai")
    assert path.parent == tmp_path / "translators"
    assert path.name == "hf-hub_a_.._b--ViT-L-14-quickgelu_openai.safetensors"
