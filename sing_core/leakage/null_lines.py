"""Lines inside the null space towards a text, many images at once (eqs. 10-13).

On a steering line the translated feature is ``z0 + eps w`` with ``w`` along ``M u``, where
``M = A Pi_n A^T`` and ``u`` is the part of the text that is orthogonal to ``z0``. At a given image
score the step does not matter, only the plane of ``z0`` and ``w``: one ``d x d`` product per image.
"""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from sing_core.leakage.scored_sets import ScoredSet
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.scores import angle_deg
from sing_core.maths.translator import Translator

_TINY = 1e-9
_FLAT = 1e-12  # a shorter gradient of a unit vector's cosine is rounding: it lies on the text


def by_translator(
    scored: ScoredSet, rows: Sequence[int]
) -> Iterator[tuple[list[int], Tensor, int, Translator]]:
    """Yield which of ``rows``, their features ``(n, m)``, and the translator that saw none of them.

    Before the translator stands its place, as in ``Unseen``.

    Raises:
        SingError: features or translator cannot be read.
    """
    for images, features in scored.features(rows):
        for place, translator, own in scored.unseen(images).groups():
            yield [images[i].row for i in own.tolist()], features[own], place, translator


class NullGrams:
    """``M = A Pi_n A^T`` ``(d, d)``, float64, of each translator that a set's images go through."""

    def __init__(self, scored: ScoredSet) -> None:
        """Load the head; a matrix is made when it is first asked for.

        Raises:
            SingError: the head cannot be loaded.
        """
        self._head = scored.linear.head
        self._known: dict[int, Tensor] = {}

    def of(self, place: int, translator: Translator) -> Tensor:
        """Return the matrix of ``translator``, which is the one at ``place`` of ``Unseen``."""
        if place not in self._known:
            self._known[place] = null_gram(self._head, translator)
        return self._known[place]


def null_gram(head: HeadDecomposition, translator: Translator) -> Tensor:
    """Return ``M = A Pi_n A^T`` ``(d, d)``, float64.

    It is exactly 0 for a head without null space, and for a translator that is blind to it: what is
    left then is the rounding of its weights, and a set would be steered along that.

    Raises:
        ShapeError: head and translator are of different widths.
    """
    inside = head.null_part(translator.weight.double())
    whole = translator.weight.double().square().sum()
    if head.nullity == 0 or bool(inside.square().sum() <= _TINY * whole):
        inside = torch.zeros_like(inside)
    return inside @ inside.mT


def has_direction(z0: Tensor, gram: Tensor, text: Tensor) -> Tensor:
    """Return of which ``z0`` ``(n, d)`` a null direction leads towards the text, ``(n,)`` bool.

    ``gram`` and ``text`` as in ``steered_scores``.
    """
    unit = torch.nn.functional.normalize(z0.double(), dim=-1)
    return _pulled(unit, torch.nn.functional.normalize(text.double(), dim=-1), gram)[1]


def _pulled(z: Tensor, goal: Tensor, gram: Tensor) -> tuple[Tensor, Tensor]:
    """Return where unit ``z`` are pulled, the goal itself where nowhere, and whether somewhere."""
    gradient = goal - (z * goal).sum(dim=-1, keepdim=True) * z
    w = gradient @ gram
    steep, length = (torch.linalg.vector_norm(part, dim=-1) for part in (gradient, w))
    found = (length > _TINY * torch.linalg.matrix_norm(gram) * steep) & (steep > _FLAT)
    return torch.where(found[:, None], w, goal), found


def steered_scores(z0: Tensor, gram: Tensor, text: Tensor, image_score_deg: float) -> Tensor:
    """Return AS ``(n,)``, degrees, of ``z0`` ``(n, d)`` steered until IS is ``image_score_deg``.

    ``gram`` ``(d, d)`` is ``null_gram``; ``text`` is ``(d,)``, or ``(k, d)`` where ``z0`` is one
    row. Not a number where no step reaches the score.

    Raises:
        ZeroVectorError: a translated feature or the text is zero.
    """
    z = torch.nn.functional.normalize(z0.double(), dim=-1)
    goal = torch.nn.functional.normalize(text.double(), dim=-1)
    before = angle_deg(z, goal)
    w, found = _pulled(z, goal, gram)
    limit = angle_deg(z, w)
    across = torch.nn.functional.normalize(w - (w * z).sum(dim=-1, keepdim=True) * z, dim=-1)
    phi = math.radians(image_score_deg)
    moved = math.cos(phi) * z + math.sin(phi) * across
    reached = found & (limit > image_score_deg)
    return torch.where(reached, before - angle_deg(moved, goal), math.nan)


def null_lines(
    features: Tensor, head: HeadDecomposition, translator: Translator, text: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return ``z0`` ``(n, d)``, unit null directions ``(n, m)`` and ``w`` ``(n, d)``, float64.

    ``text`` is ``(d,)``, or ``(n, d)``, one a feature. Each of ``features`` ``(n, m)`` must have a
    direction (see ``has_direction``).
    """
    z = translator.apply(features)
    unit = torch.nn.functional.normalize(z, dim=-1)
    goal = torch.nn.functional.normalize(text.double(), dim=-1)
    gradient = goal - (unit * goal).sum(dim=-1, keepdim=True) * unit
    inside = head.null_part(gradient @ translator.weight.double())
    direction = inside / torch.linalg.vector_norm(inside, dim=-1, keepdim=True)
    return z, direction, translator.linear(direction)


def stepped(
    features: Tensor,
    head: HeadDecomposition,
    translator: Translator,
    text: Tensor,
    image_score_deg: float,
) -> Tensor:
    """Return ``features`` ``(n, m)`` stepped towards ``text`` until IS is the wanted one, float64.

    ``text`` as in ``null_lines``. Each must be able to reach the image score (see
    ``steered_scores``).
    """
    z, direction, w = null_lines(features, head, translator, text)
    phi = math.radians(image_score_deg)
    lengths = torch.linalg.vector_norm(z, dim=-1) / torch.linalg.vector_norm(w, dim=-1)
    step = lengths * math.sin(phi) / torch.sin(angle_deg(z, w).deg2rad() - phi)
    moved: Tensor = features.double() + step[:, None] * direction
    return moved


def logit_drift(linear: LinearHead, features: Tensor, moved: Tensor) -> tuple[Tensor, Tensor]:
    """Return by how much a logit moves at most, and the largest logit before, ``(n,)`` each."""
    before, after = linear.logits(features), linear.logits(moved.float())
    return (after - before).abs().amax(dim=-1).double(), before.abs().amax(dim=-1).double()


def stands(linear: LinearHead, features: Tensor, moved: Tensor) -> Tensor:
    """Return whose logits move by no more than the head's budget, ``(n,)`` bool."""
    drift, largest = logit_drift(linear, features, moved)
    return drift <= linear.drift_budget * largest
