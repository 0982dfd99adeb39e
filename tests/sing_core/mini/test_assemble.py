"""The embedded default from real packages: pinned, mapped one to one, assembled once."""

import shutil
import time

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from sing_core.errors import WeightsUnavailableError
from sing_core.mini import assemble, sources
from sing_core.mini.receipts import build_once
from sing_core.settings import Settings


def test_every_pinned_file_is_installed_with_its_digest():
    for source in (*sources.TRUNKS.values(), *sources.TEXT_TOWER.values()):
        assert sources.sha256_of(sources.locate(source)) == source.sha256


def test_a_tampered_weight_file_is_refused(tmp_path, monkeypatch):
    source = sources.TRUNKS["tf_efficientnet_lite0"]
    damaged = tmp_path / "weights.pth"
    shutil.copy(sources.locate(source), damaged)
    payload = bytearray(damaged.read_bytes())
    payload[len(payload) // 2] ^= 1
    damaged.write_bytes(payload)
    monkeypatch.setattr(sources, "locate", lambda _: damaged)
    with pytest.raises(WeightsUnavailableError, match="not the expected file"):
        sources.verified(source)


def test_a_missing_package_is_named():
    missing = sources.SourceFile("no-such-package", "no_such_package", "x.pth", "0" * 64)
    with pytest.raises(WeightsUnavailableError, match="no-such-package"):
        sources.locate(missing)


def test_weights_of_another_shape_are_refused():
    stored = torch.load(
        sources.verified(sources.TRUNKS["tf_efficientnet_lite1"]), weights_only=True
    )
    with pytest.raises(WeightsUnavailableError):
        assemble.rename_in_order("tf_efficientnet_lite0", stored)


def test_a_second_assembly_only_confirms():
    settings = Settings()
    paths = assemble.assemble(settings)
    stamps = [path.stat().st_mtime_ns for path in paths.trunks.values()]
    start = time.monotonic()
    again = assemble.assemble(settings)
    assert time.monotonic() - start < 1
    assert [path.stat().st_mtime_ns for path in again.trunks.values()] == stamps


def test_the_reference_serves_the_trained_head():
    settings = Settings()
    folder = assemble.assemble(settings).reference
    served = load_file(folder / "open_clip_model.safetensors")
    head = load_file(assemble.head_path(settings))
    assert torch.equal(served["visual.head.proj.weight"], head["weight"])
    assert torch.equal(served["visual.head.proj.bias"], head["bias"])


def test_a_missing_head_names_the_command_that_makes_one(tmp_path):
    settings = Settings(assets_dir=tmp_path)
    with pytest.raises(WeightsUnavailableError, match="train-reference"):
        assemble.assemble(settings)


def test_a_disk_that_is_full_while_weights_are_written_is_a_sentence(tmp_path):
    def build(target):
        raise SafetensorError("Error while serializing: I/O error: No space left on device")

    with pytest.raises(WeightsUnavailableError, match=r"cannot be written.*No space left.*free"):
        build_once(tmp_path / "weights", {}, build)
    assert not (tmp_path / "weights").exists()
