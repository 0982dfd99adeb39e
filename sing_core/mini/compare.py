"""Table 2 on ``mini`` with lite0's features: linear and non-linear translators on one footing.

All are fitted on the same real views (no pseudo-pairs, which the translators that ship have
beside them), choose lambda or the epoch on the same other images, and are measured on images that
neither saw: photographs of classes without any view in the fit, and ``tiny_imagenet_val``.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sing_core.atomic import write_atomically
from sing_core.comparison import LINEAR, PerImage, compare, per_image
from sing_core.feature_map import FeatureMap
from sing_core.mini.features import REFERENCE
from sing_core.mini.make import load_head
from sing_core.mini.material import Material
from sing_core.mini.translators import ALPHAS
from sing_core.nonlinear import ARCHITECTURES
from sing_core.training import LOSSES, Recipe, train
from sing_core.translator import fit_ridge_path

if TYPE_CHECKING:
    from sing_core.settings import Settings

CLASSIFIER, MODEL = "tf_efficientnet_lite0", "lite0"
COMMAND = "python -m sing_core.mini compare-translators"
_FOLDS = 5
_EVERY = 12
Rows = tuple[Tensor, Tensor]


def comparison_path(settings: "Settings") -> Path:
    """Return where the comparison ships."""
    return settings.assets_dir / "translators" / "comparison.json"


def splits(material: Material, settings: "Settings") -> dict[str, Rows]:
    """Return features and true embeddings: ``fit``, ``choose``, ``unseen`` and ``photos``.

    ``choose`` is a fold of the sample classes and every twelfth other image; ``unseen`` are the
    plain photographs of another fold; ``photos`` is ``tiny_imagenet_val``.
    """
    head = load_head(settings)
    every, sample_rows = material.pairs()
    pairs, fold = every[CLASSIFIER], sample_rows % _FOLDS
    is_sample = sample_rows >= 0
    unseen = is_sample & (fold == 0)
    choose = (is_sample & (fold == 1)) | (
        ~is_sample & (torch.arange(len(sample_rows)) % _EVERY == 0)
    )
    photos = torch.nonzero(unseen).squeeze(1)[: int(sample_rows[unseen].unique().numel())]
    tiny, _ = material.tiny_val()

    def rows(chosen: Tensor) -> Rows:
        part = pairs.take(chosen)
        return part.features, head.embed(part.reference)

    return {
        "fit": rows(~unseen & ~choose),
        "choose": rows(choose),
        "unseen": rows(photos),
        "photos": (tiny[CLASSIFIER], head.embed(tiny[REFERENCE])),
    }


_TESTS = {
    "photos": "5,000 photographs of tiny_imagenet_val (64 pixels) of classes that were seen",
    "unseen": "full-size photographs of 160 classes without any view in the fit",
}


def candidates(
    parts: dict[str, Rows], recipe: Recipe
) -> Iterator[tuple[str, str, FeatureMap, Any]]:
    """Yield architecture, loss, the fitted translator, and how the fit went."""
    path = fit_ridge_path(*parts["fit"], *parts["choose"], alphas=ALPHAS)
    yield LINEAR, "ridge", path.translator, {"lambda": path.best_alpha}
    for architecture in ARCHITECTURES:
        for loss in LOSSES:
            done = train(architecture, loss, parts["fit"], parts["choose"], recipe)
            history = [asdict(epoch) for epoch in done.epochs]
            yield architecture, loss, done.translator, {"best_epoch": done.best, "epochs": history}


def make_comparison(
    settings: "Settings", data: Path, say: Callable[[str], None], recipe: Recipe | None = None
) -> dict[str, Any]:
    """Fit all, measure all, and write ``assets/translators/comparison.json``."""
    settings.prepare_threads()
    recipe = recipe or Recipe()
    parts = splits(Material(settings, data), settings)
    measured: dict[str, list[tuple[str, str, PerImage]]] = {name: [] for name in _TESTS}
    fits: dict[str, Any] = {}
    for architecture, loss, translator, fit in candidates(parts, recipe):
        for name, found in measured.items():
            found.append((architecture, loss, per_image(translator, *parts[name])))
        fits[f"{architecture}, {loss}"] = fit
        values = {name: float(rows[-1][2].cosine.mean()) for name, rows in measured.items()}
        say(f"{architecture}, {loss}: cosine {values['photos']:.4f}, unseen {values['unseen']:.4f}")
    result: dict[str, Any] = {
        "command": COMMAND,
        "model": MODEL,
        "reference": "mini",
        "rows_fitted": len(parts["fit"][0]),
        "rows_choosing": len(parts["choose"][0]),
        "recipe": asdict(recipe),
        "fits": fits,
        "tests": {
            name: compare(rows, images=_TESTS[name]).as_json() for name, rows in measured.items()
        },
    }
    text = json.dumps(_short(result), indent=1) + "\n"
    write_atomically(comparison_path(settings), text.encode())
    return result


def _short(value: Any) -> Any:  # noqa: ANN401
    """Return ``value`` with its numbers rounded to six digits: more is noise in a diff."""
    if isinstance(value, dict):
        return {name: _short(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_short(part) for part in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
