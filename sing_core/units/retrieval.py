"""Images by one head: those that show its text most, and those that it finds alike.

By a head and a text: ``<t, c_head>`` (arXiv:2310.05916, section 4); scores over all units add up to
those of the whole embedding, and a constant added to the head changes no order. By a head and an
image: the inner product of the two images' parts, less the head's mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sing_core.maths.statistics import Interval, clustered_mean
from sing_core.sets.chunks import ImageRow
from sing_core.units.inside import Inside
from sing_core.units.recorded import Recorded


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


def head_outputs(inside: Inside, recorded: Recorded, layer: int, head: int) -> Tensor:
    """Return ``(n, o)`` what one head adds to the output of every image."""
    sums = recorded.sums
    written = sums.heads[:, layer, head] @ inside.shares.head_maps[layer, head].mT
    bias = inside.shares.head_bias[layer] / inside.tower.heads
    return written + sums.scale[:, None] * bias


def images_of_text(
    inside: Inside, recorded: Recorded, layer: int, head: int, direction: Tensor, top: int = 12
) -> tuple[Hit, ...]:
    """Return the images whose head lies furthest along a ``direction`` ``(o,)`` of the output."""
    scores = head_outputs(inside, recorded, layer, head) @ direction.float()
    return _hits(scores, recorded.images, top)


def images_like(
    inside: Inside, recorded: Recorded, layer: int, head: int, place: int, top: int = 12
) -> tuple[Hit, ...]:
    """Return the images that one head finds most like image ``place``, that one left out."""
    gram = head_gram(inside, recorded, layer, head)[place].clone()
    gram[place] = -torch.inf
    return _hits(gram, recorded.images, min(top, len(recorded.images) - 1))


def head_gram(inside: Inside, recorded: Recorded, layer: int, head: int) -> Tensor:
    """Return ``(n, n)`` inner products of a head's outputs, less their mean."""
    outputs = head_outputs(inside, recorded, layer, head).double()
    rest = outputs - outputs.mean(dim=0)
    return rest @ rest.mT


def same_class(hits: Sequence[Sequence[Hit]], wanted: Sequence[str]) -> Interval:
    """Return the share of hits of the class that was looked for, with its interval over classes."""
    shares = [
        float(np.mean([hit.image.wnid == wnid for hit in found]))
        for found, wnid in zip(hits, wanted, strict=True)
    ]
    return clustered_mean(shares, list(wanted))


def _hits(scores: Tensor, images: Sequence[ImageRow], top: int) -> tuple[Hit, ...]:
    order = scores.topk(min(top, len(scores))).indices.tolist()
    return tuple(
        Hit(rank, images[place], float(scores[place])) for rank, place in enumerate(order, start=1)
    )
