"""Equivalent features on a line inside the null space, and the proof that they are equivalent."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.errors import LogitDriftError
from sing_core.steering import (
    EpsilonForImageScore,
    epsilon_for_image_score,
    null_direction,
    removal_direction,
    steer,
)
from sing_core.translator import Translator
from sing_core.workbench import Classifier

DRIFT_BUDGET = 1e-5
# A steering sweep ends where IS has covered this share of what is reachable at all; beyond it a
# step must grow without bound for the last few degrees.
_SWEEP_SHARE = 0.8


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
        cls, text: Tensor, features: Tensor, classifier: Classifier, translator: Translator
    ) -> "NullLine":
        """Return the line along the projected concept gradient (eqs. 11-13).

        Raises:
            ZeroVectorError: no null direction leads towards ``text`` ``(d,)``.
        """
        direction = null_direction(features, classifier.head, translator, text)
        return cls(
            features, direction, translator.apply(features), translator.linear(direction), None
        )

    @classmethod
    def removing(
        cls, features: Tensor, classifier: Classifier, translator: Translator
    ) -> "NullLine":
        """Return the line from ``f`` to ``f - Pi_n f`` (eq. 9).

        Raises:
            ZeroVectorError: the feature has no null part.
        """
        direction, length = removal_direction(features, classifier.head)
        return cls(
            features, direction, translator.apply(features), translator.linear(direction), length
        )

    def reach(self, image_score_deg: float) -> EpsilonForImageScore:
        """Return the step at which IS is ``image_score_deg``, or that there is none."""
        return epsilon_for_image_score(self.z0, self.w, image_score_deg)

    def grid(self, steps: int, wanted: EpsilonForImageScore | None) -> Tensor:
        """Return ascending steps ``(k,)`` from 0, evenly spaced, plus the wanted one exactly.

        Null removal ends where the null part is gone; steering where 80 % of the reachable image
        score is covered, or at the wanted score if that lies further.
        """
        goal = None if wanted is None else wanted.epsilon
        end = self.removal
        if end is None:
            end = self.reach(_SWEEP_SHARE * self.reach(0.0).supremum_deg).epsilon or 0.0
            end = max(end, goal or 0.0)
        grid = torch.linspace(0, end, steps, dtype=torch.float64)
        if goal is None or goal > end:
            return grid
        # A set: the goal may be one of the grid's own points, its end above all.
        return torch.tensor(sorted({*grid.tolist(), goal}), dtype=torch.float64)

    def walk(self, classifier: Classifier, epsilon: Tensor) -> "Equivalents":
        """Return the equivalents at ``epsilon`` ``(k,)``, their logits measured.

        Raises:
            LogitDriftError: one of them moves a logit by more than 1e-5 of the largest.
        """
        stepped = steer(self.features, self.direction, epsilon).float()
        # One product for all rows: a row's rounding then does not depend on how it was called.
        logits = classifier.logits(torch.cat([self.features[None].float(), stepped]))
        drift = (logits[1:] - logits[0]).abs().amax(dim=-1)
        check_drift(float(drift.max()), float(logits[0].abs().max()))
        return Equivalents(epsilon, stepped, logits[0], logits[1:], drift)


@dataclass(frozen=True, slots=True, eq=False)
class Equivalents:
    """Features that the head cannot tell from the original.

    ``k`` steps, ``m`` features, ``c`` classes.

    Attributes:
        epsilon: ``(k,)`` steps in feature-norm units.
        features: ``(k, m)`` float32, as the network would hand them to its head.
        original_logits: ``(c,)`` float32, of the feature where the line starts.
        logits: ``(k, c)`` float32, what the head makes of the equivalents.
        max_logit_drift: ``(k,)`` largest absolute logit difference to the original.
    """

    epsilon: Tensor
    features: Tensor
    original_logits: Tensor
    logits: Tensor
    max_logit_drift: Tensor


def check_drift(drift: float, max_abs_logit: float) -> None:
    """Refuse a pair that is not equivalent.

    Raises:
        LogitDriftError: ``drift`` exceeds 1e-5 of ``max_abs_logit``, or is not a number.
    """
    if not drift <= DRIFT_BUDGET * max_abs_logit:
        raise LogitDriftError(
            f"The logits moved by {drift:.1e} (largest logit {max_abs_logit:.3g}): this step is "
            "not inside the null space, so no score is given."
        )
