"""Train the image head of ``mini``: one affine map from lite2's features to the text space.

It starts from a closed form (the map whose products with the class prompts are nearest to lite2's
logits) plus attribute read-outs (ridge probes, which generalise where free weights would learn
the photographs by heart), and is then refined. Loss: cross-entropy of cosine similarities with the
prompts of the 1,000 classes, on pseudo-features of all classes and a few real ones, target lite2's
softmax.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy, normalize, one_hot

from sing_core.mini.captions import GROUPS
from sing_core.mini.pseudo import draw_goals, draw_margins, push

_PARTS = 4
GROUP_ORDER = tuple(sorted(GROUPS))
_LENGTH = 20.0  # of embeddings while training; sets the relative size of Adam's steps


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the outcome besides the data.

    Attributes:
        steps: optimiser steps.
        batch: rows of the class loss per step; the attribute loss takes as many.
        rate: peak learning rate of Adam (warm-up, then cosine).
        scale: inverse temperature of cosine similarities.
        probe_ridge: ridge of the attribute read-outs, in rows per feature dimension.
        real: share of real features in the class loss.
        official: share of steps on the official template; else a random one.
        margins: range of the pseudo-features' margin, in logits.
        attribute: strength of the attribute read-outs, relative to the length of an embedding.
        offset: length of the common offset relative to the mean length of what varies.
        seed: of every random draw.
    """

    steps: int = 800
    batch: int = 768
    rate: float = 4e-3
    scale: float = 100.0
    probe_ridge: float = 3.0
    real: float = 0.05
    official: float = 0.8
    margins: tuple[float, float] = (3.0, 10.0)
    attribute: float = 0.08
    offset: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Unit text embeddings that the losses compare with.

    Attributes:
        classes: ``(t, c, d)`` class prompts by template; the first is the official one.
        values: group -> one ``(p, d)`` tensor of paraphrases per value.
    """

    classes: Tensor
    values: dict[str, list[Tensor]]


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


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Affine image head ``z = f @ weight.T + bias``: weight ``(d, m)``, bias ``(d,)``."""

    weight: Tensor
    bias: Tensor

    def embed(self, features: Tensor) -> Tensor:
        """Return raw embeddings ``(n, d)`` of ``features (n, m)``."""
        return features @ self.weight.mT + self.bias


def train_head(
    views: Views,
    texts: Texts,
    classifier: tuple[Tensor, Tensor],
    recipe: Recipe,
    progress: Callable[[int, int, float], None] | None = None,
) -> Head:
    """Train on ``views``; ``classifier`` is lite2's own head (weight, bias).

    The optimiser sees standardised features and a whitened text space: the map is
    ``whiten @ inner @ diag(1 / spread)``. ``progress`` receives step, steps and the loss.
    """
    generator = Generator().manual_seed(recipe.seed)
    sampler = _Sampler(views, texts, classifier, recipe, generator)
    start = closed_form(views.features, texts.classes[0], classifier)
    probes = attribute_probes(views, recipe.probe_ridge)  # (p, m), (p,)
    mean, spread = views.features.mean(0), views.features.std(0).clamp_min(1e-3)
    whiten = _whitening(texts.classes[0])
    inner = torch.linalg.solve(whiten, _LENGTH * start.weight * spread).requires_grad_()
    outer = recipe.attribute * attribute_directions(texts)
    bias = _LENGTH * (start.embed(mean) + recipe.offset * common_direction(texts))
    bias = bias.detach().requires_grad_()

    optimiser = torch.optim.Adam([inner, bias], lr=recipe.rate)
    for step in range(recipe.steps):
        warm = min(1.0, (step + 1) / 30)
        rate = recipe.rate * warm * 0.5 * (1 + math.cos(math.pi * step / recipe.steps))
        optimiser.param_groups[0]["lr"] = rate
        weight = whiten @ (inner / spread)
        loss = sampler.class_loss(Head(weight, bias - weight @ mean), outer)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if progress is not None and (step + 1) % 20 == 0:
            progress(step + 1, recipe.steps, float(loss.detach()))
    weight = whiten @ (inner.detach() / spread)
    base = Head(weight, bias.detach() - weight @ mean)
    length = base.embed(views.features).norm(dim=1).mean()
    weight = base.weight / length + outer @ probes.weight
    return Head(weight.contiguous(), base.bias / length + outer @ probes.bias)


def attribute_probes(views: Views, ridge: float) -> Head:
    """Return one affine read-out per attribute value, ``(p, m)`` and ``(p,)``, groups in order.

    Each group's values are told apart by ridge regression on its own views, classes balanced,
    on standardised features.
    """
    mean, spread = views.features.mean(0), views.features.std(0).clamp_min(1e-3)
    inputs = (views.features - mean) / spread
    weights, biases = [torch.zeros(0, len(mean))], [torch.zeros(0)]
    for group in GROUP_ORDER:
        rows = torch.tensor([i for i, name in enumerate(views.groups) if name == group])
        wanted = one_hot(views.values[rows], len(GROUPS[group])).float()
        share = (1 / wanted.sum(0).clamp_min(1))[views.values[rows]]
        share = (share / share.mean())[:, None]
        centre = (inputs[rows] * share).mean(0)
        centred = inputs[rows] - centre
        gram = centred.mT @ (centred * share)
        gram.diagonal().add_(ridge * len(mean))
        weight = torch.linalg.solve(gram, (centred * share).mT @ (wanted - wanted.mean(0)))
        weights.append(weight.mT / spread)
        biases.append(-(centre * spread + mean) @ weights[-1].mT)
    return Head(torch.cat(weights), torch.cat(biases))


def held_out_readings(views: Views, ridge: float) -> Tensor:
    """Return ``(n, p)`` read-outs of each view by probes that have not seen its class.

    Training on a probe's own rows would trust it more than new photographs warrant.
    """
    readings: Tensor | None = None
    for part in range(_PARTS):
        inside = views.labels % _PARTS == part
        probes = attribute_probes(views.take(torch.nonzero(~inside).squeeze(1)), ridge)
        if readings is None:
            readings = torch.zeros(len(views.labels), len(probes.bias))
        readings[inside] = probes.embed(views.features[inside])
    return torch.zeros(len(views.labels), 0) if readings is None else readings


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
    norm = head.embed(features).norm(dim=1).mean()
    return Head(head.weight / norm, head.bias / norm)


def attribute_directions(texts: Texts, within: float = 1.0, ridge: float = 0.02) -> Tensor:
    """Return ``(d, p)``: for each value the text direction that names it and little else.

    A linear discriminant: the dual of the values' mean prompts (centred in their group) under the
    covariance of class prompts and of paraphrases, so that adding one neither re-orders classes
    nor depends on how the attribute is phrased.
    """
    groups = [texts.values[name] for name in sorted(texts.values)]
    means = [torch.stack([prompts.mean(0) for prompts in group]) for group in groups]
    names = torch.cat([mean - mean.mean(0) for mean in means])
    spread = torch.stack([torch.cov(prompts.mT) for prompts in texts.classes]).mean(0)
    phrasing = [torch.cov(prompts.mT) for group in groups for prompts in group]
    noise = spread + within * torch.stack(phrasing).mean(0)
    noise.diagonal().add_(ridge * spread.diagonal().mean())
    solved = torch.linalg.solve(noise, names.mT)  # (d, p)
    gram = names @ solved
    gram.diagonal().add_(0.02 * gram.diagonal().mean())
    directions: Tensor = torch.linalg.solve(gram, solved, left=False)
    return directions


def common_direction(texts: Texts) -> Tensor:
    """Return the unit vector ``(d,)`` with which all training prompts agree most evenly.

    Adding it to every image embedding brings images nearer to text without changing which
    prompt is nearest.
    """
    prompts = [texts.classes.mean(0), *(p for group in texts.values.values() for p in group)]
    rows = torch.cat(prompts)
    gram = rows.mT @ rows
    gram.diagonal().add_(0.03 * gram.diagonal().mean())
    return normalize(torch.linalg.solve(gram, rows.sum(0)), dim=0)


def _whitening(texts: Tensor, ridge: float = 0.03) -> Tensor:
    """Return the symmetric ``(d, d)`` inverse root of the centred prompts' Gram matrix."""
    centred = texts - texts.mean(0)
    values, vectors = torch.linalg.eigh(centred.mT @ centred)
    root: Tensor = (vectors * (values + ridge * values.mean()).rsqrt()) @ vectors.mT
    return root


class _Sampler:
    """Draws batches and computes their losses."""

    def __init__(
        self,
        views: Views,
        texts: Texts,
        classifier: tuple[Tensor, Tensor],
        recipe: Recipe,
        generator: Generator,
    ) -> None:
        self._views, self._texts, self._recipe = views, texts, recipe
        self._classifier, self._generator = classifier, generator
        self._readings = held_out_readings(views, recipe.probe_ridge)
        self._real = torch.tensor([i for i, group in enumerate(views.groups) if not group])
        counts = torch.bincount(views.labels[self._real])[views.labels[self._real]]
        self._shares = counts.float().rsqrt()

    def _pick(self, high: int, count: int = 1) -> Tensor:
        return torch.randint(high, (count,), generator=self._generator)

    def class_loss(self, base: Head, outer: Tensor) -> Tensor:
        """Return the loss over the 1,000 class prompts on one random batch.

        A pushed feature keeps the attribute readings of its photograph.
        """
        recipe, generator = self._recipe, self._generator
        picked = torch.multinomial(self._shares, recipe.batch, True, generator=generator)
        rows = self._real[picked]
        features, labels = self._views.features[rows], self._views.labels[rows]
        goals = draw_goals(len(rows), len(self._classifier[1]), generator)
        margins = draw_margins(len(rows), *recipe.margins, generator)
        kept = round(recipe.real * recipe.batch)
        moved = push(features[kept:], labels[kept:], goals[kept:], margins[kept:], self._classifier)
        features = torch.cat([features[:kept], moved])
        weight, bias = self._classifier
        target = torch.softmax(features @ weight.mT + bias, dim=1)
        official = bool(torch.rand(1, generator=generator) < recipe.official)
        template = 0 if official else int(self._pick(len(self._texts.classes)))
        raw = base.embed(features)
        raw = raw / raw.norm(dim=1).mean() + self._readings[rows] @ outer.mT
        cosines = normalize(raw, dim=1) @ self._texts.classes[template].mT
        return cross_entropy(recipe.scale * cosines, target)
