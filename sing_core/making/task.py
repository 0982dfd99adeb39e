"""The losses that both heads of ``mini`` learn from, and the closed form they start from."""

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax, normalize

from sing_core.making.geometry import inverse_root
from sing_core.making.heads import Head, TextHead, Views
from sing_core.making.pseudo import Neighbours, draw_margins, push
from sing_core.making.recipe import Recipe, Words


class Task:
    """Whitened photographs, the classifier in their coordinates, and the losses of a batch."""

    def __init__(
        self,
        views: Views,
        words: Words,
        classifier: tuple[Tensor, Tensor],
        recipe: Recipe,
        *,
        fast: bool,
    ) -> None:
        """Whiten once; ``fast`` multiplies in bfloat16."""
        self._words, self._recipe, self._fast = words, recipe, fast
        plain = views.take(views.rows_of(""))
        self._labels = plain.labels
        self._kinds = [torch.nonzero(rows).squeeze(1) for rows in (plain.full, ~plain.full)]
        self._mean = views.features.mean(0)
        centred = views.features - self._mean
        self._whiten = inverse_root(centred.mT @ centred / len(centred), recipe.feature_floor)
        self._features, self._classifier = plain.features, classifier
        self._generator = Generator().manual_seed(recipe.seed)
        self._neighbours = Neighbours(
            self._labels, torch.arange(len(self._labels)), self._classifier[0]
        )
        self._spread = self._text_spread()

    def start(self) -> tuple[Tensor, TextHead]:
        """Return the image head, ``(d, m)`` before the spread of texts, and the text head.

        A text's length after the text head is that of the look it stands for, as far as
        ``stiffness`` lets it, so that a cosine compares looks.
        """
        recipe, official = self._recipe, self._words.texts.classes[0]
        weight = self._classifier[0] @ torch.linalg.inv(self._whiten)
        looks = normalize(weight - weight.mean(0), dim=1)
        found = self._words.kin.closed_form(official, looks)
        values, vectors = torch.linalg.eigh(found @ found.mT)
        values = values.clamp_min(0)
        root = (values + recipe.stiffness * values.mean()).sqrt()
        image = (vectors / root) @ vectors.mT @ found
        photos = (self._features[:500] - self._mean) @ self._whiten
        image = image / (photos @ image.mT).norm(dim=1).mean()
        text = (vectors * (root / root.square().mean().sqrt())) @ vectors.mT
        generator = Generator().manual_seed(recipe.seed)
        unit = recipe.curvature / float(self._words.kin.texts.std(0).mean())
        width = len(text)
        inner = torch.randn(recipe.dim, image.shape[1], generator=generator)
        inner[:width] = torch.linalg.solve(self._spread[:width, :width], image)
        inner[width:] *= 0.2 * inner[:width].std()
        return inner, TextHead.from_linear(text, recipe.dim, unit, generator)

    def _text_spread(self) -> Tensor:
        """Return ``(d, d)``: by it the image head learns in whitened coordinates of the texts."""
        official = normalize(self._words.texts.classes[0], dim=1)
        centred = official - official.mean(0)
        gram = centred.mT @ centred / len(centred)
        root = inverse_root(gram, self._recipe.floor) * gram.diagonal().mean().sqrt()
        spread = torch.eye(self._recipe.dim)
        spread[: len(root), : len(root)] = root
        return spread

    def head(self, inner: Tensor, centre: Tensor, keep: Tensor | None = None) -> Head:
        """Return the head for features as they are, from one for whitened features."""
        full, offset = self._spread @ inner @ self._whiten, centre
        if keep is not None:
            full, offset = keep @ full, keep @ offset
        return Head(full, offset - full @ self._mean)

    def class_loss(
        self,
        inner: Tensor,
        centre: Tensor,
        text: TextHead,
        keep: Tensor | None = None,
        extra: Head | None = None,
    ) -> Tensor:
        """Return the cross-entropy of a batch over the class prompts; ``extra`` adds attributes."""
        recipe, (weight, bias) = self._recipe, self._classifier
        rows, goals = self._draw()
        margins = draw_margins(len(rows), *recipe.margins, self._generator)
        features = self._features[rows]
        pushed = push(features, self._labels[rows], goals, margins, self._classifier)
        with self._quick():
            logits = pushed @ weight.mT
            raw = (((pushed - self._mean) @ self._whiten) @ inner.mT) @ self._spread.mT
        target = torch.softmax(recipe.sharpness * (logits.float() + bias), dim=1)
        raw = raw.float() + centre
        if keep is not None:
            raw = raw @ keep.mT
        if extra is not None:
            # A pushed feature keeps the attribute readings of its photograph.
            raw = raw / raw.norm(dim=1).mean() + extra.embed(features)
        with self._quick():
            prompts = text.embed(self._template())
        images, prompts = normalize(raw, dim=1), normalize(prompts.float(), dim=1)
        with self._quick():
            cosines = images @ prompts.mT
        return cross_entropy(recipe.scale * cosines.float(), target)

    def whole_loss(self, text: TextHead) -> Tensor:
        """Return how far neighbours of sentences are from what they are in the tower's space."""
        recipe, generator = self._recipe, self._generator
        few = recipe.sentences // 4
        names, others = self._words.kin.texts, self._words.sentences
        drawn = torch.cat(
            [
                names[torch.randint(len(names), (few,), generator=generator)],
                others[torch.randint(len(others), (recipe.sentences - few,), generator=generator)],
            ]
        )
        with self._quick():
            shown = text.embed(drawn)
        own = torch.eye(len(drawn), dtype=torch.bool)
        near = []
        for units in (normalize(shown.float(), dim=1), normalize(drawn, dim=1)):
            cosines = (units @ units.mT / recipe.nearness).masked_fill(own, -1e4)
            near.append(log_softmax(cosines, dim=1))
        return kl_div(near[0], near[1], log_target=True, reduction="batchmean")

    def _draw(self) -> tuple[Tensor, Tensor]:
        """Return rows of photographs and the classes they are pushed to, ``(batch,)`` each."""
        recipe, generator = self._recipe, self._generator
        rows, goals = self._neighbours.draw(recipe.batch, generator)
        kept = round(recipe.real * recipe.batch)
        small = round(recipe.small * kept) if len(self._kinds[1]) else 0
        for kind, start, stop in ((1, 0, small), (0, small, kept)):
            among = self._kinds[kind]
            rows[start:stop] = among[
                torch.randint(len(among), (stop - start,), generator=generator)
            ]
        goals[:kept] = self._labels[rows[:kept]]
        return rows, goals

    def _template(self) -> Tensor:
        recipe, classes = self._recipe, self._words.texts.classes
        drawn = float(torch.rand(1, generator=self._generator))
        if drawn < recipe.official:
            return classes[0]
        if drawn < recipe.official + recipe.definitions:
            return classes[-1]
        return classes[int(torch.randint(len(classes) - 1, (1,), generator=self._generator))]

    def _quick(self) -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=self._fast)
