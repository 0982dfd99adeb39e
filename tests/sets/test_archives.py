"""Zips and tars as people pack them: on Windows, several in a folder, with links, as shards."""

import io
import json
import tarfile
import zipfile

import pytest

from sing_core.errors import ImageSetError
from sing_core.sets.sources import open_source
from tests.prepared_sets import WNIDS, jpeg
from tests.sets.listings import RETRIEVER, TABBY, classes, reasons, rows


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
