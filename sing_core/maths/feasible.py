"""The feasible step: the nearest feature to ``f + eps d`` that the network could have produced.

Features behind a ReLU are never negative, and ``f + eps d`` may be. The point nearest to it that
keeps every logit and is not negative is the projection onto a polyhedron; it is found as a least
distance problem by non-negative least squares (Lawson & Hanson 1974, chapter 23).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.head import HeadDecomposition

# What the projection may leave below 0, as a share of the largest entry: rounding, set to 0.
_ROUNDING = 1e-9
# Prices between which the least sufficient one is looked for, and how closely.
_PRICES = (1e-2, 1e4)
_HALVINGS = 8
_ITERATIONS = 400


@dataclass(frozen=True, slots=True, eq=False)
class FeasibleStep:
    """A step inside the null space, cut to what a network with a last ReLU can produce.

    Attributes:
        features: ``(m,)`` float64, nearest to the asked feature; no entry below 0.
        infeasible_share: length of what was cut off over the length of the asked step: 0 when the
            asked feature is feasible, 1 when nothing of the step is.
        bounded: whether there was a bound at all; False for networks whose features may be
            negative, and then ``features`` are the asked ones.
    """

    features: Tensor
    infeasible_share: float
    bounded: bool


def feasible_step(features: Tensor, asked: Tensor, head: HeadDecomposition) -> FeasibleStep:
    """Project ``asked (m,)`` onto the features that have the logits of ``features (m,)``.

    ``asked - features`` lies in the null space of ``head``. A feature with negative entries shows
    that its network has no last ReLU: nothing is cut then.

    Raises:
        ShapeError: the two are not ``(m,)`` each.
    """
    origin, goal = features.double(), asked.double()
    width = head.principal_basis.shape[0]
    if origin.shape != (width,) or goal.shape != (width,):
        raise ShapeError(
            f"Both features must be ({width},), got {tuple(origin.shape)} and {tuple(goal.shape)}."
        )
    bounded = bool((origin >= 0).all())
    length = float(torch.linalg.vector_norm(goal - origin))
    if not bounded or length == 0 or bool((goal >= 0).all()):
        return FeasibleStep(goal, 0.0, bounded)
    found = goal + _least_move(head.null_basis.double(), goal)
    cut = float(torch.linalg.vector_norm(found - goal)) / length
    rounding = _ROUNDING * float(origin.max())
    found = torch.where((found < 0) & (found > -rounding), 0.0, found)
    return FeasibleStep(found, min(cut, 1.0), True)


def _least_move(basis: Tensor, goal: Tensor) -> Tensor:
    """Return the shortest ``u`` in the span of ``basis (m, k)`` with ``goal + u >= 0``."""
    from scipy.optimize import nnls

    scale = float(goal.abs().max())
    wanted = np.zeros(basis.shape[1] + 1)
    wanted[-1] = 1
    # Entries are scaled to order 1: the last residual is 1 / (1 + |u|^2) and must not underflow.
    system = np.vstack([basis.numpy().T, -goal.numpy()[None] / scale])
    weights, _ = nnls(system, wanted, maxiter=20 * system.shape[1])
    residual = system @ weights - wanted
    return basis @ torch.from_numpy(-residual[:-1] / residual[-1]) * scale


@dataclass(frozen=True, slots=True, eq=False)
class NearlyFeasible:
    """Steps cut to what the network can produce, at a stated price in logits.

    Exact equivalence leaves sparse features no way to go: with more zeros than the null space has
    dimensions to spare, the only non-negative equivalent of ``f`` is ``f``.

    Attributes:
        features: ``(k, m)`` float64, no entry below 0.
        infeasible_share: ``(k,)`` length of what was cut off over the length of the asked step.
        max_logit_drift: ``(k,)`` largest absolute logit difference to the original.
    """

    features: Tensor
    infeasible_share: Tensor
    max_logit_drift: Tensor


def nearly_feasible(
    features: Tensor, asked: Tensor, weight: Tensor, *, budget: float
) -> NearlyFeasible:
    """Return for every row of ``asked (k, m)`` the nearest ``x >= 0`` whose logits hardly move.

    Minimises ``|x - asked|^2 + price |W (x - f)|^2`` over ``x >= 0``, with the least price at which
    the row furthest from ``features (m,)`` moves no logit by more than ``budget`` (in logits).
    """
    origin, goals, head = features.double(), asked.double(), weight.double()
    steps = torch.linalg.vector_norm(goals - origin, dim=1)
    furthest = goals[steps.argmax()][None]
    gram = head.mT @ head
    largest = float(torch.linalg.eigvalsh(gram)[-1])
    low, high = math.log(_PRICES[0]), math.log(_PRICES[1])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = _pulled_back(origin, furthest, gram, largest, math.exp(middle))
        moved = float(((found - origin) @ head.mT).abs().max())
        low, high = (middle, high) if moved > budget else (low, middle)
    found = _pulled_back(origin, goals, gram, largest, math.exp(high))
    cut = torch.linalg.vector_norm(found - goals, dim=1) / steps.clamp_min(1e-300)
    drift = ((found - origin) @ head.mT).abs().amax(dim=1)
    return NearlyFeasible(found, torch.where(steps > 0, cut.clamp_max(1), 0.0), drift)


def _pulled_back(
    origin: Tensor, goals: Tensor, gram: Tensor, largest: float, price: float
) -> Tensor:
    """Solve by accelerated projected gradients (Beck & Teboulle 2009), restarted when they turn."""
    rate = 1 / (1 + price * largest)
    point = goals.clamp_min(0)
    ahead, momentum = point, 1.0
    for _ in range(_ITERATIONS):
        slope = ahead - goals + price * (ahead - origin) @ gram
        moved = (ahead - rate * slope).clamp_min(0)
        turned = float(((ahead - moved) * (moved - point)).sum()) > 0
        following = 1.0 if turned else (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        ahead = moved + (0.0 if turned else (momentum - 1) / following) * (moved - point)
        change = float((moved - point).abs().max())
        point, momentum = moved, following
        if change < 1e-6:
            break
    return point
