"""What people have: folders, zips, tars and Parquet files, with classes as people name them."""

import io
import json
import os
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sing_core.errors import ImageSetError
from sing_core.models.class_names import wnid_of
from sing_core.models.imagenet import imagenet_labels, imagenet_lemmas, imagenet_wnids
from sing_core.sets.class_folders import class_of, classes_of, key_of_reading
from sing_core.sets.judged import judge
from sing_core.sets.sources import open_source
from tests.prepared_sets import WNIDS, class_folders, jpeg, parquet

TABBY, RETRIEVER = "n02123045", "n02099601"


def rows(source):
    return [(item.name, item.wnid) for item in source.items(0, source.total)]


def classes(source):
    found = [item.wnid for item in source.items(0, source.total)]
    assert found == [wnid_of(own) or own for _, own in source.listing()]
    assert [item.name for item in source.items(0, source.total)] == [n for n, _ in source.listing()]
    return found


def reasons(source):
    found = []
    for item in source.items(0, source.total):
        try:
            item.read()
            found.append("")
        except ImageSetError as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize(
    ("name", "wnid"),
    [
        ("n02123045", TABBY),
        ("n02085620-Chihuahua", "n02085620"),
        ("n02099601_golden_retriever", RETRIEVER),
        ("207", RETRIEVER),
        ("0281", TABBY),
        ("golden_retriever", RETRIEVER),
        ("Golden Retriever", RETRIEVER),
        ("tabby", TABBY),
        ("tabby cat", TABBY),
        ("tabby, tabby cat", TABBY),
        ("n99999999", ""),
        ("1000", ""),
        ("crane", ""),  # a bird and a machine
        ("cat", ""),
        ("", ""),
    ],
)
def test_a_class_is_known_by_what_people_call_it(name, wnid):
    assert wnid_of(name) == wnid


def test_every_label_and_wnid_means_its_own_class():
    assert [wnid_of(label) for label in imagenet_labels()] == imagenet_wnids()
    assert [wnid_of(str(index)) for index in range(1000)] == imagenet_wnids()


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("n01440764/x.jpg", "n01440764"),
        ("train/n01440764/images/x.jpg", "n01440764"),
        ("dogs/Images/n02085620-Chihuahua/x.jpg", "n02085620-Chihuahua"),
        ("dogs/x.jpg", "dogs"),
        ("train/cat/x.jpg", "cat"),
        ("train/207/x.jpg", "207"),
        ("person/0001/x.jpg", "person"),
        ("train/x.jpg", ""),
        ("x.jpg", ""),
    ],
)
def test_the_folder_that_names_the_class_is_found(path, folder):
    assert class_of(path) == folder


def test_a_folder_around_all_classes_is_none_of_them():
    assert classes_of(["top/train/cat/a.jpg", "top/val/dog/b.jpg"]) == ["cat", "dog"]
    assert classes_of(["top/cat/a.jpg", "top/dog/b.jpg", "top/c.jpg"]) == ["cat", "dog", "top"]
    assert classes_of(["cat/a.jpg", "cat/b.jpg"]) == ["cat", "cat"]


def test_classes_of_folders_are_read_whatever_they_are_called(tmp_path):
    for name in ("n02123045", "n02085620-Chihuahua", "golden retriever", "555"):
        (tmp_path / "set" / "Images" / name).mkdir(parents=True)
        (tmp_path / "set" / "Images" / name / "A.JPEG").write_bytes(jpeg(1))
    source = open_source(tmp_path / "set")
    assert sorted(classes(source)) == ["n02085620", RETRIEVER, TABBY, imagenet_wnids()[555]]
    assert judge(source) == (
        "The classes of 1 image are numbers: they were read as places in ImageNet-1k’s own order, "
        "from 0.",
    )


def test_another_reading_of_the_classes_is_another_set():
    plain = "train/n02123045/a.jpg", "cat/b.jpg"
    assert key_of_reading("key", plain, classes_of(plain)) == "key"  # as earlier versions read it
    for names in (["Images/n02123045-tabby/a.jpg"], ["train/cat/a.jpg"]):
        assert key_of_reading("key", names, classes_of(names)) != "key"


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["train/cat", "val/dog"], "its classes “cat”, “dog” are not in ImageNet-1k"),
        (["cat"], "its class “cat” is not in ImageNet-1k"),
        (["a", "b", "c", "d"], "“a”, “b”, “c” and 1 more are not in"),
        ([""], "None of the 1 images of set has a class"),
    ],
)
def test_a_set_that_cannot_be_scored_is_told_by_its_classes(tmp_path, names, sentence):
    for name in names:
        (tmp_path / "set" / name).mkdir(parents=True)
        (tmp_path / "set" / name / "0.jpg").write_bytes(jpeg(1))
    with pytest.raises(ImageSetError, match=sentence) as refused:
        judge(open_source(tmp_path / "set"))
    assert "by wnid (n02123045), by the index" in str(refused.value)


def test_what_gets_no_score_beside_what_does_is_said(tmp_path):
    for name in (TABBY, "cat", ""):
        (tmp_path / "set" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name / "0.jpg").write_bytes(jpeg(1))
    assert judge(open_source(tmp_path / "set")) == (
        "1 image will have no score: “cat” is not in ImageNet-1k.",
        "1 image without a class will have no score.",
    )


def zipped(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, jpeg(number))
    return path


def test_a_zip_of_windows_is_a_zip(tmp_path):
    names = [f"set\\{TABBY}\\0.JPG", f"set\\{TABBY}\\._0.JPG", "__MACOSX\\x.jpg", "set\\Thumbs.db"]
    source = open_source(zipped(tmp_path / "win.zip", names))
    assert rows(source) == [(f"set/{TABBY}/0.JPG", TABBY)]
    assert reasons(source) == [""]


def test_zips_in_a_folder_are_one_set(tmp_path):
    for number, wnid in enumerate(WNIDS[:2]):
        zipped(tmp_path / f"{number}.ZIP", [f"{wnid}/0.jpg"])
    assert classes(open_source(tmp_path)) == list(WNIDS[:2])


def test_a_damaged_member_of_a_zip_is_named(tmp_path):
    path = zipped(tmp_path / "a.zip", [f"{TABBY}/0.jpg", f"{TABBY}/1.jpg"])
    payload = bytearray(path.read_bytes())
    payload[200] ^= 255
    path.write_bytes(payload)
    assert reasons(open_source(path)) == ["The zip holds it encrypted or damaged.", ""]


def test_a_link_in_a_zip_is_no_image(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo(f"{TABBY}/0.jpg")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert reasons(open_source(tmp_path / "a.zip")) == [
        "The zip holds a link or a device there, no file."
    ]


def tarred(path, members, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, payload in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(payload)
            archive.addfile(info, io.BytesIO(payload))
    return path


def test_a_webdataset_has_its_classes_beside_its_images(tmp_path):
    members = {
        "s/0.jpg": jpeg(0), "s/0.cls": b"281", "s/1.JPEG": jpeg(1), "s/1.cls": b"tabby\n",
        "s/2.png": jpeg(2), "s/2.json": json.dumps({"label": RETRIEVER}).encode(),
        "s/3.jpg": jpeg(3), "s/3.txt": b"a caption",
    }  # fmt: skip
    tarred(tmp_path / "shard-000.tar", members)
    tarred(tmp_path / "shard-001.tar", {"0.jpg": jpeg(9), "0.cls": b"0"})
    source = open_source(tmp_path)
    assert rows(source) == [
        ("s/0.jpg", TABBY), ("s/1.JPEG", TABBY), ("s/2.png", RETRIEVER), ("s/3.jpg", "s"),
        ("0.jpg", WNIDS[0]),
    ]  # fmt: skip
    found = [item.read() for item in source.items(0, source.total)]
    assert found == [jpeg(0), jpeg(1), jpeg(2), jpeg(3), jpeg(9)]


def test_a_tar_of_class_folders_is_read_and_its_links_are_named(tmp_path):
    path = tarred(tmp_path / "set.tar", {f"set/{TABBY}/0.jpg": jpeg(0)})
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo(f"set/{TABBY}/1.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    source = open_source(path)
    assert rows(source) == [(f"set/{TABBY}/{n}.jpg", TABBY) for n in range(2)]
    assert reasons(source) == ["", "The tar holds a link or a device there, no file."]


def test_a_compressed_tar_is_refused_with_what_to_do(tmp_path):
    path = tarred(tmp_path / "set.tar.gz", {f"{TABBY}/0.jpg": jpeg(0)}, "w:gz")
    with pytest.raises(ImageSetError, match="compressed as a whole: unpack it"):
        open_source(path)


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


def test_a_pipe_or_a_device_is_no_image(tmp_path):
    folder = class_folders(tmp_path / "set", 1, WNIDS[:1]) / WNIDS[0]
    os.mkfifo(folder / "1.jpg")
    (folder / "2.jpg").symlink_to("/dev/zero")
    (folder / "3.jpg").symlink_to("nowhere")
    (folder / "4.jpg").symlink_to(folder / "000.jpg")
    found = reasons(open_source(tmp_path / "set"))
    assert found[0] == found[4] == ""
    assert found[1] == found[2] == "It cannot be read: it is a device or a pipe, no regular file."
    assert found[3] == "It cannot be read: No such file or directory."
    for path in (folder / "1.jpg", tmp_path / "zero"):
        if path.name == "zero":
            path.symlink_to("/dev/zero")
        with pytest.raises(ImageSetError, match="device or a pipe"):
            open_source(path)


def test_linked_folders_are_said(tmp_path):
    class_folders(tmp_path / "set", 1, WNIDS[:1])
    (tmp_path / "set" / "more").symlink_to(class_folders(tmp_path / "other", 1))
    assert judge(open_source(tmp_path / "set")) == (
        "The linked folder “more” of set is not followed: give the folder that it leads to.",
    )


def test_a_parquet_file_whose_names_are_no_utf8_is_a_sentence(tmp_path):
    good = parquet(tmp_path / "good.parquet", 3).read_bytes()
    for name in (b"wnid", WNIDS[0].encode()):
        bad = tmp_path / "bad.parquet"
        bad.write_bytes(good.replace(name, b"\x80" + name[1:]))
        with pytest.raises(ImageSetError, match=r"bad\.parquet cannot be read as Parquet"):
            list(open_source(bad).listing())


def test_a_name_longer_than_any_file_has_is_a_sentence(tmp_path):
    with pytest.raises(ImageSetError, match="cannot be read"):
        open_source(tmp_path / ("a" * 300))
