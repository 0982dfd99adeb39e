"""Sets of images to scores: resumable, complete, and plain about what could not be used."""

import shutil

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from sing_core.errors import ImageSetError, WeightsUnavailableError
from sing_core.leakage import classes, scored_sets
from sing_core.leakage.null_lines import null_gram, steered_scores
from sing_core.leakage.prepare import prepare
from sing_core.leakage.score_files import query, score_path
from sing_core.leakage.steered import steered_row
from sing_core.maths.folds import fold_of
from sing_core.maths.ridge import fit_ridge
from sing_core.maths.scores import angle_deg, attribute_score_deg, image_score_deg
from sing_core.maths.translator import Translator
from sing_core.maths.translator_quality import per_image
from sing_core.maths.unseen import Unseen, unseen_by
from sing_core.models.references import space_id
from sing_core.models.workbench import fitted_path
from sing_core.settings import Settings
from tests import toy
from tests.prepared_sets import WNIDS, class_folders, files_of, jpeg, kill, parquet, start_worker


@pytest.fixture
def made(toy_bench, tmp_path):
    """Prepare class folders on the toy bench; return what came of it."""

    def call(images, **options):
        options = {"models": ("lite0",), "name": "set", "root": tmp_path / "sets"} | options
        return prepare(toy_bench, images, **options)[0]

    return call


def table(found):
    path = score_path(found.folder, found.model, found.reference)
    return query(path, "SELECT * FROM all_images ORDER BY row").to_pylist()


@pytest.mark.slow
def test_every_image_of_the_folders_gets_its_scores(made, tmp_path, toy_bench):
    found = made(class_folders(tmp_path / "images"))
    assert (found.listed, found.scored, found.duplicates, found.problems) == (24, 24, 0, ())
    rows = table(found)
    assert [row["wnid"] for row in rows] == [wnid for wnid in WNIDS for _ in range(6)]
    assert [row["label"] for row in rows[::6]] == [0, 1, 281, 555]
    for row in rows:
        assert abs(row["attribute_score_deg"]) <= row["image_score_deg"] + 1e-9
        assert row["max_logit_drift"] <= 1e-5 * row["max_abs_logit"]
        assert 0 < row["null_energy"] < 1


@pytest.mark.slow
def test_scores_are_those_of_the_formulas_on_the_stored_features(made, tmp_path, toy_bench):
    found = made(class_folders(tmp_path / "images", per_class=2))
    folder = scored_sets.SetFolder.open(found.folder)
    chunk = folder.chunk("lite0", toy_bench.entry("lite0").weights_digest, 0)
    classifier, translator = toy_bench.classifier("lite0"), toy_bench.translator("lite0", "mini")
    texts = toy_bench.vocabulary("mini").embeddings
    for row, feature in zip(table(found), chunk.features, strict=True):
        null = classifier.linear.head.null_basis
        removed = feature.double() - null @ (null.mT @ feature.double())
        z, moved = translator.apply(feature), translator.apply(removed)
        assert row["image_score_deg"] == pytest.approx(float(image_score_deg(z, moved)), abs=1e-5)
        own = attribute_score_deg(z, moved, texts[row["label"]])
        assert row["attribute_score_deg"] == pytest.approx(float(own), abs=1e-5)
        assert row["top1"] == int(classifier.linear.logits(feature).argmax())


@pytest.mark.slow
def test_a_process_killed_again_and_again_ends_with_the_same_bytes(toy_assets, tmp_path):
    images = parquet(tmp_path / "images.parquet", 160)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    with start_worker(toy_assets, images, whole, chunk_rows=8) as process:
        assert process.communicate(timeout=300)[0].endswith("scored 160\n")
    rng = np.random.default_rng(0)
    last = 0
    for _ in range(10):
        process = start_worker(toy_assets, images, broken, chunk_rows=8)
        begun = int(process.stdout.readline())
        assert begun >= last, "what was done was not found again"
        for _ in range(int(rng.integers(1, 3))):
            line = process.stdout.readline()
            last = int(line) if line.strip().isdigit() else last
        kill(process)
    assert last > 0
    with start_worker(toy_assets, images, broken, chunk_rows=8) as process:
        assert process.communicate(timeout=300)[0].endswith("scored 160\n")
    assert files_of(broken / "set") == files_of(whole / "set")


@pytest.mark.slow
def test_a_classifier_without_translator_gets_one_from_the_set(toy_bench, toy_assets, tmp_path):
    shutil.copytree(toy_assets, tmp_path / "assets")
    (tmp_path / "assets" / "translators" / "lite0--mini.safetensors").unlink()
    settings = Settings(assets_dir=tmp_path / "assets", cache_dir=tmp_path / "cache")
    bench = toy.make_bench(settings)
    images = class_folders(tmp_path / "images", per_class=10)
    wanted = {"models": ("lite0",), "chunk_rows": 7}
    with pytest.raises(WeightsUnavailableError, match="no translator from lite0 to mini"):
        prepare(bench, images, **wanted)
    (found,) = prepare(bench, images, **wanted, fit=True)
    assert found.scored == 40
    folder = scored_sets.SetFolder.open(found.folder)
    rows = [
        folder.chunk(name, digest, index)
        for name, digest in (
            ("lite0", bench.entry("lite0").weights_digest),
            ("mini", space_id("mini", settings)),
        )
        for index in range(folder.facts.chunks)
    ]
    x = torch.cat([chunk.features for chunk in rows[: len(rows) // 2]])
    z = torch.cat([chunk.features for chunk in rows[len(rows) // 2 :]])
    digests = [image.digest for chunk in rows[: len(rows) // 2] for image in chunk.images]
    fitted = bench.translator("lite0", "mini")
    same = fit_ridge(x, z, alpha=float(fitted.details["lambda"]))
    torch.testing.assert_close(fitted.weight.double(), same.weight, rtol=1e-4, atol=1e-6)
    unseen = Unseen.of(fitted, digests)
    assert unseen.place.tolist() == [fold_of(digest) for digest in digests]
    measured = per_image(unseen, x, z)
    assert float(fitted.details["cosine"]) == pytest.approx(float(measured.cosine.mean()))
    assert float(fitted.details["mse"]) == pytest.approx(float(measured.mse.mean()), rel=1e-4)
    assert (fitted.details["images"], fitted.details["folds"]) == ("40", "5")
    check_scores(bench, found, x, digests, fitted)


def check_scores(bench, found, x, digests, fitted):
    """The set's image scores are those of fits that did not see its images, one by one."""
    table = query(
        score_path(found.folder, "lite0", "mini"), "SELECT * FROM all_images ORDER BY row"
    )
    head = bench.classifier("lite0").linear.head
    for feature, digest, score in zip(
        x, digests, table["image_score_deg"].to_pylist(), strict=True
    ):
        own, removed = unseen_by(fitted, digest), head.remove_null(feature.float())
        expected = float(angle_deg(own.apply(feature), own.apply(removed)))
        assert score == pytest.approx(expected, abs=1e-6)
        assert own.folds is None
    scored = scored_sets.open_set(bench, "lite0", images=found.name)
    text = bench.text_embedding("mini", "a red photo", bench.vocabulary("mini"))
    for rows, pairs, unseen in scored.pairs(range(len(digests))):
        for row, z in zip(rows, pairs.z, strict=True):
            expected = unseen_by(fitted, digests[row]).apply(x[row])
            torch.testing.assert_close(z, expected)
        assert len(unseen.place) == len(rows)
    check_steering(scored, x, digests, fitted, text)


def check_steering(scored, x, digests, fitted, text):
    """The mean size of AS over the set, each image stepped through its own stand-in."""
    head = scored.bench.classifier("lite0").linear.head
    sizes = []
    for feature, digest in zip(x, digests, strict=True):
        own = unseen_by(fitted, digest)
        z = own.apply(feature)[None]
        sizes.append(steered_scores(z, null_gram(head, own), text, 5.0).abs())
    row = steered_row(scored, "a red photo", 5.0)
    found = torch.cat(sizes)
    assert row.unreachable == pytest.approx(float(found.isnan().double().mean()))
    if row.abs_as_sd is not None:
        assert row.abs_as_sd == pytest.approx(float(found[found.isfinite()].std()))


@pytest.mark.slow
def test_a_local_checkpoint_is_prepared_inside_the_sets_folder_and_listed(toy_bench, tmp_path):
    torch.manual_seed(0)
    weights = tmp_path / "own" / "net.safetensors"
    weights.parent.mkdir()
    save_file(timm.create_model("resnet10t", num_classes=1000).state_dict(), weights)
    model = f"resnet10t@{weights}"
    entry = toy_bench.entry(model)
    settings = toy_bench.settings
    identity = space_id("mini", settings)
    matrix, bias = toy.seeded("own", toy.DIM, entry.feature_dim), toy.seeded("bias", toy.DIM)
    own = Translator(matrix, bias, entry.name, entry.weights_digest, identity)
    own.save(fitted_path(settings, entry.name, "mini"))
    images = class_folders(tmp_path / "images", per_class=2)
    (found,) = prepare(toy_bench, images, models=(model,), name="own")
    assert found.scored == 8
    inside = {path.relative_to(found.folder).parts[0] for path in found.folder.rglob("*.parquet")}
    assert len(inside) == 1
    assert not (found.folder / "resnet10t@").exists()
    folder = scored_sets.SetFolder.open(found.folder)
    assert scored_sets.scored_models(toy_bench, folder, "mini") == (entry.name,)
    scored = scored_sets.open_set(toy_bench, model, images="own")
    assert len(classes.class_table(scored)) == 4


@pytest.mark.slow
def test_a_set_too_small_for_a_translator_says_so(toy_bench, toy_assets, tmp_path):
    shutil.copytree(toy_assets, tmp_path / "assets")
    (tmp_path / "assets" / "translators" / "lite0--mini.safetensors").unlink()
    settings = Settings(assets_dir=tmp_path / "assets", cache_dir=tmp_path / "cache")
    images = class_folders(tmp_path / "images", per_class=1)
    with pytest.raises(ImageSetError, match="too few images to fit a translator"):
        prepare(toy.make_bench(settings), images, models=("lite0",), fit=True)


@pytest.mark.slow
def test_a_second_run_computes_nothing_and_changes_nothing(made, tmp_path, toy_bench, monkeypatch):
    images = class_folders(tmp_path / "images")
    before = files_of(made(images).folder)

    def never(self, batch):
        raise AssertionError("a network ran although everything was there")

    monkeypatch.setattr(type(toy_bench.pool.backbone("lite0")), "features", never)
    again = made(images)
    assert files_of(again.folder) == before
    assert again.rate == 0.0


@pytest.mark.slow
def test_a_damaged_chunk_and_damaged_scores_are_made_again(made, tmp_path):
    images = class_folders(tmp_path / "images")
    found = made(images)
    before = files_of(found.folder)
    for name in ("chunk-000000.safetensors", "scores-mini.parquet", "problems-mini.json"):
        path = found.folder / "lite0" / name
        path.write_bytes(path.read_bytes()[:-40])
    assert files_of(made(images).folder) == before


@pytest.mark.slow
def test_bad_images_are_named_with_a_reason_and_the_others_are_scored(made, tmp_path):
    images = class_folders(tmp_path / "images")
    (images / WNIDS[0] / "corrupt.jpg").write_bytes(jpeg(1)[:200])
    (images / WNIDS[0] / "empty.jpg").write_bytes(b"")
    (images / WNIDS[1] / "notes.txt").write_bytes(b"some words about these pictures")
    (images / "n99999999").mkdir()
    (images / "n99999999" / "alien.jpg").write_bytes(jpeg(90_002))
    (images / "stray.jpg").write_bytes(jpeg(90_003))
    (images / WNIDS[2] / "twice.jpg").write_bytes((images / WNIDS[2] / "000.jpg").read_bytes())
    (images / "n02007558").mkdir()
    (images / "n02007558" / "only.jpg").write_bytes(jpeg(90_004))
    found = made(images)
    assert (found.listed, found.scored, found.duplicates) == (31, 26, 1)
    reasons = {problem.name: problem.reason for problem in found.problems}
    assert set(reasons) == {
        f"{WNIDS[0]}/corrupt.jpg", f"{WNIDS[0]}/empty.jpg", f"{WNIDS[1]}/notes.txt",
        "n99999999/alien.jpg", "stray.jpg",
    }  # fmt: skip
    assert "damaged" in reasons[f"{WNIDS[0]}/corrupt.jpg"]
    assert "“n99999999” is no class" in reasons["n99999999/alien.jpg"]
    assert "no class folder" in reasons["stray.jpg"]
    assert all(reason.endswith(".") for reason in reasons.values())
    assert len(made(images).problems) == 5, "a second run forgot them"


@pytest.mark.slow
def test_a_set_without_any_usable_image_is_told_by_its_first(made, tmp_path):
    (tmp_path / "images" / WNIDS[0]).mkdir(parents=True)
    (tmp_path / "images" / WNIDS[0] / "x.jpg").write_bytes(b"nothing")
    with pytest.raises(ImageSetError, match=r"could be scored .*/x\.jpg: This file is not"):
        made(tmp_path / "images")


@pytest.mark.slow
def test_a_photo_that_occurs_twice_counts_once_in_the_tables(made, tmp_path, toy_bench):
    images = class_folders(tmp_path / "images")
    (images / WNIDS[2] / "twice.jpg").write_bytes((images / WNIDS[2] / "000.jpg").read_bytes())
    found = made(images, root=toy_bench.settings.cache_dir / "prepared", name=f"d{tmp_path.name}")
    scored = scored_sets.open_set(toy_bench, "lite0", images=found.name)
    assert [row.n for row in classes.class_table(scored)] == [6, 6, 6, 6]
    shutil.rmtree(found.folder)


@pytest.mark.slow
def test_features_at_half_precision_score_as_they_are_stored(made, tmp_path):
    images = class_folders(tmp_path / "images", per_class=2)
    half, full = made(images, precision="float16", name="half"), made(images, name="full")
    stored = scored_sets.SetFolder.open(half.folder).facts.precision
    scores = [[row["image_score_deg"] for row in table(found)] for found in (half, full)]
    assert stored == "float16"
    assert scores[0] != scores[1]
    assert scores[0] == pytest.approx(scores[1], abs=0.05)
