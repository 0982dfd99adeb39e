"""Reports of the real analysis for the view code."""

import pytest

from pages._view import loaders
from sing_core.files.images import decode_image
from sing_core.files.samples import sample_bytes
from sing_core.studies.question import Question


@pytest.fixture(scope="package")
def chelsea():
    return decode_image(sample_bytes("chelsea"))


@pytest.fixture(scope="package")
def analyse(chelsea):
    """Return the page's own report of the cat."""

    def ask(prompt="an image of a jellyfish", mode="steer", model="lite0", epsilon=None):
        return loaders.report(chelsea, Question(model, prompt, mode, epsilon=epsilon))

    return ask


@pytest.fixture
def photo_folder(tmp_path, monkeypatch):
    """A folder with ``photo.jpg``, the file that the shown command names."""
    (tmp_path / "photo.jpg").write_bytes(sample_bytes("chelsea"))
    monkeypatch.chdir(tmp_path)
    return tmp_path
