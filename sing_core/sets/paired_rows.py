"""Features and embeddings of the same images, batch by batch."""

from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sing_core.files.images import Photo
from sing_core.maths.fitting import _BATCH, PairedRows, Progress
from sing_core.models.workbench import Workbench
from sing_core.sets.image_sets import ImageSet

if TYPE_CHECKING:
    from collections.abc import Iterator


def see(
    bench: Workbench,
    images: ImageSet,
    *,
    model: str,
    reference: str,
    progress: Progress | None = None,
) -> PairedRows:
    """Show every image to the classifier and to the reference; each is decoded once.

    Raises:
        SingError: an image cannot be used, or a network cannot be loaded.
    """
    backbone, space = bench.pool.backbone(model), bench.pool.reference(reference)
    photos = images.photos(max_pixels=bench.settings.max_pixels)
    features: list[Tensor] = []
    embeddings: list[Tensor] = []
    digests: list[str] = []
    while batch := _next(photos):
        pictures = [photo.image for photo in batch]
        features.extend(backbone.extract(pictures, batch_size=_BATCH))
        embeddings.append(space.embed_images(pictures))
        digests += [photo.digest for photo in batch]
        if progress is not None:
            progress(len(digests), len(images))
    return PairedRows(
        torch.cat(features),
        torch.cat(embeddings),
        images.labels,
        tuple(digests),
        backbone.weights_digest,
        space.space_id,
    )


def _next(photos: "Iterator[Photo]") -> list[Photo]:
    return list(islice(photos, _BATCH))
