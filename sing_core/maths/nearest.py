"""Exact nearest neighbours among many rows: blocks against blocks, so that memory holds no square.

Among the rows themselves ``-2 a·b`` serves both rows: half of the pairs of blocks are multiplied.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from sing_core.errors import ShapeError

_BLOCK = 512  # rows at a time: the product of two blocks stays in the processor's cache
_SPARE = 8  # more than asked for, as the first look is a product in single precision


def nearest(rows: Tensor, count: int, asked: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the ``count`` nearest of ``rows`` ``(n, w)`` to each of ``asked`` ``(n, w)``.

    ``asked`` None: to the rows themselves. The i-th is never a neighbour of the i-th. Indices
    ``(n, count)`` and Euclidean distances ``(n, count)``, float32, the nearest first. Products of
    blocks find somewhat more than are asked for; these are measured by their differences, so that
    copies of one row are 0 apart and not the rounding of its length.

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
    kept = _kept(wide, centres, min(count + _SPARE, len(wide) - 1))
    blocks = zip(torch.split(centres, _BLOCK), torch.split(kept.places, _BLOCK), strict=True)
    exact = torch.cat([_measured(wide, *block) for block in blocks])
    nearest_first = exact.topk(count, dim=1, largest=False)
    return kept.places.gather(1, nearest_first.indices), nearest_first.values


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """The nearest so far: ``(n, k)`` squared distances, less the row's own square, and places."""

    apart: Tensor
    places: Tensor

    @classmethod
    def none(cls, n: int, k: int) -> Self:
        """Return what is kept before anything was looked at."""
        return cls(torch.full((n, k), torch.inf), torch.zeros(n, k, dtype=torch.long))

    def look(self, mine: slice, others: slice, apart: Tensor) -> None:
        """Keep for the rows ``mine`` ``(b,)`` the nearest of these and ``others``: ``(b, c)``.

        Few of many are nearer than the farthest that is kept, and these alone are sorted.
        """
        better = (apart.amin(dim=1) < self.apart[mine, -1]).nonzero().flatten()
        if not len(better):
            return
        apart, whose = apart[better], better + mine.start
        rows, columns = (apart < self.apart[whose, -1:]).nonzero(as_tuple=True)
        met = torch.bincount(rows, minlength=len(whose))
        place = torch.arange(len(rows)) - (met.cumsum(0) - met)[rows]  # among those of its row
        here = torch.full((len(whose), int(met.max())), torch.inf)
        found = torch.zeros(here.shape, dtype=torch.long)
        here[rows, place], found[rows, place] = apart[rows, columns], columns + others.start
        both = torch.cat([self.apart[whose], here], dim=1)
        best = both.topk(self.apart.shape[1], dim=1, largest=False)  # the farthest last
        places = torch.cat([self.places[whose], found], dim=1).gather(1, best.indices)
        self.apart[whose], self.places[whose] = best.values, places


def _kept(wide: Tensor, centres: Tensor, most: int) -> _Kept:
    """Return the ``most`` nearest of ``wide`` to each of ``centres``, to single precision."""
    square, kept = wide.square().sum(dim=1), _Kept.none(len(wide), most)
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(wide), _BLOCK)]
    mutual = centres is wide
    for i, mine in enumerate(blocks):
        scaled = -2 * centres[mine]
        for j, others in enumerate(blocks[i:] if mutual else blocks, start=i * mutual):
            product = scaled @ wide[others].mT
            if i == j:
                product.fill_diagonal_(torch.inf)
            kept.look(mine, others, product + square[others])
            if mutual and i != j:
                kept.look(others, mine, (product + square[mine, None]).mT)
    return kept


def _measured(wide: Tensor, centres: Tensor, places: Tensor) -> Tensor:
    """Return the distances ``(b, k)`` of centres ``(b, w)`` to the rows at places ``(b, k)``."""
    return torch.stack([
        torch.linalg.vector_norm(wide[others] - centre, dim=1)
        for centre, others in zip(centres, places, strict=True)
    ])  # fmt: skip
