"""Hypothesis strategies: heads of every awkward kind, features, unit vectors."""

from dataclasses import dataclass

import numpy as np
import torch
from hypothesis import strategies as st

SCALES = {
    torch.float64: (1.0, 1e-6, 1e-160, 1e6),
    torch.float32: (1.0, 1e-6, 1e-30, 1e6),
}
# Largest error of a projection of float32 or float64 data, relative to the norms involved.
TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-11}

dtypes = st.sampled_from([torch.float32, torch.float64])
seeds = st.integers(0, 2**32 - 1)


@dataclass(frozen=True, eq=False)
class Head:
    """A head weight ``(c, m)`` and the rank it was built to have."""

    weight: torch.Tensor
    rank: int

    @property
    def tolerance(self):
        return TOLERANCE[self.weight.dtype]

    def __repr__(self):
        c, m = self.weight.shape
        size = float(self.weight.abs().max())
        return f"Head({c}x{m}, rank {self.rank}, {self.weight.dtype}, max {size:.1e})"


def build_head(c, m, rank, *, scale=1.0, dtype=torch.float64, seed=0, spread=0.3):
    """Return a head of this rank whose other singular values lie within ``[spread, 1] * scale``."""
    rng = np.random.default_rng(seed)
    left, _ = np.linalg.qr(rng.standard_normal((c, max(rank, 1))))
    right, _ = np.linalg.qr(rng.standard_normal((m, max(rank, 1))))
    sigma = np.geomspace(1.0, spread, max(rank, 1)) if rank else np.zeros(1)
    return Head(torch.from_numpy((left * (sigma * scale)) @ right.T).to(dtype), rank)


@st.composite
def heads(draw, dtype=None):
    """Heads of random shape, rank and scale; some with classes doubled, some all zero."""
    dtype = draw(dtypes) if dtype is None else dtype
    c, m = draw(st.integers(1, 14)), draw(st.integers(1, 14))  # c > m included
    rank = draw(st.integers(0, min(c, m)))
    scale = draw(st.sampled_from(SCALES[dtype]))
    head = build_head(c, m, rank, scale=scale, dtype=dtype, seed=draw(seeds))
    if draw(st.booleans()):  # the same class twice and more
        head = Head(head.weight.repeat(2, 1), rank)
    return head


@st.composite
def feature_batches(draw, m, dtype, rows=5):
    """``(rows, m)`` features of one scale between 1e-3 and 1e3."""
    rng = np.random.default_rng(draw(seeds))
    scale = 10.0 ** draw(st.integers(-3, 3))
    return torch.from_numpy(rng.standard_normal((rows, m)) * scale).to(dtype)


@st.composite
def unit_vectors(draw, d, dtype=torch.float64):
    """One ``(d,)`` vector of length 1."""
    vector = torch.from_numpy(np.random.default_rng(draw(seeds)).standard_normal(d))
    return (vector / torch.linalg.vector_norm(vector)).to(dtype)


@st.composite
def nearby_vectors(draw, d, dtype=torch.float64):
    """Two ``(d,)`` vectors of any length, between far apart and 1e-7 radians apart."""
    rng = np.random.default_rng(draw(seeds))
    first, offset = rng.standard_normal(d), rng.standard_normal(d)
    apart = 10.0 ** draw(st.integers(-7, 2))
    scale = 10.0 ** draw(st.integers(-12, 12))
    sign = draw(st.sampled_from([1.0, -1.0]))
    pair = first * scale, sign * (first + apart * offset)
    return tuple(torch.from_numpy(vector).to(dtype) for vector in pair)
