"""Measures of ``mini`` and its translators: 5 folds over the sample classes, and held-out images.

A fold's photographs and classes are in no training view of its head and translators. The translator
that ships is measured on the sample photographs as well, by the stand-ins that did not see them.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from sing_core.making.features import CLASSIFIERS, REFERENCE, classifier_head
from sing_core.making.heads import Head, Heads
from sing_core.making.material import TRANSLATOR_PLAN, photograph_rows
from sing_core.making.measure_heads import (
    PROBES,
    Found,
    Training,
    measure_folds,
    overlap,
    probe,
    probe_means,
    summary,
)
from sing_core.making.translators import Classifiers, Pairs, fit_translator, fold_moments
from sing_core.maths.cross_fit import fit_without
from sing_core.maths.feature_map import RowMap
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import Unseen
from sing_core.models.focus_vit import ARCHITECTURE


def measure(training: Training, heads: Heads, say: Callable[[str], None]) -> dict[str, Any]:
    """Return every measure; ``heads`` are the shipped ones, used for ``tiny_imagenet_val``.

    Shares and accuracies are between 0 and 1. What ``vits`` tells through its translator is what
    ``mini-vit`` tells: its image head is that translator.
    """
    material = training.material
    crossed = _Crossed(training)
    folds = Found()
    for fold, mine in measure_folds(training, folds, say):
        crossed.add(fold, mine)
    result = summary(folds) | {"neighbours_kept": overlap(material, heads)}
    result["probes_mini_vit"] = probe_means(crossed.probes)
    say("New photographs of seen classes (tiny_imagenet_val), with the whole training set.")
    new, labels = material.tiny_val()
    prompts = heads.unit(crossed.official)
    seen = heads.image.embed(new[REFERENCE])
    result["zero_shot_top1_photograph_new"] = _mean(_hits(seen, labels, prompts).tolist())
    result["translators"] = crossed.means()
    for name, rows in crossed.pairs.items():
        fitted = fit_translator(rows, heads.image, crossed.classifiers(name))
        photos = rows.take(photograph_rows(crossed.rows))
        result["translators"][name] |= _photographs(fitted, photos, heads.image, prompts)
        result["translators"][name] |= _suffixed(
            "tiny_imagenet_val", fitted, new[name], seen, labels, prompts
        ) | {"classifier_top1_tiny_imagenet_val": _top1(new[name], labels, crossed.trained[name])}
    return result


class _Crossed:
    """What translators fitted without a fold tell of it, fold by fold."""

    def __init__(self, training: Training) -> None:
        material = training.material
        self._material = material
        self.pairs, self.rows = material.pairs()
        self.trained = {
            name: classifier_head(name, material.settings) for name in (REFERENCE, *CLASSIFIERS)
        }
        self.official = training.words.texts.classes[0]
        self.probes: list[dict[str, list[float]]] = []
        self._seen = material.views(TRANSLATOR_PLAN)[0]
        self._found: dict[str, list[dict[str, float]]] = {name: [] for name in CLASSIFIERS}

    def classifiers(self, name: str) -> Classifiers:
        """Return the last layers of ``name`` and of lite2."""
        return self.trained[name], self.trained[REFERENCE]

    def add(self, fold: int, heads: Heads) -> None:
        """Fit every translator without ``fold``, for which ``heads`` were trained, and ask it."""
        prompts = heads.unit(self.official)
        for name, pairs in self.pairs.items():
            moments = fold_moments(pairs, heads.image, self.classifiers(name))
            fitted, _ = fit_without([held for held in moments if held is not None], fold)
            photos = pairs.take(photograph_rows(self.rows))
            photos = photos.take(photos.folds == fold)
            true, labels = heads.image.embed(photos.reference), photos.labels
            told = _suffixed("unseen_classes", fitted, photos.features, true, labels, prompts)
            self._found[name].append(told | {"lambda": float(fitted.details["lambda"])})
            if name == ARCHITECTURE:
                served = Heads(Head(fitted.weight.float(), fitted.bias.float()), heads.text)
                inside = (self.rows >= 0) & (pairs.folds == fold)
                self.probes.append(self._probe(served, pairs.features, inside))

    def _probe(self, heads: Heads, features: Tensor, inside: Tensor) -> dict[str, list[float]]:
        test = replace(self._seen, features=features).take(torch.nonzero(inside).squeeze(1))
        return {group: probe(self._material, heads, test, group) for group in PROBES}

    def means(self) -> dict[str, dict[str, float]]:
        """Return every translator's mean over folds."""
        return {
            name: {key: _mean([fold[key] for fold in values]) for key in values[0]}
            for name, values in self._found.items()
        }


def _photographs(
    fitted: Translator, photos: Pairs, head: Head, prompts: Tensor
) -> dict[str, float]:
    """Measure the file that ships on the photographs it was fitted from, cross-fitted.

    What the whole fit does on them, which saw them, stands beside it and is called in-sample.
    """
    unseen = Unseen.of(fitted, photos.photographs)
    true, labels = head.embed(photos.reference), photos.labels
    found: dict[str, float] = {}
    for name, translator in (("photographs", unseen), ("photographs_in_sample", fitted)):
        found |= _suffixed(name, translator, photos.features, true, labels, prompts)
    return found


def _suffixed(
    name: str, translator: RowMap, features: Tensor, true: Tensor, labels: Tensor, prompts: Tensor
) -> dict[str, float]:
    """Return cosines and zero-shot accuracy of translated ``features`` ``(n, m)``, by name."""
    guess = translator.apply(features).float()
    return {
        f"cosine_{name}": float(cosine_similarity(guess, true).mean()),
        f"zero_shot_top1_{name}": _mean(_hits(guess, labels, prompts).tolist()),
    }


def _top1(features: Tensor, labels: Tensor, classifier: tuple[Tensor, Tensor]) -> float:
    weight, bias = classifier
    return float(((features @ weight.mT + bias).argmax(1) == labels).float().mean())


def _hits(embedded: Tensor, labels: Tensor, prompts: Tensor) -> Tensor:
    return ((normalize(embedded, dim=1) @ prompts.mT).argmax(1) == labels).float()


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
