"""The app in this process: one warm workbench for most tests, a damaged world for some."""

import shutil

import pytest
import streamlit as st
from streamlit.runtime.media_file_manager import MediaFileManager

from pages._view import loaders
from sing_core.settings import Settings
from tests.pages.driver import App


def forget_everything():
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture(scope="module", autouse=True)
def own_caches():
    """What one module's tests loaded is not what the next one's find; pictures when asked for."""
    forget_everything()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SING_RENDERER", "off")
        # Nothing is loaded beside a test: each loads what it shows, and draws at once.
        patch.setattr(loaders, "_WARM_AFTER_S", 3_600.0)
        patch.setattr(loaders, "_DRAW_AFTER_S", 0.0)
        yield
    forget_everything()


@pytest.fixture
def app():
    """The page as a first visitor finds it."""
    return App()


@pytest.fixture
def page():
    """Open a page by name with query parameters."""
    return App.at_page


@pytest.fixture
def offered(monkeypatch):
    """What makes each file that a page offers, by the file's name; a click calls it."""
    makers, real = {}, MediaFileManager.add_deferred

    def note(self, make, mimetype, coordinates, file_name=None, **more):
        makers[file_name] = make
        return real(self, make, mimetype, coordinates, file_name, **more)

    monkeypatch.setattr(MediaFileManager, "add_deferred", note)
    return makers


@pytest.fixture
def assets(tmp_path, monkeypatch):
    """A copy of the assets, for this test to damage before it opens the app."""
    copy = tmp_path / "assets"
    shutil.copytree(Settings().assets_dir, copy, ignore=shutil.ignore_patterns("prepared"))
    monkeypatch.setenv("SING_ASSETS_DIR", str(copy))
    forget_everything()
    yield copy
    forget_everything()


@pytest.fixture
def cache(tmp_path, monkeypatch, session_cache):
    """A cache folder of this test's own: weights and artefacts are there, as copies."""
    App()  # whatever is missing in the session's folder is made there first
    copy = tmp_path / "cache"
    shutil.copytree(session_cache, copy, ignore=shutil.ignore_patterns("reference*", "*.lock"))
    monkeypatch.setenv("SING_CACHE_DIR", str(copy))
    forget_everything()
    yield copy
    forget_everything()
