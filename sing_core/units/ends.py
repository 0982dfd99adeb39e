"""The images at the two ends of a direction of feature space."""

from dataclasses import dataclass

from torch import Tensor

from sing_core.models.imagenet import imagenet_labels, imagenet_places
from sing_core.sets.chunks import ImageRow
from sing_core.units.set_part import SetPart

ENDS = 6


@dataclass(frozen=True, slots=True)
class EndImage:
    """An image at an end of a direction.

    Attributes:
        image: it.
        label: its class; "" where it is none of ImageNet-1k.
        score: ``<v, f>``, in units of the feature's norm.
    """

    image: ImageRow
    label: str
    score: float


def ends_of(part: SetPart, vector: Tensor) -> tuple[tuple[EndImage, ...], tuple[EndImage, ...]]:
    """Return the images most along ``vector`` ``(m,)``, and those least along it."""
    along = (part.features.double() @ vector).tolist()
    order = sorted(range(len(along)), key=lambda place: (-along[place], place))
    count = min(ENDS, len(order) // 2)
    labels, places = imagenet_labels(), imagenet_places()

    def end(place: int) -> EndImage:
        row = part.images[place]
        label = labels[places[row.wnid]] if row.wnid in places else ""
        return EndImage(row, label, along[place])

    top, bottom = order[:count], order[len(order) - count :][::-1]
    return tuple(map(end, top)), tuple(map(end, bottom))
