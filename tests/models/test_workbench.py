"""What an analysis needs at hand: from disk where it can, from a network where it must."""

import os
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from sing_core.errors import HeadError, UnknownNameError
from sing_core.files.digests import sha256_of_bytes
from sing_core.files.images import Photo, decode_image
from sing_core.files.samples import sample_bytes
from sing_core.maths.head import HeadDecomposition
from sing_core.models import pool
from sing_core.models.backbones import load_backbone
from sing_core.models.workbench import Workbench
from sing_core.settings import Settings
from tests import toy


def refuse(name, settings):
    raise AssertionError(f"{name} was loaded")


def test_a_second_start_needs_no_network_at_all(toy_assets, toy_bench, chelsea, monkeypatch):
    toy_bench.classifier("lite0"), toy_bench.features("lite0", chelsea)
    words = toy_bench.vocabulary("mini")
    monkeypatch.setattr(pool, "load_backbone", refuse)
    monkeypatch.setattr(pool, "load_reference", refuse)
    fresh = toy.make_bench(Settings(assets_dir=toy_assets))
    assert isinstance(fresh, Workbench)
    assert fresh.classifier("lite0").linear.head.nullity == 280
    assert torch.equal(fresh.features("lite0", chelsea), toy_bench.features("lite0", chelsea))
    again = fresh.vocabulary("mini")
    assert again.labels == words.labels
    text = fresh.text_embedding("mini", "an image of a goldfish", again)
    assert torch.equal(text, words.embeddings[1])
    assert fresh.pool.loaded == ()


@pytest.mark.slow
def test_a_head_of_zeros_is_said_to_read_nothing(toy_assets, tmp_path, monkeypatch):
    bench = toy.make_bench(Settings(assets_dir=toy_assets, cache_dir=tmp_path))
    nothing = SimpleNamespace(weight=torch.zeros(1000, 1280), bias=torch.zeros(1000), labels=())
    monkeypatch.setattr(bench.pool, "backbone", lambda name: nothing)
    with pytest.raises(HeadError, match="Every weight of the head of lite0 is zero"):
        bench.classifier("lite0")


@pytest.mark.slow
def test_what_is_kept_is_what_the_network_gives(toy_bench, chelsea):
    backbone = load_backbone("lite0", Settings())
    classifier = toy_bench.classifier("lite0")
    assert torch.equal(classifier.linear.weight, backbone.weight)
    assert torch.equal(classifier.linear.bias, backbone.bias)
    head = HeadDecomposition.from_weight(backbone.weight)
    torch.testing.assert_close(classifier.linear.head.singular_values, head.singular_values)
    assert classifier.linear.head.rtol == head.rtol
    feature = toy_bench.features("lite0", chelsea)
    direct = backbone.features(backbone.preprocess(chelsea.image)[None])[0]
    torch.testing.assert_close(feature, direct, rtol=1e-4, atol=1e-5)
    assert torch.equal(classifier.linear.logits(feature), backbone.logits(feature))


@pytest.mark.slow
def test_another_photo_or_model_is_another_feature(toy_bench, chelsea, rocket):
    first = toy_bench.features("lite0", chelsea)
    assert not torch.equal(first, toy_bench.features("lite0", rocket))
    same = decode_image(sample_bytes("chelsea"))
    assert torch.equal(first, toy_bench.features("lite0", same))


def test_a_prompt_outside_the_vocabulary_is_embedded(toy_bench, toy_reference):
    words = toy_bench.vocabulary("mini")
    found = toy_bench.text_embedding("mini", "a purple piano", words)
    assert torch.equal(found, toy_reference.embed_texts(["a purple piano"])[0])


def test_unknown_names_are_errors_that_say_what_there_is(toy_bench, chelsea):
    for call in (toy_bench.entry, toy_bench.classifier):
        with pytest.raises(UnknownNameError, match="There are: lite0, lite1, lite2"):
            call("vgg")
    with pytest.raises(UnknownNameError):
        toy_bench.features("vgg", chelsea)
    with pytest.raises(UnknownNameError, match="image-text reference"):
        toy_bench.vocabulary("clip")


@pytest.mark.slow
def test_features_take_bounded_room_and_those_used_least_recently_go(toy_assets, tmp_path):
    settings = Settings(assets_dir=toy_assets, cache_dir=tmp_path, max_features_mb=1)
    bench = toy.make_bench(settings)
    photos = [
        Photo.of(sha256_of_bytes(bytes([n])), Image.new("RGB", (9, 9), (n, 0, 0))) for n in range(6)
    ]
    first = bench.features("lite0", photos[0])
    (kept,) = (tmp_path / "features").glob("*.safetensors")
    for number in range(200):  # older than all that follow
        other = kept.with_name(f"{number:064x}.safetensors")
        other.write_bytes(bytes(20_000))
        other.with_suffix(".lock").touch()
        os.utime(other, (number, number))
    os.utime(kept, (0, 0))  # the oldest by far, but used now
    for _ in range(64):
        assert torch.equal(bench.features("lite0", photos[0]), first)
    for photo in photos:
        bench.features("lite0", photo)
    left = list((tmp_path / "features").glob("*.safetensors"))
    assert kept in left
    assert sum(path.stat().st_size for path in left) <= 2**20 + 6 * 20_000
    assert {path.stem for path in left} >= {
        path.stem for path in (tmp_path / "features").glob("*.lock")
    }
