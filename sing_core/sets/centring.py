"""The centre of a reference, taken from the embeddings of a set that it was shown."""

from collections.abc import Iterable
from contextlib import suppress

import torch
from torch import Tensor

from sing_core.errors import StaleArtefactError
from sing_core.maths.centre import centre_of
from sing_core.models.readings import FEWEST_IMAGES, has_centre, own_centre_path
from sing_core.models.workbench import Workbench
from sing_core.sets.chunks import SetFolder, Stored


def keep_centre_of_set(bench: Workbench, folder: SetFolder, reference: Stored) -> bool:
    """Keep the mean over a set's stored raw embeddings as the centre of ``reference``.

    As for ``keep_centre``.

    Raises:
        SingError: a chunk is missing or damaged, or the vocabulary cannot be embedded.
        OSError: the disk refuses.
    """
    chunks = (
        folder.chunk(reference.name, reference.weights_digest, index).features
        for index in range(folder.facts.chunks)
    )
    return keep_centre(bench, reference, chunks, folder.facts.key)


def keep_centre(
    bench: Workbench, reference: Stored, embeddings: Iterable[Tensor], data: str
) -> bool:
    """Keep the mean of raw image ``embeddings`` as a reference's centre unless it has one.

    ``embeddings`` are parts ``(n, d)``; ``data`` is the digest of the images. The centre of texts
    is the mean over the vocabulary. Return whether one was kept: too few images give none.

    Raises:
        SingError: the vocabulary cannot be embedded.
        OSError: the disk refuses.
    """
    with suppress(StaleArtefactError):  # a damaged one is taken again
        if has_centre(reference.name, reference.weights_digest, bench.settings):
            return False
    count, mean = _mean(embeddings)
    if count < FEWEST_IMAGES:
        return False
    texts = bench.vocabulary(reference.name).embeddings
    details = {"data": data, "images": str(count), "texts": str(len(texts))}
    found = centre_of(mean[None], texts, reference.weights_digest, details)
    found.save(own_centre_path(bench.settings, reference.name))
    return True


def _mean(parts: Iterable[Tensor]) -> tuple[int, Tensor]:
    count, total = 0, torch.zeros(())
    for part in parts:
        count, total = count + len(part), total + part.double().sum(dim=0)
    return count, total / max(count, 1)
