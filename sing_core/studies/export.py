"""Arrays written for other tools, and the artefacts that every start needs, computed once."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from safetensors.torch import save
from torch import Tensor

from sing_core.files.atomic import write_atomically
from sing_core.files.images import decode_image
from sing_core.files.regular import MOST_IMAGE_BYTES, read_regular
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.models import registry
from sing_core.models.prompts import clean_prompt
from sing_core.models.workbench import Workbench

if TYPE_CHECKING:
    from rich.console import Console

Row = dict[str, Any]


def _photo(path: Path, max_pixels: int) -> Image.Image:
    return decode_image(read_regular(path, MOST_IMAGE_BYTES), max_pixels=max_pixels).image


def write_features(bench: Workbench, images: Sequence[Path], model: str, out: Path) -> Row:
    """Write ``features`` (n, m) and ``logits`` (n, c) of image files, rows in the order given.

    Raises:
        SingError: a file is not a usable image, or the model cannot be loaded.
    """
    limit = bench.settings.max_pixels
    photos = (_photo(path, limit) for path in images)
    bench.entry(model)
    backbone = bench.pool.backbone(model)
    found = torch.cat(list(backbone.extract(photos)))
    return _write(out, {"features": found, "logits": backbone.logits(found)}, model=model)


def write_embeddings(
    bench: Workbench, images: Sequence[Path], texts: Sequence[str], reference: str, out: Path
) -> Row:
    """Write raw ``embeddings`` (n, d) of image files, then of texts.

    Raises:
        SingError: a file or prompt is not usable, or the reference cannot be loaded.
    """
    settings = bench.settings
    prompts = [clean_prompt(text, max_chars=settings.max_prompt_chars) for text in texts]
    photos = [_photo(path, settings.max_pixels) for path in images]
    space = bench.pool.reference(reference)
    parts = [space.embed_images(photos[i : i + 16]) for i in range(0, len(photos), 16)]
    if prompts:
        parts.append(space.embed_texts(prompts))
    notes = [note for prompt in prompts if (note := space.note_on(prompt))]
    row = _write(out, {"embeddings": torch.cat(parts)}, space_id=space.space_id)
    return row | {"prompt_notes": notes} if notes else row


def write_export(bench: Workbench, model: str, reference: str, out: Path) -> Row:
    """Write the head, its null basis (m, nullity) and the translator into ``reference``.

    Raises:
        SingError: one of them does not exist or does not fit.
    """
    classifier = bench.classifier(model)
    translator = bench.translator(model, reference)
    arrays = {
        "head.weight": classifier.linear.weight,
        "head.bias": classifier.linear.bias,
        "null_basis": classifier.linear.head.null_basis,
        "translator.weight": translator.weight,
        "translator.bias": translator.bias,
    }
    return _write(
        out,
        arrays,
        model=model,
        model_digest=translator.model_digest,
        space_id=translator.space_id,
    )


def _write(out: Path, arrays: dict[str, Tensor], **facts: str) -> Row:
    payload = save({name: value.contiguous() for name, value in arrays.items()}, metadata=facts)
    write_atomically(out, payload)
    return {"out": str(out), **facts, **{name: list(v.shape) for name, v in arrays.items()}}


def warm_up(bench: Workbench, console: "Console") -> Iterator[Row]:
    """Compute and store head splits, the vocabulary and the samples' features, with progress.

    Yields one row per artefact. A second call only reads.
    """
    from rich.progress import Progress

    entries = registry.models(bench.settings)
    with Progress(console=console) as progress:
        task = progress.add_task("Preparing the embedded default", total=len(entries) * 2 + 1)
        for reference in registry.references(bench.settings):
            progress.update(task, description=f"Embedding the vocabulary in {reference.name}")
            vocabulary = bench.vocabulary(reference.name)
            progress.advance(task)
            yield {"artefact": f"vocabulary of {reference.name}", "size": len(vocabulary.labels)}
        for entry in entries:
            progress.update(task, description=f"Splitting the head of {entry.name}")
            head = bench.classifier(entry.name).linear.head
            progress.advance(task)
            yield {"artefact": f"head of {entry.name}", "size": head.nullity}
            progress.update(task, description=f"Features of the samples under {entry.name}")
            for sample in SAMPLES:
                bench.features(entry.name, decode_image(sample_bytes(sample.name)))
            progress.advance(task)
            yield {"artefact": f"sample features of {entry.name}", "size": len(SAMPLES)}
