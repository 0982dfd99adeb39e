"""Neighbours: the nearest real photographs of a prepared set, found and shown as they are."""

import numpy as np
import pytest
import torch
from PIL import Image

from sing_core.errors import (
    ImageSetError,
    RenderError,
    ShapeError,
    TranslatorMismatchError,
    WeightsUnavailableError,
)
from sing_core.files.images import decode_image
from sing_core.leakage.prepare import prepare
from sing_core.pictures.neighbours import NeighboursRenderer
from sing_core.pictures.protocol import RenderRequest
from sing_core.pictures.studio import Studio
from sing_core.settings import Settings
from tests import toy
from tests.benches import pretend_reference
from tests.prepared_sets import WNIDS, class_folders

PER_CLASS = 3


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return class_folders(tmp_path_factory.mktemp("set") / "images", per_class=PER_CLASS)


@pytest.fixture(scope="module")
def bench(toy_assets, tmp_path_factory, images):
    cache = tmp_path_factory.mktemp("neighbours")
    with pytest.MonkeyPatch.context() as patch:
        pretend_reference(toy_assets, patch)
        bench = toy.make_bench(Settings(assets_dir=toy_assets, cache_dir=cache))
        prepare(bench, images, models=("lite0",), root=cache / "prepared")
        yield bench


@pytest.fixture(scope="module")
def drawer(bench):
    return Studio(bench).renderer("neighbours", "lite0")


def request_of(drawer, vectors, **changes):
    return RenderRequest(
        vectors, **({"space_id": drawer.space_id, "seed": 0, "size": 128} | changes)
    )


@pytest.mark.slow
def test_a_photograph_is_its_own_nearest_neighbour(bench, drawer, images):
    assert isinstance(drawer, NeighboursRenderer)
    files = [images / WNIDS[0] / "001.jpg", images / WNIDS[3] / "002.jpg"]
    photos = [decode_image(path.read_bytes()) for path in files]
    translator = bench.translator("lite0", "mini")
    vectors = torch.stack([translator.apply(bench.features("lite0", one)) for one in photos])
    drawn = drawer.render(request_of(drawer, 5 * vectors))
    assert drawn.frames.shape == (2, 128, 128, 3)
    for frame, photo in zip(drawn.frames, photos, strict=True):
        shown = np.asarray(photo.image.resize((128, 128), Image.Resampling.BICUBIC))
        assert np.abs(frame.astype(int) - shown).max() <= 1
    assert "001.jpg" in drawn.facts["row 0"]
    shelf, image, angle = drawer.nearest(vectors[0])
    assert image.name.endswith("001.jpg")
    assert angle < 1, "features are kept in half precision"
    assert len(shelf.images) == PER_CLASS * len(WNIDS)


@pytest.mark.slow
def test_no_other_photograph_is_nearer(drawer):
    (shelf,) = drawer.shelves
    asked = torch.randn(4, shelf.embeddings.shape[1], generator=torch.Generator().manual_seed(0))
    for vector in asked:
        cosines = torch.cosine_similarity(shelf.embeddings, vector[None], dim=1)
        _, image, angle = drawer.nearest(vector)
        assert image == shelf.images[int(cosines.argmax())]
        assert np.cos(np.deg2rad(angle)) == pytest.approx(float(cosines.max()), abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"space_id": "elsewhere"}, TranslatorMismatchError),
        ({"size": 64}, RenderError),
        ({"vectors": torch.ones(1, 7)}, ShapeError),
    ],
)
def test_what_it_cannot_show_is_refused(drawer, change, error):
    width = drawer.shelves[0].embeddings.shape[1]
    fields = {"vectors": torch.ones(1, width)} | change
    with pytest.raises(error):
        drawer.render(request_of(drawer, **fields))


@pytest.mark.slow
def test_without_a_set_whose_images_are_here_it_says_so(toy_assets, tmp_path):
    bench = toy.make_bench(Settings(assets_dir=toy_assets, cache_dir=tmp_path))
    with pytest.raises(WeightsUnavailableError, match="No prepared set with features of lite0"):
        Studio(bench).renderer("neighbours", "lite0")


@pytest.mark.slow
def test_images_that_were_moved_are_said_to_be(bench, drawer, images):
    width = drawer.shelves[0].embeddings.shape[1]
    moved = images.rename(images.with_name("elsewhere"))
    try:
        with pytest.raises(ImageSetError, match="no longer where"):
            drawer.render(request_of(drawer, torch.ones(1, width)))
    finally:
        moved.rename(images)
