"""Sets of images: folders and Parquet files, their classes, and what cannot be read."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sing_core.errors import ImageSetError
from sing_core.files.digests import digest_of_set
from sing_core.sets.image_sets import open_image_set
from sing_core.sets.sources import open_source


def png(colour):
    payload = io.BytesIO()
    Image.new("RGB", (40, 40), colour).save(payload, "PNG")
    return payload.getvalue()


COLOURS = ("red", "green", "blue", "white", "black")


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "set"
    for place, colour in enumerate(COLOURS):
        path = root / ("first", "second")[place % 2] / f"{colour}.PNG"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(colour))
    (root / "notes.txt").write_text("no image")
    return root


def pixels(images, problems=None):
    photos = images.photos([] if problems is None else problems, max_pixels=10_000)
    return [photo.image.getpixel((0, 0)) for _, photo in photos]


def test_a_folders_classes_are_its_folders(folder):
    images = open_image_set(folder)
    assert images.names == (
        "notes.txt", "first/black.PNG", "first/blue.PNG", "first/red.PNG", "second/green.PNG",
        "second/white.PNG",
    )  # fmt: skip
    assert images.labels == ("", "first", "first", "first", "second", "second")
    problems = []
    assert pixels(images, problems)[:2] == [(0, 0, 0), (0, 0, 255)]
    assert [(found.row, found.name) for found in problems] == [(0, "notes.txt")]
    flat = open_image_set(folder / "first")
    assert flat.labels == ("", "", "")


def test_some_of_the_images_are_spread_over_all(folder):
    (folder / "notes.txt").unlink()
    images = open_image_set(folder)
    assert images.at_most(9) is images
    some = images.at_most(2)
    assert some.names == ("first/black.PNG", "first/red.PNG")
    assert pixels(some) == [(0, 0, 0), (255, 0, 0)]


@pytest.mark.parametrize("column", ["wnid", "label", None])
def test_a_parquet_file_gives_images_and_their_classes(tmp_path, column):
    columns = {"jpeg": [png(c) for c in COLOURS]}
    if column:
        columns[column] = ["a", "a", "b", "b", "b"]
    path = tmp_path / "set.parquet"
    pq.write_table(pa.table(columns), path)
    images = open_image_set(path)
    assert len(images) == 5
    assert images.labels == (("a", "a", "b", "b", "b") if column else ("",) * 5)
    assert pixels(images)[0] == (255, 0, 0)


def test_a_bad_image_is_named_and_left_out(folder):
    (folder / "first" / "blue.PNG").write_bytes(png("blue")[:60])
    problems = []
    images = open_image_set(folder)
    found = list(images.photos(problems, max_pixels=10_000))
    assert [images.names[place] for place, _ in found] == [
        "first/black.PNG", "first/red.PNG", "second/green.PNG", "second/white.PNG",
    ]  # fmt: skip
    assert [problem.name for problem in problems] == ["notes.txt", "first/blue.PNG"]
    assert "PNG file is damaged" in problems[1].reason


def test_a_set_without_one_good_image_is_refused(folder):
    (folder / "bad").mkdir()
    (folder / "bad" / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(ImageSetError, match=r"Not one of the 1 images of bad can be.* a\.jpg:"):
        pixels(open_image_set(folder / "bad"))


def test_many_rows_are_read_in_one_pass(tmp_path):
    path = tmp_path / "set.parquet"
    pq.write_table(pa.table({"jpeg": [png(c) for c in COLOURS] * 200}), path, row_group_size=64)
    images = open_image_set(path)
    some = images.at_most(7)
    found = [place for place, _ in some.photos([], max_pixels=10_000)]
    assert found == list(range(7))
    assert some.rows == tuple(i * 1000 // 7 for i in range(7))
    expected = [Image.new("RGB", (1, 1), COLOURS[row % 5]).getpixel((0, 0)) for row in some.rows]
    assert pixels(some) == expected


def test_a_sets_digest_depends_on_contents_and_order():
    assert digest_of_set(["a", "b"]) != digest_of_set(["b", "a"])
    assert digest_of_set(["a", "b"]) != digest_of_set(["ab"])


def test_what_systems_leave_behind_is_no_image(folder):
    before = open_source(folder).key
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "red.PNG").write_bytes(png("red"))
    (folder / "first" / "._red.PNG").write_bytes(b"left by a Mac")
    (folder / "first" / "Thumbs.db").write_bytes(b"left by Windows")
    assert open_source(folder).key == before
    names = [item.name for item in open_source(folder).items(0, 99)]
    assert names == [
        "notes.txt", "first/black.PNG", "first/blue.PNG", "first/red.PNG", "second/green.PNG",
        "second/white.PNG",
    ]  # fmt: skip
    assert open_image_set(folder).names == tuple(names)
