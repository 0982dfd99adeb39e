"""One cache for the files here that change nothing in it: what one of them prepares, all find."""

import shutil

import pytest

from sing_core.leakage.scored_sets import open_set
from sing_core.settings import Settings
from tests import toy
from tests.prepared_sets import made_up_set


@pytest.fixture(scope="session")
def settings(toy_assets, tmp_path_factory, session_cache):
    """A cache of this room's own, with the heads."""
    cache = tmp_path_factory.mktemp("leakage") / "cache"
    shutil.copytree(session_cache / "head", cache / "head")
    return Settings(assets_dir=toy_assets, cache_dir=cache)


@pytest.fixture
def bench(settings, toy_reference):
    """The toy bench on that cache, which holds a made-up set of two classifiers."""
    made = toy.make_bench(settings)
    place = settings.cache_dir / "prepared" / "made-up"
    if not place.exists():
        made_up_set(made, place, ("lite0", "vits"))
    return made


@pytest.fixture
def whole(bench):
    return open_set(bench, "lite0", images="made-up")
