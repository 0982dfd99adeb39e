"""An image of a set by its stored feature: found by its address, refused where it is another."""

import pytest
import torch

from sing_core.errors import ImageSetError
from sing_core.files.images import Photo
from sing_core.files.store import Store
from sing_core.leakage import classes, scored_sets
from sing_core.models.pool import ModelPool
from sing_core.models.prompts import spoken_prompt
from sing_core.models.workbench import Workbench
from sing_core.sets.catalogue import image_sets
from sing_core.sets.stored import StoredImage, digest_of, is_address
from sing_core.settings import Settings
from sing_core.studies.photo import analyse_image
from sing_core.studies.question import Question


@pytest.fixture(scope="module")
def bench():
    settings = Settings()
    return Workbench(settings, ModelPool(settings), Store(settings.cache_dir))


@pytest.fixture(scope="module")
def goldfish(bench):
    """The scores of the embedded set's goldfish, as Classes lists them."""
    scored = scored_sets.open_set(bench, "lite0")
    return classes.class_images(scored, classes.find_class(scored, "goldfish"))


def named(image, name="embedded", **changed):
    parts = {"row": image["row"], "digest": image["digest"]} | changed
    return f"{name}/{parts['row']}/{parts['digest']}"


@pytest.mark.slow
def test_what_explore_says_of_a_stored_feature_is_what_the_table_of_its_class_says(bench, goldfish):
    for image in goldfish[:3]:
        stored = StoredImage.find(named(image), bench.settings)
        assert stored.address == named(image)
        asked = Question("lite0", spoken_prompt("goldfish"), "remove", target_deg=None)
        report = analyse_image(bench, stored, asked)
        assert report.digest == image["digest"]
        end = report.sweep.image_score_deg[-1], report.sweep.attribute_score_deg[-1]
        assert end == pytest.approx(
            (image["image_score_deg"], image["attribute_score_deg"]), abs=1e-4
        )


@pytest.mark.slow
def test_a_stored_feature_is_that_of_its_row_in_float32(bench, goldfish):
    image, entry = goldfish[-1], bench.entry("lite0")
    stored = StoredImage.find(named(image), bench.settings)
    (folder,) = (one for one in image_sets(bench.settings) if one.facts.name == "embedded")
    index, place = divmod(image["row"], folder.facts.chunk_rows)
    chunk = folder.chunk("lite0", entry.weights_digest, index)
    (at,) = (i for i, one in enumerate(chunk.images) if one.row == image["row"])
    assert place == image["row"] % folder.facts.chunk_rows
    found = stored.feature("lite0", entry.weights_digest)
    assert found.dtype == torch.float32
    assert torch.equal(found, chunk.features[at].float())
    assert not isinstance(stored, Photo)
    assert "float16" in stored.notes[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": "nowhere"}, "the set nowhere, which is not on this machine"),
        ({"row": 999_999_999}, "does not have"),
        ({"digest": "0" * 64}, "does not have"),
        ({"row": 0}, "does not have"),
    ],
)
def test_an_address_of_another_image_is_a_sentence(bench, goldfish, changed, words):
    text = named(goldfish[0], **changed)
    with pytest.raises(ImageSetError, match=words):
        StoredImage.find(text, bench.settings).feature("lite0", bench.entry("lite0").weights_digest)


@pytest.mark.slow
def test_a_classifier_that_the_set_was_not_prepared_for_is_a_sentence(bench, goldfish):
    stored = StoredImage.find(named(goldfish[0]), bench.settings)
    with pytest.raises(ImageSetError, match="no feature of this image under other"):
        stored.feature("other", "0" * 64)


@pytest.mark.parametrize(
    "text",
    ["", "chelsea", "a" * 64, "../etc/1/" + "a" * 64, "x/-1/" + "a" * 64, "x/1/" + "A" * 64,
     "/1/" + "a" * 64, "x/1/" + "a" * 63, "x/1/" + "a" * 64 + "\n", "x/999999999999/" + "a" * 64],
)  # fmt: skip
def test_other_texts_are_no_addresses(bench, text):
    assert not is_address(text)
    assert digest_of(text) == text
    with pytest.raises(ImageSetError, match="no image of a prepared set"):
        StoredImage.find(text, bench.settings)


def test_the_digest_of_an_address_is_that_of_its_file():
    assert digest_of("embedded/12/" + "b" * 64) == "b" * 64
