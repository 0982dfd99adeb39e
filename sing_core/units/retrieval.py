"""Images by one head: those that show its text most, and those that it finds alike.

By a head and a text: ``<t, c_head>`` (arXiv:2310.05916, section 4); scores over all units add up to
those of the whole embedding, and a constant added to the head changes no order. By a head and an
image: the inner product of the two images' parts, less the head's mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sing_core.errors import UnitsError
from sing_core.maths.statistics import Interval, clustered_mean
from sing_core.sets.chunks import ImageRow
from sing_core.units.heads import check_moments
from sing_core.units.inside import Inside
from sing_core.units.moments import HeadMoments
from sing_core.units.recorded import Recorded
from sing_core.units.residual import Sums

_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Hit:
    """One image of a ranking.

    Attributes:
        rank: its place, from 1.
        image: which it is.
        score: inner product with the text, or with the other image's part.
    """

    rank: int
    image: ImageRow
    score: float

    def as_row(self) -> dict[str, Any]:
        """Return it as a row of a table."""
        return {"rank": self.rank, "image": self.image.name, "class": self.image.wnid,
                "score": self.score}  # fmt: skip


def head_outputs(inside: Inside, sums: Sums, layer: int, head: int) -> Tensor:
    """Return ``(n, o)`` what one head adds to the output of every image.

    Its share of what is constant is in it, which differs by image through the stream's mean: so
    that the outputs of all units add up to the network's own.
    """
    return inside.shares.head(sums, layer, head)


def usual_output(inside: Inside, moments: HeadMoments, layer: int, head: int) -> Tensor:
    """Return ``(o,)`` the mean of ``head_outputs`` over the images of ``moments``, float64.

    Raises:
        UnitsError: there is no such head, or the moments are another network's.
    """
    check_moments(inside, moments, layer, head)
    weight = moments.counts / moments.counts.sum()
    means = weight @ moments.first[:, layer, head].double()
    found = inside.shares.written(layer, head, means[None, :-2], means[-2:-1], means[-1:])
    return found[0]


def images_of_text(
    inside: Inside, recorded: Recorded, layer: int, head: int, direction: Tensor, top: int = 12
) -> tuple[Hit, ...]:
    """Return the images whose head lies furthest along a ``direction`` ``(o,)`` of the output."""
    scores = head_outputs(inside, recorded.sums, layer, head) @ direction.float()
    return _hits(scores, recorded.images, top)


def images_like(
    inside: Inside, recorded: Recorded, layer: int, head: int, place: int, top: int = 12
) -> tuple[Hit, ...]:
    """Return the images that one head finds most like image ``place``, that one left out."""
    gram = head_gram(inside, recorded, layer, head)[place].clone()
    gram[place] = -torch.inf
    return _hits(gram, recorded.images, min(top, len(recorded.images) - 1))


def images_like_photo(
    inside: Inside,
    recorded: Recorded,
    layer: int,
    head: int,
    photo: Sums,
    top: int = 12,
    usual: Tensor | None = None,
) -> tuple[Hit, ...]:
    """Return the images that one head finds most like a photo of its own, ``photo`` of one image.

    What it writes on average is taken away: ``usual`` ``(o,)``, else the mean of the recorded
    images. Of a few that hold the photo itself that would make the others its opposite.
    """
    outputs = head_outputs(inside, recorded.sums, layer, head).double()
    mean = outputs.mean(dim=0) if usual is None else usual
    asked = head_outputs(inside, photo, layer, head)[0].double() - mean
    return _hits((outputs - mean) @ asked, recorded.images, top)


@dataclass(frozen=True, slots=True)
class FoundAgain:
    """How often what a head finds most like an image is of the image's own class.

    Of each image as many are looked at as its class has others, so that a perfect head has 1.

    Attributes:
        share: its mean, every class alike, with its interval over classes.
        chance: the same of images taken at random.
        top: how many images are looked at for each, at most.
        images: how many were asked: those whose class has others.
    """

    share: Interval
    chance: float
    top: int
    images: int


def found_again(
    inside: Inside, recorded: Recorded, layer: int, head: int, top: int = 12
) -> FoundAgain:
    """Return how well a head finds images of the same class; a block of rows at a time.

    Raises:
        UnitsError: the images are of one class, or no class has two.
    """
    names = [image.wnid for image in recorded.images]
    if len(set(names)) < 2:
        raise UnitsError("These images are of one class: how often it is found again says nothing.")
    if len(set(names)) == len(names):
        raise UnitsError("No class has two of these images: none can be found again.")
    outputs = head_outputs(inside, recorded.sums, layer, head)
    outputs = outputs - outputs.mean(dim=0)
    order = {name: place for place, name in enumerate(dict.fromkeys(names))}
    labels = torch.tensor([order[name] for name in names])
    counts = torch.bincount(labels)
    wanted = (counts[labels] - 1).clamp(max=top)  # (n,) how many are looked at for each
    shares = []
    for start in range(0, len(names), _BLOCK):
        rows = torch.arange(start, min(start + _BLOCK, len(names)))
        scores = outputs[rows] @ outputs.mT
        scores[torch.arange(len(rows)), rows] = -torch.inf  # itself
        nearest = labels[scores.topk(int(wanted.max()), dim=1).indices]
        looked_at = torch.arange(nearest.shape[1]) < wanted[rows, None]
        right = ((nearest == labels[rows, None]) & looked_at).sum(dim=1)
        shares.append(right.double() / wanted[rows].clamp(min=1))
    asked = wanted > 0
    kept = [name for name, some in zip(names, asked.tolist(), strict=True) if some]
    found = clustered_mean(torch.cat(shares)[asked].numpy(), kept)
    chance = float((counts[counts > 1] - 1).double().mean()) / (len(names) - 1)
    return FoundAgain(found, chance, int(wanted.max()), len(kept))


def head_gram(inside: Inside, recorded: Recorded, layer: int, head: int) -> Tensor:
    """Return ``(n, n)`` inner products of a head's outputs, less their mean."""
    outputs = head_outputs(inside, recorded.sums, layer, head).double()
    rest = outputs - outputs.mean(dim=0)
    return rest @ rest.mT


def _hits(scores: Tensor, images: Sequence[ImageRow], top: int) -> tuple[Hit, ...]:
    order = scores.topk(min(top, len(scores))).indices.tolist()
    return tuple(
        Hit(rank, images[place], float(scores[place])) for rank, place in enumerate(order, start=1)
    )
