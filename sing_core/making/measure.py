"""Measures of ``mini`` and its translators: 5 folds over the sample classes, and held-out images.

A fold's photographs and classes are in no training view of its head and translators. The translator
that ships is measured on the sample photographs as well, by the stand-ins that did not see them.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from sing_core.making.features import CLASSIFIERS, REFERENCE, classifier_head
from sing_core.making.heads import Head, Heads
from sing_core.making.material import photograph_rows
from sing_core.making.measure_heads import Found, Training, measure_folds, overlap, summary
from sing_core.making.translators import Classifiers, Pairs, fit_translator, fold_moments
from sing_core.maths.cross_fit import fit_without
from sing_core.maths.feature_map import RowMap
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import Unseen


def measure(training: Training, heads: Heads, say: Callable[[str], None]) -> dict[str, Any]:
    """Return every measure; ``heads`` are the shipped ones, used for ``tiny_imagenet_val``.

    Shares and accuracies are between 0 and 1.
    """
    material = training.material
    pairs, pair_rows = material.pairs()
    trained = {name: classifier_head(name, material.settings) for name in (REFERENCE, *CLASSIFIERS)}
    official = training.words.texts.classes[0]
    folds = Found()
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CLASSIFIERS}
    for fold, mine in measure_folds(training, folds, say):
        prompts = mine.unit(official)
        for name, rows in pairs.items():
            both = (trained[name], trained[REFERENCE])
            found[name].append(_fold_translator(rows, pair_rows, fold, mine.image, both, prompts))
    result = summary(folds) | {"neighbours_kept": overlap(material, heads)}
    say("New photographs of seen classes (tiny_imagenet_val), with the whole training set.")
    new, labels = material.tiny_val()
    prompts = heads.unit(official)
    seen = heads.image.embed(new[REFERENCE])
    result["zero_shot_top1_photograph_new"] = _mean(_hits(seen, labels, prompts).tolist())
    result["translators"] = {
        name: {key: _mean([fold[key] for fold in values]) for key in values[0]}
        for name, values in found.items()
    }
    for name, rows in pairs.items():
        fitted = fit_translator(rows, heads.image, (trained[name], trained[REFERENCE]))
        photos = rows.take(photograph_rows(pair_rows))
        result["translators"][name] |= _photographs(fitted, photos, heads.image, prompts)
        result["translators"][name] |= _suffixed(
            "tiny_imagenet_val", fitted, new[name], seen, labels, prompts
        ) | {"classifier_top1_tiny_imagenet_val": _top1(new[name], labels, trained[name])}
    return result


def _fold_translator(
    pairs: Pairs,
    rows: Tensor,
    fold: int,
    head: Head,
    classifiers: Classifiers,
    prompts: Tensor,
) -> dict[str, float]:
    moments = [held for held in fold_moments(pairs, head, classifiers) if held is not None]
    fitted, _ = fit_without(moments, fold)
    photos = pairs.take(photograph_rows(rows))
    photos = photos.take(photos.folds == fold)
    true = head.embed(photos.reference)
    found = _suffixed("unseen_classes", fitted, photos.features, true, photos.labels, prompts)
    return found | {"lambda": float(fitted.details["lambda"])}


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
