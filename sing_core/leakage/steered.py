"""Steering a whole set towards one prompt at a fixed image score (eqs. 10-13; paper, Table 1).

Every image goes as far as brings its own image score to the wanted one, and, beside it, all go by
one step a model. What a network can produce of these steps stands beside both.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sing_core.leakage.comparison import spread
from sing_core.leakage.fixed_step import NO_STEP, FixedStep, LinePlanes, class_weights
from sing_core.leakage.null_lines import (
    NullGrams,
    by_translator,
    has_direction,
    logit_drift,
    null_lines,
    steered_scores,
    stepped,
)
from sing_core.leakage.produced import FEASIBLE_IMAGES, ProducedSteps, spaced
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.strata import kind_of
from sing_core.maths.statistics import Interval, clustered_mean
from sing_core.maths.translator import Translator


@dataclass(frozen=True, slots=True)
class SteeredRow:
    """A set steered towards a prompt at one image score; degrees.

    Attributes:
        model: classifier; ``prompt`` the target; ``image_score_deg`` the score asked for.
        source: label of the class whose images these are; "" for all; ``stratum`` their kind, ""
            in a set of one kind.
        n: images; ``unreachable`` the share of them for which no step reaches it; ``drifting`` the
            share whose step is so long that rounding moves a logit by more than the head's
            budget (1e-5 of the largest): they have no score.
        max_logit_drift: the most that a logit of the others moves; None where there are none.
        abs_as: mean ``|AS|`` of the others with interval, every class counting once (of one class
            every image); ``abs_as_sd`` its standard deviation over images.
        epsilon: mean of their steps in the same way, feature-norm units; ``epsilon_sd`` likewise.
        feasible_image_score_deg: mean IS of the nearest features to the steered ones that the
            network can produce (``FeasibleRemoval``), of ``feasible_n`` of them, evenly chosen;
            ``feasible_abs_as`` mean ``|AS|``; None where that is not known.
        fixed: the same towards the prompt by one step for all images.
    """

    model: str
    prompt: str
    image_score_deg: float
    source: str
    stratum: str
    n: int
    unreachable: float
    drifting: float
    max_logit_drift: float | None
    abs_as: Interval | None
    abs_as_sd: float | None
    epsilon: float | None
    epsilon_sd: float | None
    feasible_image_score_deg: Interval | None
    feasible_abs_as: Interval | None
    feasible_n: int
    fixed: FixedStep

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        nowhere = Interval(math.nan, None, None, 0)
        return {
            "model": self.model, "prompt": self.prompt, "source": self.source,
            "stratum": self.stratum,
            "image_score_deg": self.image_score_deg,
            **spread("feasible_image_score_deg", self.feasible_image_score_deg or nowhere),
            "n": self.n, "unreachable": self.unreachable,
            **spread("abs_as", self.abs_as or nowhere), "abs_as_sd": self.abs_as_sd,
            **spread("feasible_abs_as", self.feasible_abs_as or nowhere),
            "feasible_n": self.feasible_n, "drifting": self.drifting,
            "max_logit_drift": self.max_logit_drift,
            "epsilon": self.epsilon, "epsilon_sd": self.epsilon_sd, **self.fixed.as_row(),
        }  # fmt: skip


def steered_row(
    scored: ScoredSet, prompt: str, image_score_deg: float = 40.0, source: int | None = None
) -> SteeredRow:
    """Return the row of one model, a prompt that is ready to embed, and a wanted image score.

    ``source`` takes the images of that class alone.

    Raises:
        SingError: features or texts cannot be read.
    """
    bench = scored.bench
    vocabulary = bench.vocabulary(scored.reference)
    text = bench.text_embedding(scored.reference, prompt, vocabulary)
    set_ = _Steered.of(scored, text, image_score_deg, source)
    kept, size = set_.kept, set_.scores[set_.kept].abs()
    epsilon, drift = set_.epsilon[kept], set_.drift[kept]
    reached, known = set_.scores.isfinite(), kept & set_.feasible.isfinite().all(dim=0)
    several = len(size) > 1
    return SteeredRow(
        model=scored.model,
        prompt=prompt,
        image_score_deg=image_score_deg,
        source="" if source is None else vocabulary.labels[source],
        stratum=kind_of(scored, source),
        n=len(kept),
        unreachable=float((~reached).double().mean()),
        drifting=float((reached & ~kept).double().mean()),
        max_logit_drift=float(drift.max()) if len(size) else None,
        abs_as=set_.mean(set_.scores.abs(), kept),
        abs_as_sd=float(size.std()) if several else None,
        epsilon=float(class_weights(set_.clusters[kept]) @ epsilon) if len(size) else None,
        epsilon_sd=float(epsilon.std()) if several else None,
        feasible_image_score_deg=set_.mean(set_.feasible[0], known),
        feasible_abs_as=set_.mean(set_.feasible[1].abs(), known),
        feasible_n=int(known.sum()),
        fixed=_fixed(scored, set_, text, image_score_deg),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Steered:
    """What is known of ``n`` images, each stepped until IS is the wanted one.

    Attributes:
        labels: ``(n,)`` their classes; ``label_of`` the same by row.
        clusters: ``(n,)`` what counts once: the class, or of one class each image.
        scores: ``(n,)`` AS; not a number where no step reaches the image score.
        epsilon: ``(n,)`` the steps; ``drift`` by how much a logit moves at most.
        kept: ``(n,)`` whose logits move by no more than the head's budget.
        feasible: ``(2, n)`` IS and AS of what can be produced, where that was asked.
        planes: of the lines that they are stepped along.
    """

    labels: Tensor
    label_of: dict[int, int]
    clusters: Tensor
    scores: Tensor
    epsilon: Tensor
    drift: Tensor
    kept: Tensor
    feasible: Tensor
    planes: LinePlanes

    @classmethod
    def of(
        cls, scored: ScoredSet, text: Tensor, image_score_deg: float, source: int | None
    ) -> "_Steered":
        label_of = _labels(scored, source)
        walk = _Walk(scored, text, image_score_deg, spaced(list(label_of), FEASIBLE_IMAGES))
        for part in by_translator(scored, list(label_of)):
            walk.take(*part)
        numbers, planes, linear = torch.cat(walk.numbers), torch.cat(walk.planes), walk.linear
        scores, epsilon, drift, largest = numbers.unbind(dim=1)
        feasible = torch.full((2, len(numbers)), math.nan, dtype=torch.float64)
        feasible[:, torch.cat(walk.asked)] = torch.stack(walk.steps.scores(linear))
        labels = torch.tensor([label_of[row] for row in walk.rows])
        return cls(
            labels=labels,
            label_of=label_of,
            clusters=labels if source is None else torch.arange(len(labels)),
            scores=scores,
            epsilon=epsilon,
            drift=drift,
            kept=scores.isfinite() & (drift <= linear.drift_budget * largest),
            feasible=feasible,
            planes=LinePlanes(planes),
        )

    def mean(self, values: Tensor, kept: Tensor) -> Interval | None:
        """Return the mean of ``values`` ``(n,)`` over the images ``kept``; None of none."""
        if not bool(kept.any()):
            return None
        return clustered_mean(values[kept].numpy(), self.clusters[kept].numpy())


class _Walk:
    """Steps images part by part; what is found stands in the order of ``rows``."""

    def __init__(
        self, scored: ScoredSet, text: Tensor, image_score_deg: float, feasible: list[int]
    ) -> None:
        """Load the head; of the rows ``feasible`` it is asked what can be produced."""
        self.grams, self.linear, self.steps = NullGrams(scored), scored.linear, ProducedSteps()
        self.text, self.wanted, self._feasible = text, image_score_deg, set(feasible)
        self.rows: list[int] = []
        self.numbers: list[Tensor] = []  # (n, 4): AS, step, drift, largest logit
        self.planes: list[Tensor] = []
        self.asked: list[Tensor] = []

    def take(self, rows: list[int], features: Tensor, place: int, translator: Translator) -> None:
        """Step the images at ``rows``, which ``translator`` did not see."""
        head, text = self.linear.head, self.text
        z, gram = translator.apply(features), self.grams.of(place, translator)
        numbers = torch.full((len(rows), 4), math.nan, dtype=torch.float64)
        numbers[:, 0] = steered_scores(z, gram, text, self.wanted)
        on = numbers[:, 0].isfinite()
        own = features[on]
        moved = stepped(own, head, translator, text, self.wanted)
        numbers[on, 1] = torch.linalg.vector_norm(moved - own.double(), dim=-1)
        numbers[on, 2:] = torch.stack(logit_drift(self.linear, own, moved), dim=-1)
        asked = on & torch.tensor([row in self._feasible for row in rows])
        self.steps.add(features[asked], moved[asked[on]], translator, text)
        planes = torch.full((len(rows), 5), math.nan, dtype=torch.float64)
        leads = has_direction(z, gram, text)
        start, _, w = null_lines(features[leads], head, translator, text)
        planes[leads] = LinePlanes.of(start, w, text).products
        self.rows += rows
        self.numbers.append(numbers)
        self.planes.append(planes)
        self.asked.append(asked)


def _labels(scored: ScoredSet, source: int | None) -> dict[int, int]:
    """Return the class of each row, of those of class ``source`` alone where there is one."""
    only, asked = ("", []) if source is None else (" WHERE label = ?", [source])
    found = scored.ask(f"SELECT row, label FROM images{only} ORDER BY row", asked)
    return dict(zip(found["row"].to_pylist(), found["label"].to_pylist(), strict=True))


def _fixed(scored: ScoredSet, set_: _Steered, text: Tensor, wanted: float) -> FixedStep:
    """Return what one step does to all images; how far it moves their logits is measured."""
    epsilon = set_.planes.step_to(wanted, set_.clusters)
    if epsilon is None:
        return NO_STEP
    linear, drifts, there = scored.linear, [], set_.planes.there
    largest, first = [], 0
    for rows, features, _, translator in by_translator(scored, list(set_.label_of)):
        leads = there[first : first + len(rows)]
        drift, most = (torch.full((len(rows),), math.nan, dtype=torch.float64) for _ in "dm")
        own = features[leads]
        _, direction, _ = null_lines(own, linear.head, translator, text)
        drift[leads], most[leads] = logit_drift(linear, own, own.double() + epsilon * direction)
        drifts.append(drift)
        largest.append(most)
        first += len(rows)
    drift, most = torch.cat(drifts), torch.cat(largest)
    return set_.planes.at(epsilon, set_.clusters, drift <= linear.drift_budget * most, drift)
