"""Exact nearest neighbours among many rows: blocks against blocks, so that memory holds no square.

Among the rows themselves ``-2 a·b`` serves both rows: half of the pairs of blocks are multiplied.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from sing_core.errors import ShapeError

_BLOCK = 1024  # rows at a time: the product of two blocks stays in the processor's cache
_FEW = 8  # rows whose distances are measured at once
_SPARE = 8  # more than asked for, as the first look is a product in single precision


def nearest(rows: Tensor, count: int, asked: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the ``count`` nearest of ``rows`` ``(n, w)`` to each of ``asked`` ``(n, w)``.

    ``asked`` None: to the rows themselves. The i-th is never a neighbour of the i-th. Indices
    ``(n, count)`` and Euclidean distances ``(n, count)``, float32, the nearest first. Products of
    blocks find somewhat more than are asked for; these are measured by their differences in double
    precision, so that copies of one row are 0 apart and not the rounding of its length.

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
    exact = _measured(rows, rows if asked is None else asked, kept.places)
    nearest_first = exact.topk(count, dim=1, largest=False)
    return kept.places.gather(1, nearest_first.indices), nearest_first.values.float()


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """The nearest so far: ``(n, k)`` squared distances, less the row's own square, and places."""

    apart: Tensor
    places: Tensor

    @classmethod
    def none(cls, n: int, k: int) -> Self:
        """Return what is kept before anything was looked at."""
        return cls(torch.full((n, k), torch.inf), torch.zeros(n, k, dtype=torch.long))

    def look(self, mine: slice, first: int, apart: Tensor) -> None:
        """Keep for the rows ``mine`` ``(b,)`` the nearest of these and of those from ``first``.

        ``apart`` ``(b, c)`` are the squared distances. Few of many are nearer than the farthest
        that is kept, and these alone are sorted; at the first look all are.
        """
        worst = self.apart[mine, -1:]
        if worst.isinf().any():
            columns = torch.arange(first, first + apart.shape[1]).expand(apart.shape)
            self._merge(torch.arange(mine.start, mine.start + len(apart)), apart, columns)
            return
        whole = apart if apart.is_contiguous() else apart.mT  # its memory as it lies
        nearer = whole < (worst if whole is apart else worst.mT)
        found = torch.from_numpy(np.flatnonzero(nearer.numpy()))
        if not len(found):
            return
        left, right = found // whole.shape[1], found % whole.shape[1]
        rows, columns = (left, right) if whole is apart else (right, left)
        values = whole.flatten()[found]
        if whole is not apart:
            order = rows.argsort(stable=True)
            rows, columns, values = rows[order], columns[order], values[order]
        who, whose, met = torch.unique_consecutive(rows, return_inverse=True, return_counts=True)
        place = torch.arange(len(rows)) - (met.cumsum(0) - met)[whose]  # among those of its row
        here = torch.full((len(who), int(met.max())), torch.inf)
        where = torch.zeros(here.shape, dtype=torch.long)
        here[whose, place], where[whose, place] = values, columns + first
        self._merge(who + mine.start, here, where)

    def _merge(self, who: Tensor, apart: Tensor, places: Tensor) -> None:
        """Keep for the rows ``who`` the nearest of these and of ``apart`` ``(b, c)``."""
        both = torch.cat([self.apart[who], apart], dim=1)
        best = both.topk(self.apart.shape[1], dim=1, largest=False)  # the farthest last
        self.places[who] = torch.cat([self.places[who], places], dim=1).gather(1, best.indices)
        self.apart[who] = best.values


def _kept(wide: Tensor, centres: Tensor, most: int) -> _Kept:
    """Return the ``most`` nearest of ``wide`` to each of ``centres``, to single precision."""
    square, kept = wide.square().sum(dim=1), _Kept.none(len(wide), most)
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(wide), _BLOCK)]
    mutual = centres is wide
    room = torch.empty(2, _BLOCK * _BLOCK)  # asked for once, written for every two blocks
    for i, mine in enumerate(blocks):
        scaled = -2 * centres[mine]
        for j, others in enumerate(blocks[i:] if mutual else blocks, start=i * mutual):
            shape = len(scaled), len(square[others])
            product, apart = (part[: shape[0] * shape[1]].view(shape) for part in room)
            torch.mm(scaled, wide[others].mT, out=product)
            if i == j:
                product.fill_diagonal_(torch.inf)
            kept.look(mine, others.start, torch.add(product, square[others], out=apart))
            if mutual and i != j:
                kept.look(others, mine.start, torch.add(product, square[mine, None], out=apart).mT)
    return kept


def _measured(rows: Tensor, asked: Tensor, places: Tensor) -> Tensor:
    """Return the distances ``(b, k)`` of ``asked`` ``(b, w)`` to the rows at places ``(b, k)``."""
    return torch.cat([
        torch.linalg.vector_norm(rows[others].double().sub_(own[:, None]), dim=2)
        for own, others in zip(torch.split(asked, _FEW), torch.split(places, _FEW), strict=True)
    ])  # fmt: skip
