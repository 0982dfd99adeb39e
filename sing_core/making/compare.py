"""Table 2 on ``mini`` with lite0's features: linear and non-linear translators on one footing.

All are fitted on the same real views (no pseudo-pairs, which the translators that ship have
beside them), choose lambda (by the one rule, mean squared error) or the epoch on the same other
photographs, and are measured on images that neither saw: full-size photographs of classes without
any view in the fit, and ``tiny_imagenet_val``. Folds are those of ``maths.folds``: the first
measures, its partner chooses, the others are fitted.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sing_core.files.atomic import write_atomically
from sing_core.files.digests import content_key
from sing_core.files.store import Store
from sing_core.making.features import REFERENCE
from sing_core.making.make import load_heads
from sing_core.making.material import Material, photograph_rows
from sing_core.maths.cross_fit import partner_of
from sing_core.maths.feature_map import FeatureMap
from sing_core.maths.folds import FOLDS
from sing_core.maths.nonlinear import ARCHITECTURES
from sing_core.maths.ridge import Moments, fit_path, lambdas_around
from sing_core.maths.training import LOSSES, Recipe, train
from sing_core.maths.translator_quality import LINEAR, PerImage, compare, per_image
from sing_core.models.device import prepare_torch
from sing_core.models.references import space_id
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.studies.translator_table import comparison_path

if TYPE_CHECKING:
    from sing_core.settings import Settings

CLASSIFIER, MODEL = "tf_efficientnet_lite0", "lite0"
COMMAND = "python -m sing_core.making compare-translators"
_MEASURED = 0
Rows = tuple[Tensor, Tensor]


def splits(material: Material, settings: "Settings") -> tuple[dict[str, Rows], dict[str, Tensor]]:
    """Return features and true embeddings: ``fit``, ``choose``, ``unseen`` and ``photos``.

    ``unseen`` are the plain sample photographs of a fold, ``choose`` all views of its partner, and
    ``fit`` those of the others; ``photos`` is ``tiny_imagenet_val``. Beside them return the classes
    of the images of both tests.
    """
    head = load_heads(settings).image
    every, sample_rows = material.pairs(classifiers=[CLASSIFIER])
    pairs = every[CLASSIFIER]
    folds, photographs = pairs.folds, photograph_rows(sample_rows)
    chooses = folds == partner_of(_MEASURED, FOLDS)
    tiny, tiny_classes = material.tiny_val([CLASSIFIER])
    unseen = photographs[folds[photographs] == _MEASURED]

    def rows(chosen: Tensor) -> Rows:
        part = pairs.take(chosen)
        return part.features, head.embed(part.reference)

    parts = {
        "fit": rows((folds != _MEASURED) & ~chooses),
        "choose": rows(chooses),
        "unseen": rows(unseen),
        "photos": (tiny[CLASSIFIER], head.embed(tiny[REFERENCE])),
    }
    return parts, {"unseen": pairs.labels[unseen], "photos": tiny_classes}


_TESTS = {
    "photos": "photographs of tiny_imagenet_val (64 pixels) of classes that were seen",
    "unseen": "full-size photographs of classes without any view in the fit",
}


def candidates() -> Iterator[tuple[str, str]]:
    """Yield architecture and loss of every translator that is compared, the linear one first."""
    yield LINEAR, "ridge"
    for loss in LOSSES:
        for architecture in ARCHITECTURES:
            yield architecture, loss


def _fit(
    architecture: str, loss: str, parts: dict[str, Rows], recipe: Recipe
) -> tuple[FeatureMap, dict[str, Any]]:
    """Return a fitted translator and how the fit went."""
    if architecture == LINEAR:
        fitting, choosing = Moments.of(*parts["fit"]), Moments.of(*parts["choose"])
        alphas = lambdas_around(fitting.mean_eigenvalue)
        path = fit_path(fitting, choosing, alphas=alphas)
        return path.translator, {"lambda": path.best_alpha}
    done = train(architecture, loss, parts["fit"], parts["choose"], recipe)
    history = [asdict(epoch) for epoch in done.epochs]
    return done.translator, {"best_epoch": done.best, "epochs": history}


def make_comparison(
    settings: "Settings", data: Path, say: Callable[[str], None], recipe: Recipe | None = None
) -> dict[str, Any]:
    """Fit all, measure all, and write ``assets/translators/comparison.json`` after each.

    What is measured is kept in the cache, so that a run that was stopped goes on.
    """
    prepare_torch(settings)
    recipe = recipe or Recipe()
    parts, classes = splits(Material(settings, data), settings)
    store = Store(settings.cache_dir)
    measured: dict[str, list[tuple[str, str, PerImage]]] = {name: [] for name in _TESTS}
    fits: dict[str, Any] = {}
    result: dict[str, Any] = {}
    for architecture, loss in candidates():

        def compute(architecture: str = architecture, loss: str = loss) -> dict[str, Tensor]:
            translator, history = _fit(architecture, loss, parts, recipe)
            kept = {"history": torch.tensor(list(json.dumps(history).encode()), dtype=torch.uint8)}
            for name in _TESTS:
                found = per_image(translator, *parts[name])
                kept |= {f"{name}.cosine": found.cosine, f"{name}.mse": found.mse}
            return kept

        space = space_id(DEFAULT_REFERENCE, settings)
        key = content_key(architecture, loss, repr(recipe), space, _sizes(parts))
        kept = store.get_or_compute("comparison", key, compute, meta={"rows": _sizes(parts)})
        for name, rows in measured.items():
            measures = PerImage(kept[f"{name}.cosine"], kept[f"{name}.mse"])
            rows.append((architecture, loss, measures))
        fits[f"{architecture}, {loss}"] = json.loads(bytes(kept["history"].tolist()))
        cosines = [f"{name} {float(kept[f'{name}.cosine'].mean()):.4f}" for name in _TESTS]
        say(f"{architecture}, {loss}: cosine {', '.join(cosines)}")
        result = _result(parts, recipe, fits) | {"tests": _tables(measured, classes)}
        text = json.dumps(_short(result), indent=1) + "\n"
        write_atomically(comparison_path(settings), text.encode())
    return result


def _sizes(parts: dict[str, Rows]) -> str:
    return ", ".join(f"{name} {len(rows[0])}" for name, rows in parts.items())


def _tables(
    measured: dict[str, list[tuple[str, str, PerImage]]], classes: dict[str, Tensor]
) -> dict[str, Any]:
    """Return the table of each test, its intervals over ``classes``."""
    tables = {}
    for name, rows in measured.items():
        images = f"{len(classes[name]):,} {_TESTS[name]}"
        tables[name] = compare(rows, images=images, classes=classes[name]).as_json()
    return tables


def _result(parts: dict[str, Rows], recipe: Recipe, fits: dict[str, Any]) -> dict[str, Any]:
    return {
        "command": COMMAND,
        "model": MODEL,
        "reference": DEFAULT_REFERENCE,
        "rows_fitted": len(parts["fit"][0]),
        "rows_choosing": len(parts["choose"][0]),
        "recipe": asdict(recipe),
        "fits": fits,
    }


def _short(value: Any) -> Any:  # noqa: ANN401
    """Return ``value`` with its numbers rounded to six digits: more is noise in a diff."""
    if isinstance(value, dict):
        return {name: _short(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_short(part) for part in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
