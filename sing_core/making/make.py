"""The three makings: train the heads, fit the translators, measure both; each overwrites assets."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import save

from sing_core.files.atomic import write_atomically
from sing_core.making.features import REFERENCE, classifier_head
from sing_core.making.heads import Head, Heads, TextHead
from sing_core.making.material import Material, photograph_rows
from sing_core.making.measure import measure
from sing_core.making.measure_heads import Training
from sing_core.making.recipe import Recipe
from sing_core.making.translators import Pairs, fit_translator
from sing_core.maths.translator import Translator
from sing_core.maths.translator_quality import per_image
from sing_core.maths.unseen import Unseen
from sing_core.models import registry
from sing_core.models.device import prepare_torch
from sing_core.models.embedded_reference import (
    MINI,
    MINI_VIT,
    TEXT_INNER,
    TEXT_OUTER,
    EmbeddedReference,
)
from sing_core.models.references import space_id
from sing_core.models.registry import ModelEntry

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from torch import Tensor

    from sing_core.settings import Settings


def make_reference(settings: "Settings", data: Path, nouns: Path, bar: "Progress") -> Iterator[str]:
    """Train on all views and write ``assets/mini/head.safetensors``; yields lines to print.

    ``nouns`` is the file ``data.noun`` of WordNet 3.0.
    """
    start = time.monotonic()
    training = _training(settings, data, nouns, _advance(bar, "Features"))
    task = bar.add_task("Training the heads", total=None)

    def progress(step: int, steps: int, loss: float) -> None:
        bar.update(task, completed=step, total=steps, description=f"Heads, loss {loss:.3f}")

    heads = training.everything(progress)
    write_atomically(MINI.head_path(settings), save(to_file(heads)))
    photos, prompts = training.photos, heads.unit(training.words.texts.classes[0])
    guess = heads.image.embed(photos.features) @ prompts.mT
    share = float((guess.argmax(1) == photos.labels).float().mean())
    yield f"Zero-shot top-1 on the training photographs themselves: {share:.1%}"
    yield f"{time.monotonic() - start:.0f} s. Fit the translators anew, then measure."


def _training(
    settings: "Settings", data: Path, nouns: Path, progress: Callable[[int, int], None] | None
) -> Training:
    prepare_torch(settings)
    material = Material(settings, data, progress)
    # Says at once, before 40,000 texts are embedded, that the images are missing.
    material.sample_folds()
    classifier = classifier_head(REFERENCE, settings)
    return Training(material, material.words(nouns), classifier, Recipe())


def make_translators(settings: "Settings", data: Path, bar: "Progress") -> Iterator[str]:
    """Fit the translators of every classifier into both references; yields lines to print.

    The image head of ``mini-vit`` is what leads its tower into ``mini``, in closed form: the
    translator of ``vits``. It is written as well.
    """
    prepare_torch(settings)
    pairs, rows = Material(settings, data, _advance(bar, "Features")).pairs()
    into = partial(_into, settings, pairs, photograph_rows(rows))
    fitted: Translator | None = None
    for entry in registry.models(settings):
        fitted, line = into(entry, MINI, load_heads(settings).image)
        yield line
        if entry.architecture != MINI_VIT.trunk:
            continue
        head = Head(fitted.weight, fitted.bias)
        stored = {"weight": head.weight.contiguous(), "bias": head.bias.contiguous()}
        write_atomically(MINI_VIT.head_path(settings), save(stored))
        for other in registry.models(settings):
            yield into(other, MINI_VIT, head)[1]


def _into(
    settings: "Settings",
    pairs: dict[str, Pairs],
    photographs: "Tensor",
    entry: ModelEntry,
    reference: EmbeddedReference,
    head: Head,
) -> tuple[Translator, str]:
    """Fit and write the translator of ``entry`` into ``reference``; return it and a line."""
    views = pairs[entry.architecture]
    if reference is MINI_VIT:
        views = replace(views, reference=pairs[reference.trunk].features)
    heads = tuple(classifier_head(name, settings) for name in (entry.architecture, reference.trunk))
    if entry.architecture == reference.trunk and reference is MINI_VIT:
        fitted = Translator(head.weight, head.bias, details={"exact": "the tower's own head"})
    else:
        fitted = fit_translator(views, head, (heads[0], heads[1]))
        fitted = replace(fitted, weight=fitted.weight.half().float())  # a file half as large
    measured = _measured(fitted, views.take(photographs), head)
    replace(
        fitted,
        model=entry.name,
        model_digest=entry.weights_digest,
        space_id=space_id(reference.name, settings),
        details=fitted.details | {name: repr(value) for name, value in measured.items()},
    ).save(settings.assets_dir / "translators" / f"{entry.name}--{reference.name}.safetensors")
    return fitted, (
        f"{entry.name} to {reference.name}: on the photographs cosine {measured['cosine']:.3f} "
        f"cross-fitted, {measured['cosine_in_sample']:.3f} in-sample"
    )


def _measured(fitted: Translator, photos: Pairs, head: Head) -> dict[str, float]:
    """Return mean cosines on photographs of the fit: of its stand-ins, and of itself."""
    true, unseen = head.embed(photos.reference), Unseen.of(fitted, photos.photographs)
    return {
        "cosine": float(per_image(unseen, photos.features, true).cosine.mean()),
        "cosine_in_sample": float(per_image(fitted, photos.features, true).cosine.mean()),
    }


def make_measures(
    settings: "Settings", data: Path, nouns: Path, console: "Console"
) -> dict[str, Any]:
    """Measure and write ``assets/mini/measures.json``; ``nouns`` as for ``make_reference``."""
    training = _training(settings, data, nouns, None)
    found = measure(training, load_heads(settings), console.print)
    text = json.dumps(found, indent=1) + "\n"
    write_atomically(settings.assets_dir / "mini" / "measures.json", text.encode())
    return found


def to_file(heads: Heads) -> dict[str, "Tensor"]:
    """Return what ``head.safetensors`` holds, from which the reference is assembled.

    Matrices are rounded to half precision; what is measured and fitted starts from the file.
    """
    return {
        "weight": heads.image.weight.contiguous().half(),
        "bias": heads.image.bias.contiguous(),
        TEXT_INNER: heads.text.inner.contiguous().half(),
        TEXT_OUTER: heads.text.outer.contiguous().half(),
    }


def load_heads(settings: "Settings") -> Heads:
    """Return the shipped heads.

    Raises:
        WeightsUnavailableError: their file is damaged, or holds something else.
    """
    stored = MINI.read_head(settings)
    text = TextHead(stored[TEXT_INNER], stored[TEXT_OUTER])
    return Heads(Head(stored["weight"], stored["bias"]), text)


def _advance(bar: "Progress", label: str) -> Callable[[int, int], None]:
    task = bar.add_task(label, total=None)

    def progress(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)

    return progress
