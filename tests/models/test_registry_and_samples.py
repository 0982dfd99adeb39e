"""The table of what ships, and the sample photos."""

import pytest

from sing_core.errors import OptionalDependencyError, UnknownNameError
from sing_core.files import samples
from sing_core.files.images import decode_image
from sing_core.files.samples import SAMPLES, Sample, sample_bytes
from sing_core.models.registry import find_model, find_reference, models, references
from sing_core.settings import Settings


def test_the_table_lists_four_classifiers_and_two_references():
    assert [entry.name for entry in models(Settings())] == ["lite0", "lite1", "lite2", "vits"]
    assert [entry.name for entry in references(Settings())] == ["mini", "mini-vit"]
    sharing = {e.shares_tower_with: e.name for e in models(Settings()) if e.shares_tower_with}
    assert sharing == {"mini": "lite2", "mini-vit": "vits"}


def test_an_unknown_name_has_no_row():
    assert find_model("lite0", Settings()).feature_dim == 1280
    assert find_model("resnet50", Settings()) is None
    assert find_reference("mini", Settings()).dim == 512
    assert find_reference("clip", Settings()) is None


def test_every_sample_is_a_photo_that_can_be_read():
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES) == 6
    for sample in SAMPLES:
        photo = decode_image(sample_bytes(sample.name))
        assert min(photo.width, photo.height) >= 200


def test_an_unknown_sample_is_an_error_in_words():
    with pytest.raises(UnknownNameError, match=r"No sample photo is called “\.\./x”"):
        sample_bytes("../x")


def test_without_scikit_image_the_samples_say_so(monkeypatch):
    monkeypatch.setattr(samples, "SAMPLES", (Sample("gone", "Gone", "gone.png"),))
    with pytest.raises(OptionalDependencyError, match=r"without gone\.png"):
        sample_bytes("gone")
    monkeypatch.setattr(samples.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OptionalDependencyError, match="install it"):
        sample_bytes("gone")
