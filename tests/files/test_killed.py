"""A share of the kills of ``python -m benchmarks.killed``, and whether it would see harm."""

import logging

import numpy as np
import pytest
import torch

from benchmarks.killed import differences
from benchmarks.killing.server import broken
from benchmarks.killing.works import Work, seen
from sing_core.files.digests import sha256_of_bytes
from sing_core.files.store import Store
from sing_core.pictures.frame_cache import FrameCache
from tests.command import benchmark

LOGGER = logging.getLogger(__name__)


def test_a_file_that_is_cut_short_or_missing_is_seen(tmp_path):
    work = Work(lambda place: None, ("pictures",))
    (tmp_path / "pictures").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "pictures" / name).write_bytes(b"a whole picture")
    (tmp_path / "pictures" / ".a.png.0123.tmp").write_bytes(b"a who")
    whole = seen(tmp_path, work)
    assert sorted(whole) == ["pictures/a.png", "pictures/b.png"]
    assert differences(whole, whole, ended=True) == []
    (tmp_path / "pictures" / "a.png").write_bytes(b"a who")
    (tmp_path / "pictures" / "b.png").unlink()
    assert differences(seen(tmp_path, work), whole, ended=False) == ["pictures/a.png differs"]
    assert differences(seen(tmp_path, work), whole, ended=True) == [
        "pictures/a.png differs",
        "pictures/b.png is missing",
    ]
    work.forget(tmp_path)
    assert seen(tmp_path, work) == {}


def test_a_kept_file_that_is_not_what_it_says_is_seen(tmp_path):
    store = Store(tmp_path)
    frames = FrameCache(store, 10**8)
    frames.put("key", np.zeros((16, 16, 3), np.uint8), {})
    store.save("features", "key", {"x": torch.ones(3)}, {})
    store.save_blob("uploads", sha256_of_bytes(b"photo"), b"photo", max_files=9, max_bytes=99)
    assert broken(tmp_path) == []
    for path in tmp_path.rglob("*.*"):
        path.write_bytes(path.read_bytes()[:-1])
    assert len(broken(tmp_path)) == 3


@pytest.mark.slow
def test_ten_kills_at_random_moments_leave_nothing_wrong():
    found, said = benchmark("killed", "--kills", 10, timeout=580)
    LOGGER.info("%s", said.splitlines()[-1])
    assert found["faults"] == []
    assert found["kills"] == 10
    assert all(one["came_to_their_end"] for one in found["by_work"].values())
