"""Half precision: what CUDA runs, tried on the CPU with the same code; and CUDA itself."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from sing_core.pictures.karlo.renderer import KarloRenderer
from sing_core.pictures.karlo.weights import load_karlo
from sing_core.settings import Settings
from tests import tiny_karlo

PARTS = ("text_proj", "decoder", "super_res_first", "super_res_last")


@pytest.fixture(scope="module")
def half(networks):
    parts = {name: copy.deepcopy(getattr(networks, name)).half() for name in PARTS}
    return replace(networks, dtype=torch.float16, **parts)


@pytest.mark.slow
def test_half_precision_draws_nearly_the_same_pictures(karlo, half, ask):
    # Without guidance: a random network at guidance 8 makes anything of a rounding error.
    own = replace(karlo, guidance=1.0)
    request = ask(size=tiny_karlo.LARGE_PX)
    found = replace(own, networks=half).render(request).frames.astype(int)
    assert np.abs(found - own.render(request).frames).mean() < 3.0


@pytest.mark.slow
def test_half_precision_keeps_equal_embeddings_equal(karlo, half, ask):
    rows = tiny_karlo.embeddings(2)[[0, 1, 0]]
    frames = replace(karlo, networks=half).render(ask(rows, size=tiny_karlo.LARGE_PX)).frames
    assert np.array_equal(frames[0], frames[2])
    assert not np.array_equal(frames[0], frames[1])


@pytest.mark.gpu
def test_cuda_draws_in_half_precision_from_the_same_noise(built_karlo, karlo, ask, tmp_path):
    loaded = load_karlo(Settings(karlo_dir=built_karlo, cache_dir=tmp_path, device="cuda"))
    assert loaded.dtype == torch.float16
    assert all(p.is_cuda for name in PARTS for p in getattr(loaded, name).parameters())
    own = KarloRenderer(loaded, guidance=1.0, default_steps=karlo.default_steps)
    request = ask(tiny_karlo.embeddings(2)[[0, 1, 0]], size=tiny_karlo.LARGE_PX)
    frames = own.render(request).frames
    assert np.array_equal(frames[0], frames[2])
    expected = replace(karlo, guidance=1.0).render(request).frames
    assert np.abs(frames.astype(int) - expected).mean() < 3.0
