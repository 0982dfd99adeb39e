"""The text card of one hidden direction: a signed sum of a few texts, or a refusal.

A direction ``v`` of the null space is a principal component of ``Pi_n f`` over images, or the
hidden part of the difference of two classes' means. What it means is ``A v`` (SING's T, its linear
part A), which orthogonal matching pursuit describes by texts (Gandelsman's thesis, section 3.4).
Enough texts describe any direction: so its curve stands beside those of random directions of the
same null space, through the same A and the same texts, and where it is no lower no words are given.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sing_core.errors import UnitsError
from sing_core.maths.controls import null_directions
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.sparse_texts import Report, left_over, omp
from sing_core.maths.translator import Translator

MOST = 128
DRAWS = 99
FEWEST_IMAGES = 4
# Of 99 draws the 5th, 50th and 95th from below: a 100th falls below the first 5 times in 100.
PLACE = 5
_PLACES = (PLACE - 1, 49, 94)
# As many texts as dimensions describe everything: the curve stops at a quarter of them.
_DIMENSIONS_A_TEXT = 4
# A component with less than this share of the first one's variance is rounding.
_ROUNDING = 1e-10
_SAME = 1e-9  # curves nearer than this do not differ


@dataclass(frozen=True, slots=True, eq=False)
class HiddenDirection:
    """One direction that a head cannot see.

    Attributes:
        vector: ``(m,)`` of length 1, in the null space; float64.
        share: of a component, of the variance of the null part; of a difference, how much of its
            squared length is hidden.
    """

    vector: Tensor
    share: float


def null_component(features: Tensor, head: HeadDecomposition, place: int) -> HiddenDirection:
    """Return the principal component ``place``, from 1, of the null parts of ``(n, m)`` features.

    Raises:
        UnitsError: there are fewer than four images, or not so many components.
    """
    found = null_components(features, head, max(place, 1))
    if not 1 <= place <= len(found):
        raise UnitsError(
            f"There is no component {place}: the hidden parts of these {len(features):,} images "
            f"vary in {len(found):,} directions."
        )
    return found[place - 1]


def null_components(
    features: Tensor, head: HeadDecomposition, most: int
) -> tuple[HiddenDirection, ...]:
    """Return the principal components of the null parts of ``(n, m)`` features, the largest first.

    ``most`` of them, or as many as there are directions in which the images vary. A component has
    no sign of its own: it points to the image that lies farthest out along it.

    Raises:
        UnitsError: there are fewer than four images.
    """
    if len(features) < FEWEST_IMAGES:
        raise UnitsError(
            f"A component is what varies from image to image: {len(features)} of them are too few, "
            f"at least {FEWEST_IMAGES} are needed."
        )
    rows = head.null_part(features)
    rows = rows - rows.mean(dim=0)
    tall = len(rows) > rows.shape[1]
    power, axes = torch.linalg.eigh(rows.mT @ rows if tall else rows @ rows.mT)  # ascending
    scale = float(features.double().square().sum())
    there = int((power > _ROUNDING * max(float(power[-1]), _ROUNDING * scale)).sum())
    found = []
    for place in range(1, min(most, there) + 1):
        axis = axes[:, -place]
        vector = head.null_part(axis if tall else rows.mT @ axis)
        vector = vector / torch.linalg.vector_norm(vector)
        along = rows @ vector
        if float(along.max()) < -float(along.min()):
            vector = -vector
        share = float(power[-place] / power.clamp_min(0).sum())
        found.append(HiddenDirection(vector, share))
    return tuple(found)


def null_difference(first: Tensor, second: Tensor, head: HeadDecomposition) -> HiddenDirection:
    """Return the hidden part of the mean of ``first`` ``(n, m)`` less that of ``second``.

    Raises:
        UnitsError: either has fewer than four images, or nothing of the difference is hidden.
    """
    few = min(len(first), len(second))
    if few < FEWEST_IMAGES:
        raise UnitsError(
            f"A class is its images’ mean: {few} are too few, at least {FEWEST_IMAGES} of each "
            "class are needed."
        )
    whole = first.double().mean(dim=0) - second.double().mean(dim=0)
    vector = head.null_part(whole)
    length, full = (float(torch.linalg.vector_norm(part)) for part in (vector, whole))
    if length <= _ROUNDING * full:
        raise UnitsError("Nothing of the difference of these two classes is hidden.")
    return HiddenDirection(vector / length, (length / full) ** 2)


def centred_texts(embeddings: Tensor) -> Tensor:
    """Return ``(M, d)`` embeddings of length 1 less their mean, float64: what tells texts apart.

    All texts lie in one direction, seen from images. One that means nothing, a row of zeros, has no
    part in the mean and stays zero.
    """
    wide = embeddings.double()
    there = wide.square().sum(dim=1, keepdim=True) > 0
    mean = wide.sum(dim=0) / there.sum().clamp_min(1)
    return torch.where(there, wide - mean, 0.0)


@dataclass(frozen=True, slots=True)
class RandomBand:
    """What ``0`` to ``s`` texts leave of 99 random directions of a null space, shares of length.

    Attributes:
        low: 5th percentile after so many texts; ``median`` and ``high`` (95th) likewise.
        ends: what all ``s`` texts leave of each of them, the least first.
    """

    low: tuple[float, ...]
    median: tuple[float, ...]
    high: tuple[float, ...]
    ends: tuple[float, ...]

    def stands_out(self, left: float) -> bool:
        """Whether a direction of which all texts leave ``left`` lies below the band."""
        return left < self.low[-1] - _SAME

    def below(self, left: float) -> int:
        """Return of how many random directions all texts leave no more than ``left``."""
        return bisect_right(self.ends, left)


def random_band(
    head: HeadDecomposition,
    translator: Translator,
    texts: Tensor,
    seed: int = 0,
    report: Report = lambda done, total: None,
) -> RandomBand:
    """Return the band of random directions of the null space of ``head``.

    ``texts`` ``(M, d)`` as from ``centred_texts``; ``report`` hears how many of how many texts were
    taken. It takes seconds, and belongs to head, translator and texts: whoever asks for several
    cards keeps it.

    Raises:
        HeadError: the head has no null space.
    """
    meant = translator.linear(null_directions(head, DRAWS, seed))
    size = min(MOST, texts.shape[1] // _DIMENSIONS_A_TEXT)
    curves = left_over(meant, texts, size, report).sort(dim=0).values
    low, median, high = (tuple(curves[place].tolist()) for place in _PLACES)
    return RandomBand(low, median, high, tuple(curves[:, -1].tolist()))


@dataclass(frozen=True, slots=True)
class SignedText:
    """A text of a card.

    Attributes:
        rank: its place, from 1; ``text`` what it says.
        coefficient: how much of it, of length 1, is in the direction, also of length 1; below 0
            the direction leads away from it.
    """

    rank: int
    text: str
    coefficient: float


@dataclass(frozen=True, slots=True)
class Card:
    """One direction in words.

    Attributes:
        words: the texts, in the order in which they were taken; () where words are refused.
        unexplained: share of the direction's length that 0 to ``s`` texts leave.
        band: the same of random directions.
    """

    words: tuple[SignedText, ...]
    unexplained: tuple[float, ...]
    band: RandomBand

    @property
    def is_refused(self) -> bool:
        """Whether all texts together leave as much as they do of random directions."""
        return not self.band.stands_out(self.unexplained[-1])

    @property
    def is_beyond_chance(self) -> bool:
        """Whether its own texts, few as they are, leave less than of random directions."""
        few = len(self.words)
        return few > 0 and self.unexplained[few] < self.band.low[few] - _SAME

    def as_rows(self, size: int) -> list[dict[str, Any]]:
        """Return a row for each of the first ``size`` texts; where words are refused, without."""
        rows = []
        for rank in range(1, min(size + 1, len(self.unexplained))):
            word = self.words[rank - 1] if rank <= len(self.words) else None
            rows.append(
                {
                    "rank": rank,
                    "text": word.text if word else None,
                    "coefficient": word.coefficient if word else None,
                    "unexplained": self.unexplained[rank],
                    "random_low": self.band.low[rank],
                    "random_median": self.band.median[rank],
                    "random_high": self.band.high[rank],
                }
            )
        return rows


def direction_card(
    vector: Tensor,
    translator: Translator,
    names: Sequence[str],
    texts: Tensor,
    band: RandomBand,
    *,
    size: int = 8,
) -> Card:
    """Describe the direction ``vector`` ``(m,)`` by ``size`` of the texts ``names``.

    ``texts`` ``(M, d)`` as from ``centred_texts``; ``band`` of the same texts and translator.
    Turning the direction round turns every sign and nothing else.

    Raises:
        UnitsError: the reference does not see the direction: A v is zero.
    """
    meant = translator.linear(vector)
    length = float(torch.linalg.vector_norm(meant))
    if length <= _ROUNDING * float(torch.linalg.matrix_norm(translator.weight.double())):
        raise UnitsError("The reference does not see this direction: the translator maps it to 0.")
    meant, most = meant / length, len(band.low) - 1
    curve = omp(meant, texts, most).unexplained.tolist()
    curve += curve[-1:] * (most + 1 - len(curve))  # nothing is left to describe
    if not band.stands_out(curve[-1]):
        return Card((), tuple(curve), band)
    found = omp(meant, texts, min(size, most))
    words = tuple(
        SignedText(rank, names[place], float(coefficient))
        for rank, (place, coefficient) in enumerate(
            zip(found.chosen, found.coefficients, strict=True), start=1
        )
    )
    return Card(words, tuple(curve), band)
