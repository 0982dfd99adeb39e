"""A prepared set in the centred reading: from its stored features, beside the raw scores."""

import hashlib
import shutil

import pytest
import torch

from sing_core.errors import ImageSetError, StaleArtefactError, WeightsUnavailableError
from sing_core.leakage.comparison import model_row
from sing_core.leakage.concept_lists import ConceptList
from sing_core.leakage.concepts import concept_table
from sing_core.leakage.prepare import prepare
from sing_core.leakage.score_files import query, score_path
from sing_core.leakage.scored_sets import SetFolder, open_set, scored_models
from sing_core.maths.scores import attribute_score_deg, image_score_deg
from sing_core.models.readings import find_centre, shipped_centre_path
from sing_core.models.references import space_id
from sing_core.settings import Settings
from tests import toy
from tests.prepared_sets import class_folders

CENTRED = "centred:mini"


@pytest.fixture
def bench(toy_assets, toy_reference, tmp_path):
    """The toy bench with assets and a cache that this test may change."""
    shutil.copytree(toy_assets, tmp_path / "assets")
    settings = Settings(assets_dir=tmp_path / "assets", cache_dir=tmp_path / "cache")
    return toy.make_bench(settings)


@pytest.fixture
def images(tmp_path):
    return class_folders(tmp_path / "images", per_class=3)


def prepared(bench, images, **options):
    return prepare(bench, images, models=("lite0",), **({"name": "set"} | options))[0]


def rows(path):
    return query(path, "SELECT * FROM all_images ORDER BY row").to_pylist()


def digests(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and "centred" not in path.name)
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
def test_the_reading_is_scored_from_stored_features_and_the_raw_files_stay_as_they_are(
    bench, images
):
    found = prepared(bench, images)
    before, raw = digests(found.folder), rows(score_path(found.folder, "lite0", "mini"))
    shutil.rmtree(images)
    scored = open_set(bench, "lite0", images="set", reference=CENTRED)
    assert scored.path == score_path(found.folder, "lite0", CENTRED)
    assert digests(found.folder) == before
    read = rows(scored.path)
    assert [row["digest"] for row in read] == [row["digest"] for row in raw]
    classifier, folder = bench.classifier("lite0"), SetFolder.open(found.folder)
    features = folder.chunk("lite0", classifier.entry.weights_digest, 0).features
    translator, texts = bench.translator("lite0", CENTRED), bench.vocabulary(CENTRED).embeddings
    for own, other, feature in zip(read, raw, features, strict=True):
        z = translator.apply(feature)
        moved = translator.apply(classifier.linear.head.remove_null(feature.float()))
        angle, text = float(image_score_deg(z, moved)), texts[own["label"]]
        assert own["image_score_deg"] == pytest.approx(angle, abs=1e-5)
        expected = float(attribute_score_deg(z, moved, text))
        assert own["attribute_score_deg"] == pytest.approx(expected, abs=1e-5)
        assert abs(own["attribute_score_deg"]) <= own["image_score_deg"] + 1e-9
        assert own["image_score_deg"] != other["image_score_deg"]
        assert own["null_energy"] == other["null_energy"]


@pytest.mark.slow
def test_tables_of_the_reading_never_come_from_the_raw_scores(bench, images):
    prepared(bench, images)
    raw, read = (open_set(bench, "lite0", images="set", reference=r) for r in ("mini", CENTRED))
    assert raw.path != read.path
    assert model_row(raw).image_score.estimate != model_row(read).image_score.estimate
    wanted = ConceptList(("red", "a thing"), ("a photo, red", "a thing"), ())
    own, other = concept_table(read, wanted), concept_table(raw, wanted)
    assert all(a.angle_before != b.angle_before for a, b in zip(own, other, strict=True))
    assert scored_models(bench, read.folder, CENTRED) == ("lite0",)


@pytest.mark.slow
def test_what_ships_is_not_written_to_and_what_is_there_is_not_made_again(bench, images):
    found = prepared(bench, images, root=bench.settings.assets_dir / "prepared")
    before = digests(found.folder)
    scored = open_set(bench, "lite0", reference=CENTRED)
    assert scored.path.is_relative_to(bench.settings.cache_dir / "readings" / "set")
    assert not list(found.folder.rglob("*centred*"))
    made = scored.path.stat().st_mtime_ns
    assert open_set(bench, "lite0", reference=CENTRED).path.stat().st_mtime_ns == made
    assert digests(found.folder) == before


@pytest.mark.slow
def test_another_centre_or_a_damaged_file_makes_the_scores_anew(bench, images):
    prepared(bench, images)
    path = open_set(bench, "lite0", images="set", reference=CENTRED).path
    first = rows(path)
    path.write_bytes(b"no scores")
    assert rows(open_set(bench, "lite0", images="set", reference=CENTRED).path) == first
    centre = find_centre("mini", space_id("mini", bench.settings), bench.settings)
    other = type(centre)(centre.image + 1, centre.text, centre.raw_space_id)
    other.save(shipped_centre_path(bench.settings, "mini"))
    again = rows(open_set(bench, "lite0", images="set", reference=CENTRED).path)
    assert again[0]["image_score_deg"] != first[0]["image_score_deg"]
    shipped_centre_path(bench.settings, "mini").unlink()
    with pytest.raises(WeightsUnavailableError, match="no centre of mini"):
        open_set(bench, "lite0", images="set", reference=CENTRED)


@pytest.mark.slow
def test_a_set_prepared_in_the_reading_alone_has_it_and_says_that_raw_scores_are_missing(
    bench, images
):
    found = prepared(bench, images, reference=CENTRED)
    assert (found.reference, found.scored) == (CENTRED, 12)
    assert open_set(bench, "lite0", images="set", reference=CENTRED).path.is_file()
    with pytest.raises(ImageSetError, match="--reference mini"):
        open_set(bench, "lite0", images="set")
    assert scored_models(bench, SetFolder.open(found.folder), "mini") == ()


@pytest.mark.slow
def test_a_model_without_scores_in_either_reading_is_told_how_to_get_them(bench, images):
    prepared(bench, images)
    with pytest.raises(ImageSetError, match="--model lite1 --reference mini"):
        open_set(bench, "lite1", images="set", reference=CENTRED)


@pytest.mark.slow
def test_embeddings_of_a_set_are_kept_raw_whatever_reading_is_asked(bench, images):
    found = prepared(bench, images, reference=CENTRED, embed=True)
    folder = SetFolder.open(found.folder)
    space = space_id("mini", bench.settings)
    assert folder.has("mini", space, 0)
    raw = prepared(bench, images, reference="mini", embed=True, name="other")
    other = SetFolder.open(raw.folder).chunk("mini", space, 0).features
    assert torch.equal(folder.chunk("mini", space, 0).features, other)
    assert not (found.folder / "centred_mini").exists()


@pytest.mark.slow
def test_features_of_other_weights_are_refused_in_the_reading_too(bench, images):
    found = prepared(bench, images)
    chunk = next((found.folder / "lite0").glob("chunk-*.safetensors"))
    chunk.write_bytes(chunk.read_bytes()[:200])
    with pytest.raises(StaleArtefactError):
        open_set(bench, "lite0", images="set", reference=CENTRED)
