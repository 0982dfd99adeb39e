"""Steps inside the null space: along the concept gradient, and how far (eqs. 9-13).

Along ``f(eps) = f + eps d`` with a null direction ``d``, the translated feature is the straight
line ``z(eps) = z0 + eps w`` with ``w = A d``. Every score along it is a function of a few inner
products, so a whole sweep costs one small matrix product.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.errors import ShapeError, ZeroVectorError
from sing_core.maths.feature_map import FeatureMap
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.scores import angle_deg, angles_of_cosines

# A null part shorter than this share of the feature is rounding, not a direction.
_NEGLIGIBLE = 1e-10
# A projected gradient is rounding below this share of the gradient: weights are kept in float32, so
# that a translator blind to the null space still sees 6e-8 of it.
_BLIND = 1e-6
# A step as long as the feature along a gradient below this floor would not turn the cosine by more:
# the feature lies on the text, and what is left of the gradient is rounding.
_FLAT = 1e-12


@dataclass(frozen=True, slots=True)
class EpsilonForImageScore:
    """The step that reaches a wanted image score, or the statement that none does.

    Attributes:
        wanted_deg: the image score asked for, in degrees.
        reachable: whether some finite step reaches it.
        epsilon: the smallest such step >= 0 in feature-norm units; None where not reachable.
        supremum_deg: the largest image score on the line; as epsilon grows IS tends to
            the angle between z0 and w.
    """

    wanted_deg: float
    reachable: bool
    epsilon: float | None
    supremum_deg: float


def similarity_gradient(features: Tensor, translator: FeatureMap, text: Tensor) -> Tensor:
    """Return the gradient of the cosine ``s(f; text)`` (eqs. 10 and 11).

    ``features`` ``(..., m)``, ``text`` ``(d,)``; result ``(..., m)`` float64. A linear translator
    has it in closed form, ``A^T (t - s z_hat) / |z|``; others by autograd.

    Raises:
        ShapeError: widths do not agree.
        ZeroVectorError: ``T(f)`` or ``text`` is zero.
    """
    return translator.similarity_gradient(features, text)


def null_direction(
    features: Tensor, head: HeadDecomposition, translator: FeatureMap, text: Tensor
) -> Tensor:
    """Return the unit direction ``d_null / |d_null|`` towards ``text`` in the null space (eq. 12).

    ``features`` ``(m,)``; result ``(m,)`` float64.

    Raises:
        ZeroVectorError: the null space holds no direction towards this text (nullity 0, and a
            feature that lies on the text already, included).
    """
    gradient = similarity_gradient(features, translator, text)
    inside = head.null_part(gradient)
    length = torch.linalg.vector_norm(inside)
    step = float(length) * float(torch.linalg.vector_norm(features.double()))
    blind = float(length) <= _BLIND * float(torch.linalg.vector_norm(gradient))
    if blind or step <= _FLAT:
        raise ZeroVectorError("No direction of the null space leads towards this prompt.")
    unit: Tensor = inside / length
    return unit


def removal_direction(features: Tensor, head: HeadDecomposition) -> tuple[Tensor, float]:
    """Return ``(d, length)`` such that ``f + length d`` is null removal ``f - Pi_n f`` (eq. 9).

    ``features`` ``(m,)``; ``d`` ``(m,)`` unit, float64; ``length`` in feature-norm units.

    Raises:
        ZeroVectorError: the feature has no null part (nullity 0 included).
    """
    inside = head.null_part(features)
    length = float(torch.linalg.vector_norm(inside))
    if length <= _NEGLIGIBLE * float(torch.linalg.vector_norm(features.double())):
        raise ZeroVectorError("This feature has no null part to remove.")
    return -inside / length, length


def steer(features: Tensor, direction: Tensor, epsilon: Tensor | float) -> Tensor:
    """Return ``f + eps d`` (eq. 13), float64, of shape ``(k, m)`` for ``k`` steps or ``(m,)``.

    ``features`` and ``direction`` ``(m,)``; ``epsilon`` in feature-norm units.

    Raises:
        ShapeError: ``features`` and ``direction`` differ in shape.
    """
    if features.shape != direction.shape:
        raise ShapeError(
            f"Cannot step from {tuple(features.shape)} along {tuple(direction.shape)}."
        )
    steps = torch.as_tensor(epsilon, dtype=torch.float64, device=features.device)
    return features.double() + steps[..., None] * direction.double()


def angles_along(z0: Tensor, w: Tensor, epsilons: Tensor, targets: Tensor) -> Tensor:
    """Return the angles of ``z0 + eps w`` to each target, degrees, ``(k, t)`` float64.

    ``z0`` and ``w`` ``(d,)``, ``epsilons`` ``(k,)``, ``targets`` ``(t, d)``. The cosine needs
    only inner products; ``angles_of_cosines`` settles small angles.

    Raises:
        ShapeError: widths do not agree.
        ZeroVectorError: a target, or a point of the line, is zero.
    """
    line = z0.double() + epsilons.double()[:, None] * w.double()  # (k, d)
    goal = targets.double()
    if goal.ndim != 2 or goal.shape[-1] != line.shape[-1]:
        raise ShapeError(f"Targets must be (t, {line.shape[-1]}), got {tuple(goal.shape)}.")
    lengths = torch.linalg.vector_norm(line, dim=-1)
    goal_lengths = torch.linalg.vector_norm(goal, dim=-1)
    if bool((lengths == 0).any()) or bool((goal_lengths == 0).any()):
        raise ZeroVectorError("The angle to a zero vector is not defined.")
    cosine = (line @ goal.mT) / lengths[:, None] / goal_lengths
    return angles_of_cosines(cosine, line, goal)


def epsilon_for_image_score(z0: Tensor, w: Tensor, wanted_deg: float) -> EpsilonForImageScore:
    """Return the smallest ``eps >= 0`` with ``angle(z0, z0 + eps w) = wanted_deg``, in closed form.

    In the plane of ``z0`` and ``w`` let ``a`` be the angle between them. The triangle with sides
    ``|z0|``, ``eps |w|`` and angles ``phi`` at the origin gives, by the law of sines,
    ``eps = |z0| sin(phi) / (|w| sin(a - phi))``: IS grows strictly with eps towards ``a``, which it
    never reaches.

    Raises:
        ShapeError: ``wanted_deg`` is not in [0, 180).
        ZeroVectorError: ``z0`` is zero.
    """
    if not 0 <= wanted_deg < 180:
        raise ShapeError(f"An image score lies between 0° and 180°, got {wanted_deg}.")
    if wanted_deg == 0:
        return EpsilonForImageScore(0.0, True, 0.0, 0.0 if not bool(w.any()) else _limit(z0, w))
    if not bool(w.any()):
        return EpsilonForImageScore(wanted_deg, False, None, 0.0)
    limit = _limit(z0, w)
    if wanted_deg >= limit:
        return EpsilonForImageScore(wanted_deg, False, None, limit)
    ratio = float(torch.linalg.vector_norm(z0.double()) / torch.linalg.vector_norm(w.double()))
    phi = math.radians(wanted_deg)
    epsilon = ratio * math.sin(phi) / math.sin(math.radians(limit) - phi)
    return EpsilonForImageScore(wanted_deg, True, epsilon, limit)


def _limit(z0: Tensor, w: Tensor) -> float:
    """Return the image score in the limit of large steps, degrees."""
    return float(angle_deg(z0, w))
