"""Train the image head of ``mini``: one affine map from lite2's features to the text space.

Three parts, added: a class part (closed form, then refined by gradient descent on pseudo-features
of all 1,000 classes towards lite2's softmax), attribute read-outs (ridge regression) along the
attributes' own text directions, and a constant offset along a direction that no text uses.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy, normalize, one_hot

from sing_core.making.captions import GROUPS
from sing_core.making.geometry import (
    Texts,
    attribute_directions,
    inverse_root,
    silent_direction,
    whitening,
    without_attributes,
)
from sing_core.making.pseudo import Neighbours, draw_margins, push

# Read-outs that class content drowns at strength 1: twelve colours, and colour against none.
_GAINS = {"grey": 1.5, "tint": 3.5}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the outcome besides the data.

    Attributes:
        steps: optimiser steps; ``batch`` rows each.
        rate: peak learning rate of Adam (warm-up, then cosine).
        scale: inverse temperature of cosine similarities.
        sharpness: factor on lite2's logits before the softmax that is the target.
        real: share of features that keep their own class in the class loss.
        official: share of steps on the official template; else a random one.
        margins: range of the pseudo-features' margin, in logits.
        removed: attribute directions kept free of class content.
        probe_ridge: ridge of the attribute read-outs, in rows per feature dimension.
        attribute: length of the read-outs relative to the class part.
        offset: length of the constant offset relative to the class part.
        seed: of every random draw.
    """

    steps: int = 600
    batch: int = 512
    rate: float = 1e-3
    scale: float = 80.0
    sharpness: float = 0.7
    real: float = 0.05
    official: float = 0.8
    margins: tuple[float, float] = (3.0, 10.0)
    removed: int = 26
    probe_ridge: float = 3.0
    attribute: float = 0.32
    offset: float = 1.3
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """Features of training views and what is known about them.

    Attributes:
        features: ``(n, m)`` lite2 features under the reference's preprocessing.
        labels: ``(n,)`` class indices.
        groups: ``n`` attribute groups; empty for views that show the photograph itself.
        values: ``(n,)`` index of the value inside its group.
    """

    features: Tensor
    labels: Tensor
    groups: tuple[str, ...]
    values: Tensor

    def take(self, rows: Tensor) -> "Views":
        """Return the views at ``rows``."""
        groups = tuple(self.groups[i] for i in rows.tolist())
        return Views(self.features[rows], self.labels[rows], groups, self.values[rows])

    def rows_of(self, group: str) -> Tensor:
        """Return the rows of an attribute group; "" for photographs as they are."""
        return torch.tensor([i for i, name in enumerate(self.groups) if name == group])


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Affine image head ``z = f @ weight.T + bias``: weight ``(d, m)``, bias ``(d,)``."""

    weight: Tensor
    bias: Tensor

    def embed(self, features: Tensor) -> Tensor:
        """Return raw embeddings ``(n, d)`` of ``features (n, m)``."""
        return features @ self.weight.mT + self.bias

    def __add__(self, other: "Head") -> "Head":
        """Return the head whose embeddings are the sums."""
        return Head(self.weight + other.weight, self.bias + other.bias)

    def scaled(self, factor: float | Tensor) -> "Head":
        """Return the head whose embeddings are ``factor`` times as long."""
        return Head(self.weight * factor, self.bias * factor)

    def mean_length(self, features: Tensor) -> Tensor:
        """Return the mean norm of the embeddings of ``features``."""
        length: Tensor = torch.linalg.vector_norm(self.embed(features), dim=1).mean()
        return length


def train_head(
    views: Views,
    texts: Texts,
    classifier: tuple[Tensor, Tensor],
    recipe: Recipe,
    progress: Callable[[int, int, float], None] | None = None,
) -> Head:
    """Train on ``views``; ``classifier`` is lite2's own head (weight, bias).

    ``progress`` receives step, steps and the loss.
    """
    keep = without_attributes(texts, recipe.removed)
    photos = views.features[views.rows_of("")]
    directions = attribute_directions(texts) * _gains(texts)
    probes = attribute_probes(views, recipe.probe_ridge)
    named = Head(directions @ probes.weight, directions @ probes.bias)
    extra = named.scaled(recipe.attribute / named.mean_length(photos))
    extra = extra + Head(torch.zeros_like(extra.weight), recipe.offset * silent_direction(texts))
    return _class_part(views, texts, classifier, recipe, keep, extra, progress) + extra


def _gains(texts: Texts) -> Tensor:
    """Return ``(p,)`` relative strengths of the values' read-outs."""
    return torch.cat(
        [torch.full((len(GROUPS[group]),), _GAINS.get(group, 1.0)) for group in texts.groups]
    )


def _class_part(
    views: Views,
    texts: Texts,
    classifier: tuple[Tensor, Tensor],
    recipe: Recipe,
    keep: Tensor,
    extra: Head,
    progress: Callable[[int, int, float], None] | None,
) -> Head:
    """Return the class part, of mean length 1 on photographs, refined in the company of ``extra``.

    The optimiser sees whitened features and a whitened text space.
    """
    mean, spread = views.features.mean(0), views.features.std(0).clamp_min(1e-3)
    inputs = (views.features - mean) / spread
    whiten_in = inverse_root(inputs.mT @ inputs / len(inputs), 0.1) / spread  # (m, m)
    whiten_out = keep @ whitening(texts.classes[0])  # (d, d)
    start = closed_form(views.features, texts.classes[0], classifier)
    inner = torch.linalg.lstsq(whiten_out, start.weight).solution
    inner = torch.linalg.solve(whiten_in, inner, left=False).requires_grad_()
    centre = start.embed(mean).detach().requires_grad_()

    def head() -> Head:
        weight = whiten_out @ inner @ whiten_in
        return Head(weight, keep @ centre - weight @ mean)

    sampler = _Sampler(views, texts, classifier, recipe, extra)
    optimiser = torch.optim.Adam([inner, centre], lr=recipe.rate)
    for step in range(recipe.steps):
        optimiser.param_groups[0]["lr"] = _rate(recipe, step)
        loss = sampler.loss(head())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if progress is not None and (step + 1) % 20 == 0:
            progress(step + 1, recipe.steps, float(loss.detach()))
    with torch.no_grad():
        found = head()
        return found.scaled(1 / found.mean_length(views.features[views.rows_of("")]))


def _rate(recipe: Recipe, step: int) -> float:
    """Return the learning rate of a step: thirty steps of warming up, then half a cosine."""
    warm = min(1.0, (step + 1) / 30)
    return recipe.rate * warm * 0.5 * (1 + math.cos(math.pi * step / recipe.steps))


def attribute_probes(views: Views, ridge: float) -> Head:
    """Return one affine read-out per attribute value, ``(p, m)`` and ``(p,)``, groups in order.

    Each group's values are told apart by ridge regression on its own views, classes balanced, on
    standardised features; photographs as they are have the target 0, so that the read-outs stay
    silent where nothing was done.
    """
    mean, spread = views.features.mean(0), views.features.std(0).clamp_min(1e-3)
    plain = views.features[views.rows_of("")]
    plain = plain[torch.randperm(len(plain), generator=Generator().manual_seed(0))[:4000]]
    weights, biases = [], []
    for group in sorted(set(views.groups) - {""}):
        rows = views.rows_of(group)
        count = len(GROUPS[group])
        wanted = one_hot(views.values[rows], count).float()
        share = (1 / wanted.sum(0).clamp_min(1))[views.values[rows]] * len(rows) / count
        share = torch.cat([share, torch.full((len(plain),), 0.5)])[:, None]
        inputs = (torch.cat([views.features[rows], plain]) - mean) / spread
        target = torch.cat([wanted - 1 / count, torch.zeros(len(plain), count)])
        centre, level = (share * inputs).sum(0) / share.sum(), (share * target).sum(0) / share.sum()
        centred = inputs - centre
        gram = centred.mT @ (share * centred)
        gram.diagonal().add_(ridge * len(inputs) / 10)
        weight = torch.linalg.solve(gram, centred.mT @ (share * (target - level))).mT / spread
        weights.append(weight)
        biases.append(level - weight @ (centre * spread + mean))
    return Head(torch.cat(weights), torch.cat(biases))


def closed_form(
    features: Tensor, texts: Tensor, classifier: tuple[Tensor, Tensor], ridge: float = 0.003
) -> Head:
    """Return the affine map whose products with ``texts (c, d)`` are nearest to the logits.

    Both sides are centred over classes; embeddings of ``features`` have a mean norm of 1.
    """
    centred = texts - texts.mean(0)
    gram = centred.mT @ centred
    gram.diagonal().add_(ridge * gram.diagonal().mean())
    weight, bias = (part - part.mean(0) for part in classifier)
    solved = torch.linalg.solve(gram, centred.mT @ torch.cat([weight, bias[:, None]], dim=1))
    head = Head(solved[:, :-1], solved[:, -1])
    return head.scaled(1 / head.mean_length(features))


class _Sampler:
    """Draws batches of pseudo-features and computes their loss."""

    def __init__(
        self,
        views: Views,
        texts: Texts,
        classifier: tuple[Tensor, Tensor],
        recipe: Recipe,
        extra: Head,
    ) -> None:
        self._views, self._texts, self._recipe = views, texts, recipe
        self._classifier, self._extra = classifier, extra
        self._generator = Generator().manual_seed(recipe.seed)
        self._neighbours = Neighbours(views.labels, views.rows_of(""), classifier[0])

    def loss(self, base: Head) -> Tensor:
        """Return the cross-entropy over the 1,000 class prompts on one random batch."""
        recipe, generator, (weight, bias) = self._recipe, self._generator, self._classifier
        rows, goals = self._neighbours.draw(recipe.batch, recipe.real, generator)
        photos, labels = self._views.features[rows], self._views.labels[rows]
        margins = draw_margins(len(rows), *recipe.margins, generator)
        features = push(photos, labels, goals, margins, self._classifier)
        target = torch.softmax(recipe.sharpness * (features @ weight.mT + bias), dim=1)
        official = bool(torch.rand(1, generator=generator) < recipe.official)
        others = len(self._texts.classes)
        template = 0 if official else int(torch.randint(others, (1,), generator=generator))
        raw = base.embed(features)
        # A pushed feature keeps the attribute readings of its photograph.
        raw = raw / raw.norm(dim=1).mean() + self._extra.embed(photos)
        cosines = normalize(raw, dim=1) @ self._texts.classes[template].mT
        return cross_entropy(recipe.scale * cosines, target)
