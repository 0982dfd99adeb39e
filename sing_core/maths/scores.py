"""Angles, image score and attribute score (arXiv:2603.14610, eqs. 5-8 and 18), in degrees."""

import torch
from torch import Tensor

from sing_core.errors import ShapeError, ZeroVectorError

_STEEP = 1 - 1e-4  # cosines beyond it belong to angles below 0.81 or above 179.19 degrees


def _unit(vectors: Tensor, name: str) -> Tensor:
    """Return ``vectors`` of shape ``(..., d)`` in float64, scaled to length 1."""
    wide = vectors.double()
    # Dividing by the largest entry first keeps the norm of 1e-200 vectors from underflowing.
    scale = wide.abs().amax(dim=-1, keepdim=True)
    if not bool(torch.isfinite(scale).all()) or bool((scale == 0).any()):
        raise ZeroVectorError(
            f"The angle of {name} is not defined: a vector is zero or not finite."
        )
    wide = wide / scale
    unit: Tensor = wide / torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
    return unit


def angle_deg(u: Tensor, v: Tensor) -> Tensor:
    """Return the angle between ``u`` and ``v`` in degrees, in [0, 180] (eq. 18).

    ``u`` and ``v`` have shape ``(..., d)`` and broadcast; the result has shape ``(...)``, float64.
    The half-angle form ``2 atan2(|u - v|, |u + v|)`` keeps angles of 0.001 degrees, where the
    arccosine of a rounded cosine returns 0.

    Raises:
        ShapeError: the last dimensions differ or are empty.
        ZeroVectorError: a vector is zero or not finite.
    """
    if u.ndim == 0 or v.ndim == 0 or u.shape[-1] != v.shape[-1] or u.shape[-1] == 0:
        raise ShapeError(
            f"Angles need equal last dimensions, got {tuple(u.shape)} and {tuple(v.shape)}."
        )
    a, b = _unit(u, "the first vector"), _unit(v, "the second vector")
    half = torch.atan2(
        torch.linalg.vector_norm(a - b, dim=-1), torch.linalg.vector_norm(a + b, dim=-1)
    )
    return torch.rad2deg(2 * half)


def image_score_deg(z: Tensor, z_equivalent: Tensor) -> Tensor:
    """Return IS, the angle between a translated feature and its equivalent (eq. 8), in degrees.

    Shapes ``(..., d)`` broadcast to ``(...)``.

    Raises:
        ShapeError: the last dimensions differ.
        ZeroVectorError: a vector is zero or not finite.
    """
    return angle_deg(z, z_equivalent)


def attribute_score_deg(z: Tensor, z_equivalent: Tensor, text: Tensor) -> Tensor:
    """Return AS = angle(z, text) - angle(z_equivalent, text) (eq. 7), in degrees.

    Positive: the equivalent is nearer to the text. ``|AS| <= IS`` always, as angles are a metric.
    Shapes ``(..., d)`` broadcast to ``(...)``.

    Raises:
        ShapeError: the last dimensions differ.
        ZeroVectorError: a vector is zero or not finite.
    """
    return angle_deg(z, text) - angle_deg(z_equivalent, text)


def angle_table(z: Tensor, texts: Tensor) -> Tensor:
    """Return the angles of all ``z`` ``(n, d)`` to all ``texts`` ``(k, d)``, ``(n, k)`` degrees.

    One matrix product in float64.
    """
    goal = torch.nn.functional.normalize(texts.double(), dim=-1)
    line = torch.nn.functional.normalize(z.double(), dim=-1)
    return angles_of_cosines(line @ goal.mT, line, goal)


def angles_of_cosines(cosine: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return the angles whose cosines are given, ``(n, k)`` degrees, float64.

    ``cosine`` ``(n, k)`` is between ``rows`` ``(n, d)`` and ``columns`` ``(k, d)``, of any length:
    the few angles near 0 or 180, where the arccosine loses digits, are done from these by the
    half-angle form (``angle_deg``).

    Raises:
        ZeroVectorError: one of those few is to a vector that is not finite.
    """
    angles = torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))
    steep = cosine.abs() > _STEEP
    if bool(steep.any()):
        row, column = steep.nonzero(as_tuple=True)
        angles[row, column] = angle_deg(rows[row], columns[column])
    return angles
