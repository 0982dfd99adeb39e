"""The makings on a small folder of real pictures: what is written, and what is left alone."""

import shutil

import pytest
import torch
from rich.progress import Progress

from sing_core.errors import WeightsUnavailableError
from sing_core.making.make import load_head, make_reference, make_translators
from sing_core.maths.translator import Translator
from sing_core.models import registry
from sing_core.models.embedded import EMBED_DIM, head_path
from sing_core.models.references import space_id
from sing_core.settings import Settings
from tests.toy import make_bench


@pytest.fixture
def settings(tmp_path):
    """A copy of the shipped assets, to be overwritten."""
    return Settings(assets_dir=shutil.copytree(Settings().assets_dir, tmp_path / "assets"))


def contents(settings):
    files = settings.assets_dir.rglob("*")
    return {path: path.read_bytes() for path in files if path.is_file()}


def test_the_shipped_head_maps_features_to_the_text_space():
    head = load_head(Settings())
    assert head.weight.shape == (EMBED_DIM, 1280)
    assert head.embed(torch.zeros(3, 1280)).equal(head.bias.expand(3, -1))
    assert bool(head.weight.isfinite().all())


@pytest.mark.parametrize("make", [make_reference, make_translators])
def test_without_the_images_nothing_is_overwritten(settings, tmp_path, make):
    before = contents(settings)
    with (
        pytest.raises(WeightsUnavailableError, match=r"imagenet_sample\.parquet"),
        Progress(disable=True) as bar,
    ):
        list(make(settings, tmp_path / "nowhere", bar))
    assert contents(settings) == before


@pytest.mark.slow
def test_translators_made_here_are_accepted_by_the_app(settings, small_data, chelsea):
    before = contents(settings)
    with Progress(disable=True) as bar:
        lines = list(make_translators(settings, small_data, bar))
    entries = registry.models(settings)
    assert [line.split(":")[0] for line in lines] == [entry.name for entry in entries]
    folder = settings.assets_dir / "translators"
    changed = {path for path, payload in contents(settings).items() if before.get(path) != payload}
    assert changed == {folder / f"{entry.name}--mini.safetensors" for entry in entries}
    bench = make_bench(settings)
    for entry in entries:
        written = Translator.load(folder / f"{entry.name}--mini.safetensors")
        assert (written.model, written.model_digest) == (entry.name, entry.weights_digest)
        assert written.space_id == space_id("mini", settings)
        assert written.weight.dtype == torch.float32
        assert float(written.details["lambda"]) > 0
        assert -1 <= float(written.details["cosine"]) <= 1
        assert -1 <= float(written.details["cosine_in_sample"]) <= 1
        assert written.folds.count == int(written.details["folds"])
        assert len(written.folds.images) == int(written.details["images"])
        served = bench.translator(entry.name, "mini")
        feature = bench.features(entry.name, chelsea)
        assert torch.equal(served.apply(feature), written.apply(feature))
    assert head_path(settings).read_bytes() == before[head_path(settings)]
