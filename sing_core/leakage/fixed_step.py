"""One step for all images of a set under one model: as long as brings IS to the wanted mean.

The paper's Table 1 compares models by "a fixed null-space step calibrated to IS = 40 deg". Along
``z0 + eps w`` every angle to ``z0`` and to the text follows from five inner products an image.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

_MOST_TURNS = 200


@dataclass(frozen=True, slots=True)
class FixedStep:
    """A step of one length for all images, in degrees but for its length.

    Attributes:
        epsilon: the step, feature-norm units; None where no step brings the mean IS that far.
        n: images that have a direction, and whose logits stand still at this step.
        image_score, image_score_sd: mean of IS and its standard deviation over these images.
        abs_as, abs_as_sd: the same of ``|AS|``; the means count every class once.
        max_logit_drift: the most that one of their logits moves.
    """

    epsilon: float | None = None
    n: int = 0
    image_score: float | None = None
    image_score_sd: float | None = None
    abs_as: float | None = None
    abs_as_sd: float | None = None
    max_logit_drift: float | None = None

    def as_row(self) -> dict[str, Any]:
        """Return the columns, each with ``fixed_`` before its name."""
        return {f"fixed_{name}": getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, eq=False)
class LinePlanes:
    """The inner products of ``n`` lines ``z0 + eps w`` with unit text ``t``.

    Attributes:
        products: ``(n, 5)`` ``z.z, z.w, w.w, z.t, w.t``; not a number where there is no line.
    """

    products: Tensor

    @classmethod
    def of(cls, z: Tensor, w: Tensor, text: Tensor) -> Self:
        """Take ``z`` and ``w`` ``(n, d)`` and ``text`` ``(d,)``."""
        goal = torch.nn.functional.normalize(text.double(), dim=-1)
        pairs = ((z, z), (z, w), (w, w), (z, goal), (w, goal))
        return cls(torch.stack([(a * b).sum(dim=-1) for a, b in pairs], dim=-1))

    @property
    def there(self) -> Tensor:
        """Which of the lines there are, ``(n,)`` bool."""
        return self.products.isfinite().all(dim=-1)

    def image_score_deg(self, epsilon: float) -> Tensor:
        """Return IS at ``epsilon``, ``(n,)`` degrees."""
        zz, zw, ww, _, _ = self.products.unbind(dim=-1)
        across = epsilon * (zz * ww - zw.square()).clamp_min(0).sqrt()
        return torch.atan2(across, zz + epsilon * zw).rad2deg()

    def attribute_score_deg(self, epsilon: float) -> Tensor:
        """Return AS at ``epsilon``, ``(n,)`` degrees."""
        zz, zw, ww, zt, wt = self.products.unbind(dim=-1)
        length = (zz + 2 * epsilon * zw + epsilon**2 * ww).clamp_min(1e-300).sqrt()
        before, after = zt / zz.sqrt(), (zt + epsilon * wt) / length
        moved: Tensor = (before.clamp(-1, 1).acos() - after.clamp(-1, 1).acos()).rad2deg()
        return moved

    def supremum_deg(self) -> Tensor:
        """Return what IS stays below however long the step, ``(n,)`` degrees."""
        zz, zw, ww, _, _ = self.products.unbind(dim=-1)
        return (zw / (zz * ww).sqrt()).clamp(-1, 1).acos().rad2deg()

    def step_to(self, wanted_deg: float, labels: Tensor) -> float | None:
        """Return the step at which the mean IS is the wanted one; None where none is.

        ``labels`` ``(n,)`` are the classes; every class counts once.
        """
        there = self.there
        own, weights = LinePlanes(self.products[there]), class_weights(labels[there])
        if not bool(there.any()) or float(weights @ own.supremum_deg()) <= wanted_deg:
            return None
        low, high = 0.0, 1.0
        for _ in range(_MOST_TURNS):
            if float(weights @ own.image_score_deg(high)) >= wanted_deg:
                break
            low, high = high, 2 * high
        else:
            return None
        for _ in range(_MOST_TURNS):
            middle = (low + high) / 2
            if not low < middle < high:
                break
            less = float(weights @ own.image_score_deg(middle)) < wanted_deg
            low, high = (middle, high) if less else (low, middle)
        return high

    def at(self, epsilon: float, labels: Tensor, kept: Tensor, drift: Tensor) -> FixedStep:
        """Return what a step does to the images ``kept`` ``(n,)``, whose logits move by ``drift``.

        ``labels`` ``(n,)`` are the classes.
        """
        if not bool(kept.any()):
            return FixedStep(epsilon)
        weights, several = class_weights(labels[kept]), int(kept.sum()) > 1
        turned = self.image_score_deg(epsilon)[kept]
        nearer = self.attribute_score_deg(epsilon)[kept].abs()
        return FixedStep(
            epsilon=epsilon,
            n=len(turned),
            image_score=float(weights @ turned),
            image_score_sd=float(turned.std()) if several else None,
            abs_as=float(weights @ nearer),
            abs_as_sd=float(nearer.std()) if several else None,
            max_logit_drift=float(drift[kept].max()),
        )


def class_weights(labels: Tensor) -> Tensor:
    """Return weights ``(n,)`` with which a sum over images counts every class once, float64."""
    _, place, counts = np.unique(labels.numpy(), return_inverse=True, return_counts=True)
    return torch.from_numpy(1 / (counts[place] * max(1.0, len(counts))))


NO_STEP = FixedStep()
