"""Measures of both heads of ``mini``: the three cases by folds, attributes, angles, neighbours."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import torch
from torch import Tensor

from sing_core.making.captions import GROUPS
from sing_core.making.cases import answer, left_out, neighbour_overlap
from sing_core.making.heads import Heads, Views
from sing_core.making.material import Material, photograph_rows
from sing_core.making.recipe import Recipe, Words
from sing_core.making.train import train_heads
from sing_core.maths.folds import FOLDS

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
# One template per row and both values: what a person would type. The first row of a group is the
# official one; the others show how much the wording matters.
PROBES: dict[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]] = {
    "grey": (
        ("grey", "colour"),
        (
            ("a black and white photo", "a color photo"),
            ("a grayscale image", "a colour image"),
            ("a photograph taken in black and white", "a photograph taken in colour"),
        ),
    ),
    "blur": (
        ("blurred", "sharp"),
        (
            ("a blurry photo", "a sharp photo"),
            ("an out of focus picture", "an in focus picture"),
            ("the camera was out of focus", "the camera was perfectly in focus"),
        ),
    ),
    "light": (
        ("dark", "bright"),
        (
            ("a dark photo", "a bright photo"),
            ("a very dark image", "a very bright image"),
            ("a murky, badly lit picture", "a dazzling, brilliantly lit picture"),
        ),
    ),
    "distance": (
        ("close", "far"),
        (
            ("a close-up photo", "a photo from far away"),
            ("a close-up photo of an object", "a photo of an object from far away"),
            ("a large object up close", "a small object a long way away"),
        ),
    ),
    "tint": (
        COLOURS,
        tuple(
            tuple(template.format(colour) for colour in COLOURS)
            for template in ("a {} photo", "an image of something {}", "a {} image")
        ),
    ),
}
_Trained = tuple[Tensor, Tensor]


@dataclass(slots=True)
class Found:
    """What the folds found so far, a list entry a photograph or a fold."""

    without: list[Tensor] = field(default_factory=list)
    by_fold: list[float] = field(default_factory=list)
    own_deg: list[Tensor] = field(default_factory=list)
    other_deg: list[Tensor] = field(default_factory=list)
    left_out: dict[str, list[Tensor]] = field(default_factory=dict)
    overlap: list[float] = field(default_factory=list)
    probes: list[dict[str, list[float]]] = field(default_factory=list)


class Training:
    """All views and words, from which heads are trained without a fold's classes."""

    def __init__(
        self, material: Material, words: Words, classifier: _Trained, recipe: Recipe
    ) -> None:
        """Extract what is not extracted yet; ``classifier`` is lite2's head (weight, bias)."""
        self.material, self.words, self.recipe = material, words, recipe
        self.views, self.rows = material.views()
        self.folds = material.sample_folds()
        self._classifier = classifier
        self.photos = self.views.take(photograph_rows(self.rows))

    def everything(self, progress: Callable[[int, int, float], None] | None = None) -> Heads:
        """Train the heads that ship."""
        return self._train(self.views, self.words, self._classifier, progress)

    def without_photographs(self, fold: int) -> tuple[Heads, Views]:
        """Train without the photographs of ``fold``; return the views kept back as well."""
        inside = self.inside(fold)
        kept = self.views.take(torch.nonzero(~inside).squeeze(1))
        heads = self._train(kept, self.words, self._classifier)
        return heads, self.views.take(torch.nonzero(inside).squeeze(1))

    def without_classes(self, out: Tensor) -> Heads:
        """Train as if there were no classes ``out (c,)``: no photograph, row of W, or text."""
        views = self.views.take(torch.nonzero(~out[self.views.labels]).squeeze(1))
        places = torch.cumsum(~out, 0) - 1
        known = Views(views.features, places[views.labels], views.groups, views.values, views.full)
        weight, bias = self._classifier
        return self._train(known, self.words.without(out), (weight[~out], bias[~out]))

    def inside(self, fold: int) -> Tensor:
        """Return ``(n,)`` which views are of the photographs of ``fold``."""
        return (self.rows >= 0) & (self.folds[self.rows.clamp_min(0)] == fold)

    def _train(
        self,
        views: Views,
        words: Words,
        classifier: _Trained,
        progress: Callable[[int, int, float], None] | None = None,
    ) -> Heads:
        fast = self.material.fast
        return train_heads(views, words, classifier, self.recipe, progress, fast=fast)


def measure_folds(
    training: Training, found: Found, say: Callable[[str], None]
) -> Iterator[tuple[int, Heads]]:
    """Add every fold's measures to ``found``; yield the fold and its heads, without photographs."""
    labels, texts = training.photos.labels, training.words.texts
    for fold in range(FOLDS):
        say(f"Fold {fold + 1} of {FOLDS}: training without its photographs.")
        heads, test = training.without_photographs(fold)
        mine = training.photos.take(torch.nonzero(training.folds == fold).squeeze(1))
        out = left_out(labels, training.folds, fold, texts.classes.shape[1])
        prompts = heads.unit(texts.classes[0])
        told = answer(heads.image.embed(mine.features), mine.labels, prompts, out)
        found.without.append(told.right)
        found.by_fold.append(float(told.right.float().mean()))
        found.own_deg.append(told.own_deg)
        found.other_deg.append(told.other_deg)
        found.probes.append(
            {group: probe(training.material, heads, test, group) for group in PROBES}
        )
        yield fold, heads
        say(f"Fold {fold + 1} of {FOLDS}: training without its classes.")
        bare = training.without_classes(out)
        asked = bare.image.embed(mine.features)
        names, defined = bare.unit(texts.classes[0]), bare.unit(texts.classes[-1])
        for name, rows in (("name", names), ("name and definition", names + defined)):
            told = answer(asked, mine.labels, rows, out)
            found.left_out.setdefault(f"among themselves, by {name}", []).append(told.right_among)
            found.left_out.setdefault(f"over 1,000 classes, by {name}", []).append(told.right)
        found.overlap.append(overlap(training.material, bare))


def summary(found: Found) -> dict[str, Any]:
    """Return means over photographs, and over folds for the probes."""
    return {
        "zero_shot_top1_class_without_photographs": _share(found.without),
        "zero_shot_top1_class_without_photographs_by_fold": found.by_fold,
        "zero_shot_top1_class_left_out": {
            name: _share(hits) for name, hits in found.left_out.items()
        },
        "photographs_asked": sum(map(len, found.without)),
        "angle_deg": {
            "own class": float(torch.cat(found.own_deg).median()),
            "other classes": float(torch.cat(found.other_deg).median()),
        },
        "neighbours_kept_in_folds": found.overlap,
        "probes": probe_means(found.probes),
    }


def probe_means(folds: list[dict[str, list[float]]]) -> dict[str, dict[str, float]]:
    """Return the mean over folds of ``probe`` for every group, by its prompts."""
    return {
        group: {
            " / ".join(prompts[:2]): _mean([fold[group][i] for fold in folds])
            for i, prompts in enumerate(PROBES[group][1])
        }
        for group in PROBES
    }


def overlap(material: Material, heads: Heads) -> float:
    """Return how many of 10 neighbours among 300 sentences stay as in the text tower's space.

    The sentences are ordinary ones, written for this measure: none is trained on.
    """
    text = files("sing_core.making").joinpath("sentences.txt").read_text(encoding="utf-8")
    raw = material.embed(text.splitlines())
    return neighbour_overlap(raw, heads.unit(raw))


def probe(material: Material, heads: Heads, test: Views, group: str) -> list[float]:
    """Return the balanced zero-shot accuracy of one attribute group, one per row of prompts."""
    names, rows = PROBES[group]
    all_names = [value.name for value in GROUPS[group]]
    keep = [i for i in test.rows_of(group).tolist() if all_names[int(test.values[i])] in names]
    chosen = test.take(torch.tensor(keep))
    wanted = torch.tensor([names.index(all_names[int(v)]) for v in chosen.values])
    embedded = heads.image.embed(chosen.features)
    scores = []
    for prompts in rows:
        guess = (embedded @ heads.unit(material.embed(list(prompts))).mT).argmax(1)
        recalls = [
            float((guess[wanted == k] == k).float().mean())
            for k in range(len(names))
            if bool((wanted == k).any())
        ]
        scores.append(_mean(recalls))
    return scores


def _share(hits: list[Tensor]) -> float:
    return float(torch.cat(hits).double().mean())


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
