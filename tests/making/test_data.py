"""The views that training looks at: planned once, drawn the same way every time."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from sing_core.errors import WeightsUnavailableError
from sing_core.making.captions import GROUPS
from sing_core.making.data import ImageFolder, ImageTable, View, plan_views, random_attribute
from tests.making.conftest import PHOTO_CLASSES, TINY_CLASSES, TINY_PER_CLASS, write_table
from tests.shared_data import shared

counts = {
    "crops": st.integers(0, 3),
    "attributes": st.integers(0, 3),
    "tiny": st.integers(0, 15),
    "tiny_attributes": st.integers(0, 15),
}


@pytest.fixture(scope="module")
def folder(small_data):
    return ImageFolder(small_data)


@pytest.mark.slow
def test_images_come_with_their_class_in_imagenet_order(folder):
    assert folder.table("sample").labels.tolist() == list(PHOTO_CLASSES)
    assert len(folder.table("tiny")) == 2 * TINY_PER_CLASS
    last = 2 * TINY_PER_CLASS - 1
    assert folder.table("tiny").image(last).size == (64, 64)
    views = [View("tiny", last, "plain", "", 0), View("sample", 1, "flip", "", 0)]
    assert folder.labels(views).tolist() == [TINY_CLASSES[1], PHOTO_CLASSES[1]]


def test_whatever_the_file_holds_a_picture_is_rgb(tmp_path):
    images = [Image.new(mode, (9, 9)) for mode in ("L", "CMYK", "RGB")]
    write_table(tmp_path / "mixed.parquet", images, (0, 1, 2))
    table = ImageTable(tmp_path / "mixed.parquet")
    assert [table.image(row).mode for row in range(3)] == ["RGB"] * 3


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsUnavailableError, match=r"imagenet_sample\.parquet are missing"):
        ImageFolder(tmp_path).table("sample")


@given(**counts)
@pytest.mark.slow
def test_a_plan_holds_what_was_asked_for(folder, crops, attributes, tiny, tiny_attributes):
    views = plan_views(
        folder,
        crops=crops,
        attributes=attributes,
        tiny=tiny,
        tiny_attributes=tiny_attributes,
        seed=0,
    )
    per_photo = 3 + crops + attributes
    found = Counter((view.source, view.row) for view in views if view.source == "sample")
    assert found == {("sample", row): per_photo for row in range(5)}
    small = [view for view in views if view.source == "tiny"]
    assert len(small) == 2 * (tiny + tiny_attributes)
    whole = {view.row for view in small if view.kind in ("plain", "flip")}
    changed = {view.row for view in small if view.kind in GROUPS}
    assert (len(whole), len(changed)) == (2 * tiny, 2 * tiny_attributes)
    assert not whole & changed, "a picture gives one or the other"
    assert [view.kind for view in views[:5]] == ["plain"] * 5, "the photographs themselves first"
    assert [view.row for view in views[:5]] == list(range(5))
    assert len({view.key() for view in views}) == len(views)


@pytest.mark.slow
@given(few=st.fixed_dictionaries(counts), more=st.fixed_dictionaries(counts))
def test_the_same_seed_gives_the_same_views_however_many_are_asked(folder, few, more):
    most = {name: max(few[name], more[name]) for name in counts}
    assert set(plan_views(folder, **few, seed=7)) <= set(plan_views(folder, **most, seed=7))
    assert plan_views(folder, **few, seed=7) == plan_views(folder, **few, seed=7)


@pytest.mark.slow
def test_another_seed_gives_other_views(folder):
    asked = {"crops": 1, "attributes": 2, "tiny": 3, "tiny_attributes": 3}
    assert plan_views(folder, **asked, seed=0) != plan_views(folder, **asked, seed=1)


def test_attributes_are_drawn_from_every_value_of_every_group():
    rng = np.random.default_rng(0)
    drawn = Counter(random_attribute(rng) for _ in range(6_000))
    wanted = {(group, value.name) for group, values in GROUPS.items() for value in values}
    assert set(drawn) == wanted


def test_simple_views_are_what_their_names_say(folder):
    photo = np.asarray(folder.table("sample").image(0))

    def pixels(kind, seed=3):
        return np.asarray(folder.render(View("sample", 0, kind, "", seed)))

    np.testing.assert_array_equal(pixels("plain"), photo)
    np.testing.assert_array_equal(pixels("flip"), photo[:, ::-1])
    assert pixels("lowres").shape == (64, 64, 3)
    height, width, _ = photo.shape
    for seed in range(20):
        inside = pixels("crop", seed).shape
        assert 0.4 * height * width <= inside[0] * inside[1] <= height * width


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "value"),
    [(group, value.name) for group, values in GROUPS.items() for value in values],
    ids=str,
)
def test_a_view_is_reproducible_from_its_fields_alone(small_data, folder, group, value):
    photo = folder.table("sample").image(2)
    seen = set()
    for seed in range(6):
        view = View("sample", 2, group, value, seed)
        picture = folder.render(view)
        again = ImageFolder(small_data).render(dataclasses.replace(view))
        assert picture.mode == "RGB"
        assert picture.tobytes() == again.tobytes()
        seen.add(picture.tobytes())
    unchanged = {photo.tobytes(), ImageOps.mirror(photo).tobytes()}
    assert seen - unchanged or value == "plain", "the attribute was never given"
    assert seen <= unchanged or value != "plain"


@pytest.mark.slow
def test_the_shared_files_hold_every_class_once_and_never_twice():
    """What the folds rest on: a sample photograph's class is in no other training image."""
    sample = ImageTable(shared("imagenet_sample.parquet"))
    tiny = ImageTable(shared("tiny_imagenet_train.parquet"))
    val = ImageTable(shared("tiny_imagenet_val.parquet"))
    photographed, small = set(sample.labels.tolist()), set(tiny.labels.tolist())
    assert len(sample) == len(photographed), "two photographs of one class"
    assert not photographed & small
    assert photographed | small == set(range(1000))
    assert set(val.labels.tolist()) == small
