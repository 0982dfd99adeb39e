"""Train the image head of ``mini``: one affine map from lite2's features to the text space.

It starts from a closed form (the map whose products with the class prompts are nearest to lite2's
logits) plus attribute read-outs (ridge probes, which generalise where free weights would learn
the photographs by heart), and is then refined. Loss: cross-entropy of cosine similarities with (a) the prompts of
the 1,000 classes, on pseudo-features of all classes and a few real ones, target lite2's softmax;
(b) the alternatives of an attribute group in random paraphrases; (c) the same attribute in
captions that name the photograph's class.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy, normalize, one_hot

from sing_core.mini.pseudo import draw_goals, draw_margins, push
from sing_core.translator import fit_ridge

_PROMPT_SETS = 8


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
        attribute: weight of the attribute losses.
        offset: length of the common offset relative to the mean length of what varies.
        jitter: noise on attribute prompts, relative to their length.
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
    attribute: float = 0.5
    offset: float = 1.0
    jitter: float = 0.25
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Unit text embeddings that the losses compare with.

    Attributes:
        classes: ``(t, c, d)`` class prompts by template; the first is the official one.
        values: group -> one ``(p, d)`` tensor of paraphrases per value.
        captions: group -> ``(values, t, c, d)`` captions that name value and class.
    """

    classes: Tensor
    values: dict[str, list[Tensor]]
    captions: dict[str, Tensor]


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
    inner = torch.linalg.solve(whiten, start.weight * spread).requires_grad_()
    outer = torch.zeros(len(start.bias), len(probes.bias)).requires_grad_()
    bias = start.embed(mean) + recipe.offset * common_direction(texts)
    bias = bias.detach().requires_grad_()

    def head(classes: Tensor) -> Head:
        weight = whiten @ (classes / spread)
        constant = bias - weight @ mean + outer @ probes.bias
        return Head(weight + outer @ probes.weight, constant)

    optimiser = torch.optim.Adam([inner, outer, bias], lr=recipe.rate)
    for step in range(recipe.steps):
        warm = min(1.0, (step + 1) / 30)
        rate = recipe.rate * warm * 0.5 * (1 + math.cos(math.pi * step / recipe.steps))
        optimiser.param_groups[0]["lr"] = rate
        loss = sampler.class_loss(head(inner)) + recipe.attribute * sampler.attribute_loss(
            head(inner.detach())
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if progress is not None and (step + 1) % 20 == 0:
            progress(step + 1, recipe.steps, float(loss.detach()))
    final = head(inner)
    return Head(final.weight.detach().contiguous(), final.bias.detach())


def attribute_probes(views: Views, ridge: float) -> Head:
    """Return one affine read-out per attribute value, ``(p, m)`` and ``(p,)``, groups in order.

    Each group's values are told apart by ridge regression on its own views, classes balanced,
    on standardised features.
    """
    mean, spread = views.features.mean(0), views.features.std(0).clamp_min(1e-3)
    inputs = (views.features - mean) / spread
    weights, biases = [torch.zeros(0, len(mean))], [torch.zeros(0)]
    for group in sorted({group for group in views.groups if group}):
        rows = torch.tensor([i for i, name in enumerate(views.groups) if name == group])
        wanted = one_hot(views.values[rows]).float()
        share = (1 / wanted.sum(0).clamp_min(1))[views.values[rows]]
        share = share / share.mean()
        fitted = fit_ridge(inputs[rows], wanted, alpha=ridge * len(mean), weights=share)
        weight = (fitted.weight / spread).float()
        weights.append(weight)
        biases.append(fitted.bias.float() - weight @ mean - wanted.mean(0))
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
    norm = head.embed(features).norm(dim=1).mean()
    return Head(head.weight / norm, head.bias / norm)


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
    return (vectors * (values + ridge * values.mean()).rsqrt()) @ vectors.mT


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
        self._real = torch.tensor([i for i, group in enumerate(views.groups) if not group])
        counts = torch.bincount(views.labels[self._real])[views.labels[self._real]]
        self._shares = counts.float().rsqrt()
        self._by_group = {
            name: torch.tensor([i for i, group in enumerate(views.groups) if group == name])
            for name in sorted({group for group in views.groups if group})
        }

    def attribute_loss(self, head: Head) -> Tensor:
        """Return the mean loss over the attribute groups on one random batch of each."""
        groups = [self._group_loss(head, *item) for item in self._by_group.items()]
        return torch.stack(groups).mean() if groups else torch.zeros(())

    def _pick(self, high: int, count: int = 1) -> Tensor:
        return torch.randint(high, (count,), generator=self._generator)

    def class_loss(self, head: Head) -> Tensor:
        """Return the loss over the 1,000 class prompts on one random batch."""
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
        cosines = normalize(head.embed(features), dim=1) @ self._texts.classes[template].mT
        return cross_entropy(recipe.scale * cosines, target)

    def _group_loss(self, head: Head, group: str, members: Tensor) -> Tensor:
        count = max(32, self._recipe.batch // len(self._by_group))
        rows = members[self._pick(len(members), count)]
        wanted = self._views.values[rows]
        embedded = normalize(head.embed(self._views.features[rows]), dim=1)
        cosines = torch.einsum("nd,kvd->nkv", embedded, self._prompts(group))
        logits = self._recipe.scale * cosines.flatten(0, 1)
        loss = cross_entropy(logits, wanted.repeat_interleave(_PROMPT_SETS))
        if group not in self._texts.captions:
            return loss
        captions = self._texts.captions[group]
        chosen = captions[:, int(self._pick(captions.shape[1])), self._views.labels[rows]]
        cosines = torch.einsum("nd,vnd->nv", embedded, chosen)
        return 0.5 * (loss + cross_entropy(self._recipe.scale * cosines, wanted))

    def _prompts(self, group: str) -> Tensor:
        """Return ``(sets, values, d)`` random paraphrases, blended in pairs and jittered."""
        drawn = [
            torch.stack([p[self._pick(len(p), _PROMPT_SETS)], p[self._pick(len(p), _PROMPT_SETS)]])
            for p in self._texts.values[group]
        ]
        pairs = torch.stack(drawn, dim=2)  # (2, sets, values, d)
        share = torch.rand(1, *pairs.shape[1:3], 1, generator=self._generator).clamp_min(0.5)
        blended = normalize((torch.cat([share, 1 - share]) * pairs).sum(0), dim=-1)
        noise = torch.randn(blended.shape, generator=self._generator) / math.sqrt(blended.shape[-1])
        return normalize(blended + self._recipe.jitter * noise, dim=-1)
