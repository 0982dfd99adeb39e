"""What steps of one kind do to logits and meaning, a number per image, and their medians."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from sing_core.errors import ShapeError

MEASURES = ("relative", "absolute", "degrees")


@dataclass(frozen=True, slots=True)
class Moved:
    """What the steps of one kind do, a number per image; float64 arithmetic.

    Attributes:
        relative: ``|W(f + d) - W f| / |W f + b|``; ``absolute`` the numerator alone (eq. 16), in
            logits.
        degrees: between ``T(f)`` and ``T(f + d)``; empty without a translator.
    """

    relative: tuple[float, ...] = ()
    absolute: tuple[float, ...] = ()
    degrees: tuple[float, ...] = ()

    def of(self, places: Sequence[int]) -> "Moved":
        """Return the same of the images at some ``places`` alone."""
        values = (self.relative, self.absolute, self.degrees)
        return Moved(*(tuple(own[k] for k in places) if own else () for own in values))

    def median(self, measure: str = "relative") -> float:
        """Return the median of one of ``MEASURES``.

        Raises:
            ShapeError: there are no such numbers.
        """
        values = {name: getattr(self, name) for name in MEASURES}[measure]
        if not values:
            raise ShapeError("There are no perturbations to take a median of.")
        return float(torch.tensor(values, dtype=torch.float64).quantile(0.5))
