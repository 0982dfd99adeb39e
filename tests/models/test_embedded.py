"""The embedded default from real packages: pinned, mapped one to one, assembled once."""

import os
import shutil
import stat
import time

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from sing_core.errors import WeightsUnavailableError
from sing_core.files import packages
from sing_core.files.receipts import build_once
from sing_core.making.make import load_heads
from sing_core.making.texts import TextTower
from sing_core.models import embedded
from sing_core.models.references import load_reference
from sing_core.settings import Settings


def test_every_pinned_file_is_installed_with_its_digest():
    for source in (*packages.TRUNKS.values(), *packages.TEXT_TOWER.values()):
        assert packages.sha256_of(packages.locate(source)) == source.sha256


def test_a_tampered_weight_file_is_refused(tmp_path, monkeypatch):
    source = packages.TRUNKS["tf_efficientnet_lite0"]
    damaged = tmp_path / "weights.pth"
    shutil.copy(packages.locate(source), damaged)
    payload = bytearray(damaged.read_bytes())
    payload[len(payload) // 2] ^= 1
    damaged.write_bytes(payload)
    monkeypatch.setattr(packages, "locate", lambda _: damaged)
    with pytest.raises(WeightsUnavailableError, match="not the expected file"):
        packages.verified(source)


def test_a_missing_package_is_named():
    missing = packages.SourceFile("no-such-package", "no_such_package", "x.pth", "0" * 64)
    with pytest.raises(WeightsUnavailableError, match="no-such-package"):
        packages.locate(missing)


def test_weights_of_another_shape_are_refused():
    stored = torch.load(
        packages.verified(packages.TRUNKS["tf_efficientnet_lite1"]), weights_only=True
    )
    with pytest.raises(WeightsUnavailableError):
        embedded.rename_in_order("tf_efficientnet_lite0", stored)


@pytest.mark.slow
@pytest.mark.alone
def test_a_second_assembly_only_confirms():
    settings = Settings()
    paths = embedded.assemble(settings)
    stamps = [path.stat().st_mtime_ns for path in paths.trunks.values()]
    start = time.monotonic()
    again = embedded.assemble(settings)
    assert time.monotonic() - start < 1
    assert [path.stat().st_mtime_ns for path in again.trunks.values()] == stamps


def test_the_reference_serves_the_trained_heads():
    settings = Settings()
    folder = embedded.assemble(settings).reference
    served = load_file(folder / "open_clip_model.safetensors")
    head = load_file(embedded.head_path(settings))
    assert torch.equal(served["visual.head.proj.weight"], head["weight"])
    assert torch.equal(served["visual.head.proj.bias"], head["bias"])
    assert torch.equal(served["text.proj.0.weight"], head[embedded.TEXT_INNER])
    assert torch.equal(served["text.proj.2.weight"], head[embedded.TEXT_OUTER])


@pytest.mark.slow
def test_a_text_through_the_reference_is_what_the_text_head_was_trained_to_give(tmp_path):
    prompts = ["a photo of a tabby cat.", "dark", "She kneads the dough and leaves it to rise."]
    served = load_reference("mini", Settings()).embed_texts(prompts)
    raw = TextTower(Settings(cache_dir=tmp_path)).embed(prompts)
    trained = load_heads(Settings()).text.embed(raw)
    assert served.shape == trained.shape == (3, embedded.EMBED_DIM)
    cosines = torch.cosine_similarity(served.double(), trained.double(), dim=1)
    assert cosines.tolist() == pytest.approx([1, 1, 1], abs=1e-5)
    torch.testing.assert_close(served, trained, rtol=1e-3, atol=1e-4)


def test_a_missing_head_names_the_command_that_makes_one(tmp_path):
    settings = Settings(assets_dir=tmp_path)
    with pytest.raises(WeightsUnavailableError, match="train-reference"):
        embedded.assemble(settings)


def test_a_disk_that_is_full_while_weights_are_written_is_a_sentence(tmp_path):
    def build(target):
        raise SafetensorError("Error while serializing: I/O error: No space left on device")

    with pytest.raises(WeightsUnavailableError, match=r"cannot be written.*No space left.*free"):
        build_once(tmp_path / "weights", {}, build)
    assert not (tmp_path / "weights").exists()


@pytest.mark.slow
def test_assembled_weights_can_be_read_by_whom_the_umask_lets(tmp_path):
    before = os.umask(0o022)
    try:
        paths = embedded.assemble(Settings(cache_dir=tmp_path))
    finally:
        os.umask(before)
    files = [*paths.trunks.values(), *paths.reference.iterdir()]
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in files} == {
        path.name: 0o644 for path in files
    }
