"""The stored features of a prepared set, or of some classes of it, and whose images they are."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from sing_core.errors import ImageSetError
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant
from sing_core.models.class_names import wnid_of
from sing_core.models.workbench import Workbench
from sing_core.sets.catalogue import image_sets
from sing_core.sets.chunks import ImageRow
from sing_core.sets.kinds import kinds_among, pooled


@dataclass(frozen=True, slots=True, eq=False)
class SetPart:
    """Images of a set, as one classifier sees them.

    Attributes:
        features: ``(n, m)`` float32.
        images: the ``n`` images, in the same order.
        where: in words which images these are, with their number, and that kinds are pooled.
        kinds: how many are of each kind; empty in a set of one.
    """

    features: Tensor
    images: tuple[ImageRow, ...]
    where: str
    kinds: dict[str, int] = field(default_factory=dict)


def part_of_set(bench: Workbench, images: str, model: str, class_name: str) -> SetPart:
    """Return the images of the class ``class_name`` of the set ``images``; of all for "".

    A class is named as people do: by a label, a wnid, or an index.

    Raises:
        ImageSetError: there is no such set or class, or it has no features of the model.
        SingError: the model cannot be loaded.
    """
    folders = {folder.facts.name: folder for folder in reversed(image_sets(bench.settings))}
    if images not in folders:
        raise ImageSetError(
            f"No prepared set is called “{images[:64]}”. There are: {', '.join(sorted(folders))}."
        )
    folder, digest = folders[images], bench.entry(model).weights_digest
    wnid = wnid_of(class_name) if class_name else ""
    if class_name and not wnid:
        raise ImageSetError(f"“{class_name[:64]}” is no class of ImageNet-1k.")
    parts, rows = [], []
    for index in range(folder.facts.chunks):
        chunk = folder.chunk(model, digest, index)
        wanted = [place for place, row in enumerate(chunk.images) if wnid in ("", row.wnid)]
        parts.append(chunk.features[wanted].float())
        rows += [chunk.images[place] for place in wanted]
    many = f"{len(rows):,} image{'' if len(rows) == 1 else 's'}"
    kinds = kinds_among(folder.facts, (row.name for row in rows))
    many += f": {pooled(kinds)}" if pooled(kinds) else ""
    where = f"“{class_name}” ({many})" if class_name else f"the set {images} ({many})"
    return SetPart(torch.cat(parts), tuple(rows), where, kinds)


def halves(part: SetPart) -> tuple[SetPart, SetPart]:
    """Return the images in two halves: from the first something is made, in the second shown.

    Which is which the digests decide; an image that is there twice is in one half alone.
    """
    order = sorted({image.digest for image in part.images})
    rank = {digest: place for place, digest in enumerate(order)}
    found = []
    for parity in (0, 1):
        own = [k for k, image in enumerate(part.images) if rank[image.digest] % 2 == parity]
        images = tuple(part.images[place] for place in own)
        found.append(SetPart(part.features[own], images, part.where))
    return found[0], found[1]


def joined(parts: Sequence[SetPart]) -> SetPart:
    """Return the images of several parts as one."""
    features = torch.cat([part.features for part in parts])
    images = tuple(image for part in parts for image in part.images)
    return SetPart(features, images, " and ".join(part.where for part in parts))


def most_components(
    bench: Workbench, images: str, model: str, class_name: str, variant: HeadVariant = WHOLE_HEAD
) -> int:
    """Return in how many directions the hidden parts of images can vary at most.

    One fewer than there are images in the half that makes a direction, or all that are hidden.

    Raises:
        SingError: see ``part_of_set``.
    """
    made, _ = halves(part_of_set(bench, images, model, class_name))
    several = len({image.digest for image in made.images}) - 1
    return max(0, min(several, bench.deciding(model, variant).linear.head.nullity))
