"""Benches for the tests: a toy one for most, and the one that ships for the real thing."""

import pytest

from sing_core import pool
from sing_core.clip_space import space_id
from sing_core.images import decode_image
from sing_core.samples import sample_bytes
from sing_core.settings import Settings
from tests import toy


@pytest.fixture(scope="session")
def toy_assets(tmp_path_factory):
    return toy.make_assets(tmp_path_factory.mktemp("toy") / "assets")


@pytest.fixture
def toy_reference(toy_assets, monkeypatch):
    """What every pool loads in place of ``mini``, for this test."""
    identity = space_id("mini", Settings(assets_dir=toy_assets))
    stand_in = toy.ToyReference("mini", identity, [])
    monkeypatch.setattr(pool, "load_reference", lambda name, settings: stand_in)
    return stand_in


@pytest.fixture
def toy_bench(toy_assets, toy_reference):
    """A workbench on real classifiers and the toy reference; features are kept for the session."""
    return toy.make_bench(Settings(assets_dir=toy_assets))


@pytest.fixture(scope="session")
def real_bench():
    """The workbench as it ships; fails, with what to do, while the assets are not complete."""
    settings = Settings()
    missing = [
        name
        for name in (
            "mini/head.safetensors",
            "vocabulary/attributes.txt",
            *(f"translators/lite{i}--mini.safetensors" for i in range(3)),
        )
        if not (settings.assets_dir / name).is_file()
    ]
    if missing:
        pytest.fail(
            f"assets/ lacks {', '.join(missing)}: train and commit them "
            "(`python -m sing_core.mini train-reference`, then `train-translators`).",
            pytrace=False,
        )
    return toy.make_bench(settings)


@pytest.fixture(scope="session")
def chelsea():
    return decode_image(sample_bytes("chelsea"))


@pytest.fixture(scope="session")
def rocket():
    return decode_image(sample_bytes("rocket"))
