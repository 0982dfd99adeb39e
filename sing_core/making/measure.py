"""Measures of ``mini`` and its translators: 5 folds over the sample classes, and held-out images.

A fold's photographs and classes are in no training view of its head and translators. The translator
that ships is measured on the sample photographs as well, by the stand-ins that did not see them.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from sing_core.making.captions import GROUPS
from sing_core.making.features import CLASSIFIERS, REFERENCE, classifier_head
from sing_core.making.geometry import Texts, silent_direction
from sing_core.making.material import Material
from sing_core.making.train import Head, Recipe, Views, train_head
from sing_core.making.translators import Classifiers, Pairs, fit_translator, fold_moments
from sing_core.maths.cross_fit import fit_without
from sing_core.maths.feature_map import RowMap
from sing_core.maths.folds import FOLDS
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import Unseen

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


def measure(material: Material, head: Head, say: Callable[[str], None]) -> dict[str, Any]:
    """Return every measure; ``head`` is the shipped one, used for ``tiny_imagenet_val``.

    Shares and accuracies are between 0 and 1.
    """
    texts = material.texts()
    views, view_rows = material.views()
    pairs, pair_rows = material.pairs()
    folds = material.sample_folds()
    heads = {name: classifier_head(name, material.settings) for name in (REFERENCE, *CLASSIFIERS)}
    hits: list[Tensor] = []
    probes: dict[str, list[list[float]]] = {group: [] for group in PROBES}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CLASSIFIERS}
    for fold in range(FOLDS):
        say(f"Fold {fold + 1} of {FOLDS}: training without its classes.")
        inside = (view_rows >= 0) & (folds[view_rows.clamp_min(0)] == fold)
        trained = train_head(
            views.take(torch.nonzero(~inside).squeeze(1)), texts, heads[REFERENCE], Recipe()
        )
        test = views.take(torch.nonzero(inside).squeeze(1))
        photos = test.take(torch.arange(len(test.labels) // _views_per_photo(test)))
        hits.append(_hits(trained.embed(photos.features), photos.labels, texts.classes[0]))
        for group in PROBES:
            probes[group].append(probe(material, trained, test, group))
        for name, rows in pairs.items():
            found[name].append(
                _fold_translator(rows, pair_rows, fold, trained, (heads[name], heads[REFERENCE]),
                                 texts)
            )  # fmt: skip
    result = _over_folds(hits, probes, found)
    say("New photographs of seen classes (tiny_imagenet_val), with the whole training set.")
    new, labels = material.tiny_val()
    for name, rows in pairs.items():
        fitted = fit_translator(rows, head, (heads[name], heads[REFERENCE]))
        seen = rows.take(photograph_rows(pair_rows))
        result["translators"][name] |= _photographs(fitted, seen, head, texts)
        result["translators"][name] |= _suffixed(
            "tiny_imagenet_val", fitted, new[name], head.embed(new[REFERENCE]), labels, texts
        ) | {"classifier_top1_tiny_imagenet_val": _top1(new[name], labels, heads[name])}
    return result


def _over_folds(
    hits: list[Tensor],
    probes: dict[str, list[list[float]]],
    found: dict[str, list[dict[str, float]]],
) -> dict[str, Any]:
    """Return the means of what each fold measured on classes that it had not seen."""
    return {
        "zero_shot_top1_unseen_classes": _mean(torch.cat(hits).tolist()),
        "zero_shot_top1_by_fold": [_mean(h.tolist()) for h in hits],
        "probes": {
            group: {
                " / ".join(prompts[:2]): _mean([fold[i] for fold in probes[group]])
                for i, prompts in enumerate(PROBES[group][1])
            }
            for group in PROBES
        },
        "translators": {
            name: {key: _mean([fold[key] for fold in folds]) for key in folds[0]}
            for name, folds in found.items()
        },
    }


def probe(material: Material, head: Head, test: Views, group: str) -> list[float]:
    """Return the balanced zero-shot accuracy of one attribute group, one per row of prompts."""
    names, rows = PROBES[group]
    all_names = [value.name for value in GROUPS[group]]
    keep = [i for i in test.rows_of(group).tolist() if all_names[int(test.values[i])] in names]
    chosen = test.take(torch.tensor(keep))
    wanted = torch.tensor([names.index(all_names[int(v)]) for v in chosen.values])
    embedded = normalize(head.embed(chosen.features), dim=1)
    scores = []
    for prompts in rows:
        guess = (embedded @ material.embed(list(prompts)).mT).argmax(1)
        recalls = [
            float((guess[wanted == k] == k).float().mean())
            for k in range(len(names))
            if bool((wanted == k).any())
        ]
        scores.append(_mean(recalls))
    return scores


def _views_per_photo(test: Views) -> int:
    """Views of one sample photo; the plain views come first, one per photo."""
    return len(test.labels) // len(set(test.labels.tolist()))


def _fold_translator(
    pairs: Pairs,
    rows: Tensor,
    fold: int,
    head: Head,
    classifiers: Classifiers,
    texts: Texts,
) -> dict[str, float]:
    moments = [held for held in fold_moments(pairs, head, classifiers) if held is not None]
    fitted, _ = fit_without(moments, fold)
    photos = pairs.take(photograph_rows(rows))
    photos = photos.take(photos.folds == fold)
    true = head.embed(photos.reference)
    found = _suffixed("unseen_classes", fitted, photos.features, true, photos.labels, texts)
    return found | {"lambda": float(fitted.details["lambda"])}


def photograph_rows(rows: Tensor) -> Tensor:
    """Return which views are the sample photographs as they are, one a photograph.

    ``rows`` ``(n,)`` the sample row of each view, -1 for others: the plain ones come first.
    """
    return torch.nonzero(rows >= 0).squeeze(1)[: int(rows.max()) + 1]


def _photographs(fitted: Translator, photos: Pairs, head: Head, texts: Texts) -> dict[str, float]:
    """Measure the file that ships on the photographs it was fitted from, cross-fitted.

    What the whole fit does on them, which saw them, stands beside it and is called in-sample.
    """
    unseen = Unseen.of(fitted, photos.photographs)
    true, labels = head.embed(photos.reference), photos.labels
    found: dict[str, float] = {}
    for name, translator in (("photographs", unseen), ("photographs_in_sample", fitted)):
        found |= _suffixed(name, translator, photos.features, true, labels, texts)
    return found


def _suffixed(
    name: str, translator: RowMap, features: Tensor, true: Tensor, labels: Tensor, texts: Texts
) -> dict[str, float]:
    """Return cosines and zero-shot accuracy of translated ``features`` ``(n, m)``, by name."""
    guess = translator.apply(features).float()
    return {
        f"cosine_{name}": float(cosine_similarity(guess, true).mean()),
        f"cosine_{name}_without_offset": _bare_cosine(guess, true, texts),
        f"zero_shot_top1_{name}": _mean(_hits(guess, labels, texts.classes[0]).tolist()),
    }


def _bare_cosine(guess: Tensor, true: Tensor, texts: Texts) -> float:
    """Return the mean cosine once the constant that all images share is taken away."""
    keep = 1 - silent_direction(texts)
    return float(cosine_similarity(guess * keep, true * keep).mean())


def _top1(features: Tensor, labels: Tensor, classifier: tuple[Tensor, Tensor]) -> float:
    weight, bias = classifier
    return float(((features @ weight.mT + bias).argmax(1) == labels).float().mean())


def _hits(embedded: Tensor, labels: Tensor, prompts: Tensor) -> Tensor:
    return ((normalize(embedded, dim=1) @ prompts.mT).argmax(1) == labels).float()


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
