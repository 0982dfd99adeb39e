"""Classes of a head: its own are never taken for ImageNet-1k’s, and mapped where somebody says."""

import pytest
import torch

from sing_core.errors import HeadError
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.linear_head import LinearHead
from sing_core.models.bench import Classifier
from sing_core.models.head_classes import (
    has_imagenet,
    is_imagenet,
    keep_mapping,
    mapping_of,
    names_of,
    parse_mapping,
)
from sing_core.models.imagenet import imagenet_labels, imagenet_lemmas, imagenet_wnids
from sing_core.models.registry import ModelEntry
from sing_core.settings import Settings

OWN = ("dog", "cat", "plane")


def classifier(count, labels=()):
    weight = torch.randn(count, 4, generator=torch.Generator().manual_seed(0))
    linear = LinearHead(weight, torch.zeros(count), HeadDecomposition.from_weight(weight))
    entry = ModelEntry(
        name="own", title="own", architecture="", source="", licence="", feature_dim=4, nullity=0,
        weights_digest="d" * 64,
    )  # fmt: skip
    return Classifier(entry, linear, labels)


@pytest.mark.slow
def test_a_head_is_imagenets_by_its_names_and_not_by_their_number():
    descriptions = tuple(", ".join(names) for names in imagenet_lemmas())
    for labels in ((), tuple(imagenet_labels()), tuple(imagenet_wnids()), descriptions):
        assert is_imagenet(labels, 1000)
    assert not is_imagenet(tuple(f"species {i}" for i in range(1000)), 1000)
    assert not is_imagenet(tuple(reversed(imagenet_labels())), 1000)
    assert not is_imagenet((), 10)


@pytest.mark.parametrize(
    ("count", "labels", "named"),
    [
        (3, OWN, "plane"),
        (10, (), "class 2"),
        (1000, (), "great white shark"),
        (11821, (), None),
    ],
)
def test_every_class_of_a_head_has_a_name(count, labels, named):
    found = names_of(classifier(count, labels))
    assert len(found) == count
    assert named is None or found[2] == named
    assert found[-1]


@pytest.mark.parametrize(
    "text",
    [
        "n02123045\tcat\nn02099601\tdog\n",
        "tabby,1\ngolden retriever,0",
        "281;cat\n207;dog\n",
        "n02099601\ntabby cat\n-\n",
    ],
)
def test_a_mapping_says_which_class_is_which(text):
    assert parse_mapping(text, "map.txt", classifier(3, OWN)) == {281: 1, 207: 0}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("n02123045\n", "map.txt has 1 lines, and the head 3 classes"),
        ("kitten\tcat", "“kitten” is no class of ImageNet-1k"),
        ("tabby\tbird", "“bird” is no class of this head"),
        ("tabby\t3", "“3” is no class of this head"),
        ("", "has 0 lines"),
        (
            "tabby\tcat\n281\tdog",
            "“281” is a class of ImageNet-1k that two lines give to two classes",
        ),
        ('"tabby,cat"\n281,dog', '“"tabby,cat"” is no pair of cells'),
        ("tabby,cat,dog", "is no pair of cells"),
        ('tabby,"cat', "cannot be read as a line of a table"),
        (f"tabby,{'x' * 140_000}", "cannot be read as a line of a table"),
        (f"tabby,{'9' * 5_000}", "is no class of this head"),
        (f"{'9' * 5_000},cat", "is no class of ImageNet-1k"),
    ],
)
def test_a_line_that_names_no_class_is_refused(text, sentence):
    with pytest.raises(HeadError, match=sentence):
        parse_mapping(text, "map.txt", classifier(3, OWN))


def test_lines_that_say_the_same_twice_are_one_and_names_that_two_classes_have_are_refused():
    assert parse_mapping("tabby,cat\n281,1\n", "map.txt", classifier(3, OWN)) == {281: 1}
    with pytest.raises(HeadError, match="several classes of this head are called “cat”"):
        parse_mapping("tabby,cat", "map.txt", classifier(3, ("cat", "cat", "dog")))


def test_a_mapping_is_kept_for_its_weights(tmp_path):
    settings, own = Settings(cache_dir=tmp_path), classifier(3, OWN)
    assert mapping_of(settings, own) is None
    assert keep_mapping(settings, own, "tabby\tcat\n", "map.txt") == 1
    assert mapping_of(settings, own) == {281: 1}
    (path,) = (tmp_path / "head-classes").iterdir()
    path.write_text(path.read_text().replace("281", "282"))
    with pytest.raises(HeadError, match="mapping of own’s classes is damaged: give it again"):
        mapping_of(settings, own)


def test_the_head_of_imagenet_needs_no_mapping(tmp_path):
    whole = classifier(1000)
    assert has_imagenet(whole)
    assert mapping_of(Settings(cache_dir=tmp_path), whole)[999] == 999
    with pytest.raises(HeadError, match="has the classes of ImageNet-1k: it needs no mapping"):
        keep_mapping(Settings(cache_dir=tmp_path), whole, "tabby\tcat", "map.txt")
