"""Heads in words: the texts whose directions carry what a head writes over many images.

TextSpan (thesis, chapter 2) of a head's outputs over a set. Its labels change with the images: each
comes with the share of random halves of the set in which it is chosen again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sing_core.errors import UnitsError
from sing_core.maths.text_span import Rule, TextSpan, text_span
from sing_core.units.inside import Inside, check_head
from sing_core.units.moments import HeadMoments
from sing_core.units.stable_words import STABLE, Word, stable_words


@dataclass(frozen=True, slots=True)
class HeadWords:
    """What the outputs of one head say.

    Attributes:
        name: of the head, ``L11.H3``.
        words: the texts in order.
        images: over how many images.
        shuffled: share of the head's variance that as many texts explain whose embeddings'
            entries were put in another order: what texts without meaning would.
        bound: share that its first principal components explain, as many: no texts explain more.
    """

    name: str
    words: tuple[Word, ...]
    images: int
    shuffled: float
    bound: float

    @property
    def explained(self) -> float:
        """Share of the head's variance that all texts explain."""
        return sum(word.gain for word in self.words)

    @property
    def stable(self) -> int:
        """How many texts return in at least half of the halves."""
        return sum(word.stability >= STABLE for word in self.words)

    @property
    def sentence(self) -> str:
        """What was found, in words with a magnitude."""
        if not self.words:
            return f"{self.name} writes the same for every image: there is nothing to say of it."
        first = " and ".join(f"“{word.text}”" for word in self.words[:2])
        share = (
            f"{len(self.words)} texts carry {100 * self.explained:.0f} % of what it varies in, "
            f"where as many directions carry {100 * self.bound:.0f} % at most, and texts with "
            f"shuffled embeddings {100 * self.shuffled:.0f} %"
        )
        again = (
            "none of them returns in at least half of all random halves of the images: this head "
            "has no name that these images settle"
            if not self.stable
            else f"{self.stable} of them return in at least half of all random halves of the images"
        )
        return f"{self.name} is first about {first}; {share}; {again}."

    def as_rows(self) -> list[dict[str, Any]]:
        """Return a row a text."""
        facts = {"explained": self.explained, "shuffled": self.shuffled, "bound": self.bound}
        return [word.as_row() | facts for word in self.words]


def check_moments(inside: Inside, moments: HeadMoments, layer: int, head: int) -> None:
    """Refuse moments of other weights, and a head that is not there.

    Raises:
        UnitsError: see above.
    """
    check_head(inside, layer, head)
    if not moments.are_of(inside.tower.identity):
        raise UnitsError(
            f"What was recorded is of other weights than those of {inside.tower.name} now."
        )


def head_words(
    inside: Inside,
    moments: HeadMoments,
    texts: Sequence[str],
    embeddings: Tensor,
    layer: int,
    head: int,
    *,
    size: int = 10,
    rule: Rule = "variance",
) -> HeadWords:
    """Return the ``size`` texts that describe a head best; ``embeddings`` ``(M, d)`` of length 1.

    Raises:
        UnitsError: there is no such head, or the moments are another network's.
    """
    check_moments(inside, moments, layer, head)

    def span_of(folds: list[int]) -> TextSpan:
        rows = moments.stand_ins(inside, layer, head, folds)
        return text_span(rows, embeddings, size, rule=rule)

    words = stable_words(span_of, len(moments.counts), texts)
    rows = moments.stand_ins(inside, layer, head, list(range(len(moments.counts))))
    order = torch.randperm(embeddings.shape[1], generator=torch.Generator().manual_seed(0))
    shuffled = float(text_span(rows, embeddings[:, order], len(words), rule=rule).gains.sum())
    bound = largest_share(rows, len(words))
    return HeadWords(f"L{layer}.H{head}", words, moments.images, shuffled, bound)


def largest_share(rows: Tensor, size: int) -> float:
    """Return the share of the variance of ``rows`` ``(k, d)`` in their first ``size`` components.

    0 where they do not vary.
    """
    power = torch.linalg.svdvals(rows.double() - rows.double().mean(dim=0)).square()
    return float(power[:size].sum() / power.sum().clamp_min(1e-300))
