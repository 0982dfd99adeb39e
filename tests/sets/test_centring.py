"""The centre of a reference that does not ship: from a set that it was shown, once."""

import pytest
import torch

from sing_core.files.digests import content_key
from sing_core.leakage.prepare import prepare
from sing_core.maths.translator import Translator
from sing_core.models import pool
from sing_core.models.readings import FEWEST_IMAGES, find_centre, own_centre_path
from sing_core.models.references import space_id
from sing_core.models.workbench import fitted_path
from sing_core.sets.centring import keep_centre
from sing_core.sets.chunks import SetFolder, Stored
from sing_core.settings import Settings
from tests import toy
from tests.prepared_sets import class_folders
from tests.tiny_clip import tiny_clip


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A folder's reference that is not loaded: a stand-in answers for it."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    tiny_clip(folder, 0)
    name = f"local-dir:{folder}"
    stand_in = toy.ToyReference(name, space_id(name, Settings()), [])
    monkeypatch.setattr(pool, "load_reference", lambda name, settings: stand_in)
    return stand_in


@pytest.fixture
def bench(toy_assets, tiny, tmp_path):
    made = toy.make_bench(Settings(assets_dir=toy_assets, cache_dir=tmp_path / "cache"))
    entry = made.entry("lite0")
    weight, bias = (
        toy.seeded("into tiny", toy.DIM, entry.feature_dim) / 30,
        toy.seeded("b", toy.DIM),
    )
    translator = Translator(weight, bias, "lite0", entry.weights_digest, tiny.space_id)
    translator.save(fitted_path(made.settings, "lite0", tiny.name))
    return made


@pytest.mark.slow
def test_a_set_that_the_reference_was_shown_gives_its_centre(bench, tiny, tmp_path):
    images = class_folders(tmp_path / "images")
    read = f"centred:{tiny.name}"
    (found,) = prepare(bench, images, models=("lite0",), reference=read, embed=True, name="set")
    assert found.scored == 24
    chunk = SetFolder.open(found.folder).chunk(tiny.name, tiny.space_id, 0)
    centre = find_centre(tiny.name, tiny.space_id, bench.settings)
    torch.testing.assert_close(centre.image, chunk.features.mean(dim=0))
    unit = torch.nn.functional.normalize(bench.vocabulary(tiny.name).embeddings, dim=1)
    torch.testing.assert_close(centre.text, unit.mean(dim=0))
    assert centre.details["images"] == "24"
    assert bench.vocabulary(read).space_id == centre.space_id


@pytest.mark.slow
def test_the_centre_that_was_taken_first_is_held_to(bench, tiny):
    stored = Stored(tiny.name, tiny.space_id)
    first, second = torch.randn(20, toy.DIM), torch.randn(30, toy.DIM)
    assert keep_centre(bench, stored, [first[:5], first[5:]], content_key("first"))
    assert not keep_centre(bench, stored, [second], content_key("second"))
    centre = find_centre(tiny.name, tiny.space_id, bench.settings)
    torch.testing.assert_close(centre.image, first.mean(dim=0))
    assert centre.details["data"] == content_key("first")


def test_another_space_under_the_same_name_gets_a_centre_of_its_own(bench, tiny):
    parts = [torch.randn(20, toy.DIM)]
    assert keep_centre(bench, Stored(tiny.name, "local-former"), parts, "data")
    assert keep_centre(bench, Stored(tiny.name, tiny.space_id), parts, "data")
    assert find_centre(tiny.name, tiny.space_id, bench.settings).raw_space_id == tiny.space_id


def test_too_few_images_are_no_centre(bench, tiny):
    few = torch.randn(FEWEST_IMAGES - 1, toy.DIM)
    assert not keep_centre(bench, Stored(tiny.name, tiny.space_id), [few], "data")
    assert not keep_centre(bench, Stored(tiny.name, tiny.space_id), [], "data")
    assert not own_centre_path(bench.settings, tiny.name).exists()
