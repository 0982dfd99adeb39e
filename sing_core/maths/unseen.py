"""A translator that never saw what it measures: each image goes to a fit without its photograph.

An image outside the fit is translated by the whole fit; one that was in it, by the stand-in whose
fold it is in. Whatever scores images by their files goes through here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.folds import OUTSIDE
from sing_core.maths.translator import Translator


@dataclass(frozen=True, slots=True, eq=False)
class Unseen:
    """A translator for ``n`` given images.

    Attributes:
        whole: the fit of everything, with its stand-ins where it has them.
        place: ``(n,)`` the stand-in of each image, ``OUTSIDE`` for the whole fit.
    """

    whole: Translator
    place: Tensor

    @classmethod
    def of(cls, whole: Translator, digests: Sequence[str]) -> Self:
        """Look the images with these ``digests`` of their files up in the fit."""
        if whole.folds is None:
            return cls(whole, torch.full((len(digests),), OUTSIDE))
        return cls(whole, whole.folds.place(digests))

    def apply(self, features: Tensor) -> Tensor:
        """Return ``(n, d)`` float64 of the images' ``features`` ``(n, m)``, in their order.

        Raises:
            ShapeError: there is not one feature an image, or it is of another width.
        """
        if features.shape[:1] != self.place.shape:
            raise ShapeError(
                f"{len(self.place)} images have as many features, got {tuple(features.shape)}."
            )
        out = torch.empty(len(features), len(self.whole.bias), dtype=torch.float64)
        for _, own, rows in self.groups():
            out[rows] = own.apply(features[rows])
        return out

    def select(self, rows: Tensor) -> "Unseen":
        """Return the same for the images at ``rows`` (indices or a mask)."""
        return Unseen(self.whole, self.place[rows])

    def groups(self) -> Iterator[tuple[int, Translator, Tensor]]:
        """Yield a place, its translator, and the rows of the images that it translates."""
        for place in sorted(set(self.place.tolist())):
            rows = torch.nonzero(self.place == place).squeeze(1)
            yield place, stand_in(self.whole, place), rows


def stand_in(whole: Translator, place: int) -> Translator:
    """Return the fit without fold ``place``; ``whole`` itself for ``OUTSIDE``."""
    if whole.folds is None or place == OUTSIDE:
        return whole
    weight, bias = whole.folds.fit(place)
    return replace(whole, weight=weight, bias=bias, folds=None)


def unseen_by(whole: Translator, digest: str) -> Translator:
    """Return the translator for one image: that which did not see the file with ``digest``."""
    return stand_in(whole, int(Unseen.of(whole, [digest]).place[0]))
