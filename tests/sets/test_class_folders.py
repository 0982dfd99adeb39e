"""Folders of classes, whatever people call the classes and the folders around them."""

import pytest

from sing_core.errors import ImageSetError
from sing_core.models.class_names import wnid_of
from sing_core.models.imagenet import imagenet_labels, imagenet_wnids
from sing_core.sets.class_folders import class_of, classes_of, key_of_reading
from sing_core.sets.judged import judge
from sing_core.sets.sources import open_source
from tests.prepared_sets import jpeg
from tests.sets.listings import RETRIEVER, TABBY, classes


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
