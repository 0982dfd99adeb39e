"""What a network with a last ReLU can produce of equivalents, many images at once.

Removing the null part (eq. 9) makes entries negative, which no such network puts out, and so does
steering (eq. 13). Asked here is the nearest feature that it could: with the feature ``f`` and its
equivalent ``f~``,

    minimise  |x - f~|   subject to   x >= 0,   |W (x - f)| <= budget in every logit.

The programme is convex and solved for all images together by the alternating direction method of
multipliers (Boyd et al. 2011), one factorisation for all of them. Its constraints are a convex set
that holds ``f``: what is found is shortened towards ``f`` until no logit moves by more than the
budget, so that every answer can be produced and the score of it is at least reachable.
"""

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.feasible import FEASIBLE_BUDGET, SPECTRAL_NORM
from sing_core.maths.linear_head import LinearHead

_TURNS = 60
_RELAXATION = 1.6
# Chosen by the turns that features of lite0 need: 40 come within 0.1 % of what 160 reach. Of
# steps to IS = 40°, which are longer than the feature, 60 come within 1 % of the IS that 240 reach.
_PENALTY = 0.3


class FeasibleRemoval:
    """The nearest features that a network can produce to equivalents: removal, unless others."""

    def __init__(self, linear: LinearHead, share: float = FEASIBLE_BUDGET) -> None:
        """Factorise once for the head ``(c, m)``; a logit may move by ``share`` of the largest."""
        weight = linear.weight.double()
        norm = float(torch.linalg.matrix_norm(weight, 2))
        self._linear, self._share = linear, share
        self._scale = SPECTRAL_NORM / norm if norm > 0 else 1.0
        head = weight * self._scale
        normal = _PENALTY * (head.mT @ head)
        normal.diagonal().add_(1 + _PENALTY)
        self._head = head.float()
        self._inverse = torch.cholesky_inverse(torch.linalg.cholesky(normal)).float()

    def nearest(self, features: Tensor, equivalents: Tensor | None = None) -> Tensor:
        """Return ``(n, m)`` float32, no entry below 0, for ``features`` ``(n, m)``.

        ``equivalents`` ``(n, m)`` of these features; None takes those without null part.

        A row of numbers that are none where the feature has a negative entry: its network has no
        last ReLU, and what it can produce is not known.

        Raises:
            ShapeError: the head reads features of another width, or there is not one equivalent
                a feature.
        """
        single = features.float()
        if single.ndim != 2 or single.shape[1] != len(self._inverse):
            raise ShapeError(
                f"The head reads {len(self._inverse)} features, got {tuple(single.shape)}."
            )
        if equivalents is not None and equivalents.shape != single.shape:
            raise ShapeError(
                f"Each of {tuple(single.shape)} features has an equivalent, got "
                f"{tuple(equivalents.shape)}."
            )
        found = torch.full_like(single, torch.nan)
        known = (single >= 0).all(dim=1)
        goal = self._linear.head.remove_null(single) if equivalents is None else equivalents.float()
        found[known] = self._solve(single[known], (goal - single)[known])
        return found

    def _solve(self, origin: Tensor, goal: Tensor) -> Tensor:
        """Return the nearest to ``origin + goal`` ``(n, m)``."""
        largest = self._linear.logits(origin).abs().amax(dim=1)
        budget = (self._share * largest * self._scale)[:, None]
        moves, logits = torch.zeros_like(origin), origin.new_zeros(len(origin), len(self._head))
        of_moves, of_logits = torch.zeros_like(moves), torch.zeros_like(logits)
        for _ in range(_TURNS if bool(goal.any()) else 0):
            pull = moves - of_moves + (logits - of_logits) @ self._head
            free = (goal + _PENALTY * pull) @ self._inverse
            of_moves += _RELAXATION * free + (1 - _RELAXATION) * moves
            of_logits += _RELAXATION * (free @ self._head.mT) + (1 - _RELAXATION) * logits
            moves, logits = torch.maximum(of_moves, -origin), of_logits.clamp(-budget, budget)
            of_moves -= moves
            of_logits -= logits
        return self._within(origin, moves, largest)

    def _within(self, origin: Tensor, moves: Tensor, largest: Tensor) -> Tensor:
        """Shorten ``moves`` ``(n, m)`` until no logit moves by more than the budget."""
        drift = (moves @ self._linear.weight.mT).abs().amax(dim=1)
        limit = self._share * largest
        inside: Tensor = (
            origin + moves * (limit / torch.maximum(drift, limit.clamp_min(1e-30)))[:, None]
        )
        return inside.clamp_min(0)  # what rounding left of zeros
