"""What is recorded inside a network is kept, comes back, and is asked for without a trace."""

from types import SimpleNamespace

import pytest
import torch

from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.units.recorded import UnitNetwork, record, unpacked, were_recorded
from sing_core.units.residual import Sums, sums_of
from tests.units.photos import photo


def test_what_is_recorded_is_kept_and_comes_back(real_bench, inside, tmp_path):
    for sample in SAMPLES[:3]:
        (tmp_path / sample.file).write_bytes(sample_bytes(sample.name))
    (tmp_path / "broken.png").write_bytes(b"no image")
    first = record(real_bench, inside, tmp_path)
    assert (len(first.images), len(first.problems)) == (3, 1)
    reports = []
    again = record(real_bench, inside, tmp_path, reports.append)
    torch.testing.assert_close(again.sums.heads, first.sums.heads, rtol=0, atol=0)
    assert all(done.under_way == 0 for done in reports)
    name = next(row.name for row in first.images if "chelsea" in row.name)
    place = [row.name for row in first.images].index(name)
    own = sums_of(inside.tower, inside.prepare(photo())[None])
    torch.testing.assert_close(first.sums.heads[place], own.heads[0], rtol=2e-2, atol=2e-3)


@pytest.mark.slow
def test_packing_is_undone(inside, sums):
    network = UnitNetwork(inside.tower, inside.prepare)
    batch = inside.prepare(photo())[None]
    packed = network.features(batch)
    assert packed.shape == (1, network.feature_dim)
    found, own = unpacked(inside.tower, packed), sums_of(inside.tower, batch)
    for name in Sums.__slots__:
        torch.testing.assert_close(getattr(found, name), getattr(own, name))


def test_asking_whether_a_set_was_recorded_leaves_nothing_behind(tmp_path):
    images, cache = tmp_path / "images", tmp_path / "cache"
    images.mkdir()
    photo().save(images / "cat.png")
    bench = SimpleNamespace(settings=SimpleNamespace(cache_dir=cache))
    tower = SimpleNamespace(name="a tower", identity="0" * 8)
    inside = SimpleNamespace(tower=tower, prepare=None)
    assert were_recorded(bench, inside, images) == (False, 1)
    assert not cache.exists()
