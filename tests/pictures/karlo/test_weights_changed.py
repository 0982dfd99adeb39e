"""Karlo's files that change after their first use: hashed once, noticed, refused."""

import json
import shutil

import pytest

from sing_core.pictures.karlo.files import (
    find_karlo,
)
from sing_core.pictures.karlo.weights import load_karlo
from sing_core.settings import Settings
from tests import tiny_karlo
from tests.pictures.karlo.karlo_files import DECODER, refusal


def edit_json(path, **changes):
    found = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps(found), "utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("keep", [0, 7, 0.5])
@pytest.mark.parametrize("name", [DECODER, "text_encoder/model.safetensors"])
def test_a_truncated_file_is_refused_and_may_be_replaced(
    karlo_dir, built_karlo, karlo_settings, name, keep
):
    whole = (karlo_dir / name).read_bytes()
    (karlo_dir / name).write_bytes(whole[: int(keep * len(whole)) if keep < 1 else keep])
    message = refusal(karlo_settings)
    assert name in message
    assert "damaged" in message
    shutil.copy2(built_karlo / name, karlo_dir / name)
    load_karlo(karlo_settings)  # what could not be used was not held to


@pytest.mark.slow
def test_a_file_that_changes_after_its_first_use_is_refused(karlo_dir, karlo_settings):
    first = load_karlo(karlo_settings)
    assert load_karlo(karlo_settings).weights_id == first.weights_id
    payload = bytearray((karlo_dir / DECODER).read_bytes())
    payload[-1] ^= 1
    (karlo_dir / DECODER).write_bytes(payload)
    message = refusal(karlo_settings)
    assert f"{DECODER} is not the file that was used here before" in message
    # The way out is in the sentence.
    notes = message.split("delete ")[1].split(" in the cache")[0]
    (karlo_settings.cache_dir / notes).unlink()
    assert load_karlo(karlo_settings).weights_id != first.weights_id


@pytest.mark.slow
def test_a_configuration_that_changes_is_noticed_too(karlo_dir, karlo_settings):
    load_karlo(karlo_settings)
    edit_json(karlo_dir / "decoder_scheduler" / "scheduler_config.json", num_train_timesteps=500)
    assert "decoder_scheduler/scheduler_config.json is not the file" in refusal(karlo_settings)


@pytest.mark.slow
def test_files_are_hashed_once(karlo_dir, karlo_settings, monkeypatch):
    load_karlo(karlo_settings)
    hashed = []
    monkeypatch.setattr(
        "sing_core.files.file_notes.sha256_of", lambda path: hashed.append(path) or "x"
    )
    load_karlo(karlo_settings)
    assert hashed == []


def test_the_weights_id_is_that_of_the_content(built_karlo, karlo_settings, tmp_path):
    other = tiny_karlo.build(tmp_path / "other", seed=1)
    found = [
        find_karlo(Settings(karlo_dir=folder, cache_dir=tmp_path / "cache")).weights_id
        for folder in (built_karlo, karlo_settings.karlo_dir, other)
    ]
    assert found[0] == found[1]
    assert found[0] != found[2]


@pytest.mark.slow
def test_damaged_notes_are_written_anew(karlo_settings, caplog):
    load_karlo(karlo_settings)
    (notes,) = (karlo_settings.cache_dir / "karlo").glob("*.json")
    notes.write_text("{not json", "utf-8")
    load_karlo(karlo_settings)
    assert "written anew" in caplog.text
    assert json.loads(notes.read_text("utf-8"))


def test_a_cache_that_cannot_be_written_does_not_stop_karlo(karlo_settings, tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    load_karlo(karlo_settings.model_copy(update={"cache_dir": tmp_path / "file"}))
    assert "digests cannot be kept" in caplog.text
