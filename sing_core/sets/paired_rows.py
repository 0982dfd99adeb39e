"""Features and embeddings of the same images, batch by batch."""

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

from sing_core.files.images import Photo
from sing_core.maths.fitting import _BATCH, PairedRows, Progress
from sing_core.models.workbench import Workbench
from sing_core.sets.chunks import Problem
from sing_core.sets.image_sets import ImageSet


def see(
    bench: Workbench,
    images: ImageSet,
    *,
    model: str,
    reference: str,
    problems: list[Problem],
    progress: Progress | None = None,
) -> PairedRows:
    """Show every image to the classifier and to the reference; each is decoded once.

    One that cannot be used is left out, and said in ``problems``.

    Raises:
        SingError: no image can be used, or a network cannot be loaded.
    """
    backbone, space = bench.pool.backbone(model), bench.pool.reference(reference)
    photos = images.photos(problems, max_pixels=bench.settings.max_pixels)
    features: list[Tensor] = []
    embeddings: list[Tensor] = []
    digests: list[str] = []
    labels: list[str] = []
    while batch := _next(photos):
        pictures = [photo.image for _, photo in batch]
        features.extend(backbone.extract(pictures, batch_size=_BATCH))
        embeddings.append(space.embed_images(pictures))
        digests += [photo.digest for _, photo in batch]
        labels += [images.labels[place] for place, _ in batch]
        if progress is not None:
            progress(len(digests) + len(problems), len(images))
    return PairedRows(
        torch.cat(features),
        torch.cat(embeddings),
        tuple(labels),
        tuple(digests),
        backbone.weights_digest,
        space.space_id,
    )


def _next(photos: Iterator[tuple[int, Photo]]) -> list[tuple[int, Photo]]:
    return list(islice(photos, _BATCH))
