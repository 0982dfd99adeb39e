"""What can be prepared: folders, Parquet, zips; names; what is refused."""

import zipfile

import pytest

from sing_core.errors import ImageSetError
from sing_core.leakage.prepare import prepare
from sing_core.leakage.score_files import query, score_path
from sing_core.sets.sources import class_of, open_source
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


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"wnid": None}, "has no column wnid; its columns are jpeg"),
        ({"jpeg": None, "wnid": None, "x": [1, 2, 3]}, "no column jpeg and no column wnid"),
        ({"jpeg": ["a", "b", "c"]}, "holds string, and should hold the bytes"),
    ],
    ids=["no wnid", "neither", "text"],
)
def test_a_parquet_file_without_its_columns_is_refused(tmp_path, columns, sentence):
    path = parquet(tmp_path / "images.parquet", 3, **columns)
    with pytest.raises(ImageSetError, match=sentence):
        open_source(path)


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


@pytest.mark.parametrize(
    ("path", "wnid"),
    [
        ("n01440764/x.jpg", "n01440764"),
        ("train/n01440764/images/x.jpg", "n01440764"),
        ("dogs/x.jpg", "dogs"),
        ("x.jpg", ""),
    ],
)
def test_the_class_is_the_folder_that_looks_like_a_wnid(path, wnid):
    assert class_of(path) == wnid
