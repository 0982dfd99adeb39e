"""Which classes the images of one class are most easily steered towards, at a fixed image score."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sing_core.leakage.null_lines import (
    NullGrams,
    by_translator,
    logit_drift,
    stands,
    steered_scores,
    stepped,
)
from sing_core.leakage.produced import ProducedSteps, spaced
from sing_core.leakage.scored_sets import ScoredSet

# What can be produced is asked for the easiest targets, of so many images each.
FEASIBLE_TARGETS, _IMAGES_EACH = 12, 16


@dataclass(frozen=True, slots=True)
class TargetRow:
    """Images of one class steered towards another class at one image score; degrees.

    Attributes:
        target: label of the other class.
        n: images; ``unreachable`` the share of them for which no step reaches the score;
            ``drifting`` the share whose step is so long that rounding moves a logit beyond the
            head's budget.
        as_mean: mean AS towards the target over the others; ``max_logit_drift`` the most that one
            of their logits moves; None where there are none.
        feasible_image_score_deg: mean IS of the nearest features to the steered ones that the
            network can produce (``FeasibleRemoval``), over at most 16 of these images; None where
            that is not known, and not asked: after the first ``FEASIBLE_TARGETS``.
    """

    target: str
    n: int
    unreachable: float
    as_mean: float | None
    drifting: float
    max_logit_drift: float | None
    feasible_image_score_deg: float | None = None

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        return {name: getattr(self, name) for name in self.__slots__}


def target_rows(
    scored: ScoredSet, label: int, image_score_deg: float = 40.0
) -> tuple[TargetRow, ...]:
    """Return every class as a target for the images of class ``label``, the easiest first.

    Raises:
        SingError: features or texts cannot be read.
    """
    vocabulary = scored.bench.vocabulary(scored.reference)
    texts = vocabulary.embeddings[: vocabulary.n_classes]
    found = scored.ask("SELECT row FROM images WHERE label = ? ORDER BY row", [label])
    rows = found["row"].to_pylist()
    scores, drift, budget = _towards(scored, rows, texts, image_score_deg)
    reached = scores.isfinite()
    kept = reached & (drift <= budget[:, None])
    means = torch.where(kept, scores, math.nan).nanmean(dim=0)
    easiest = means.nan_to_num(-math.inf).argsort(descending=True, stable=True).tolist()
    others = [i for i in easiest if i != label]
    asked = [i for i in others if bool(kept[:, i].any())][:FEASIBLE_TARGETS]
    feasible = _feasible(scored, rows, texts[asked], image_score_deg)
    feasible_of = dict(zip(asked, feasible, strict=True))
    return tuple(
        TargetRow(
            vocabulary.labels[i],
            len(scores),
            1 - float(reached[:, i].double().mean()),
            float(means[i]) if bool(kept[:, i].any()) else None,
            float((reached & ~kept)[:, i].double().mean()),
            float(drift[kept[:, i], i].max()) if bool(kept[:, i].any()) else None,
            feasible_of.get(i),
        )
        for i in others
    )


def _towards(
    scored: ScoredSet, rows: list[int], texts: Tensor, image_score_deg: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return AS and logit drift ``(n, k)`` of images steered towards ``texts`` ``(k, d)``.

    Not a number where no step reaches the image score. The last is the drift budget ``(n,)``.
    """
    grams, linear = NullGrams(scored), scored.linear
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    for _, features, place, translator in by_translator(scored, rows):
        for feature in features:
            z = translator.apply(feature[None])
            scores = steered_scores(z, grams.of(place, translator), texts, image_score_deg)
            on, drift = scores.isfinite(), torch.full_like(scores, math.nan)
            one = feature.expand(int(on.sum()), -1)
            moved = stepped(one, linear.head, translator, texts[on], image_score_deg)
            drift[on], _ = logit_drift(linear, one, moved)
            budget = linear.drift_budget * linear.logits(feature).abs().max().double()
            parts.append((scores, drift, budget))
    scores, drift, budget = (torch.stack(part) for part in zip(*parts, strict=True))
    return scores, drift, budget


def _feasible(
    scored: ScoredSet, rows: list[int], texts: Tensor, image_score_deg: float
) -> list[float | None]:
    """Return for each of ``texts`` ``(k, d)`` the mean IS that networks can produce of the step."""
    grams, linear, steps = NullGrams(scored), scored.linear, ProducedSteps()
    of_text: list[Tensor] = []
    for _, features, place, translator in by_translator(scored, spaced(rows, _IMAGES_EACH)):
        z, gram = translator.apply(features), grams.of(place, translator)
        for place_of_text, text in enumerate(texts):
            on = steered_scores(z, gram, text, image_score_deg).isfinite()
            moved = stepped(features[on], linear.head, translator, text, image_score_deg)
            fits = stands(linear, features[on], moved)
            steps.add(features[on][fits], moved[fits], translator, text)
            of_text.append(torch.full((int(fits.sum()),), place_of_text))
    turned, _ = steps.scores(linear)
    owners = torch.cat(of_text) if of_text else torch.empty(0)
    means = [float(turned[owners == i].mean()) for i in range(len(texts))]
    return [mean if math.isfinite(mean) else None for mean in means]
