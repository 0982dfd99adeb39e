"""Parquet files: how their columns name images and classes, and what is not there or damaged."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sing_core.errors import ImageSetError
from sing_core.models.imagenet import imagenet_lemmas, imagenet_wnids
from sing_core.sets.judged import judge
from sing_core.sets.sources import open_source
from tests.prepared_sets import WNIDS, jpeg, parquet
from tests.sets.listings import RETRIEVER, TABBY, classes, reasons


def hugging(path, labels, *, names=None, images=None):
    found = [{"bytes": jpeg(i), "path": f"{i}.jpg"} for i in range(len(labels))]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(images or found, kind), "label": labels})
    facts = {"info": {"features": {"label": {"_type": "ClassLabel", "names": names}}}}
    metadata = {"huggingface": json.dumps(facts)} if names else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return path


def test_what_the_datasets_library_writes_is_read(tmp_path):
    repository = tmp_path / "repo"
    for shard in range(2):
        names = ["tabby", "golden retriever", "cat"]
        hugging(repository / "data" / f"train-{shard}.parquet", [0, 1, 2, None], names=names)
    (repository / "README.md").write_text("a card")
    source = open_source(repository)
    assert classes(source) == [TABBY, RETRIEVER, "cat", ""] * 2
    assert source.notes == ("2 Parquet files were read.",)
    assert [item.read() for item in source.items(4, 6)] == [jpeg(0), jpeg(1)]


@pytest.mark.slow
def test_the_names_of_imagenet_in_its_own_order_are_its_classes(tmp_path):
    names = [", ".join(lemmas) for lemmas in imagenet_lemmas()]
    assert names.count("crane") == 2
    labels = [index for index, name in enumerate(names) if name in ("crane", "tabby, tabby cat")]
    path = hugging(tmp_path / "a.parquet", labels, names=names)
    assert classes(open_source(path)) == [imagenet_wnids()[index] for index in labels]


def test_numbers_of_a_table_that_lacks_some_are_numbers(tmp_path):
    path = parquet(tmp_path / "set", 3, wnid=None, label=[281.0, float("nan"), 207.0])
    assert classes(open_source(path)) == [TABBY, "", RETRIEVER]  # told by its content


def test_numbers_without_names_are_places_in_imagenet(tmp_path):
    assert classes(open_source(hugging(tmp_path / "a.PARQUET", [281, 207, 5000]))) == [
        TABBY, RETRIEVER, "5000",
    ]  # fmt: skip


def test_rows_without_an_image_are_named(tmp_path):
    images = [{"bytes": None, "path": "far/away.jpg"}, None, {"bytes": jpeg(0), "path": None}]
    source = open_source(hugging(tmp_path / "a.parquet", [0, 0, 0], images=images))
    assert reasons(source) == [
        "The row names the file “far/away.jpg” and does not hold it.",
        "The row holds no image.",
        "",
    ]
    path = parquet(tmp_path / "b.parquet", 3, jpeg=[None, jpeg(0), jpeg(1)])
    assert reasons(open_source(path)) == ["The row holds no image.", "", ""]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"jpeg": None, "x": [1, 2, 3]}, "has no column jpeg or image; its columns are wnid, x"),
        ({"jpeg": ["http://a/0.jpg"] * 3}, "holds string, and should hold the bytes of image"),
        ({"jpeg": ["http://a/0.jpg"] * 3}, r"Addresses \(URLs\) and paths are not followed"),
    ],
)
def test_a_parquet_file_without_images_is_refused(tmp_path, columns, sentence):
    path = parquet(tmp_path / "images.parquet", 3, **columns)
    with pytest.raises(ImageSetError, match=sentence):
        open_source(path)


def test_a_parquet_file_without_classes_can_be_fitted_and_not_scored(tmp_path):
    source = open_source(parquet(tmp_path / "images.parquet", 3, wnid=None))
    assert classes(source) == ["", "", ""]
    with pytest.raises(ImageSetError, match="None of the 3 images of images has a class"):
        judge(source)


def test_a_damaged_page_of_a_parquet_file_is_a_sentence(tmp_path):
    path = parquet(tmp_path / "images.parquet", 12)
    payload = bytearray(path.read_bytes())
    payload[10:2000] = bytes(1990)
    path.write_bytes(payload)
    with pytest.raises(ImageSetError, match="cannot be read as Parquet"):
        list(open_source(path).items(0, 12))


def test_a_parquet_file_whose_names_are_no_utf8_is_a_sentence(tmp_path):
    good = parquet(tmp_path / "good.parquet", 3).read_bytes()
    for name in (b"wnid", WNIDS[0].encode()):
        bad = tmp_path / "bad.parquet"
        bad.write_bytes(good.replace(name, b"\x80" + name[1:]))
        with pytest.raises(ImageSetError, match=r"bad\.parquet cannot be read as Parquet"):
            list(open_source(bad).listing())
