"""Who wrote the null part of a feature: its shares among additive units ``u_k``, ``f = sum u_k``.

Projections and the translator's linear part are linear, so ``Pi_n f = sum Pi_n u_k`` and
``T(f - Pi_n u_k) = T(f) - A Pi_n u_k`` exactly. Lengths and angles do not add up: shares and the
linearised score do, the exact score of leaving one unit out is shown beside them.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.feature_map import FeatureMap
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.scores import angle_deg, attribute_score_deg, image_score_deg

# A null part of so many roundings of the units it is a sum of is no null part.
_ROUNDINGS = 64
# Below this sine an angle is at its kink, 0 or 180 degrees, and has no gradient.
_KINK = 1e-9


class AffineMap(FeatureMap, Protocol):
    """A map into an image-text space along which shifts travel: a ``Translator``, or CLIP's own."""

    def linear(self, shifts: Tensor) -> Tensor:
        """Return ``A v`` ``(..., d)`` in float64: what ``T(f + v) - T(f)`` is."""


@dataclass(frozen=True, slots=True, eq=False)
class NullShares:
    """What each of ``n`` units writes into what a head reads, and into what it does not.

    All ``(n,)`` float64; lengths in the units of the feature.

    Attributes:
        norm: ``|u|``; ``null_norm`` ``|Pi_n u|``; ``principal_norm`` ``|Pi_p u|``.
        null_fraction: ``|Pi_n u|^2 / |u|^2``; 0 for a unit that writes nothing.
        share: ``<Pi_n u, Pi_n f> / |Pi_n f|^2``, signed, summing to 1; 0 where ``is_empty``.
        is_empty: the null part of the whole feature is zero, up to rounding.
    """

    norm: Tensor
    null_norm: Tensor
    principal_norm: Tensor
    null_fraction: Tensor
    share: Tensor
    is_empty: bool


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """What leaving out one unit's null part does to the angle to a text; all ``(n,)`` float64.

    Attributes:
        attribute_score_deg: exact AS of ``f`` against ``f - Pi_n u`` (eq. 7), in degrees.
        image_score_deg: exact IS of the two (eq. 8), in degrees.
        linear_share_deg: first order of AS, in degrees; its sum over units is the derivative of
            the angle along ``Pi_n f``. 0 where the angle itself is 0 or 180: it has a kink there.
    """

    attribute_score_deg: Tensor
    image_score_deg: Tensor
    linear_share_deg: Tensor


def null_shares(units: Tensor, head: HeadDecomposition) -> NullShares:
    """Divide the null part of ``f = units.sum(0)`` among ``units`` ``(n, m)``.

    Raises:
        ShapeError: units are no matrix, or not as wide as the head reads.
    """
    wide, null = _null_parts(units, head)
    whole = null.sum(dim=0)
    norm, null_norm = (torch.linalg.vector_norm(part, dim=1) for part in (wide, null))
    rounding = _ROUNDINGS * torch.finfo(units.dtype).eps * float(norm.sum())
    length = float(torch.linalg.vector_norm(whole))
    is_empty = head.nullity == 0 or length <= rounding
    return NullShares(
        norm,
        null_norm,
        torch.linalg.vector_norm(head.principal_part(wide), dim=1),
        torch.where(norm > 0, null_norm / norm, 0.0).square(),
        torch.zeros_like(norm) if is_empty else (null @ (whole / length)) / length,
        is_empty,
    )


def left_out(units: Tensor, head: HeadDecomposition, mapping: AffineMap, text: Tensor) -> LeftOut:
    """Return what each of ``units`` ``(n, m)`` adds through the null space to the angle to a text.

    ``text`` ``(d,)`` is an embedding in the space that ``mapping`` leads into.

    Raises:
        ShapeError: widths do not agree.
        ZeroVectorError: ``T(f)``, the same without a unit's null part, or ``text`` is zero.
    """
    wide, null = _null_parts(units, head)
    feature = wide.sum(dim=0)
    z = mapping.apply(feature)
    without = z - mapping.linear(null)
    sine = math.sin(math.radians(float(angle_deg(z, text))))
    # The angle falls as the cosine rises: d angle = -d cos / sin.
    slope = -mapping.similarity_gradient(feature, text) / sine if sine > _KINK else 0 * feature
    return LeftOut(
        attribute_score_deg(z, without, text),
        image_score_deg(z, without),
        torch.rad2deg(null @ slope),
    )


def _null_parts(units: Tensor, head: HeadDecomposition) -> tuple[Tensor, Tensor]:
    """Return units and their null parts, ``(n, m)`` float64; no rounding where there is none."""
    if units.ndim != 2:
        raise ShapeError(f"Units are (n, features), got {tuple(units.shape)}.")
    wide, null = units.double(), head.null_part(units)
    return wide, null if head.nullity else torch.zeros_like(null)
