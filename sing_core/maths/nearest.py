"""Exact nearest neighbours among many rows: a block at a time, so that memory holds no square."""

import torch
from torch import Tensor

from sing_core.errors import ShapeError

_BLOCK = 512  # rows at a time
_SPARE = 8  # more than asked for, as the first look is a product in single precision


def nearest(rows: Tensor, count: int, asked: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the ``count`` nearest of ``rows`` ``(n, w)`` to each of ``asked`` ``(n, w)``.

    ``asked`` None: to the rows themselves. The i-th is never a neighbour of the i-th. Indices
    ``(n, count)`` and Euclidean distances ``(n, count)``, float32, the nearest first. A product of
    all rows with a block finds somewhat more than are asked for; these are measured by their
    differences, so that copies of one row are 0 apart and not the rounding of its length.

    Raises:
        ShapeError: there are not more rows than ``count``, none are asked for, or the shapes
            differ.
    """
    if rows.ndim != 2 or not 0 < count < len(rows):
        raise ShapeError(f"{count} neighbours need more rows than that, got {tuple(rows.shape)}.")
    if asked is not None and asked.shape != rows.shape:
        raise ShapeError(f"Of {tuple(rows.shape)} and {tuple(asked.shape)} none are neighbours.")
    middle = rows.float().mean(dim=0)
    wide = rows.float() - middle
    centres = wide if asked is None else asked.float() - middle
    square = wide.square().sum(dim=1)
    blocks = torch.split(torch.arange(len(wide)), _BLOCK)
    found = [_block(wide, square, centres, mine, count) for mine in blocks]
    return torch.cat([places for places, _ in found]), torch.cat([apart for _, apart in found])


def _block(
    wide: Tensor, square: Tensor, centres: Tensor, mine: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """Return the neighbours of the centres ``mine`` ``(b,)`` and their distances."""
    apart = torch.addmm(square, centres[mine], wide.mT, alpha=-2)  # less the square of mine
    apart[torch.arange(len(mine)), mine] = torch.inf
    more = min(count + _SPARE, len(wide) - 1)
    others = apart.topk(more, dim=1, largest=False).indices
    exact = torch.stack([
        torch.linalg.vector_norm(wide[other] - centres[one], dim=1)
        for one, other in zip(mine, others, strict=True)
    ])  # fmt: skip
    nearest_first = exact.topk(count, dim=1, largest=False)
    return others.gather(1, nearest_first.indices), nearest_first.values
