"""Measures of ``mini`` and its translators: 5 folds over the sample classes, and held-out images.

A fold's photographs and classes are in no training view of its head and translators.
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
from sing_core.making.translators import Pairs, fit_translator
from sing_core.maths.ridge import RidgePath

FOLDS = 5
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
    heads = {name: classifier_head(name, material.settings) for name in (REFERENCE, *CLASSIFIERS)}
    hits: list[Tensor] = []
    probes: dict[str, list[list[float]]] = {group: [] for group in PROBES}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CLASSIFIERS}
    for fold in range(FOLDS):
        say(f"Fold {fold + 1} of {FOLDS}: training without its classes.")
        inside = (view_rows >= 0) & (view_rows % FOLDS == fold)
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
    for name, values in _tiny_val(material, pairs, heads, head, texts).items():
        result["translators"][name] |= values
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
    classifiers: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]],
    texts: Texts,
) -> dict[str, float]:
    inside = (rows >= 0) & (rows % FOLDS == fold)
    # Lambda is chosen on another fold's photographs, which stay out of the fit as well.
    choosing = (rows >= 0) & (rows % FOLDS == (fold + 1) % FOLDS)
    path = fit_translator(
        pairs.take(~inside & ~choosing), pairs.take(choosing & pairs.plain), head, classifiers
    )
    test = pairs.take(inside)
    photos = test.take(torch.arange(len(set(test.labels.tolist()))))
    guess = path.translator.apply(photos.features).float()
    true = head.embed(photos.reference)
    hits = _hits(guess, photos.labels, texts.classes[0])
    return {
        "cosine_unseen_classes": float(cosine_similarity(guess, true).mean()),
        "cosine_unseen_classes_without_offset": _bare_cosine(guess, true, texts),
        "zero_shot_top1_unseen_classes": _mean(hits.tolist()),
        "lambda": path.best_alpha,
    }


def _tiny_val(
    material: Material,
    pairs: dict[str, Pairs],
    heads: dict[str, tuple[Tensor, Tensor]],
    head: Head,
    texts: Texts,
) -> dict[str, dict[str, float]]:
    """Measure where only the photograph is new: its class was trained on, in 64 pixels as here."""
    features, labels = material.tiny_val()
    values = {}
    for name, rows in pairs.items():
        path = shipped_fit(rows, head, (heads[name], heads[REFERENCE]))
        guess = path.translator.apply(features[name]).float()
        true = head.embed(features[REFERENCE])
        hits = _hits(guess, labels, texts.classes[0])
        values[name] = {
            "cosine_tiny_imagenet_val": float(cosine_similarity(guess, true).mean()),
            "cosine_tiny_imagenet_val_without_offset": _bare_cosine(guess, true, texts),
            "zero_shot_top1_tiny_imagenet_val": _mean(hits.tolist()),
            "classifier_top1_tiny_imagenet_val": _top1(features[name], labels, heads[name]),
        }
    return values


def _bare_cosine(guess: Tensor, true: Tensor, texts: Texts) -> float:
    """Return the mean cosine once the constant that all images share is taken away."""
    keep = 1 - silent_direction(texts)
    return float(cosine_similarity(guess * keep, true * keep).mean())


def shipped_fit(
    pairs: Pairs, head: Head, classifiers: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]
) -> RidgePath:
    """Return the ridge path of the translator that ships: every twelfth view chooses lambda."""
    choosing = torch.arange(len(pairs.labels)) % 12 == 0
    return fit_translator(pairs.take(~choosing), pairs.take(choosing), head, classifiers)


def _top1(features: Tensor, labels: Tensor, classifier: tuple[Tensor, Tensor]) -> float:
    weight, bias = classifier
    return float(((features @ weight.mT + bias).argmax(1) == labels).float().mean())


def _hits(embedded: Tensor, labels: Tensor, prompts: Tensor) -> Tensor:
    return ((normalize(embedded, dim=1) @ prompts.mT).argmax(1) == labels).float()


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
