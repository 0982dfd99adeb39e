"""What a reference sees in the images of a prepared set: stored, or by its head upon its tower."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from sing_core.errors import ImageSetError
from sing_core.models.references import space_id
from sing_core.models.registry import base_of, catalogue
from sing_core.models.workbench import Workbench
from sing_core.sets.chunks import Chunk, SetFolder

EXACT = "exact"  # among a translator's details: it is the reference's own head


class ReferenceRows(NamedTuple):
    """``rows`` ``(n,)`` of a set, and their raw embeddings ``(n, d)`` float32."""

    rows: Tensor
    embeddings: Tensor


def reference_rows(bench: Workbench, folder: SetFolder, reference: str) -> ReferenceRows:
    """Return what ``reference``, raw, sees in the images of a set.

    Where a classifier sees the very pictures that the reference's tower sees, and its features are
    kept with the set, the reference's own head upon them is all that is needed.

    Raises:
        ImageSetError: neither embeddings nor such features are kept with the set.
        SingError: what is kept is damaged, or of other weights.
    """
    base = base_of(reference)
    own = list(_stored(folder, base, space_id(base, bench.settings)))
    if own:
        return ReferenceRows(*_joined(own))
    for entry in catalogue(bench.settings):
        head = bench.translator(entry.name, base) if entry.shares_tower(base) else None
        if head is None or EXACT not in head.details:
            continue
        seen = list(_stored(folder, entry.name, entry.weights_digest))
        if seen:
            rows, features = _joined(seen)
            return ReferenceRows(rows, head.apply(features).float())
    raise ImageSetError(
        f"What {base} sees in the images of {folder.facts.name} is not kept with the set: "
        "prepare it again with --embed."
    )


def _stored(folder: SetFolder, network: str, digest: str) -> Iterator[Chunk]:
    """Yield what a network saw of a set; nothing where the set was not prepared for it."""
    if folder.facts.chunks and folder.load(network, digest, 0) is None:
        return
    for index in range(folder.facts.chunks):
        yield folder.chunk(network, digest, index)


def _joined(chunks: list[Chunk]) -> tuple[Tensor, Tensor]:
    rows = torch.tensor([image.row for chunk in chunks for image in chunk.images])
    return rows, torch.cat([chunk.features.float() for chunk in chunks])
