"""The centred reading is a shift: angles change, the null space and what rests on it do not."""

import json
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from sing_core.errors import ShapeError, StaleArtefactError
from sing_core.maths.centre import Centre, centre_of
from sing_core.maths.folds import Folds
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.scores import angle_deg, attribute_score_deg, image_score_deg
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import stand_in

WIDTH, DIM = 12, 7


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def cone(count, seed=0):
    """Embeddings with a constant that all share, as a modality gap is."""
    return numbers(count, DIM, seed=seed) + 6 * numbers(DIM, seed=99)


@pytest.fixture
def centre():
    return centre_of(cone(400, 1), cone(300, 2), "toy-space", {"images": "400"})


@pytest.fixture
def translator():
    weights, biases = numbers(5, DIM, WIDTH, seed=3), numbers(5, DIM, seed=4)
    means, digests = numbers(5, WIDTH, seed=5), [f"{place:08x}" + "0" * 56 for place in range(20)]
    folds = Folds.of(list(weights), list(biases), list(means), digests)
    return Translator(
        numbers(DIM, WIDTH, seed=6), numbers(DIM, seed=7), "toy", "weights", "toy-space",
        {"lambda": "1.0"}, folds,
    )  # fmt: skip


def test_the_means_of_images_and_of_unit_texts_become_zero(centre):
    torch.testing.assert_close(
        centre.images(cone(400, 1)).mean(dim=0), torch.zeros(DIM), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(
        centre.texts(cone(300, 2)).mean(dim=0), torch.zeros(DIM), atol=1e-6, rtol=0
    )


def test_a_texts_length_says_nothing_and_its_direction_does(centre):
    texts = cone(3, 8)
    torch.testing.assert_close(centre.texts(texts), centre.texts(17.5 * texts))
    assert not torch.allclose(centre.texts(texts), centre.texts(-texts))


def test_what_all_share_no_longer_holds_the_angles_together(centre):
    images = cone(400, 1)
    raw = angle_deg(images[:-1], images[1:])
    read = angle_deg(centre.images(images[:-1]), centre.images(images[1:]))
    assert float(raw.median()) < 45 < 80 < float(read.median())


def test_only_the_offset_of_a_translator_and_of_its_stand_ins_moves(centre, translator):
    features, shifts = numbers(4, WIDTH, seed=9), numbers(4, WIDTH, seed=10)
    read = centre.translator(translator)
    assert torch.equal(read.weight, translator.weight)
    assert torch.equal(read.linear(shifts), translator.linear(shifts))
    assert (read.space_id, read.model) == (centre.space_id, "toy")
    assert read.digests[0] != translator.digests[0]
    for place in (-1, 0, 4):
        moved = stand_in(translator, place).apply(features) - stand_in(read, place).apply(features)
        torch.testing.assert_close(moved, centre.image.double().expand_as(moved), atol=1e-5, rtol=0)
    assert torch.equal(read.folds.images, translator.folds.images)


def test_a_translator_without_stand_ins_has_none_in_the_reading(centre, translator):
    assert centre.translator(replace(translator, folds=None)).folds is None


@given(seed=st.integers(0, 10_000))
def test_the_gradient_in_the_reading_is_that_of_finite_differences(seed):
    centre = centre_of(cone(50, 1), cone(50, 2), "toy-space", {})
    read = centre.translator(
        Translator(numbers(DIM, WIDTH, seed=6).double(), numbers(DIM, seed=7).double())
    )
    feature, text = numbers(WIDTH, seed=seed).double(), centre.texts(cone(1, seed + 1))[0].double()

    def similarity(point):
        return torch.nn.functional.cosine_similarity(read.apply(point), text, dim=-1)

    step = 1e-6 * torch.eye(WIDTH, dtype=torch.float64)
    slope = (similarity(feature + step) - similarity(feature - step)) / 2e-6
    torch.testing.assert_close(read.similarity_gradient(feature, text), slope, atol=1e-7, rtol=1e-5)


@pytest.mark.slow
@given(seed=st.integers(0, 10_000))
def test_no_attribute_score_in_the_reading_exceeds_the_image_score(seed):
    centre = centre_of(cone(50, 1), cone(50, 2), "toy-space", {})
    read = centre.translator(Translator(numbers(DIM, WIDTH, seed=6), numbers(DIM, seed=7)))
    head = HeadDecomposition.from_weight(numbers(5, WIDTH, seed=11))
    feature = numbers(WIDTH, seed=seed)
    z, moved = read.apply(feature), read.apply(head.remove_null(feature))
    text = centre.texts(cone(1, seed + 1))[0]
    score = image_score_deg(z, moved)
    assert abs(float(attribute_score_deg(z, moved, text))) <= float(score) + 1e-9
    assert float(score) > 0


def test_another_centre_or_another_space_is_another_reading(centre):
    ids = {
        centre.space_id,
        replace(centre, image=centre.image + 1e-6).space_id,
        replace(centre, text=centre.text + 1e-6).space_id,
        replace(centre, raw_space_id="other").space_id,
        "toy-space",
    }
    assert len(ids) == 5


def test_a_centre_is_read_back_as_it_was_saved(centre, tmp_path):
    centre.save(tmp_path / "centre.safetensors")
    found = Centre.load(tmp_path / "centre.safetensors")
    assert torch.equal(found.image, centre.image)
    assert torch.equal(found.text, centre.text)
    assert (found.space_id, found.details) == (centre.space_id, {"images": "400"})


@pytest.mark.parametrize("harm", ["numbers", "format", "truncated", "missing", "tensors"])
def test_a_centre_that_is_not_what_was_saved_is_refused(centre, tmp_path, harm):
    path = tmp_path / "centre.safetensors"
    centre.save(path)
    with safe_open(path, framework="pt") as file:
        facts = file.metadata()
    tensors = {"image": centre.image, "text": centre.text}
    if harm == "numbers":
        save_file(tensors | {"image": centre.image + 1}, path, facts)
    elif harm == "format":
        save_file(tensors, path, json.loads(json.dumps(facts)) | {"format": "else"})
    elif harm == "tensors":
        save_file({"image": centre.image}, path, facts)
    elif harm == "truncated":
        path.write_bytes(path.read_bytes()[:100])
    else:
        path.unlink()
    with pytest.raises(StaleArtefactError, match="centre"):
        Centre.load(path)


def test_two_means_of_different_widths_are_no_centre():
    with pytest.raises(ShapeError, match="two vectors"):
        Centre(torch.zeros(3), torch.zeros(4), "toy-space")
