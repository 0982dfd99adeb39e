"""The makings on a small folder of real pictures: what is written, and what is left alone."""

import shutil

import pytest
import torch
from rich.progress import Progress
from safetensors.torch import load_file, save_file

from sing_core.errors import WeightsUnavailableError
from sing_core.making import make as making
from sing_core.making.captions import GROUPS
from sing_core.making.geometry import Texts
from sing_core.making.heads import Views
from sing_core.making.kin import Kin
from sing_core.making.make import load_heads, make_reference, make_translators, to_file
from sing_core.making.material import Material
from sing_core.making.recipe import Recipe, Words
from sing_core.maths.translator import Translator
from sing_core.models import registry
from sing_core.models.embedded_reference import EMBED_DIM, MINI, MINI_VIT
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


def test_the_shipped_heads_map_features_and_texts_to_one_space():
    heads = load_heads(Settings())
    middle = (384 + EMBED_DIM) // 2
    assert heads.image.weight.shape == (EMBED_DIM, 1280)
    assert heads.image.embed(torch.zeros(3, 1280)).equal(heads.image.bias.expand(3, -1))
    assert heads.text.inner.shape == (middle, 384)
    assert heads.text.outer.shape == (EMBED_DIM, middle)
    assert heads.unit(torch.ones(2, 384)).shape == (2, EMBED_DIM)
    for part in to_file(heads).values():
        assert part.dtype == (torch.float16 if part.ndim == 2 else torch.float32)
        assert bool(part.isfinite().all())


def test_heads_are_read_as_they_were_written(settings):
    generator = torch.Generator().manual_seed(0)
    known = to_file(load_heads(settings))
    drawn = {
        name: torch.randn(part.shape, generator=generator).to(part.dtype)
        for name, part in known.items()
    }
    save_file(drawn, MINI.head_path(settings))
    again = to_file(load_heads(settings))
    assert set(again) == set(drawn)
    assert all(again[name].equal(part) for name, part in drawn.items())


def halved(path):
    path.write_bytes(path.read_bytes()[:1000])


def narrower(path):
    save_file({name: part[:384].clone() for name, part in load_file(path).items()}, path)


def without_the_texts(path):
    save_file({name: load_file(path)[name] for name in ("weight", "bias")}, path)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (halved, r"head\.safetensors is damaged; restore it from the repository\.$"),
        (narrower, r"head\.safetensors does not hold a trained head\.$"),
        (without_the_texts, r"head\.safetensors does not hold a trained head\.$"),
    ],
)
def test_a_spoilt_file_of_heads_is_refused_with_a_sentence(settings, spoil, sentence):
    spoil(MINI.head_path(settings))
    with pytest.raises(WeightsUnavailableError, match=sentence):
        load_heads(settings)


def reference_of(settings, data, bar):
    return make_reference(settings, data, data / "data.noun", bar)


@pytest.mark.slow
@pytest.mark.parametrize("make", [reference_of, make_translators])
def test_without_the_images_nothing_is_overwritten(settings, tmp_path, monkeypatch, make):
    monkeypatch.setattr(Material, "words", lambda self, nouns: None)
    before = contents(settings)
    with (
        pytest.raises(WeightsUnavailableError, match=r"imagenet_sample\.parquet"),
        Progress(disable=True) as bar,
    ):
        list(make(settings, tmp_path / "nowhere", bar))
    assert contents(settings) == before


@pytest.mark.slow
def test_without_wordnet_nothing_is_overwritten(settings, small_data):
    before = contents(settings)
    with (
        pytest.raises(WeightsUnavailableError, match=r"data\.noun of WordNet"),
        Progress(disable=True) as bar,
    ):
        list(reference_of(settings, small_data, bar))
    assert contents(settings) == before


class Drawn:
    """What training asks of ``Material``, of the true sizes and drawn at random."""

    fast = False

    def __init__(self, settings, data, progress):
        self._generator = torch.Generator().manual_seed(0)

    def _draw(self, *shape):
        return torch.randn(*shape, generator=self._generator)

    def words(self, nouns):
        values = {group: [self._draw(2, 384) for _ in GROUPS[group]] for group in GROUPS}
        kin = Kin.from_kinship(self._draw(400, 384), 3 * self._draw(400, 1000).abs())
        return Words(Texts(self._draw(3, 1000, 384), values), kin, self._draw(300, 384))

    def views(self):
        changes = [(group, v) for group in sorted(GROUPS) for v in range(len(GROUPS[group]))]
        groups = ("",) * 40 + tuple(group for group, _ in changes)
        values = torch.tensor([0] * 40 + [value for _, value in changes])
        labels = torch.arange(len(groups))
        rows = torch.where(labels < 30, labels, -1)
        return Views(self._draw(len(groups), 1280), labels, groups, values, rows >= 0), rows

    def sample_folds(self):
        return torch.arange(30) % 5


@pytest.mark.slow
def test_heads_made_here_are_all_that_is_written_and_can_be_read(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(making, "Material", Drawn)
    short = Recipe(joint=2, alone=1, batch=32, sentences=32)
    monkeypatch.setattr(making, "Recipe", lambda: short)
    before = contents(settings)
    with Progress(disable=True) as bar:
        lines = list(reference_of(settings, tmp_path, bar))
    assert "Zero-shot top-1 on the training photographs" in lines[0]
    changed = {path for path, payload in contents(settings).items() if before.get(path) != payload}
    assert changed == {MINI.head_path(settings)}
    assert all(bool(part.isfinite().all()) for part in to_file(load_heads(settings)).values())


@pytest.mark.slow
def test_translators_made_here_are_accepted_by_the_app(settings, small_data, chelsea):
    before = contents(settings)
    with Progress(disable=True) as bar:
        lines = list(make_translators(settings, small_data, bar))
    entries = registry.models(settings)
    into = [(entry, reference) for reference in (MINI, MINI_VIT) for entry in entries]
    assert [line.split(":")[0] for line in lines] == [f"{e.name} to {r.name}" for e, r in into]
    folder = settings.assets_dir / "translators"
    changed = {path for path, payload in contents(settings).items() if before.get(path) != payload}
    written_to = {folder / f"{entry.name}--{r.name}.safetensors" for entry, r in into}
    assert changed == written_to | {MINI_VIT.head_path(settings)}
    bench = make_bench(settings)
    exact = Translator.load(folder / "vits--mini-vit.safetensors")
    head = MINI_VIT.read_head(settings)
    assert torch.equal(exact.weight, head["weight"])
    assert torch.equal(exact.bias, head["bias"])
    assert float(exact.details["cosine"]) == pytest.approx(1)
    for entry, reference in into[:-1]:
        written = Translator.load(folder / f"{entry.name}--{reference.name}.safetensors")
        assert (written.model, written.model_digest) == (entry.name, entry.weights_digest)
        assert written.space_id == space_id(reference.name, settings)
        assert written.weight.dtype == torch.float32
        assert float(written.details["lambda"]) > 0
        assert -1 <= float(written.details["cosine"]) <= 1
        assert -1 <= float(written.details["cosine_in_sample"]) <= 1
        assert written.folds.count == int(written.details["folds"])
        assert len(written.folds.images) == int(written.details["images"])
        served = bench.translator(entry.name, reference.name)
        feature = bench.features(entry.name, chelsea)
        assert torch.equal(served.apply(feature), written.apply(feature))
    assert MINI.head_path(settings).read_bytes() == before[MINI.head_path(settings)]
