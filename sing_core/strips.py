"""What is to be drawn: features along a null step, at known image scores, or beside controls."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from sing_core.equivalents import NullLine
from sing_core.errors import SingError
from sing_core.feasible import nearly_feasible
from sing_core.images import Photo
from sing_core.reports import ImageReport
from sing_core.scores import attribute_score_deg, image_score_deg
from sing_core.steering import steer

if TYPE_CHECKING:
    from sing_core.workbench import Classifier, Workbench

KEY_FRAMES = 9
# The largest logit may move by this share in a step that is cut to what a network can produce.
FEASIBLE_BUDGET = 0.03
# Image scores of the angle scale, in degrees (Fig. 10).
SCALE_DEG = (0.0, 3.0, 10.0, 20.0, 40.0)
# The columns of ``beside_controls``: steps of equal length.
CONTROLS = ("f", "null", "random", "principal")


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Features of one photo that are to be drawn, and what is exactly known about each.

    Attributes:
        indices: ``k`` positions in the sweep, ascending from 0, or else ``0..k-1``.
        epsilon: ``k`` steps, feature-norm units.
        features: ``(k, m)`` float32, what is asked for.
        infeasible_share: share of each step that was cut off; None when nothing was.
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
    bench: "Workbench",
    photo: Photo,
    report: ImageReport,
    *,
    frames: int = KEY_FRAMES,
    feasible: bool = False,
) -> Strip:
    """Return the features at ``frames`` even positions of the sweep and at the chosen one.

    ``feasible`` cuts every step to what the network can produce while no logit moves by more
    than 3 % of the largest.

    Raises:
        SingError: the report has no sweep, or something it names cannot be loaded.
    """
    if report.sweep is None:
        raise SingError(report.no_sweep_reason)
    last = len(report.sweep.epsilon) - 1
    even = np.linspace(0, last, frames).round().astype(int).tolist()
    indices = sorted({*even, report.index})
    epsilon = [report.sweep.epsilon[i] for i in indices]
    found = replace(
        at_steps(bench, photo, report, epsilon, feasible=feasible), indices=tuple(indices)
    )
    if feasible:
        return found
    # The same steps as the sweep's, rounded in another order: one page shows one number.
    return replace(found, max_logit_drift=tuple(report.sweep.max_logit_drift[i] for i in indices))


def at_steps(
    bench: "Workbench",
    photo: Photo,
    report: ImageReport,
    epsilon: Sequence[float],
    *,
    feasible: bool = False,
) -> Strip:
    """Return the features at ``k`` steps of the report's line; ``feasible`` as in ``along``.

    Raises:
        LogitDriftError: a step is so long that rounding moves the logits.
        SingError: something the report names cannot be loaded.
    """
    classifier = bench.deciding(report.model, report.variant)
    features = bench.features(report.model, photo)
    text, line = _text(bench, report), _line(bench, photo, report)
    steps = torch.tensor(list(epsilon), dtype=torch.float64)
    walk = line.walk(classifier, steps)
    if not feasible:
        return _measured(bench, report, features, walk.features, steps, text)
    budget = FEASIBLE_BUDGET * float(walk.original_logits.abs().max())
    exact = steer(features, line.direction, steps)
    cut = nearly_feasible(features, exact, classifier.weight, budget=budget)
    found = _measured(bench, report, features, cut.features.float(), steps, text)
    return replace(found, infeasible_share=tuple(cut.infeasible_share.tolist()))


def at_angles(bench: "Workbench", photo: Photo, report: ImageReport) -> Strip:
    """Return the features at the image scores of ``SCALE_DEG`` that the report's sweep reaches.

    Raises:
        SingError: the report has no sweep, or something it names cannot be loaded.
    """
    if report.sweep is None:
        raise SingError(report.no_sweep_reason)
    line, end = _line(bench, photo, report), report.sweep.epsilon[-1] * (1 + 1e-12)
    reached = [line.reach(angle).epsilon for angle in SCALE_DEG]
    return at_steps(
        bench, photo, report, [step for step in reached if step is not None and step <= end]
    )


def beside_controls(
    bench: "Workbench",
    photo: Photo,
    report: ImageReport,
    seeds: Sequence[int],
    *,
    feasible: bool = False,
) -> Strip:
    """Return four rows a seed, as in ``CONTROLS``: the step of the report and its controls.

    Raises:
        SingError: the report has no sweep, or something it names cannot be loaded.
    """
    if report.sweep is None:
        raise SingError(report.no_sweep_reason)
    step = report.sweep.epsilon[report.index]
    found = at_steps(bench, photo, report, [0.0, step], feasible=feasible)
    classifier = bench.deciding(report.model, report.variant)
    features = bench.features(report.model, photo)
    rows = torch.cat(
        [perturbations(classifier, features, found.features[1], seed) for seed in seeds]
    )
    steps = torch.tensor([0.0, step, step, step], dtype=torch.float64).repeat(len(seeds))
    return _measured(bench, report, features, rows, steps, found.text)


def perturbations(classifier: "Classifier", features: Tensor, null: Tensor, seed: int) -> Tensor:
    """Return ``(4, m)``: ``features (m,)``, and steps of the length of ``null - features``.

    In order: unchanged, inside the null space (``null`` itself), in a random direction, and in a
    random principal direction, which the head does read (Fig. 13).
    """
    origin = features.double()
    length = torch.linalg.vector_norm(null.double() - origin)
    noise = torch.randn(2, len(origin), generator=torch.Generator().manual_seed(seed)).double()
    noise[1] = classifier.head.principal_part(noise[1])
    steps = length * noise / torch.linalg.vector_norm(noise, dim=1, keepdim=True)
    return torch.stack([origin, null.double(), *(origin + steps)]).float()


def _line(bench: "Workbench", photo: Photo, report: ImageReport) -> NullLine:
    classifier = bench.deciding(report.model, report.variant)
    features = bench.features(report.model, photo)
    translator = bench.translator(report.model, report.reference)
    if report.mode == "remove":
        return NullLine.removing(features, classifier, translator)
    return NullLine.towards(_text(bench, report), features, classifier, translator)


def _text(bench: "Workbench", report: ImageReport) -> Tensor:
    vocabulary = bench.vocabulary(report.reference)
    return bench.text_embedding(report.reference, report.prompt, vocabulary)


def _measured(
    bench: "Workbench",
    report: ImageReport,
    features: Tensor,
    asked: Tensor,
    epsilon: Tensor,
    text: Tensor,
) -> Strip:
    """Return the strip of ``asked (k, m)`` with logits and scores measured against ``features``."""
    translator = bench.translator(report.model, report.reference)
    # One product for all rows: a row's rounding then does not depend on how it was called.
    logits = bench.deciding(report.model, report.variant).logits(
        torch.cat([features[None].float(), asked])
    )
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
