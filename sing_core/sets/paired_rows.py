"""Features and embeddings of the same images, batch by batch."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor

from sing_core.maths.fitting import _BATCH, PairedRows, Progress
from sing_core.models.workbench import Workbench
from sing_core.sets.chunks import Problem
from sing_core.sets.image_sets import ImageSet


class _Network(Protocol):
    @property
    def preprocess(self) -> Callable[[Image.Image], Tensor]: ...


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
    rows = _rows(images, problems, (backbone, space), bench.settings.max_pixels)
    while batch := _next(rows):
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


_Row = tuple[str, str, Tensor, Tensor]  # class, digest, and what each network is shown


def _rows(
    images: ImageSet, problems: list[Problem], networks: tuple[_Network, _Network], pixels: int
) -> Iterator[_Row]:
    first, second = networks
    for place, photo in images.photos(problems, max_pixels=pixels):
        prepared = first.preprocess(photo.image), second.preprocess(photo.image)
        yield images.labels[place], photo.digest, *prepared


def _next(rows: Iterator[_Row]) -> list[_Row]:
    return list(islice(rows, _BATCH))
