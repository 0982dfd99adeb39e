"""Benches for the tests: a toy one for most, and the one that ships for the real thing."""

import json
import sys

import pytest
from huggingface_hub import constants

from sing_core.cli.main import main
from sing_core.files.images import decode_image
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.models import pool
from sing_core.models.references import space_id
from sing_core.settings import Settings
from tests import toy


@pytest.fixture(scope="session")
def toy_assets(tmp_path_factory):
    return toy.make_assets(tmp_path_factory.mktemp("toy") / "assets")


def pretend_reference(assets, patch):
    """Have every pool load a stand-in in place of ``mini``, and return it."""
    identity = space_id("mini", Settings(assets_dir=assets))
    stand_in = toy.ToyReference("mini", identity, [])
    patch.setattr(pool, "load_reference", lambda name, settings: stand_in)
    return stand_in


@pytest.fixture
def toy_reference(toy_assets, monkeypatch):
    """What every pool loads in place of ``mini``, for this test."""
    return pretend_reference(toy_assets, monkeypatch)


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
            "(`python -m sing_core.making train-reference`, then `train-translators`).",
            pytrace=False,
        )
    return toy.make_bench(settings)


@pytest.fixture
def hub_at(tmp_path, monkeypatch):
    """Set the ecosystem's own folder and the hub's address, for this test."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)

    def at(url):
        monkeypatch.setattr(constants, "ENDPOINT", url)
        template = url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)

    return at


@pytest.fixture(scope="session")
def chelsea():
    return decode_image(sample_bytes("chelsea"))


@pytest.fixture(scope="session")
def rocket():
    return decode_image(sample_bytes("rocket"))


@pytest.fixture
def photos(tmp_path):
    paths = []
    for sample in SAMPLES[:2]:
        path = tmp_path / sample.file
        path.write_bytes(sample_bytes(sample.name))
        paths.append(path)
    return paths


def exit_code(patch, *arguments):
    """Run the command line in this process and return its exit code."""
    patch.setattr(sys, "argv", ["sing_core", *map(str, arguments)])
    try:
        main()
    except SystemExit as end:
        return end.code
    return 0


@pytest.fixture
def run(toy_assets, toy_reference, monkeypatch, capsys):
    """Run ``main`` on the toy assets; return exit code, standard output, standard error."""
    monkeypatch.setenv("SING_ASSETS_DIR", str(toy_assets))

    def call(*arguments):
        code = exit_code(monkeypatch, *arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def rows(run):
    """Run with ``--json`` and return what was printed, one object per line."""

    def call(*arguments):
        code, out, err = run(*arguments, "--json")
        assert code == 0, err
        return [json.loads(line) for line in out.splitlines()]

    return call


@pytest.fixture
def refusal(run):
    """Run with ``--json``; check that it is refused properly and return the message."""

    def call(*arguments, kind=None):
        code, out, err = run(*arguments, "--json")
        assert (code, out) == (2, "")
        problem = json.loads(err)
        assert set(problem) == {"error", "message"}
        assert "\n" not in problem["message"]
        assert kind is None or problem["error"] == kind
        return problem["message"]

    return call
