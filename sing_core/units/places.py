"""In which part of a photo most of a token map lies: the place that a sentence can name."""

from dataclasses import dataclass

import torch
from torch import Tensor

_CELLS = (
    ("upper left", "upper middle", "upper right"),
    ("middle left", "centre", "middle right"),
    ("lower left", "lower middle", "lower right"),
)
_ACROSS = ("band along the top", "band across the middle", "band along the bottom")
_DOWN = ("strip along the left", "strip down the middle", "strip along the right")
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the photo and how much of a map it holds.

    Attributes:
        name: such as ``upper left``.
        share: its part of the map, 0 to 1: the sizes of what its patches add or take away, over
            those of all patches, so that patches of opposite signs do not cancel.
        area: its part of the photo, 0 to 1.
        total: what its patches add together, with the sign, in the units of the map.
    """

    name: str
    share: float
    area: float
    total: float

    @property
    def words(self) -> str:
        """Where the map lies: ``mostly in the upper left of the photo: 62 % of it, on 10 % …``."""
        share, area = f"{100 * self.share:.0f} % of it", f"on {100 * self.area:.0f} % of the area"
        if self.share > _MOST:
            return f"mostly in the {self.name} of the photo: {share}, {area}"
        return f"spread over the photo: the {self.name} has most, {share}, {area}"


def place_of(heat: Tensor) -> Place:
    """Return the part of the photo in which most of a map ``(rows, columns)`` lies.

    It is the ninth that holds most if that is more than half of the map, else the third that holds
    most, across or down. Without anything in the map every share is 0.
    """
    rows, columns = (_thirds(length) for length in heat.shape)
    cells = [
        _place(heat, name, rows == row, columns == column)
        for row, names in enumerate(_CELLS)
        for column, name in enumerate(names)
    ]
    everywhere = (rows >= 0, columns >= 0)
    thirds = [_place(heat, name, rows == row, everywhere[1]) for row, name in enumerate(_ACROSS)]
    thirds += [_place(heat, name, everywhere[0], columns == at) for at, name in enumerate(_DOWN)]
    best = max(cells, key=lambda place: place.share)
    return best if best.share > _MOST else max(thirds, key=lambda place: place.share)


def _thirds(length: int) -> Tensor:
    """Return ``(length,)``: in which third of the photo the middle of each patch lies."""
    return ((torch.arange(length) + 0.5) * 3 / length).long()


def _place(heat: Tensor, name: str, rows: Tensor, columns: Tensor) -> Place:
    part = heat[rows][:, columns].double()
    everything = float(heat.double().abs().sum())
    share = float(part.abs().sum()) / everything if everything else 0.0
    return Place(name, min(share, 1.0), part.numel() / heat.numel(), float(part.sum()))
