"""What can be prepared: folders, Parquet, zips; names; what is refused."""

import zipfile

import pytest

from sing_core.errors import ImageSetError
from sing_core.leakage.prepare import prepare
from sing_core.leakage.score_files import query, score_path
from sing_core.leakage.scored_sets import offered_sets, open_set, scored_models
from sing_core.sets.catalogue import image_sets
from sing_core.sets.sources import open_source
from sing_core.settings import Settings
from tests import toy
from tests.prepared_sets import WNIDS, class_folders, jpeg, parquet


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
def test_folders_parquet_and_zip_of_the_same_images_give_the_same_scores(made, tmp_path):
    images = class_folders(tmp_path / "images", per_class=3)
    files = sorted(images.rglob("*.jpg"))
    payloads = [path.read_bytes() for path in files]
    wnids = [path.parent.name for path in files]
    whole = tmp_path / "images.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        for path in files:
            archive.write(path, f"top/{path.relative_to(images)}")
    shards = tmp_path / "shards"
    shards.mkdir()
    for part, rows in enumerate((slice(0, 5), slice(5, 12))):
        columns = {"jpeg": payloads[rows], "wnid": wnids[rows]}
        parquet(shards / f"{part}.parquet", len(wnids[rows]), **columns)
    names = ("row", "label", "digest", "image_score_deg", "attribute_score_deg")
    found = [
        [[row[name] for name in names] for row in table(made(source, name=f"s{i}"))]
        for i, source in enumerate((images, whole, shards))
    ]
    assert found[0] == found[1] == found[2]


def test_what_is_no_image_set_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 but not really")
    for name, sentence in (
        ("empty", "holds no file"),
        ("text.txt", "is no image set"),
        ("bad.parquet", "cannot be read as Parquet"),
        ("nowhere", "no such folder or file"),
    ):
        with pytest.raises(ImageSetError, match=sentence):
            open_source(tmp_path / name)


@pytest.mark.slow
def test_another_set_under_the_same_name_is_refused(made, tmp_path):
    made(class_folders(tmp_path / "images", per_class=1))
    with pytest.raises(ImageSetError, match="already a prepared set called “set”"):
        made(class_folders(tmp_path / "others", per_class=2))


def test_a_name_cannot_lead_out_of_the_folder(made, tmp_path):
    with pytest.raises(ImageSetError, match="cannot name a set"):
        made(class_folders(tmp_path / "images", per_class=1), name="../up")


def test_a_changed_file_makes_another_set(tmp_path):
    images = class_folders(tmp_path / "images", per_class=1)
    before = open_source(images).key
    (images / WNIDS[0] / "000.jpg").write_bytes(jpeg(99))
    assert open_source(images).key != before


@pytest.mark.slow
def test_a_set_of_which_nothing_can_be_scored_is_told_everywhere_and_offered_nowhere(
    toy_assets, toy_reference, tmp_path
):
    bench = toy.make_bench(Settings(assets_dir=toy_assets, cache_dir=tmp_path / "cache"))
    folder = class_folders(tmp_path / "images", per_class=2, wnids=WNIDS[:1]) / WNIDS[0]
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:300])
    for _ in range(2):  # asked again, too
        with pytest.raises(ImageSetError, match=r"No image of the set torn could be scored .*000"):
            prepare(bench, tmp_path / "images", models=("lite0",), name="torn")
    assert [found.facts.name for found in image_sets(bench.settings)] == ["torn"]
    assert offered_sets(bench) == ()
    assert scored_models(bench, image_sets(bench.settings)[0], "mini") == ()
    with pytest.raises(ImageSetError, match="No image of the set torn could be scored"):
        open_set(bench, "lite0", images="torn")


@pytest.mark.slow
def test_classes_are_judged_before_a_network_sees_an_image(made, tmp_path, monkeypatch):
    for name in ("cat", "dog"):
        (tmp_path / "images" / "train" / name).mkdir(parents=True)
        (tmp_path / "images" / "train" / name / "0.jpg").write_bytes(jpeg(1))

    def never(*arguments, **options):
        raise AssertionError("a network was loaded")

    monkeypatch.setattr("sing_core.leakage.prepare.set_networks", never)
    with pytest.raises(ImageSetError, match="its classes “cat”, “dog” are not in ImageNet-1k"):
        made(tmp_path / "images")
    assert not (tmp_path / "sets").exists()


@pytest.mark.slow
def test_how_classes_were_read_is_said(made, tmp_path):
    (tmp_path / "images" / "207").mkdir(parents=True)
    (tmp_path / "images" / "207" / "0.jpg").write_bytes(jpeg(1))
    said = []
    (row,) = table(made(tmp_path / "images", say=said.append))
    assert (row["wnid"], row["label"]) == ("n02099601", 207)
    assert len(said) == 1
    assert "are numbers: they were read as places in ImageNet-1k" in said[0]
