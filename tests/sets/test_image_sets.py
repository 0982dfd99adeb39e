"""Sets of images: folders and Parquet files, their classes, and what cannot be read."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sing_core.errors import UnsupportedImageError
from sing_core.files.digests import digest_of_set
from sing_core.sets.image_sets import open_image_set
from sing_core.sets.sources import files_under, open_source


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


def pixels(images):
    return [photo.image.getpixel((0, 0)) for photo in images.photos(max_pixels=10_000)]


def test_a_folders_classes_are_its_folders(folder):
    images = open_image_set(folder)
    assert images.names == (
        "first/black.PNG", "first/blue.PNG", "first/red.PNG", "second/green.PNG",
        "second/white.PNG",
    )  # fmt: skip
    assert images.labels == ("first", "first", "first", "second", "second")
    assert pixels(images)[:2] == [(0, 0, 0), (0, 0, 255)]
    flat = open_image_set(folder / "first")
    assert flat.labels == ("", "", "")


def test_some_of_the_images_are_spread_over_all(folder):
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


def test_a_bad_image_is_named(folder):
    (folder / "first" / "blue.PNG").write_bytes(png("blue")[:60])
    with pytest.raises(UnsupportedImageError, match=r"first/blue\.PNG: This PNG file is damaged"):
        pixels(open_image_set(folder))


def test_what_holds_no_images_is_refused(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UnsupportedImageError, match="no JPEG, PNG or WebP"):
        open_image_set(empty)
    with pytest.raises(UnsupportedImageError, match="neither a folder"):
        open_image_set(tmp_path / "nowhere.parquet")
    other = tmp_path / "other.parquet"
    other.write_bytes(b"not Parquet")
    with pytest.raises(UnsupportedImageError, match="cannot be read as Parquet"):
        open_image_set(other)
    pq.write_table(pa.table({"wnid": ["a"]}), other)
    with pytest.raises(UnsupportedImageError, match="jpeg"):
        open_image_set(other)
    pq.write_table(pa.table({"jpeg": pa.array([], pa.binary())}), other)
    with pytest.raises(UnsupportedImageError, match="no images"):
        open_image_set(other)


def test_a_sets_digest_depends_on_contents_and_order():
    assert digest_of_set(["a", "b"]) != digest_of_set(["b", "a"])
    assert digest_of_set(["a", "b"]) != digest_of_set(["ab"])


def test_a_folder_is_walked_once_for_both_kinds_of_sets(folder):
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "red.PNG").write_bytes(png("red"))
    (folder / "first.png").write_bytes(png("red"))
    plain = [path.relative_to(folder).as_posix() for path in files_under(folder)]
    assert plain[:3] == ["first.png", "notes.txt", "first/black.PNG"]
    assert [item.name for item in open_source(folder).items(0, 99)] == plain
    # Sorted by path, and what is hidden with it: an older sampling of a folder stays what it was.
    assert open_image_set(folder).names[:2] == (".hidden/red.PNG", "first/black.PNG")
