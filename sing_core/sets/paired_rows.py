"""Features and embeddings of the same images, batch by batch."""

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

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

    One at a time is held decoded, however large. One that cannot be used is left out, and said in
    ``problems``.

    Raises:
        SingError: no image can be used, or a network cannot be loaded.
    """
    backbone, space = bench.pool.backbone(model), bench.pool.reference(reference)
    features: list[Tensor] = []
    embeddings: list[Tensor] = []
    digests: list[str] = []
    labels: list[str] = []
    seen = (
        (images.labels[place], photo.digest, backbone.preprocess(photo.image),
         space.preprocess(photo.image))
        for place, photo in images.photos(problems, max_pixels=bench.settings.max_pixels)
    )  # fmt: skip
    while batch := _next(seen):
        features.append(backbone.features(torch.stack([row[2] for row in batch])))
        embeddings.append(space.embed_batch(torch.stack([row[3] for row in batch])))
        labels += [row[0] for row in batch]
        digests += [row[1] for row in batch]
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


_Row = tuple[str, str, Tensor, Tensor]


def _next(rows: Iterator[_Row]) -> list[_Row]:
    return list(islice(rows, _BATCH))
