"""Hidden directions of a prepared set: made by half of its images, shown by the others."""

from dataclasses import replace

import pytest
import torch

from sing_core.errors import ImageSetError, UnitsError
from sing_core.models.imagenet import imagenet_labels, imagenet_wnids
from sing_core.sets.chunks import ImageRow
from sing_core.units.directions import (
    RandomBand,
    null_component,
)
from sing_core.units.set_directions import (
    AskedDirection,
    band_of,
    components_of_set,
    direction_of_set,
)
from sing_core.units.set_part import SetPart, halves, part_of_set


@pytest.fixture(scope="module")
def words(real_bench):
    """The names of the first hundred concepts stand for a pool of texts."""
    vocabulary = real_bench.vocabulary("mini")
    embeddings = torch.nn.functional.normalize(vocabulary.embeddings[:400].float(), dim=-1)
    return vocabulary.labels[:400], embeddings


ASKED = AskedDirection("embedded", "lite0", "mini", class_name="goldfish")


@pytest.mark.slow
def test_a_direction_of_a_class_has_its_images_at_both_ends(real_bench, words):
    band = band_of(real_bench, ASKED, words[1])
    found = direction_of_set(real_bench, ASKED, *words, band, size=5)
    scores = [end.score for end in (*found.top, *reversed(found.bottom))]
    assert scores == sorted(scores, reverse=True)
    assert len(found.top) == len(found.bottom) == 4
    assert {end.label for end in (*found.top, *found.bottom)} == {"goldfish"}
    made, others = halves(part_of_set(real_bench, "embedded", "lite0", "goldfish"))
    assert {end.image for end in (*found.top, *found.bottom)} == set(others.images)
    vector = null_component(made.features, real_bench.classifier("lite0").linear.head, 1).vector
    along = others.features.double() @ vector
    assert found.top[0].score == pytest.approx(float(along.max()))
    share = f"{100 * found.elsewhere:.1f} % in the 8 others"
    assert f"in the 8 images that made it, and {share}" in found.sentence
    assert (
        "omponent 1 of what EfficientNet-Lite0 cannot see of “goldfish” (16 images)"
        in found.sentence
    )
    assert f"{100 * found.card.unexplained[-1]:.1f} %" in found.sentence
    assert (found.shared is None) == found.card.is_refused
    assert len(found.card.unexplained) == 1 + 128


@pytest.mark.slow
def test_the_ends_of_a_difference_are_its_two_classes(real_bench, words):
    asked = replace(ASKED, against="jellyfish")
    found = direction_of_set(real_bench, asked, *words, band_of(real_bench, asked, words[1]))
    assert {end.label for end in found.top} == {"goldfish"}
    assert {end.label for end in found.bottom} == {"jellyfish"}
    assert "how “goldfish” (16 images) differs from “jellyfish” (16 images)" in found.sentence
    assert "of the squared length of that difference is hidden, in the 16 images" in found.sentence
    assert f"in the 16 others {100 * found.elsewhere:.1f} % lies along it" in found.sentence


@pytest.mark.slow
def test_what_cannot_be_asked_is_said(real_bench, words):
    band = RandomBand((1.0, 0.5), (1.0, 0.6), (1.0, 0.7), (0.5, 0.6, 0.7))
    for asked, said, kind in (
        (replace(ASKED, class_name="", against="goldfish"), "name the first one", UnitsError),
        (replace(ASKED, against="n01443537"), "differ from itself", UnitsError),
        (replace(ASKED, component=8), "these 8 images vary in 7 directions", UnitsError),
        (replace(ASKED, class_name="unicorns of old"), "no class of ImageNet", ImageSetError),
        (replace(ASKED, images="nowhere"), "No prepared set", ImageSetError),
        (replace(ASKED, model="vits"), "no null space", ImageSetError),
    ):
        with pytest.raises(kind, match=said):
            direction_of_set(real_bench, asked, *words, band)


def test_a_half_makes_what_the_other_shows_and_a_copy_is_in_one_of_them():
    images = [ImageRow(row, f"{row}.jpg", "", f"{(row % 10) * 37 % 101:03d}") for row in range(30)]
    of, others = halves(SetPart(torch.arange(30.0)[:, None], tuple(images), "thirty"))
    assert (len(of.images), len(others.images)) == (15, 15)  # ten files, each there three times
    assert not {row.digest for row in of.images} & {row.digest for row in others.images}
    for part in (of, others):
        assert part.features[:, 0].tolist() == [row.row for row in part.images]


@pytest.mark.slow
def test_too_few_images_for_two_halves_are_refused(real_bench, words):
    band = band_of(real_bench, ASKED, words[1])
    single = next(
        label for label, row in zip(imagenet_labels(), imagenet_wnids(), strict=True)
        if len(part_of_set(real_bench, "embedded", "lite0", row).images) == 1
    )  # fmt: skip
    with pytest.raises(UnitsError, match=r"\(1 image\) there are too few, at least 8"):
        components_of_set(real_bench, replace(ASKED, class_name=single), words[1], band)
