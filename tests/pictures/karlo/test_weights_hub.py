"""Karlo's files in the hub's cache: one commit held to, pickles refused, tampering noticed."""

import os
import shutil

import pytest
from huggingface_hub import constants

from sing_core.pictures.karlo.files import (
    REPOSITORY,
    SAFETENSORS_REF,
    find_karlo,
)
from sing_core.pictures.karlo.weights import load_karlo
from sing_core.settings import Settings
from tests import tiny_karlo
from tests.pictures.karlo.karlo_files import DECODER, refusal

COMMIT = "0123456789abcdef" * 2 + "01234567"


@pytest.fixture
def hub(built_karlo, tmp_path, monkeypatch):
    """A Hugging Face cache that `hf download --revision refs/pr/2` has filled."""
    root = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(root))
    repository = root / f"models--{REPOSITORY.replace('/', '--')}"
    fill_cache(repository, built_karlo, COMMIT)
    write_ref(repository, SAFETENSORS_REF, COMMIT)
    return repository


def fill_cache(repository, source, commit):
    from sing_core.files.digests import git_sha1_of, sha256_of

    (repository / "blobs").mkdir(parents=True, exist_ok=True)
    for path in sorted(source.rglob("*")):
        if path.is_file():
            large = path.suffix in (".safetensors", ".bin")
            blob = repository / "blobs" / (sha256_of(path) if large else git_sha1_of(path))
            shutil.copy2(path, blob)
            link = repository / "snapshots" / commit / path.relative_to(source)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(blob, link.parent))


def write_ref(repository, ref, commit):
    path = repository / "refs" / ref
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(commit)


@pytest.fixture
def hub_settings(tmp_path):
    return Settings(cache_dir=tmp_path / "cache", device="cpu")


@pytest.mark.slow
def test_the_hubs_cache_is_found_and_its_commit_is_held_to(hub, hub_settings, networks):
    found = find_karlo(hub_settings)
    assert found.revision == COMMIT
    assert load_karlo(hub_settings).weights_id == networks.weights_id == found.weights_id
    write_ref(hub, SAFETENSORS_REF, "f" * 40)  # the branch has moved
    assert find_karlo(hub_settings).revision == COMMIT


@pytest.mark.slow
def test_a_revision_that_is_asked_for_comes_first(hub, hub_settings, tmp_path):
    load_karlo(hub_settings)
    asked = "a" * 40
    changed = hub_settings.model_copy(update={"karlo_revision": asked})
    assert asked in refusal(changed)
    fill_cache(hub, tiny_karlo.build(tmp_path / "other", seed=1), asked)
    assert find_karlo(changed).revision == asked


def test_an_empty_cache_gives_one_sentence_with_file_revision_and_command(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "empty"))
    message = refusal(Settings(cache_dir=tmp_path))
    assert message == (
        f"Karlo's weights are missing: {DECODER} of {REPOSITORY} at revision {SAFETENSORS_REF} is "
        f"not in the Hugging Face cache; fetch it with `hf download {REPOSITORY} --revision "
        f'{SAFETENSORS_REF} --include "*.json" --include "*.txt" --include "*.safetensors"`, or '
        "let SING_KARLO_DIR name a folder that holds it."
    )


@pytest.mark.slow
def test_the_main_branch_has_pickles_alone_and_they_are_refused(
    built_karlo, hub_settings, tmp_path, monkeypatch
):
    root = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(root))
    repository = root / f"models--{REPOSITORY.replace('/', '--')}"
    fill_cache(repository, tiny_karlo.build(tmp_path / "old", pickles=True), COMMIT)
    write_ref(repository, "main", COMMIT)
    message = refusal(hub_settings)
    assert COMMIT in message
    assert "only as a pickle" in message


@pytest.mark.parametrize("name", [DECODER, "decoder/config.json"])
def test_a_tampered_file_in_the_hubs_cache_is_refused_at_first_sight(hub, hub_settings, name):
    path = (hub / "snapshots" / COMMIT / name).resolve()
    path.write_bytes(path.read_bytes() + b" ")
    message = refusal(hub_settings)
    assert f"Karlo's {name} is damaged or was changed" in message


def test_a_ref_that_is_no_commit_names_no_folder(hub, hub_settings):
    write_ref(hub, SAFETENSORS_REF, "../../elsewhere")
    assert "missing" in refusal(hub_settings)
