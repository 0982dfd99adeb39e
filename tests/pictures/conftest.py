"""A tiny Karlo on disk and loaded, and requests for it."""

import shutil

import pytest

from sing_core.pictures.karlo.renderer import SPACE_ID, KarloRenderer
from sing_core.pictures.karlo.weights import load_karlo
from sing_core.pictures.protocol import RenderRequest
from sing_core.settings import Settings
from tests import tiny_karlo


@pytest.fixture(scope="session")
def built_karlo(tmp_path_factory):
    """One tiny Karlo for the session; nobody changes it."""
    return tiny_karlo.build(tmp_path_factory.mktemp("karlo") / "karlo")


@pytest.fixture
def karlo_dir(built_karlo, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(built_karlo, tmp_path / "karlo")


@pytest.fixture
def karlo_settings(karlo_dir, tmp_path):
    return Settings(karlo_dir=karlo_dir, cache_dir=tmp_path / "cache", device="cpu")


@pytest.fixture(scope="session")
def networks(built_karlo, tmp_path_factory):
    cache = tmp_path_factory.mktemp("karlo-cache")
    return load_karlo(Settings(karlo_dir=built_karlo, cache_dir=cache, device="cpu"))


@pytest.fixture(scope="session")
def karlo(networks):
    """A renderer that is quick: 4 decoder steps and 3 enlarging ones by default."""
    return KarloRenderer(networks, default_steps=(4, 3))


@pytest.fixture
def ask():
    """Make a request: ``ask()`` or ``ask(vectors, seed=1, size=32, ...)``."""

    def make(vectors=None, **changes):
        fields = {"space_id": SPACE_ID, "seed": 0, "size": tiny_karlo.SMALL_PX, **changes}
        return RenderRequest(tiny_karlo.embeddings(3) if vectors is None else vectors, **fields)

    return make
