"""Units of a photo and of a set beside the bare forward pass, and TextSpan of all heads.

As a program of its own it describes all heads once and prints seconds and peak memory.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.timing import Line, compare, demand
from sing_core.cli.app import open_bench
from sing_core.maths.text_span import text_spans
from sing_core.settings import Settings
from sing_core.units.inside import Inside, open_inside
from sing_core.units.layer_norm import residual_of
from sing_core.units.residual import parts_of, sums_of
from sing_core.units.tokens import look_at, token_map

ROWS, TEXTS, HEADS, RANK, WIDTH, SIZE = 5_000, 3_000, 144, 67, 512, 10
REPEATS, BATCH = 10, 16


def lines() -> Iterator[Line]:
    inside = open_inside(open_bench(Settings()), "mini-vit")
    yield _photo(inside)
    yield _page(inside)
    yield _set(inside)
    yield from _all_heads()


def _photo(inside: Inside) -> Line:
    """All heads and tokens of one photo along a text, at most 1.5 times its bare forward pass."""
    batch = torch.randn(1, 3, inside.side, inside.side, generator=torch.Generator().manual_seed(0))
    direction = torch.randn(inside.translator.weight.shape[1])
    inside.shares.token_scores(parts_of(inside.tower, batch), direction)

    def ours() -> Tensor:
        for _ in range(REPEATS):
            parts = parts_of(inside.tower, batch)
            scores = inside.shares.token_scores(parts, direction)
        demand(scores.shape[1:3] == (12, 6), "heads and tokens")
        total: Tensor = inside.shares.all(parts.sums).sum(dim=1)
        return total

    return compare(
        f"{REPEATS} x a photo's heads x tokens in mini-vit, beside its bare forward",
        ours, lambda: _forwards(inside, batch, REPEATS), check=_check, target=1 / 1.5, rounds=5,
    )  # fmt: skip


def _page(inside: Inside) -> Line:
    """What the page does for a photo's first map, with its second forward pass: no target.

    The second one is the network's own answer, which the sum of the units is checked against.
    """
    batch = torch.randn(1, 3, inside.side, inside.side, generator=torch.Generator().manual_seed(0))
    direction = torch.randn(inside.translator.weight.shape[1])

    def ours() -> Tensor:
        for _ in range(REPEATS):
            photo = look_at(inside, batch)
            token_map(photo, direction)
        return photo.units.sum(dim=0)[None]

    return compare(
        f"{REPEATS} x a photo's first map as on the page, the network's own answer included",
        ours, lambda: _forwards(inside, batch, REPEATS), check=_check, target=None, rounds=5,
    )  # fmt: skip


def _set(inside: Inside) -> Line:
    """Unit arrays of a set, at most 1.15 times the bare forward passes."""
    generator = torch.Generator().manual_seed(1)
    batch = torch.randn(BATCH, 3, inside.side, inside.side, generator=generator)

    def ours() -> Tensor:
        for _ in range(4):
            sums = sums_of(inside.tower, batch)
        total: Tensor = inside.shares.all(sums).sum(dim=1)
        return total

    return compare(
        f"units of {4 * BATCH} images of a set in mini-vit, beside the bare forwards",
        ours, lambda: _forwards(inside, batch, 4), check=_check, target=1 / 1.15, rounds=5,
    )  # fmt: skip


def _forwards(inside: Inside, batch: Tensor, times: int) -> Tensor:
    for _ in range(times):
        found = inside.tower.output(batch)
    return found


def _check(ours: Tensor, other: Tensor) -> None:
    demand(residual_of(ours, other) <= 1e-5, "the sum of units")


def _all_heads() -> Iterator[Line]:
    """Describe all heads in a process of its own, whose peak memory is theirs."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.units"], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    name = f"TextSpan of {HEADS} heads, {SIZE} of {TEXTS:,} texts, {ROWS:,} images each"
    yield Line(name, found["seconds"], None, None, 120.0, "s")
    yield Line(f"{name}: peak memory", found["peak_gb"], None, None, 2.0, "GB")


def describe_all_heads() -> float:
    """Describe every head over what it gave for each image; return seconds."""
    generator = torch.Generator().manual_seed(2)
    hidden = torch.randn(ROWS, HEADS, RANK, generator=generator)
    into = torch.randn(HEADS, RANK, WIDTH, generator=generator) / RANK**0.5
    texts = torch.nn.functional.normalize(torch.randn(TEXTS, WIDTH, generator=generator), dim=-1)
    start = time.perf_counter()
    for head in range(HEADS):  # the rows of one head are in memory at a time
        (found,) = text_spans((hidden[:, head] @ into[head])[:, None], texts, SIZE)
        demand(len(found.chosen) == SIZE, "the texts")
    return time.perf_counter() - start


if __name__ == "__main__":
    seconds = describe_all_heads()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    json.dump({"seconds": seconds, "peak_gb": peak}, sys.stdout)
