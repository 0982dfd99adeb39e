"""What is to be drawn: features along a null step, at known image scores, or beside controls."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from sing_core.errors import SingError
from sing_core.maths.controls import perturbations
from sing_core.maths.feasible import FEASIBLE_BUDGET, FeasibleSteps, feasible_steps
from sing_core.maths.scores import attribute_score_deg, image_score_deg
from sing_core.studies.reports import ImageReport, Sweep
from sing_core.studies.subject import Subject

KEY_FRAMES = 9
# What exact equivalence may cost of the move before logits may move by ``FEASIBLE_BUDGET``.
_MOST_LOST = 0.5
# Share of the dimensions that head and zeros may take together before it is not even tried.
_CROWDED = 0.8
# Image scores of the angle scale, in degrees (Fig. 10).
SCALE_DEG = (0.0, 3.0, 10.0, 20.0, 40.0)
# The columns of ``beside_controls``: steps of equal length.
CONTROLS = ("f", "null", "random", "principal")
PERTURBATION_SEED = 0  # of the random and principal directions: no seed of a renderer moves them


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Features of one photo that are to be drawn, and what is exactly known about each.

    Attributes:
        indices: ``k`` positions in the sweep, ascending from 0, or else ``0..k-1``.
        epsilon: ``k`` steps, feature-norm units.
        features: ``(k, m)`` float32, what is asked for.
        infeasible_share: how much of each step's move along the direction a network cannot
            produce; None where the steps are the asked ones.
        negative_share: length of each feature's negative part over that of its step: what a
            network with a last ReLU cannot produce; 0 where there is no step or no such bound.
        max_logit_drift: ``k`` largest absolute logit differences to the photo's feature.
        image_score_deg: ``k`` image scores; ``attribute_score_deg`` ``k`` attribute scores,
            of ``features`` as they are, in degrees.
        text: ``(d,)`` embedding of the prompt.
    """

    indices: tuple[int, ...]
    epsilon: tuple[float, ...]
    features: Tensor
    infeasible_share: tuple[float, ...] | None
    negative_share: tuple[float, ...]
    max_logit_drift: tuple[float, ...]
    image_score_deg: tuple[float, ...]
    attribute_score_deg: tuple[float, ...]
    text: Tensor

    def row_of(self, index: int) -> int:
        """Return the row drawn for the sweep position nearest to ``index``."""
        return min(range(len(self.indices)), key=lambda row: abs(self.indices[row] - index))


def along(
    subject: Subject, report: ImageReport, *, frames: int = KEY_FRAMES, feasible: bool = False
) -> Strip:
    """Return the features at ``frames`` even positions of the sweep and at the chosen one.

    ``report`` is the answer to the subject's question. ``feasible`` steers every step inside what
    the network can produce while no logit moves by more than 3 % of the largest: as far along the
    direction as a step of this length can go.

    Raises:
        SingError: the report has no sweep.
    """
    sweep = _sweep_of(report)
    last = len(sweep.epsilon) - 1
    even = np.linspace(0, last, frames).round().astype(int).tolist()
    indices = sorted({*even, report.index})
    epsilon = [sweep.epsilon[i] for i in indices]
    found = replace(at_steps(subject, epsilon, feasible=feasible), indices=tuple(indices))
    if feasible:
        return found
    # The same steps as the sweep's, rounded in another order: one page shows one number.
    return replace(found, max_logit_drift=tuple(sweep.max_logit_drift[i] for i in indices))


def at_steps(subject: Subject, epsilon: Sequence[float], *, feasible: bool = False) -> Strip:
    """Return the features at ``k`` steps of the subject's line; ``feasible`` as in ``along``.

    Raises:
        LogitDriftError: a step is so long that rounding moves the logits.
        ZeroVectorError: there is no direction to step along.
    """
    steps = torch.tensor(list(epsilon), dtype=torch.float64)
    walk = subject.line.walk(subject.classifier.linear, steps)
    if not feasible:
        return _measured(subject, walk.features, steps)
    steered = _steered(subject, steps, float(walk.original_logits.abs().max()))
    found = _measured(subject, steered.features.float(), steps)
    return replace(found, infeasible_share=tuple(steered.lost_share.tolist()))


def _steered(subject: Subject, steps: Tensor, largest: float) -> FeasibleSteps:
    """Return the feasible steps: with logits that stand still where that leaves a way to go.

    A network's zeros cannot go down. Where they leave the null space many dimensions to spare, as
    when few classes decide, and half of the move is left, no logit moves; else each may by 3 % of
    the ``largest``.
    """
    linear, features = subject.classifier.linear, subject.features
    line = features, subject.line.direction
    zeros = int((features <= 0).sum())
    if linear.is_exact and linear.head.rank + zeros < _CROWDED * len(features):
        furthest = feasible_steps(*line, steps.max()[None], linear.weight, budget=0.0)
        if float(furthest.lost_share[0]) <= _MOST_LOST:
            return feasible_steps(*line, steps, linear.weight, budget=0.0)
    return feasible_steps(*line, steps, linear.weight, budget=FEASIBLE_BUDGET * largest)


def at_angles(subject: Subject, report: ImageReport) -> Strip:
    """Return the features at the image scores of ``SCALE_DEG`` that the report's sweep reaches.

    Raises:
        SingError: the report has no sweep.
    """
    end = _sweep_of(report).epsilon[-1] * (1 + 1e-12)
    reached = [subject.line.reach(angle).epsilon for angle in SCALE_DEG]
    return at_steps(subject, [step for step in reached if step is not None and step <= end])


def step_of(report: ImageReport) -> float:
    """Return the step that the report is at, feature-norm units.

    Raises:
        SingError: the report has no sweep.
    """
    return _sweep_of(report).epsilon[report.index]


def beside_controls(
    subject: Subject, step: float, *, times: int = 1, feasible: bool = False
) -> Strip:
    """Return the rows of ``CONTROLS``: ``step`` along the subject's line, and its controls.

    ``times`` the very same four, one block after the other, for as many seeds of the renderer:
    what differs between two blocks of pictures is then the drawing (Fig. 13).

    Raises:
        SingError: as ``at_steps``.
    """
    null = at_steps(subject, [0.0, step], feasible=feasible).features[1]
    head = subject.classifier.linear.head
    rows = perturbations(head, subject.features, null, PERTURBATION_SEED).repeat(times, 1)
    steps = torch.tensor([0.0, step, step, step], dtype=torch.float64).repeat(times)
    return _measured(subject, rows, steps)


def _sweep_of(report: ImageReport) -> Sweep:
    if report.sweep is None:
        raise SingError(report.no_sweep_reason)
    return report.sweep


def _measured(subject: Subject, asked: Tensor, epsilon: Tensor) -> Strip:
    """Return the strip of ``asked (k, m)`` with logits and scores against the photo's feature."""
    features, translator, text = subject.features, subject.translator, subject.text
    # One product for all rows: a row's rounding then does not depend on how it was called.
    logits = subject.classifier.linear.logits(torch.cat([features[None].float(), asked]))
    z0, z = translator.apply(features), translator.apply(asked)
    return Strip(
        indices=tuple(range(len(asked))),
        epsilon=tuple(epsilon.tolist()),
        features=asked,
        infeasible_share=None,
        negative_share=_negative_share(features, asked),
        max_logit_drift=tuple((logits[1:] - logits[0]).abs().amax(dim=1).tolist()),
        image_score_deg=tuple(image_score_deg(z0, z).tolist()),
        attribute_score_deg=tuple(attribute_score_deg(z0, z, text).tolist()),
        text=text,
    )


def _negative_share(features: Tensor, asked: Tensor) -> tuple[float, ...]:
    """Return the negative part of ``asked (k, m)`` beside its distance from ``features (m,)``."""
    if bool((features < 0).any()):
        return (0.0,) * len(asked)
    steps = torch.linalg.vector_norm(asked - features, dim=1)
    below = torch.linalg.vector_norm(asked.clamp_max(0), dim=1)
    return tuple(torch.where(steps > 0, below / steps.clamp_min(1e-30), 0.0).tolist())
