"""What is sent as a set: laid down as class folders, and never where its names say."""

import io
import os
import stat
import time
import zipfile

import pytest

from sing_core.errors import ImageSetError
from sing_core.sets import items, received
from sing_core.sets.received import lay_down
from sing_core.sets.sources import open_source
from tests.prepared_sets import jpeg

GOLDFISH, CAT = "n01443537", "n02123045"


def packed(entries, **options):
    """Return a zip of ``{name: bytes}``; a ZipInfo may stand for a name."""
    payload = io.BytesIO()
    with zipfile.ZipFile(payload, "w", **options) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return payload.getvalue()


def listed(folder):
    """What preparing will see: class, name without its number, and bytes."""
    source = open_source(folder)
    items = source.items(0, source.total)
    return [(item.wnid, item.name.split("-", 1)[1], item.read()) for item in items]


def test_pictures_are_laid_down_as_the_class_that_was_said(tmp_path):
    folder = lay_down([("a b.jpg", jpeg(1)), ("../../c.jpg", jpeg(2))], GOLDFISH, tmp_path)
    assert listed(folder) == [(GOLDFISH, "a-b.jpg", jpeg(1)), (GOLDFISH, "c.jpg", jpeg(2))]
    assert folder.is_relative_to(tmp_path)
    assert folder.name == "a-b"


def test_a_zip_says_classes_by_its_folders_in_wnids_or_in_words(tmp_path):
    names = [f"set/{GOLDFISH}/x.jpg", "set/tabby cat/y.jpg", "Tabby_Cat\\z.jpg"]
    payload = packed({name: jpeg(i) for i, name in enumerate(names)} | {"__MACOSX/._x.jpg": b"?"})
    found = {
        (wnid, name) for wnid, name, _ in listed(lay_down([("my set.zip", payload)], "", tmp_path))
    }
    assert found == {(GOLDFISH, "x.jpg"), (CAT, "y.jpg"), (CAT, "z.jpg")}


def test_what_lies_in_no_class_folder_is_of_the_class_that_was_said(tmp_path):
    payload = packed({"x.jpg": jpeg(1), f"{CAT}/y.jpg": jpeg(2)})
    found = [
        (wnid, name) for wnid, name, _ in listed(lay_down([("s.zip", payload)], GOLDFISH, tmp_path))
    ]
    assert found == [(GOLDFISH, "x.jpg"), (CAT, "y.jpg")]


def test_no_name_in_a_zip_is_a_path(tmp_path):
    evil = ["../up.jpg", "/etc/abs.jpg", "..\\..\\win.jpg", f"{CAT}/../../../out.jpg", "C:\\x.jpg"]
    payload = packed({name: jpeg(i) for i, name in enumerate(evil)})
    folder = lay_down([("s.zip", payload)], GOLDFISH, tmp_path / "inside")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == len(evil) + 1  # and the mark that it is whole
    assert all(path.is_relative_to(folder) for path in written)


def test_the_same_files_are_the_same_set_and_others_are_not(tmp_path):
    sent = [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))]
    first = lay_down(sent, GOLDFISH, tmp_path)
    key = open_source(first).key
    assert lay_down(sent, GOLDFISH, tmp_path) == first
    assert open_source(first).key == key  # so that a job which was stopped goes on
    assert lay_down(sent, CAT, tmp_path) != first
    assert lay_down(sent[:1], GOLDFISH, tmp_path) != first


def link():
    info = zipfile.ZipInfo(f"{CAT}/link.jpg")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return packed({f"{CAT}/x.jpg": jpeg(1), info: b"/etc/passwd"})


def bomb():
    return packed({f"{CAT}/x.jpg": b"\0" * (3 * 2**20)}, compression=zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "no image in what was sent"),
        ([("s.zip", packed({}))], "no image in what was sent"),
        ([("x.jpg", jpeg(1))], "choose what the images are of"),
        ([("s.zip", packed({"cats/x.jpg": jpeg(1)}))], "“cats” is no class"),
        ([("s.zip", packed({f"{CAT}/x.jpg": jpeg(1)})), ("y.jpg", jpeg(2))], "not a zip beside"),
        ([("notzip.zip", b"not one")], "“notzip.zip” is no zip, whatever its name says"),
        ([("x.jpg", jpeg(1)), ("Not.ZIP", b"")], "“Not.ZIP” is no zip"),
        ([("s.zip", packed({f"{CAT}/x.jpg": jpeg(1)})[:60])], "cannot be read as a zip"),
        ([("s.zip", link())], "link.jpg” in s.zip: The zip holds a link or a device there"),
        ([("s.zip", bomb())], "x.jpg” in s.zip: The file has 3 MB; up to 1 are read"),
        ([("s.zip", packed({f"{CAT}/{i}.jpg": jpeg(i) for i in range(9)}))], "too much at once"),
    ],
    ids=["nothing", "empty zip", "no class", "no such class", "zip beside a file", "no zip",
         "no zip beside a file", "torn", "link",
         "bomb", "too many"],
)  # fmt: skip
def test_what_cannot_be_a_set_is_a_sentence_and_leaves_nothing(tmp_path, monkeypatch, files, words):
    monkeypatch.setattr(items, "MOST_BYTES", 2**20)
    monkeypatch.setattr(received, "MAX_FILES", 8)
    with pytest.raises(ImageSetError, match=words):
        lay_down(files, GOLDFISH if "no zip" in words else "", tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_all_images_together_have_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(received, "MAX_TOTAL_MB", 0.001)
    with pytest.raises(ImageSetError, match="too much at once"):
        lay_down([("a.jpg", jpeg(1)), ("b.jpg", jpeg(2)), ("c.jpg", jpeg(3))], CAT, tmp_path)


def many(count):
    """A zip of ``count`` entries without content; written fast."""
    payload = io.BytesIO()
    with zipfile.ZipFile(payload, "w") as archive:
        for number in range(count):
            archive.writestr(zipfile.ZipInfo(f"{CAT}/{number}.jpg"), b"")
    return payload.getvalue()


def test_a_zip_of_more_entries_than_any_set_is_refused_before_it_is_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(received, "MAX_FILES", 8)
    listed = []
    monkeypatch.setattr(received, "members_of_bytes", lambda *_: listed.append(1) or iter(()))
    with pytest.raises(ImageSetError, match="too much at once: up to 8 images"):
        lay_down([("s.zip", many(33))], "", tmp_path)
    assert listed == []
    with pytest.raises(ImageSetError, match="no image in what was sent"):
        lay_down([("s.zip", many(32))], "", tmp_path)
    assert listed == [1]


def test_a_zip_that_lies_about_its_entries_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(received, "MAX_FILES", 8)
    payload = bytearray(many(40))
    payload[-14:-10] = b"\x01\0\x01\0"  # of its own it says that it has one
    with pytest.raises(ImageSetError, match="too much at once: up to 8 images"):
        lay_down([("s.zip", bytes(payload))], "", tmp_path)


def test_a_member_that_asks_for_more_memory_than_there_is_is_a_sentence(tmp_path, monkeypatch):
    def greedy(*_, **__):
        raise MemoryError

    payload = packed({f"{CAT}/x.jpg": jpeg(1)})
    monkeypatch.setattr(zipfile.ZipFile, "open", greedy)
    with pytest.raises(ImageSetError, match=r"x\.jpg” in s\.zip: The zip holds it encrypted or da"):
        lay_down([("s.zip", payload)], "", tmp_path)


def aged(folder, hours):
    then = time.time() - 3600 * hours
    for path in (folder / ".whole", folder.parent):
        os.utime(path, (then, then))
    return folder


def test_what_was_sent_longest_ago_makes_room(tmp_path, monkeypatch):
    kb = 1 / 2**10
    monkeypatch.setattr(received, "KEPT_MB", 30 * kb)
    monkeypatch.setattr(received, "MAX_TOTAL_MB", 10 * kb)
    folders = [
        aged(lay_down([("a.jpg", bytes([n]) * 9_000)], CAT, tmp_path), 9 - n) for n in range(3)
    ]
    lay_down([("a.jpg", bytes(9_000))], CAT, tmp_path)  # sent again: in use
    lay_down([("a.jpg", b"3" * 9_000)], CAT, tmp_path)
    assert [folder.exists() for folder in folders] == [True, False, True]


def test_what_was_sent_just_now_stays_and_more_is_refused(tmp_path, monkeypatch):
    kb = 1 / 2**10
    monkeypatch.setattr(received, "KEPT_MB", 20 * kb)
    monkeypatch.setattr(received, "MAX_TOTAL_MB", 10 * kb)
    first = lay_down([("a.jpg", b"1" * 9_000)], CAT, tmp_path)
    second = lay_down([("a.jpg", b"2" * 9_000)], CAT, tmp_path)
    with pytest.raises(ImageSetError, match=r"within two hours, and there is no room for more: se"):
        lay_down([("a.jpg", b"3" * 9_000)], CAT, tmp_path)
    assert first.exists()
    assert second.exists()
    assert len(list(tmp_path.iterdir())) == 2
