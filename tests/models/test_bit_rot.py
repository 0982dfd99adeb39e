"""One damaged byte in what is kept of texts, heads, units, talks and originals: never believed."""

from dataclasses import dataclass

import pytest
import torch

from sing_core.models.head_classes import keep_mapping, mapping_of
from sing_core.models.text_pools import pool_embeddings
from sing_core.sets.chunks import SetFacts, SetFolder
from sing_core.sets.originals import are_here, place_of, remember
from sing_core.settings import Settings
from sing_core.talk.recording import recording_from_json
from sing_core.units.moments import HeadMoments
from tests import toy
from tests.bit_rot import PLACES, Kept, check
from tests.prepared_sets import WNIDS, class_folders
from tests.talk.recordings import made_up_recording, made_up_scene

pytestmark = pytest.mark.slow  # many damaged files are read

TEXTS = ("an image of three people", "A sky with stars", "the")


def test_embeddings_of_a_pool_of_texts(toy_assets, toy_reference, tmp_path):
    bench = toy.make_bench(Settings(assets_dir=toy_assets, cache_dir=tmp_path))

    def read():
        return pool_embeddings(bench, "mini", TEXTS).tolist()

    read()
    (path,) = (tmp_path / "text_pools").glob("*.safetensors")
    assert check(Kept(path, read, read)) == 0  # embedded again at once


@dataclass(frozen=True)
class Entry:
    name: str = "own"
    weights_digest: str = "d" * 64


@dataclass(frozen=True)
class Head:
    """As much of a classifier as a mapping asks for."""

    labels: tuple[str, ...] = ("dog", "cat", "plane")
    entry: Entry = Entry()
    weight: tuple[int, ...] = (0, 1, 2)

    @property
    def linear(self):
        return self


def test_which_classes_of_a_head_are_which(tmp_path):
    settings, head = Settings(cache_dir=tmp_path), Head()

    def read():
        return mapping_of(settings, head)

    def again():
        keep_mapping(settings, head, "tabby\tcat\nairliner\tplane\n", "map.txt")

    again()
    (path,) = (tmp_path / "head-classes").iterdir()
    assert check(Kept(path, read, again)) > PLACES // 2  # a blank is a blank


def test_where_the_images_of_a_set_lie(tmp_path):
    images = class_folders(tmp_path / "images", 1, WNIDS[:1])
    settings = Settings(cache_dir=tmp_path / "cache")
    folder = SetFolder.create(tmp_path / "set", SetFacts("set", "d" * 64, 1, "float32"))

    def read():
        return place_of(folder, settings), are_here(folder, settings)

    def again():
        remember(folder, images, settings)

    again()
    (path,) = (tmp_path / "cache" / "originals").iterdir()
    assert check(Kept(path, read, again)) == PLACES


def test_moments_of_units(tmp_path):
    generator = torch.Generator().manual_seed(0)
    parts = [
        torch.rand(*shape, generator=generator) for shape in ((2,), (2, 1, 2, 5), (2, 1, 2, 5))
    ]
    alike = torch.rand(2, 1, 2, 15, generator=generator).half()
    moments = HeadMoments(*parts, alike, "tower", {"images": "40"})
    path = tmp_path / "moments.safetensors"
    moments.save(path)

    def read():
        found = HeadMoments.load(path)
        numbers = [part.tolist() for part in (found.counts, found.first, found.spread, found.alike)]
        return numbers, found.identity, found.details

    assert check(Kept(path, read, lambda: moments.save(path))) > PLACES // 2


def test_recordings_of_scenes(tmp_path):
    made = made_up_recording(made_up_scene())
    path = tmp_path / "cat-fox.json"

    def again():
        path.write_text(made.to_json(), "utf-8")

    def read():
        found = recording_from_json(path.read_bytes(), "cat-fox")
        return {name: found.payload[name] for name in made.payload}, found.scene

    again()
    assert check(Kept(path, read, again)) > PLACES // 2
