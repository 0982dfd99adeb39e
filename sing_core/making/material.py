"""What training and measuring start from: views, their features, and the text embeddings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sing_core.making.captions import CLASS_TEMPLATES, GROUPS, class_prompts, training_prompts
from sing_core.making.data import ImageFolder, View, plan_views
from sing_core.making.features import CLASSIFIERS, REFERENCE, FeatureCache, bfloat16_is_fast
from sing_core.making.geometry import Texts
from sing_core.making.heads import Views
from sing_core.making.kin import Kin
from sing_core.making.recipe import Words
from sing_core.making.texts import TextTower, class_names
from sing_core.making.translators import Pairs
from sing_core.making.wordnet import WordNet
from sing_core.maths.folds import folds_of
from sing_core.models.prompts import CLASS_TEMPLATE

if TYPE_CHECKING:
    from pathlib import Path

    from sing_core.settings import Settings

Progress = Callable[[int, int], None]
_SEED = 0
_DEFINITION = 160  # characters of a definition that are read


@dataclass(frozen=True, slots=True)
class Plan:
    """How many views of each image are looked at (see ``plan_views``)."""

    crops: int = 6
    attributes: int = 26
    tiny: int = 64
    tiny_attributes: int = 32

    def views(self, folder: ImageFolder) -> list[View]:
        """Return the views of this plan, the same every time."""
        return plan_views(
            folder,
            crops=self.crops,
            attributes=self.attributes,
            tiny=self.tiny,
            tiny_attributes=self.tiny_attributes,
            seed=_SEED,
        )


REFERENCE_PLAN = Plan()
TRANSLATOR_PLAN = Plan(attributes=5, tiny_attributes=6)


class Material:
    """The shared images under one folder, seen through the frozen networks; cached on disk."""

    def __init__(
        self, settings: "Settings", data: "Path", progress: Progress | None = None
    ) -> None:
        """Remember where things lie; nothing is read yet."""
        self.settings = settings
        self.fast = bfloat16_is_fast()
        self._folder = ImageFolder(data)
        self._cache = FeatureCache(settings, self._folder, fast=self.fast)
        self._tower = TextTower(settings)
        self._progress = progress

    def words(self, nouns: "Path") -> Words:
        """Return everything that is said in training; ``nouns`` is WordNet's ``data.noun``."""
        curated, lemmas = class_names()
        wordnet = WordNet.read(nouns)
        taken = {name.lower() for name in curated + lemmas}
        others = [
            row
            for row, word in enumerate(wordnet.words)
            if row >= len(curated) and word.lower() not in taken
        ]
        names = class_prompts([wordnet.words[row] for row in others], CLASS_TEMPLATE)
        kinship = wordnet.kinship(wordnet.wnids[: len(curated)])[others]
        sentences = self.embed([wordnet.definitions[row] for row in others])
        defined = wordnet.definitions[: len(curated)]
        return Words(
            self.texts(self.definitions(curated, defined)),
            Kin.from_kinship(self.embed(names), kinship),
            sentences,
        )

    def definitions(self, names: Sequence[str], defined: Sequence[str]) -> Tensor:
        """Return ``(c, t)`` embeddings of names with what WordNet says that they are."""
        lines = zip(names, defined, strict=True)
        return self.embed([f"{name}: {line[:_DEFINITION]}" for name, line in lines])

    def texts(self, definitions: Tensor) -> Texts:
        """Return class prompts (both name lists, definitions last) and attribute paraphrases."""
        curated, lemmas = class_names()
        classes = [
            self.embed(class_prompts(names, template))
            for template in CLASS_TEMPLATES
            for names in (curated, lemmas)
        ] + [definitions]
        values = {
            group: [self.embed(training_prompts(group, value)) for value in options]
            for group, options in GROUPS.items()
        }
        return Texts(torch.stack(classes), values)

    def embed(self, prompts: list[str]) -> Tensor:
        """Return what the text tower gives, ``(n, t)``, not normalised."""
        return self._tower.embed(prompts)

    def views(self, plan: Plan = REFERENCE_PLAN) -> tuple[Views, Tensor]:
        """Return the reference's views and, ``(n,)``, the sample row of each (-1: no sample)."""
        views = plan.views(self._folder)
        features = self._cache.features(views, [REFERENCE], self._progress)[REFERENCE]
        groups = tuple(view.kind if view.kind in GROUPS else "" for view in views)
        rows = _sample_rows(views)
        return Views(features, self._labels(views), groups, _values(views), rows >= 0), rows

    def pairs(
        self, plan: Plan = TRANSLATOR_PLAN, classifiers: Sequence[str] = CLASSIFIERS
    ) -> tuple[dict[str, Pairs], Tensor]:
        """Return classifier -> pairs with the reference, and the sample row of each view."""
        views = plan.views(self._folder)
        photographs = tuple(self._folder.digests(views))
        found = self._cache.features(views, [REFERENCE, *classifiers], self._progress)
        rows = _sample_rows(views)
        weights = torch.where(rows >= 0, 2.0, 1.0)
        plain = torch.tensor([view.kind not in GROUPS for view in views])
        labels = self._labels(views)
        return {
            name: Pairs(found[name], found[REFERENCE], labels, weights, plain, photographs)
            for name in classifiers
        }, rows

    def sample_folds(self) -> Tensor:
        """Return ``(n,)`` the fold of each sample photograph, by which all is cross-fitted."""
        table = self._folder.table("sample")
        return folds_of([table.digest(row) for row in range(len(table))])

    def tiny_val(
        self, classifiers: Sequence[str] = CLASSIFIERS
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return features of the images of ``tiny_imagenet_val``, and their labels."""
        rows = range(len(self._folder.table("tiny_val")))
        views = [View("tiny_val", row, "plain", "", 0) for row in rows]
        found = self._cache.features(views, [REFERENCE, *classifiers], self._progress)
        return found, self._labels(views)

    def _labels(self, views: Sequence[View]) -> Tensor:
        return torch.from_numpy(self._folder.labels(views)).long()


def _sample_rows(views: Sequence[View]) -> Tensor:
    return torch.tensor([view.row if view.source == "sample" else -1 for view in views])


def _values(views: Sequence[View]) -> Tensor:
    names = {group: [value.name for value in values] for group, values in GROUPS.items()}
    return torch.tensor([names[v.kind].index(v.value) if v.kind in names else 0 for v in views])


def photograph_rows(rows: Tensor) -> Tensor:
    """Return which views are the sample photographs as they are, one a photograph.

    ``rows`` ``(n,)`` the sample row of each view, -1 for others: the plain ones come first.
    """
    return torch.nonzero(rows >= 0).squeeze(1)[: int(rows.max()) + 1]
