"""Equivalent features on a line inside the null space, and the proof that they are equivalent."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.errors import LogitDriftError, RoundingDriftError
from sing_core.maths.linear_head import DRIFT_BUDGET, LinearHead
from sing_core.maths.steering import (
    EpsilonForImageScore,
    epsilon_for_image_score,
    null_direction,
    removal_direction,
    steer,
)
from sing_core.maths.translator import Translator

# A steering sweep ends where IS has covered this share of what is reachable at all; beyond it a
# step must grow without bound for the last few degrees.
_SWEEP_SHARE = 0.8
# Where rounding cuts a sweep short, its end is looked for down to this share of the uncut one.
_SMALL_SHARE = 1e-3
_PROBES_PER_DECADE = 10
# A direction whose logits move by less than this share of the largest row of W is a null direction.
_INSIDE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class NullLine:
    """The line ``f + eps d`` with a unit null direction ``d``, and its image ``z0 + eps w``.

    ``m`` features, ``d`` embedding dimensions.

    Attributes:
        features: ``(m,)`` where the line starts.
        direction: ``(m,)`` float64, length 1, inside the null space.
        z0: ``(d,)`` translated feature; ``w`` ``(d,)`` what a step of 1 adds to it.
        removal: the step at which the null part is gone (eq. 9); None when steering.
    """

    features: Tensor
    direction: Tensor
    z0: Tensor
    w: Tensor
    removal: float | None

    @classmethod
    def towards(
        cls, text: Tensor, features: Tensor, linear: LinearHead, translator: Translator
    ) -> "NullLine":
        """Return the line along the projected concept gradient (eqs. 11-13).

        Raises:
            ZeroVectorError: no null direction leads towards ``text`` ``(d,)``.
        """
        direction = null_direction(features, linear.head, translator, text)
        return cls(
            features, direction, translator.apply(features), translator.linear(direction), None
        )

    @classmethod
    def removing(cls, features: Tensor, linear: LinearHead, translator: Translator) -> "NullLine":
        """Return the line from ``f`` to ``f - Pi_n f`` (eq. 9).

        Raises:
            ZeroVectorError: the feature has no null part.
        """
        direction, length = removal_direction(features, linear.head)
        return cls(
            features, direction, translator.apply(features), translator.linear(direction), length
        )

    def reach(self, image_score_deg: float) -> EpsilonForImageScore:
        """Return the step at which IS is ``image_score_deg``, or that there is none."""
        return epsilon_for_image_score(self.z0, self.w, image_score_deg)

    def grid(
        self,
        steps: int,
        wanted: EpsilonForImageScore | None,
        marks_deg: Sequence[float] = (),
        *,
        limit: float = math.inf,
    ) -> Tensor:
        """Return ascending steps ``(k,)`` from 0, ``steps`` of them evenly spaced.

        The wanted one and those whose image scores are ``marks_deg``, degrees, are added exactly,
        as far as they lie within the end. Null removal ends where the null part is gone; steering
        where 80 % of the reachable image score is covered, or at the wanted score if that lies
        further; neither goes past ``limit``.
        """
        goal = None if wanted is None else wanted.epsilon
        end = self._plain_end()
        if self.removal is None:
            end = max(end, goal or 0.0)
        end = min(end, limit)
        even = torch.linspace(0, end, steps, dtype=torch.float64).tolist()
        exact = [goal, *(self.reach(angle).epsilon for angle in marks_deg)]
        # A set: one of these may be one of the even steps, the end above all, or another of these.
        kept = {*even, *(step for step in exact if step is not None and step <= end)}
        return torch.tensor(sorted(kept), dtype=torch.float64)

    def _plain_end(self) -> float:
        """Return the step at which a sweep without a wanted score ends."""
        if self.removal is not None:
            return self.removal
        return self.reach(_SWEEP_SHARE * self.reach(0.0).supremum_deg).epsilon or 0.0

    def walk(self, linear: LinearHead, epsilon: Tensor) -> "Equivalents":
        """Return the equivalents at ``epsilon`` ``(k,)``, their logits measured.

        Raises:
            RoundingDriftError: a step is so long that float32 rounding moves a logit by more than
                1e-5 of the largest.
            LogitDriftError: a step moves a logit by more than that since it leaves the null space.
        """
        walk = self._measure(linear, epsilon)
        if walk.admissible < len(epsilon):
            raise self._refusal(linear, walk)
        return walk

    def sweep(
        self,
        linear: LinearHead,
        steps: int,
        wanted: EpsilonForImageScore | None,
        marks_deg: Sequence[float] = (),
    ) -> "Equivalents":
        """Return the equivalents on ``grid``; steering ends where rounding uses up the budget.

        Null removal is whole or not at all: a part of it is not what was asked for.

        Raises:
            RoundingDriftError: float32 rounding leaves no step worth showing.
            LogitDriftError: the line leaves the null space.
        """
        walk = self._measure(linear, self.grid(steps, wanted, marks_deg))
        if walk.admissible == len(walk.epsilon):
            return walk
        if self.removal is not None or not self._stays_inside(linear):
            raise self._refusal(linear, walk)
        limit = self._furthest(linear, float(walk.epsilon[-1]))
        walk = self._measure(linear, self.grid(steps, wanted, marks_deg, limit=limit))
        return walk.first(walk.admissible)

    def _furthest(self, linear: LinearHead, end: float) -> float:
        """Return about the longest step before ``end`` up to which rounding is within the budget.

        Raises:
            RoundingDriftError: not even a small step is.
        """
        small = _SMALL_SHARE * self._plain_end()
        low, high = math.log10(small), math.log10(end)
        count = math.ceil((high - low) * _PROBES_PER_DECADE) + 1
        probes = torch.logspace(low, high, count, dtype=torch.float64)
        probed = self._measure(linear, probes)
        if probed.admissible == 0:
            raise self._refusal(linear, probed.first(1))
        return float(probes[probed.admissible - 1])

    def _refusal(self, linear: LinearHead, walk: "Equivalents") -> LogitDriftError:
        """Return why the walk's worst step gets no score: rounding, or not a null direction."""
        worst = int(walk.max_logit_drift.argmax())
        drift, largest = float(walk.max_logit_drift[worst]), float(walk.original_logits.abs().max())
        moved = f"moved by {drift:.1e} (largest logit {largest:.3g})"
        if not self._stays_inside(linear):
            return LogitDriftError(
                f"The logits {moved}: this step is not inside the null space, so no score is given."
            )
        whose, limit = "float32 rounding", "a hundred-thousandth"
        if linear.head.rounding:
            whose, limit = "the rounding of the stored weights", f"{linear.head.rounding:.1%}"
        return RoundingDriftError(
            f"At a step of ε = {float(walk.epsilon[worst]):.3g} the logits {moved} by {whose} "
            f"alone: more than {limit}, so no score is given."
        )

    def _stays_inside(self, linear: LinearHead) -> bool:
        """Return whether the head, in float64, sees no more of the direction than rounding."""
        weight = linear.weight.double()
        moved = (weight @ self.direction).abs().max()
        inside = max(_INSIDE, linear.head.rounding)
        return bool(moved <= inside * torch.linalg.vector_norm(weight, dim=-1).max())

    def _measure(self, linear: LinearHead, epsilon: Tensor) -> "Equivalents":
        """Return the features at ``epsilon`` ``(k,)`` and their logits, whatever they drift."""
        stepped = steer(self.features, self.direction, epsilon).float()
        # One product for all rows: a row's rounding then does not depend on how it was called.
        logits = linear.logits(torch.cat([self.features[None].float(), stepped]))
        drift = (logits[1:] - logits[0]).abs().amax(dim=-1)
        rows = logits[0], logits[1:]
        return Equivalents(epsilon, stepped, *rows, drift, linear.drift_budget)


@dataclass(frozen=True, slots=True, eq=False)
class Equivalents:
    """Features on a null line and their measured logits.

    ``k`` steps, ``m`` features, ``c`` classes.

    Attributes:
        epsilon: ``(k,)`` steps in feature-norm units.
        features: ``(k, m)`` float32, as the network would hand them to its head.
        original_logits: ``(c,)`` float32, of the feature where the line starts.
        logits: ``(k, c)`` float32, what the head makes of the equivalents.
        max_logit_drift: ``(k,)`` largest absolute logit difference to the original.
        budget: what it may be, relative to the largest logit; infinite where a threshold on
            singular values makes drift the price, to be shown and not refused.
    """

    epsilon: Tensor
    features: Tensor
    original_logits: Tensor
    logits: Tensor
    max_logit_drift: Tensor
    budget: float = DRIFT_BUDGET

    @property
    def admissible(self) -> int:
        """How many steps, from the first on, are within the drift budget."""
        within = self.max_logit_drift <= self.budget * self.original_logits.abs().max()
        return int(within.long().cumprod(dim=0).sum())

    def first(self, count: int) -> "Equivalents":
        """Return the first ``count`` steps alone."""
        return Equivalents(
            self.epsilon[:count],
            self.features[:count],
            self.original_logits,
            self.logits[:count],
            self.max_logit_drift[:count],
            self.budget,
        )
