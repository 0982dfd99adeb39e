"""Frames on disk: drawn once, shared, bounded, and never a wrong picture."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from sing_core.files.store import Store
from sing_core.pictures.frame_cache import FrameCache, decode_webp, encode_webp
from sing_core.pictures.protocol import RenderedFrames, RenderRequest, picture_key


class Stripes:
    """A renderer of one line: the vector's first number becomes the colour of the picture."""

    name, identity, space_id, sizes, rows_are_independent = "stripes", "v1", "s", (16,), True

    def __init__(self):
        self.drawn = []

    def render(self, request, *, on_progress=None, should_stop=lambda: False):
        self.drawn += request.vectors[:, 0].tolist()
        shape = (len(request.vectors), request.size, request.size, 3)
        colours = request.vectors[:, 0].numpy().astype(np.uint8)[:, None, None, None]
        return RenderedFrames(np.broadcast_to(colours, shape).copy(), {"renderer": self.name})


def ask(*colours):
    vectors = torch.tensor([[float(c), 1.0] for c in colours])
    return RenderRequest(vectors, "s", 0, 16)


def colours_of(frames):
    return [int(frame[0, 0, 0]) for frame in frames]


def files(store):
    return sorted((store.root / "frames").glob("*.safetensors"))


def test_a_frame_is_drawn_once_and_only_what_is_missing_is_drawn(tmp_path):
    cache, renderer = FrameCache(Store(tmp_path), 10**8), Stripes()
    assert colours_of(cache.render(renderer, ask(3, 5)).frames) == [3, 5]
    assert colours_of(cache.render(renderer, ask(5, 9, 3)).frames) == [5, 9, 3]
    assert renderer.drawn == [3, 5, 9]


@pytest.mark.parametrize("harm", ["cut", "flip", "empty"])
def test_a_damaged_frame_is_noticed_and_drawn_again(tmp_path, harm):
    store = Store(tmp_path)
    cache, renderer = FrameCache(store, 10**8), Stripes()
    cache.render(renderer, ask(7))
    (path,) = files(store)
    whole = path.read_bytes()
    flipped = whole[:-20] + bytes(255 - b for b in whole[-20:])
    path.write_bytes({"cut": whole[: len(whole) // 2], "flip": flipped, "empty": b""}[harm])
    assert colours_of(cache.render(renderer, ask(7)).frames) == [7]
    assert renderer.drawn == [7, 7]
    assert files(store)[0].read_bytes() != whole[: len(whole) // 2]
    assert colours_of(cache.render(renderer, ask(7)).frames) == [7]
    assert renderer.drawn == [7, 7]


def test_the_least_recently_used_frames_go_first(tmp_path):
    store = Store(tmp_path)
    cache, renderer = FrameCache(store, 10**8), Stripes()
    cache.render(renderer, ask(1))
    size = files(store)[0].stat().st_size
    cache = FrameCache(store, int(2.5 * size))
    for colour in (2, 1, 3):
        time.sleep(0.02)
        cache.render(renderer, ask(colour))
    assert len(files(store)) == 2
    cache.render(renderer, ask(1, 3))
    assert renderer.drawn == [1, 2, 3]


def test_a_cache_that_cannot_be_written_gives_the_picture_all_the_same(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    store = Store(blocked)
    assert colours_of(FrameCache(store, 10**8).render(Stripes(), ask(4)).frames) == [4]
    assert store.problem is not None


@pytest.mark.slow
def test_a_process_killed_while_it_writes_leaves_no_wrong_frame(tmp_path):
    script = (
        "import sys; sys.path.insert(0, '.')\n"
        "from tests.pictures.test_frame_cache import *\n"
        "from pathlib import Path\n"
        "cache = FrameCache(Store(Path(sys.argv[1])), 10**9)\n"
        "print('on', flush=True)\n"
        "for n in range(10**6): cache.render(Stripes(), ask(n % 200, n))\n"
    )
    for wait in (0.05, 0.11, 0.23):
        with subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"on\n"
            time.sleep(wait)
            os.kill(process.pid, signal.SIGKILL)
    renderer = Stripes()
    cache = FrameCache(Store(tmp_path), 10**9)
    assert colours_of(cache.render(renderer, ask(*range(200))).frames) == list(range(200))
    assert len(renderer.drawn) < 200


@pytest.mark.slow
def test_a_disk_that_is_full_costs_the_cache_and_no_picture(tmp_path):
    # The kernel itself refuses beyond 100 bytes: every frame's file is cut short.
    script = (
        "import resource, signal, sys; sys.path.insert(0, '.')\n"
        "from tests.pictures.test_frame_cache import *\n"
        "from pathlib import Path\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "store = Store(Path(sys.argv[1]))\n"
        "print(*colours_of(FrameCache(store, 10**9).render(Stripes(), ask(4, 6)).frames))\n"
        "print(store.problem)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    colours, problem = done.stdout.splitlines()
    assert colours == "4 6"
    assert problem.startswith("Results are not kept for the next start")
    assert files(Store(tmp_path)) == []
    renderer = Stripes()
    assert colours_of(FrameCache(Store(tmp_path), 10**9).render(renderer, ask(4)).frames) == [4]
    assert renderer.drawn == [4]


def test_webp_frames_are_lossless():
    frame = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    assert np.array_equal(decode_webp(encode_webp(frame)), frame)


def test_the_address_covers_seed_size_photo_and_vector():
    renderer, plain = Stripes(), ask(1)
    photo = np.zeros((4, 4, 3), np.uint8)
    others = [
        RenderRequest(plain.vectors, "s", 1, 16),
        RenderRequest(plain.vectors, "s", 0, 32),
        RenderRequest(plain.vectors, "s", 0, 16, photo=photo),
        RenderRequest(plain.vectors + 1e-6, "s", 0, 16),
    ]
    keys = {picture_key(renderer, request, 0) for request in (plain, *others)}
    assert len(keys) == 5


def test_a_frame_under_another_ones_name_is_drawn_again(tmp_path):
    cache = FrameCache(Store(tmp_path), 10**8)
    cache.render(Stripes(), ask(3, 5))
    first, second = (
        cache.store.path("frames", picture_key(Stripes(), ask(3, 5), row)) for row in range(2)
    )
    payloads = first.read_bytes(), second.read_bytes()
    first.write_bytes(payloads[1])
    second.write_bytes(payloads[0])
    again = FrameCache(Store(tmp_path), 10**8)
    assert colours_of(again.render(Stripes(), ask(3, 5)).frames) == [3, 5]


class Crowd(Stripes):
    """A renderer whose pictures depend on how many are drawn with them, as rounding does."""

    name = "crowd"

    def render(self, request, *, on_progress=None, should_stop=lambda: False):
        (drawn,) = self.render_together([request])
        return drawn

    def render_together(self, requests, *, on_progress=None, should_stop=lambda: False):
        total = sum(len(request.vectors) for request in requests)
        alone = [super(Crowd, self).render(request) for request in requests]
        return tuple(RenderedFrames(one.frames + total, one.facts) for one in alone)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_what_a_kill_left_half_kept_ends_as_it_would_have_undisturbed(tmp_path, lost):
    store = Store(tmp_path)
    cache, renderer, asked = FrameCache(store, 10**8), Crowd(), ask(10, 20, 30)
    whole = colours_of(cache.render(renderer, asked).frames)
    path = store.path("frames", picture_key(renderer, asked, lost))
    path.unlink()
    assert colours_of(cache.render(renderer, asked).frames) == whole == [13, 23, 33]
    path.unlink()
    together = [ask(10), ask(20, 30)]
    found = cache.render_together(renderer, together)
    assert [colour for frames in found for colour in colours_of(frames)] == whole
    renderer.drawn.clear()
    cache.render_together(renderer, together)
    assert renderer.drawn == []  # all is there again


def test_who_asks_for_another_picture_draws_no_more_than_that(tmp_path):
    cache, renderer = FrameCache(Store(tmp_path), 10**8), Crowd()
    cache.render(renderer, ask(10, 20))
    renderer.drawn.clear()
    cache.render(renderer, ask(10, 30))
    assert renderer.drawn == [30]
