"""Folders as people have them: names that are no UTF-8, closed or linked, pipes, HF pages."""

import io
import os
import tarfile

import pytest

from sing_core.errors import ImageSetError
from sing_core.files.digests import content_key, digest_of_listing
from sing_core.leakage.prepare import prepare
from sing_core.leakage.score_files import query, score_path
from sing_core.sets import sources
from sing_core.sets.chunks import SetFolder
from sing_core.sets.items import shown
from sing_core.sets.judged import judge
from sing_core.sets.originals import original
from sing_core.sets.sources import open_source
from tests.prepared_sets import WNIDS, class_folders, jpeg, parquet
from tests.sets.listings import reasons

LATIN = os.fsdecode(b"caf\xe9")


def names(source):
    return [item.name for item in source.items(0, source.total)]


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("plain.jpg", "plain.jpg"),
        ("été.jpg", "été.jpg"),
        (f"{LATIN}.jpg", "caf�.jpg"),
        ("half \ud83d of a pair", "half ? of a pair"),
    ],
)
def test_a_name_is_shown_in_letters(name, seen):
    assert shown(name) == seen
    assert shown(seen) == seen


def test_names_that_are_no_text_have_digests_of_their_own():
    odd = [os.fsdecode(b"caf\xe9"), os.fsdecode(b"caf\xe8"), "caf�", "café", "\ud800"]
    assert len({content_key(name) for name in odd}) == len(odd)
    assert len({digest_of_listing([(name, "1")]) for name in odd}) == len(odd)


def latin_folder(root):
    """Class folders with a file, a folder and a root whose names are of an old machine."""
    images = class_folders(root / f"set {LATIN}", 2)
    (images / WNIDS[0] / f"{LATIN}.jpg").write_bytes(jpeg(77))
    (images / WNIDS[1] / LATIN).mkdir()
    (images / WNIDS[1] / LATIN / "x.jpg").write_bytes(jpeg(78))
    return images


def latin_tar(root):
    images, path = latin_folder(root), root / f"set {LATIN}.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(images, "set")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("make", [latin_folder, latin_tar])
def test_a_set_of_names_that_are_no_utf8_is_prepared(toy_bench, tmp_path, make):
    images = make(tmp_path)
    (made,) = prepare(toy_bench, images, models=("lite0",), root=tmp_path / "sets")
    assert (made.scored, made.problems) == (10, ())
    rows = query(
        score_path(made.folder, "lite0", "mini"), "SELECT * FROM images ORDER BY row"
    ).to_pylist()
    odd = [row for row in rows if "�" in row["name"]]
    assert [row["name"].rpartition(f"{WNIDS[0]}/")[2] for row in odd][:1] == ["caf�.jpg"]
    assert len(odd) == 2
    folder = SetFolder.open(made.folder)
    found = original(folder, odd[0]["row"], odd[0]["digest"], toy_bench.settings)
    assert found == jpeg(77)


def test_a_parquet_file_is_found_by_any_name(tmp_path):
    path = parquet(tmp_path / "a.parquet", 3).rename(tmp_path / f"{LATIN}.parquet")
    source = open_source(path)
    assert names(source) == ["caf�.parquet#0", "caf�.parquet#1", "caf�.parquet#2"]
    assert [name for name, _ in source.listing()] == names(source)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(ImageSetError, match=r"caf�\.parquet cannot be read as Parquet"):
        open_source(path)


def test_what_is_nowhere_is_said_in_letters(tmp_path):
    with pytest.raises(ImageSetError, match="caf�: no such folder or file"):
        open_source(tmp_path / LATIN)


@pytest.fixture
def closed(monkeypatch):
    """Close folders, to root too."""
    shut = set()
    scandir = os.scandir

    def guarded(path="."):
        if str(path) in shut:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    return lambda path: shut.add(str(path))


def test_a_closed_class_folder_is_said(tmp_path, closed):
    images = class_folders(tmp_path / "set", 1)
    closed(images / WNIDS[1])
    assert judge(open_source(images)) == (
        f"The folder “{WNIDS[1]}” of set cannot be read (Permission denied): what it holds is left "
        "out.",
    )
    closed(images / WNIDS[3])
    (note,) = judge(open_source(images))
    assert note.startswith(f"2 folders of set cannot be read, “{WNIDS[1]}” first (Permission")


def test_a_set_of_closed_folders_alone_says_why_it_is_empty(tmp_path, closed):
    images = class_folders(tmp_path / "set", 1, WNIDS[:1])
    closed(images / WNIDS[0])
    with pytest.raises(ImageSetError, match=r"holds no file\. The folder .* cannot be read \(Perm"):
        open_source(images)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_the_system_closes_is_said(tmp_path):
    images = class_folders(tmp_path / "set", 1)
    (images / WNIDS[0]).chmod(0)
    try:
        (note,) = judge(open_source(images))
    finally:
        (images / WNIDS[0]).chmod(0o700)
    assert "cannot be read (Permission denied)" in note


def test_linked_folders_are_said_wherever_they_lie(tmp_path):
    other = class_folders(tmp_path / "other", 1)
    images = class_folders(tmp_path / "set" / "train", 1, WNIDS[:1]).parent
    (images / "train" / "more").symlink_to(other)
    assert judge(open_source(images)) == (
        "The linked folder “train/more” of set is not followed: give the folder that it leads to.",
    )


def test_a_set_of_linked_folders_alone_says_so(tmp_path):
    other = class_folders(tmp_path / "other", 1)
    (tmp_path / "set").mkdir()
    for wnid in WNIDS:
        (tmp_path / "set" / wnid).symlink_to(other / wnid)
    with pytest.raises(ImageSetError) as refused:
        open_source(tmp_path / "set")
    assert str(refused.value) == (
        "The folder set holds no file. 4 linked folders of set are not followed, “n01440764” "
        "first: give the folders that they lead to, or put links to their files there."
    )


def repository(root, picture="assets/preview.png", shard="data/train-0.parquet"):
    for name in (picture, shard):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / "README.md").write_text("a card")
    (root / picture).write_bytes(jpeg(0))
    parquet(root / shard, 3)
    return root


@pytest.mark.parametrize(
    ("picture", "shard"),
    [
        ("assets/preview.png", "data/train-0.parquet"),
        ("preview.png", "data/train-0.parquet"),
        ("images/a.jpg", "train/0000.parquet"),
        ("docs/tabby.png", "default/train/0000.parquet"),
        ("assets/preview.png", "train.parquet"),
    ],
)
def test_a_picture_of_its_page_makes_no_folder_of_a_parquet_set(tmp_path, picture, shard):
    source = open_source(repository(tmp_path / "repo", picture, shard))
    assert source.total == 3
    assert judge(source) == (f"The file “{picture}” beside the packed images of repo is not read.",)


@pytest.mark.parametrize(
    ("picture", "shard"),
    [
        (f"{WNIDS[0]}/a.jpg", "data/features.parquet"),
        ("data/tabby/a.jpg", "data/features.parquet"),
        ("cat/a.jpg", "data/features.parquet"),
        ("a.jpg", "meta/features.parquet"),
    ],
)
def test_a_table_beside_class_folders_makes_no_parquet_set_of_them(tmp_path, picture, shard):
    source = open_source(repository(tmp_path / "repo", picture, shard))
    assert picture in names(source)


def test_a_zip_beside_pictures_without_an_ending_is_not_the_whole_set(tmp_path):
    images = class_folders(tmp_path / "set", 2, WNIDS[:1])
    for path in list((images / WNIDS[0]).iterdir()):
        path.rename(path.with_suffix(""))
    (images / "old.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    source = open_source(images)
    assert names(source) == ["old.zip", f"{WNIDS[0]}/000", f"{WNIDS[0]}/001"]


def test_what_lies_beside_packed_images_is_said(tmp_path):
    for name in ("a", "b"):
        with tarfile.open(tmp_path / f"{name}.tar", "w") as archive:
            info = tarfile.TarInfo(f"{WNIDS[0]}/{name}.jpg")
            info.size = len(jpeg(0))
            archive.addfile(info, io.BytesIO(jpeg(0)))
    (tmp_path / "assets").mkdir()
    for name in ("x.png", "y.png"):
        (tmp_path / "assets" / name).write_bytes(jpeg(1))
    (tmp_path / "index.json").write_text("{}")
    source = open_source(tmp_path)
    assert source.total == 2
    (note,) = source.notes
    assert note.startswith("2 files beside the packed images of ")
    assert note.endswith(" are not read, “assets/x.png” first.")


def test_only_some_files_are_looked_into(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_LOOKED_INTO", 2)
    for number in range(4):
        (tmp_path / f"{number}").write_text("no picture")
    (tmp_path / "4").write_bytes(jpeg(0))
    parquet(tmp_path / "set.parquet", 3)
    assert open_source(tmp_path).notes == ()


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


def test_a_name_longer_than_any_file_has_is_a_sentence(tmp_path):
    with pytest.raises(ImageSetError, match="cannot be read"):
        open_source(tmp_path / ("a" * 300))
