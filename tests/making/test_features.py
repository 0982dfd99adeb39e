"""Features for training: those that the app itself computes, in order, and computed once."""

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sing_core.making.data import ImageFolder, View
from sing_core.making.features import (
    CLASSIFIERS,
    REFERENCE,
    FeatureCache,
    batches,
    classifier_head,
    load_extractor,
)
from sing_core.making.make import load_heads
from sing_core.models import registry
from sing_core.models.references import load_reference
from sing_core.settings import Settings

LITE0 = CLASSIFIERS[0]
VIEWS = [View("sample", row % 5, kind, "", 3) for kind in ("plain", "crop") for row in range(10)]


@pytest.fixture(scope="module")
def lite0():
    return load_extractor(LITE0, Settings())


@pytest.fixture
def settings(tmp_path, session_cache):
    """A cache of this test's own, which finds the assembled weights of the session."""
    (tmp_path / "mini").symlink_to(session_cache / "mini")
    return Settings(cache_dir=tmp_path)


def features_of(extractor, image):
    return extractor.features(extractor.preprocess(image)[None], fast=False)[0]


@given(items=st.lists(st.integers(), max_size=30), size=st.integers(1, 8))
@pytest.mark.slow
def test_batches_lose_nothing_and_only_the_last_is_shorter(items, size):
    found = list(batches(iter(items), size))
    assert [item for batch in found for item in batch] == items
    assert all(len(batch) == size for batch in found[:-1])
    assert all(1 <= len(batch) <= size for batch in found[-1:])


@pytest.mark.slow
@pytest.mark.parametrize("model", ["lite0", "lite1", "lite2"])
def test_a_classifier_is_trained_on_the_features_that_the_app_shows(toy_bench, chelsea, model):
    name = registry.models(Settings())[int(model[-1])].architecture
    found = features_of(load_extractor(name, Settings()), chelsea.image)
    torch.testing.assert_close(found, toy_bench.features(model, chelsea), rtol=1e-3, atol=1e-4)
    weight, bias = classifier_head(name, Settings())
    classifier = toy_bench.classifier(model)
    assert torch.equal(weight, classifier.linear.weight)
    assert torch.equal(bias, classifier.linear.bias)


@pytest.mark.slow
def test_the_head_on_the_references_features_is_what_open_clip_serves(chelsea, rocket):
    extractor, head = load_extractor(REFERENCE, Settings()), load_heads(Settings()).image
    images = [chelsea.image, rocket.image]
    embedded = torch.stack([head.embed(features_of(extractor, image)[None])[0] for image in images])
    served = load_reference("mini", Settings()).embed_images(images)
    torch.testing.assert_close(embedded, served, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_rows_come_in_the_order_of_the_views(small_data, settings, lite0):
    folder, steps = ImageFolder(small_data), []
    found = FeatureCache(settings, folder, fast=False).features(
        VIEWS, [LITE0], lambda done, total: steps.append((done, total))
    )[LITE0]
    assert found.dtype == torch.float32
    assert found.shape == (20, 1280)
    for row in (0, 4, 7, 8, 15, 16, 19):  # inside, and at the borders of, batches of eight
        alone = features_of(lite0, folder.render(VIEWS[row]))
        torch.testing.assert_close(found[row], alone, rtol=2e-3, atol=2e-3)  # kept as float16
    assert steps == [(20, 20)]


@pytest.mark.slow
def test_what_was_computed_is_read_and_another_view_is_computed(small_data, settings):
    folder, views = ImageFolder(small_data), VIEWS[8:11]
    first = FeatureCache(settings, folder, fast=False).features(views, [LITE0])[LITE0]
    (path,) = (settings.cache_dir / "training").iterdir()
    stamp = path.stat().st_mtime_ns
    # Without pictures and without weights only the file on the disk is left.
    nowhere = ImageFolder(small_data / "nowhere")
    again = FeatureCache(settings, nowhere, fast=False).features(views, [LITE0])[LITE0]
    assert torch.equal(again, first)
    assert path.stat().st_mtime_ns == stamp
    other = [*views[:2], dataclasses.replace(views[2], seed=4)]
    changed = FeatureCache(settings, folder, fast=False).features(other, [LITE0])[LITE0]
    assert torch.equal(changed[:2], first[:2])
    assert not torch.equal(changed[2], first[2])
    assert len(list((settings.cache_dir / "training").iterdir())) == 2


@pytest.mark.slow
def test_quick_features_are_nearly_the_same_and_never_mistaken_for_exact_ones(small_data, settings):
    folder, views = ImageFolder(small_data), VIEWS[:3]
    exact, quick = (
        FeatureCache(settings, folder, fast=fast).features(views, [LITE0])[LITE0]
        for fast in (False, True)
    )
    assert not torch.equal(exact, quick)
    assert float(torch.cosine_similarity(exact, quick).min()) > 0.99
