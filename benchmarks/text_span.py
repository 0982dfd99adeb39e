"""TextSpan in the coordinates of the rows' span, beside its algorithm as the thesis prints it."""

import time
from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.timing import Line, compare, demand
from sing_core.maths.text_span import TextSpan, text_span

ROWS, TEXTS, WIDTH, SIZE = 5_000, 3_000, 512, 60


def lines() -> Iterator[Line]:
    # What a head of 64 dimensions can write, and what a null space as wide as the embedding holds.
    for rank, target in ((67, 10.0), (WIDTH, 10.0)):
        yield _line(rank, target)
    yield _one_head()


def _one_head() -> Line:
    """One head over so many images and texts, in seconds; what it can write has rank 67."""
    rows, texts = _drawn(67)
    text_span(rows, texts, SIZE)
    start = time.perf_counter()
    found = text_span(rows, texts, SIZE)
    seconds = time.perf_counter() - start
    demand(len(found.chosen) == SIZE, "the texts")
    name = f"TextSpan of one head, {SIZE} of {TEXTS:,} texts, {ROWS:,} images"
    return Line(name, seconds, None, None, 1.0, "s")


def _drawn(rank: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(rank)
    hidden = torch.randn(ROWS, rank, generator=generator) * torch.linspace(2, 0.2, rank)
    rows = hidden @ torch.randn(rank, WIDTH, generator=generator) + 0.3
    return rows, torch.randn(TEXTS, WIDTH, generator=generator) / WIDTH**0.5


def _line(rank: int, target: float) -> Line:
    rows, texts = _drawn(rank)

    def ours() -> TextSpan:
        return text_span(rows, texts, SIZE)

    def other() -> tuple[list[int], Tensor]:
        return printed(rows.double(), texts.double(), SIZE, ours_rank)

    def check(found: TextSpan, theirs: tuple[list[int], Tensor]) -> None:
        demand(list(found.chosen) == theirs[0], "the texts")
        apart = float((found.project(rows) - theirs[1]).norm() / theirs[1].norm())
        demand(apart < 1e-9, f"the reconstruction, {apart:.1e}")

    ours_rank = ours().rank
    return compare(
        f"TextSpan, {SIZE} of {TEXTS:,} texts, {ROWS:,}x{WIDTH} of rank {ours_rank}, float64",
        ours, other, check=check, target=target, rounds=1, warm=False,
    )  # fmt: skip


def printed(rows: Tensor, texts: Tensor, size: int, rank: int) -> tuple[list[int], Tensor]:
    """Algorithm 1, line by line: all products with all rows, every step."""
    axes = torch.linalg.svd(rows, full_matrices=False)[2][:rank]
    mean = rows.mean(dim=0)
    left, words = rows - mean, texts @ axes.mT @ axes
    told, chosen = torch.zeros_like(left), []
    for _ in range(size):
        best = int((words @ left.mT).var(dim=1, correction=0).argmax())
        chosen.append(best)
        word = words[best].clone()
        along = torch.outer(left @ word, word) / word.square().sum()
        told += along
        left -= along
        words -= torch.outer(words @ word, word) / word.square().sum()
    return chosen, mean + told
