"""Steering a whole set towards one prompt at a fixed image score (eqs. 10-13; paper, Table 1).

On a steering line the translated feature is ``z0 + eps w`` with ``w`` along ``M u``, where
``M = A Pi_n A^T`` and ``u`` is the part of the text that is orthogonal to ``z0``. At a given image
score the step does not matter, only the plane of ``z0`` and ``w``: one ``d x d`` product per image.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sing_core.leakage.comparison import spread
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.scores import angle_deg
from sing_core.maths.statistics import Interval, clustered_mean
from sing_core.maths.translator import Translator

_TINY = 1e-9
_FLAT = 1e-12  # a shorter gradient of a unit vector's cosine is rounding: it lies on the text


@dataclass(frozen=True, slots=True)
class SteeredRow:
    """A set steered towards a prompt at one image score; degrees.

    Attributes:
        model: classifier; ``prompt`` the target; ``image_score_deg`` the score asked for.
        n: images; ``unreachable`` the share of them for which no step reaches it; ``drifting`` the
            share whose step is so long that rounding moves a logit by more than the head's
            budget (1e-5 of the largest): they have no score.
        max_logit_drift: the most that a logit of the others moves; None where there are none.
        abs_as: mean ``|AS|`` of the others with interval, every class counting once;
            ``abs_as_sd`` its standard deviation over images.
    """

    model: str
    prompt: str
    image_score_deg: float
    n: int
    unreachable: float
    drifting: float
    max_logit_drift: float | None
    abs_as: Interval | None
    abs_as_sd: float | None

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        interval = self.abs_as or Interval(float("nan"), None, None, 0)
        return {
            "model": self.model, "prompt": self.prompt, "image_score_deg": self.image_score_deg,
            "n": self.n, "unreachable": self.unreachable, **spread("abs_as", interval),
            "abs_as_sd": self.abs_as_sd, "drifting": self.drifting,
            "max_logit_drift": self.max_logit_drift,
        }  # fmt: skip


def steered_row(scored: ScoredSet, prompt: str, image_score_deg: float = 40.0) -> SteeredRow:
    """Return the row of one model, a prompt that is ready to embed, and a wanted image score.

    Raises:
        SingError: features or texts cannot be read.
    """
    bench = scored.bench
    text = bench.text_embedding(scored.reference, prompt, bench.vocabulary(scored.reference))
    grams = NullGrams(scored)
    found = scored.ask("SELECT row, label FROM images ORDER BY row")
    label_of = dict(zip(found["row"].to_pylist(), found["label"].to_pylist(), strict=True))
    linear, parts, labels = scored.linear, [], []
    for images, features in scored.features(list(label_of)):
        part = torch.full((3, len(images)), math.nan, dtype=torch.float64)
        for place, translator, own in scored.unseen(images).groups():
            z = translator.apply(features[own])
            part[0, own] = steered_scores(z, grams.of(place, translator), text, image_score_deg)
            on = own[part[0, own].isfinite()]
            moved = stepped(features[on], linear.head, translator, text, image_score_deg)
            part[1:, on] = torch.stack(logit_drift(linear, features[on], moved))
        parts.append(part)
        labels += [label_of[image.row] for image in images]
    values, drift, largest = torch.cat(parts, dim=1)
    reached = values.isfinite()
    kept = reached & (drift <= linear.drift_budget * largest)
    classes, size = torch.tensor(labels)[kept], values[kept].abs()
    return SteeredRow(
        model=scored.model,
        prompt=prompt,
        image_score_deg=image_score_deg,
        n=len(values),
        unreachable=float((~reached).double().mean()),
        drifting=float((reached & ~kept).double().mean()),
        max_logit_drift=float(drift[kept].max()) if len(size) else None,
        abs_as=clustered_mean(size.numpy(), classes.numpy()) if len(size) else None,
        abs_as_sd=float(size.std()) if len(size) > 1 else None,
    )


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
    """

    target: str
    n: int
    unreachable: float
    as_mean: float | None
    drifting: float
    max_logit_drift: float | None

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
    scores, drift, budget = _towards(scored, found["row"].to_pylist(), texts, image_score_deg)
    reached = scores.isfinite()
    kept = reached & (drift <= budget[:, None])
    means = torch.where(kept, scores, math.nan).nanmean(dim=0)
    rows = [
        TargetRow(
            vocabulary.labels[i],
            len(scores),
            1 - float(reached[:, i].double().mean()),
            float(means[i]) if bool(kept[:, i].any()) else None,
            float((reached & ~kept)[:, i].double().mean()),
            float(drift[kept[:, i], i].max()) if bool(kept[:, i].any()) else None,
        )
        for i in range(len(texts))
        if i != label
    ]
    return tuple(sorted(rows, key=lambda row: math.inf if row.as_mean is None else -row.as_mean))


def _towards(
    scored: ScoredSet, rows: list[int], texts: Tensor, image_score_deg: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return AS and logit drift ``(n, k)`` of images steered towards ``texts`` ``(k, d)``.

    Not a number where no step reaches the image score. The last is the drift budget ``(n,)``.
    """
    grams, linear = NullGrams(scored), scored.linear
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    for images, features in scored.features(rows):
        for place, translator, own in scored.unseen(images).groups():
            for feature in features[own]:
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


class NullGrams:
    """``M = A Pi_n A^T`` ``(d, d)``, float64, of each translator that a set's images go through."""

    def __init__(self, scored: ScoredSet) -> None:
        """Load the head; a matrix is made when it is first asked for.

        Raises:
            SingError: the head cannot be loaded.
        """
        self._head = scored.linear.head
        self._known: dict[int, Tensor] = {}

    def of(self, place: int, translator: Translator) -> Tensor:
        """Return the matrix of ``translator``, which is the one at ``place`` of ``Unseen``."""
        if place not in self._known:
            self._known[place] = null_gram(self._head, translator)
        return self._known[place]


def null_gram(head: HeadDecomposition, translator: Translator) -> Tensor:
    """Return ``M = A Pi_n A^T`` ``(d, d)``, float64.

    It is exactly 0 for a head without null space, and for a translator that is blind to it: what is
    left then is the rounding of its weights, and a set would be steered along that.

    Raises:
        ShapeError: head and translator are of different widths.
    """
    inside = head.null_part(translator.weight.double())
    whole = translator.weight.double().square().sum()
    if head.nullity == 0 or bool(inside.square().sum() <= _TINY * whole):
        inside = torch.zeros_like(inside)
    return inside @ inside.mT


def steered_scores(z0: Tensor, gram: Tensor, text: Tensor, image_score_deg: float) -> Tensor:
    """Return AS ``(n,)``, degrees, of ``z0`` ``(n, d)`` steered until IS is ``image_score_deg``.

    ``gram`` ``(d, d)`` is ``null_gram``; ``text`` is ``(d,)``, or ``(k, d)`` where ``z0`` is one
    row. Not a number where no step reaches the score.

    Raises:
        ZeroVectorError: a translated feature or the text is zero.
    """
    z = torch.nn.functional.normalize(z0.double(), dim=-1)
    goal = torch.nn.functional.normalize(text.double(), dim=-1)
    before = angle_deg(z, goal)
    gradient = goal - (z * goal).sum(dim=-1, keepdim=True) * z
    w = gradient @ gram
    length = torch.linalg.vector_norm(w, dim=-1)
    negligible = _TINY * torch.linalg.matrix_norm(gram) * torch.linalg.vector_norm(gradient, dim=-1)
    flat = torch.linalg.vector_norm(gradient, dim=-1) <= _FLAT
    has_direction = (length > negligible) & ~flat
    w = torch.where(has_direction[:, None], w, goal)
    limit = angle_deg(z, w)
    across = torch.nn.functional.normalize(w - (w * z).sum(dim=-1, keepdim=True) * z, dim=-1)
    phi = math.radians(image_score_deg)
    moved = math.cos(phi) * z + math.sin(phi) * across
    reached = has_direction & (limit > image_score_deg)
    return torch.where(reached, before - angle_deg(moved, goal), math.nan)


def stepped(
    features: Tensor,
    head: HeadDecomposition,
    translator: Translator,
    text: Tensor,
    image_score_deg: float,
) -> Tensor:
    """Return ``features`` ``(n, m)`` stepped towards ``text`` until IS is the wanted one, float64.

    ``text`` is ``(d,)``, or ``(n, d)``, one a feature. Each must be able to reach the image score
    (see ``steered_scores``).
    """
    z = translator.apply(features)
    unit = torch.nn.functional.normalize(z, dim=-1)
    goal = torch.nn.functional.normalize(text.double(), dim=-1)
    gradient = goal - (unit * goal).sum(dim=-1, keepdim=True) * unit
    inside = head.null_part(gradient @ translator.weight.double())
    w = translator.linear(inside)
    phi = math.radians(image_score_deg)
    lengths = torch.linalg.vector_norm(z, dim=-1) / torch.linalg.vector_norm(w, dim=-1)
    step = lengths * math.sin(phi) / torch.sin(angle_deg(z, w).deg2rad() - phi)
    moved: Tensor = features.double() + step[:, None] * inside
    return moved


def logit_drift(linear: LinearHead, features: Tensor, moved: Tensor) -> tuple[Tensor, Tensor]:
    """Return by how much a logit moves at most, and the largest logit before, ``(n,)`` each."""
    before, after = linear.logits(features), linear.logits(moved.float())
    return (after - before).abs().amax(dim=-1).double(), before.abs().amax(dim=-1).double()
