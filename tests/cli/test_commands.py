"""The command line: JSON fields and files. Most of it in this process, some for real."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sing_core.cli import app
from sing_core.models.known_words import NOTE
from sing_core.models.registry import all_references, catalogue, models, references
from sing_core.settings import Settings
from tests import reference
from tests.command import command

PROMPT = "an image of a jellyfish"
ASK = ("--model", "lite0", "--prompt", PROMPT)
TOP = {"index", "label", "logit", "probability"}
SWEEP = ["epsilon", "image_score_deg", "attribute_score_deg", "max_logit_drift"]


def test_models_lists_name_source_licence_and_what_is_known(rows):
    found = rows("models")
    assert [row["name"] for row in found[:3]] == ["lite0", "lite1", "lite2"]
    for row in found:
        assert list(row) == [
            "name", "source", "available", "licence", "feature_dim", "nullity",
            "classes", "top1_percent", "non_commercial", "note",
        ]  # fmt: skip
    for row in found[:3]:
        assert (row["available"], row["feature_dim"], row["nullity"]) == (True, 1280, 280)
    assert [row["name"] for row in found] == [entry.name for entry in catalogue(Settings())]


def test_models_says_that_dinovit_is_not_dinos(rows, run):
    notes = {row["name"]: row["note"] for row in rows("models")}
    (name,) = (name for name, note in notes.items() if note)
    assert name == "vit_large_patch16_224.augreg_in21k_ft_in1k"
    assert "trained with labels (supervised)" in notes[name]
    assert "not DINO’s" in notes[name]
    assert f"{name}: {notes[name]}" in run("models")[2]


def test_references_lists_name_source_and_licence(rows):
    first, second, *others = rows("references")
    assert list(first) == ["name", "source", "available", "licence", "dim", "readings"]
    assert first["readings"] == ["mini", "centred:mini"]
    assert all(row["readings"] == [row["name"]] for row in others), "no centre was taken"
    assert (first["name"], first["available"], first["dim"]) == ("mini", True, 512)
    assert [row["name"] for row in others] == [
        entry.name for entry in all_references(Settings())[2:]
    ]
    assert (second["name"], second["available"], second["dim"]) == ("mini-vit", True, 512)
    assert not any(row["available"] for row in others)


def test_a_table_that_a_file_is_given_has_whole_lines_and_numbers(run):
    code, out, _ = run("models")
    assert code == 0
    assert all(name in out for name in ("vgg16.tv_in1k", "top1_percent", "non_commercial"))


def test_a_terminal_too_narrow_for_the_columns_gets_a_line_each(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    table = [{f"a_long_name_{i}": 1 / (i + row + 1) for i in range(12)} for row in range(3)]
    app.show(table, as_json=False)
    out = capsys.readouterr().out
    assert "a_long_name_11" in out
    assert "0.08333" in out
    app.show([{"a": 1.0, "b": 2.0}] * 2, as_json=False)
    assert "┃" in capsys.readouterr().out


def test_numbers_that_json_does_not_know_are_null(capsys):
    app.show([{"ratio": float("nan"), "ends": [1.0, float("inf")]}], as_json=True)
    assert json.loads(capsys.readouterr().out) == {"ratio": None, "ends": [1.0, None]}


@pytest.mark.slow
def test_score_prints_one_line_per_image(rows, photos):
    found = rows("score", *photos, *ASK)
    assert [row["image"] for row in found] == [path.name for path in photos]
    for row in found:
        assert list(row)[:12] == [
            "image", "digest", "model", "reference", "rank", "nullity", "null_energy",
            "max_logit_drift", "image_score_deg", "attribute_score_deg", "prompt", "top5",
        ]  # fmt: skip
        assert (row["model"], row["reference"], row["prompt"]) == ("lite0", "mini", PROMPT)
        assert (row["rank"], row["nullity"]) == (1000, 280)
        assert len(row["digest"]) == 64
        assert abs(row["attribute_score_deg"]) <= row["image_score_deg"] + 1e-9
        assert 0 < row["null_energy"] < 1
        assert len(row["top5"]) == 5
        assert all(set(entry) == TOP for entry in row["top5"])
        assert row["max_logit_drift"] <= 1e-5 * row["top5"][0]["logit"]


def assert_score_agrees(features, export, text, row, tolerance=1e-6):
    """Compare a row of ``score`` with the formulas applied to what the other commands wrote."""
    feature = load_file(features)["features"][0].double().numpy()
    target = load_file(text)["embeddings"][0].double().numpy()
    parts = load_file(export)
    null = parts["null_basis"].numpy()
    matrix, intercept = parts["translator.weight"], parts["translator.bias"]
    z = reference.translate(feature, matrix, intercept)
    moved = reference.translate(feature - null @ (null.T @ feature), matrix, intercept)
    expected = reference.image_score_deg(z, moved)
    assert row["image_score_deg"] == pytest.approx(expected, abs=tolerance)
    assert row["attribute_score_deg"] == pytest.approx(
        reference.attribute_score_deg(z, moved, target), abs=tolerance
    )


@pytest.mark.slow
def test_score_agrees_with_the_paper_on_what_the_other_commands_wrote(rows, photos, tmp_path):
    files = [tmp_path / f"{name}.safetensors" for name in ("features", "export", "text")]
    rows("features", photos[0], "--model", "lite0", "--out", files[0])
    rows("export", "--model", "lite0", "--out", files[1])
    rows("embed", "--text", PROMPT, "--out", files[2])
    assert_score_agrees(*files, *rows("score", photos[0], *ASK))


@pytest.mark.slow
def test_steer_prints_the_pair_at_a_step_and_at_a_wanted_score(rows, photos):
    (row,) = rows("steer", photos[0], *ASK, "--image-score", 15)
    assert list(row)[:7] == [
        "epsilon", "reachable", "image_score_deg", "attribute_score_deg", "max_logit_drift",
        "top1_before", "top1_after",
    ]  # fmt: skip
    assert row["reachable"] is True
    assert row["image_score_deg"] == pytest.approx(15, abs=1e-6)
    assert 0 < row["feasible_image_score_deg"] < 15
    assert set(row["top1_before"]) == set(row["top1_after"]) == TOP
    assert row["top1_before"]["label"] == row["top1_after"]["label"]
    (again,) = rows("steer", photos[0], *ASK, "--epsilon", repr(row["epsilon"]))
    assert again["image_score_deg"] == pytest.approx(15, abs=1e-6)


@pytest.mark.slow
def test_steer_says_that_a_score_is_not_reachable(rows, photos):
    (row,) = rows("steer", photos[0], *ASK, "--image-score", 179)
    assert row["reachable"] is False
    assert row["epsilon"] is row["image_score_deg"] is row["top1_after"] is None


@pytest.mark.slow
def test_sweep_prints_equally_long_lists(rows, photos):
    (row,) = rows("sweep", photos[0], *ASK, "--steps", 5)
    assert list(row) == SWEEP
    assert {len(values) for values in row.values()} == {5}
    assert row["epsilon"][0] == row["image_score_deg"][0] == row["max_logit_drift"][0] == 0
    (row,) = rows("sweep", photos[0], *ASK)
    assert len(row["epsilon"]) == 41


@pytest.mark.slow
def test_features_writes_features_and_logits_in_order(rows, photos, tmp_path):
    out = tmp_path / "new" / "f.safetensors"
    (row,) = rows("features", *photos, "--model", "lite0", "--out", out)
    found = load_file(out)
    assert {name: tuple(t.shape) for name, t in found.items()} == {
        "features": (2, 1280),
        "logits": (2, 1000),
    }
    assert (row["features"], row["logits"]) == ([2, 1280], [2, 1000])
    tops = [entry["top5"][0]["index"] for entry in rows("score", *photos, *ASK)]
    assert found["logits"].argmax(-1).tolist() == tops
    assert [p.name for p in out.parent.iterdir()] == ["f.safetensors"]


def test_embed_writes_raw_embeddings_of_texts_or_images(rows, photos, tmp_path):
    out = tmp_path / "e.safetensors"
    rows("embed", "--text", "a  red\tcar", "--text", "blue", "--out", out)
    texts = load_file(out)["embeddings"]
    assert texts.shape == (2, 384)
    assert float((torch.linalg.vector_norm(texts, dim=-1) - 1).abs().min()) > 1e-3
    rows("embed", "--image", photos[0], "--image", photos[1], "--out", out)
    assert load_file(out)["embeddings"].shape == (2, 384)


@pytest.mark.slow
def test_export_writes_head_null_basis_and_translator(rows, tmp_path):
    out = tmp_path / "x.safetensors"
    rows("export", "--model", "lite1", "--reference", "mini", "--out", out)
    found = load_file(out)
    assert {name: tuple(t.shape) for name, t in found.items()} == {
        "head.weight": (1000, 1280),
        "head.bias": (1000,),
        "null_basis": (1280, 280),
        "translator.weight": (384, 1280),
        "translator.bias": (384,),
    }
    basis = found["null_basis"].double().numpy()
    np.testing.assert_allclose(basis.T @ basis, np.eye(280), atol=1e-10)
    assert np.abs(found["head.weight"].double().numpy() @ basis).max() < 1e-5


def test_doctor_says_what_works_and_ends_with_one_when_something_does_not(
    run, toy_assets, monkeypatch, tmp_path
):
    code, out, _ = run("doctor", "--json")
    checks = [json.loads(line) for line in out.splitlines()]
    assert all(list(row) == ["check", "ok", "detail"] for row in checks)
    assert code == 0, [row for row in checks if not row["ok"]]
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SING_CACHE_DIR", str(tmp_path / "file"))
    code, out, _ = run("doctor", "--json")
    failing = [row for row in map(json.loads, out.splitlines()) if not row["ok"]]
    assert code == 1
    assert "cache folder" in [row["check"] for row in failing]
    assert all(row["detail"] for row in failing)


@pytest.mark.slow
def test_warm_prepares_every_artefact_and_a_second_time_only_reads(rows, toy_reference):
    first = rows("warm")
    shipped = models(Settings())
    vocabularies = len(references(Settings()))
    assert len(first) == vocabularies + 2 * len(shipped), "of each classifier a network and a head"
    asked = len(toy_reference.asked)
    assert rows("warm") == first
    assert len(toy_reference.asked) == asked


@pytest.mark.slow
def test_people_get_tables_and_plain_sentences(run, photos):
    code, out, _ = run("score", photos[0], *ASK)
    assert code == 0
    assert "image_score_deg" in out
    code, out, _ = run("sweep", photos[0], *ASK, "--steps", 3)
    assert code == 0
    assert "attribute" in out
    code, out, err = run("score", photos[0], "--model", "nothing", "--prompt", PROMPT)
    assert (code, out) == (2, "")
    assert err.startswith("No classifier is called “nothing”. There are: lite0")


@pytest.mark.slow
def test_a_prompt_without_any_known_word_is_remarked_on_beside_its_score(run, photos, monkeypatch):
    # The toy's assets have no pools of texts.
    monkeypatch.setattr("sing_core.models.known_words.text_pool", lambda name, settings: ())
    asked = ("score", photos[0], "--model", "lite0", "--json", "--prompt")
    code, out, err = run(*asked, "asdkjh qwe zxc")
    assert (code, err.strip()) == (0, NOTE)
    assert json.loads(out)["prompt"] == "asdkjh qwe zxc"
    assert run(*asked, "a dog")[2] == ""


# For real


@pytest.mark.slow
def test_the_module_runs_and_keeps_errors_off_standard_output(toy_assets):
    found = command("models", "--json", SING_ASSETS_DIR=str(toy_assets))
    assert (found.returncode, found.stderr) == (0, "")
    names = [json.loads(line)["name"] for line in found.stdout.splitlines()]
    assert names[:3] == ["lite0", "lite1", "lite2"]
    wrong = command("score", "/nowhere.png", *ASK, "--json")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert json.loads(wrong.stderr) == {
        "error": "FileError",
        "message": "/nowhere.png: No such file or directory.",
    }


@pytest.mark.slow
def test_the_shipped_default_scores_agree_with_the_paper(real_bench, photos, tmp_path):
    """Everything real and in another process: classifier, mini, translator, JSON."""
    files = [tmp_path / f"{name}.safetensors" for name in ("features", "export", "text")]
    prompt = "a purple piano"  # not of the vocabulary: embedded by itself here and there
    calls = (
        ("features", photos[0], "--model", "lite0", "--out", files[0]),
        ("export", "--model", "lite0", "--out", files[1]),
        ("embed", "--text", prompt, "--out", files[2]),
    )
    for call in calls:
        done = command(*call)
        assert done.returncode == 0, done.stderr
    scored = command("score", photos[0], "--model", "lite0", "--prompt", prompt, "--json")
    # Two processes may differ in the last float32 digit of a text embedding: 2e-6° was seen.
    assert_score_agrees(*files, json.loads(scored.stdout), tolerance=1e-5)
