"""Heads in words: the texts whose directions carry what a head writes over many images.

TextSpan (thesis, chapter 2) of a head's outputs over a set. Its labels change with the images: each
comes with the share of random halves of the set in which it is chosen again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from sing_core.errors import UnitsError
from sing_core.maths.text_span import Rule, TextSpan, text_span
from sing_core.units.inside import Inside, check_head
from sing_core.units.moments import HeadMoments
from sing_core.units.stable_words import Word, stable_words
from sing_core.units.tokens import PhotoUnits, TokenMap, pulled_back, token_map

_SHUFFLES = 19
SIXTY = 60  # texts a head, as the thesis has them where a photo is set beside them


@dataclass(frozen=True, slots=True)
class HeadWords:
    """What the outputs of one head say.

    Attributes:
        name: of the head, ``L11.H3``.
        words: the texts in order.
        images: over how many images.
        shuffled: the largest share of the head's variance, of 19 draws, that as many texts explain
            whose embeddings' entries were put in another order: texts without meaning explain more
            one time in twenty.
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
    def beyond_chance(self) -> bool:
        """Whether the texts explain more than those without meaning did in any draw."""
        return self.explained > self.shuffled

    @property
    def stable(self) -> int:
        """How many texts return in at least half of the halves."""
        return sum(word.is_firm for word in self.words)

    @property
    def sentence(self) -> str:
        """What was found, in words with a magnitude."""
        if not self.words:
            return f"{self.name} writes the same for every image: there is nothing to say of it."
        firm = [word for word in self.words if word.is_firm]
        first = " and ".join(f"“{word.text}”" for word in (firm or self.words)[:2])
        own, shuffled = _told_apart(self.explained, self.shuffled)
        share = (
            f"{len(self.words)} texts carry {own} % of what it varies in, "
            f"where as many directions carry {100 * self.bound:.0f} % at most, and texts with "
            f"shuffled embeddings up to {shuffled} %"
        )
        if not self.beyond_chance:
            return (
                f"{self.name} has no name beyond chance: {share}; {first} come before others, and "
                "texts without meaning would say as much."
            )
        if not firm:
            return (
                f"{self.name} has no name that these images settle: none of its texts returns in "
                f"at least half of all random halves of them. {share}, {first} before others."
            )
        return (
            f"{self.name} is first about {first}; {share}; {len(firm)} of them return in at least "
            "half of all random halves of the images."
        )

    def as_rows(self) -> list[dict[str, Any]]:
        """Return a row a text."""
        facts = {"explained": self.explained, "shuffled": self.shuffled, "bound": self.bound}
        return [word.as_row() | facts for word in self.words]


def _told_apart(share: float, other: float) -> tuple[str, str]:
    """Return two shares in percent, with as few decimals, 3 at most, as tell them apart."""
    both = [(f"{100 * share:.{decimals}f}", f"{100 * other:.{decimals}f}") for decimals in range(4)]
    return next((said for said in both if said[0] != said[1]), both[0])


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
    shuffled = max(
        float(text_span(rows, embeddings[:, order], len(words), rule=rule).gains.sum())
        for order in _orders(embeddings.shape[1])
    )
    bound = largest_share(rows, len(words))
    return HeadWords(f"L{layer}.H{head}", words, moments.images, shuffled, bound)


def _orders(width: int) -> Iterator[Tensor]:
    """Yield the orders that the entries of embeddings are put in, one a draw."""
    for seed in range(_SHUFFLES):
        yield torch.randperm(width, generator=torch.Generator().manual_seed(seed))


def largest_share(rows: Tensor, size: int) -> float:
    """Return the share of the variance of ``rows`` ``(k, d)`` in their first ``size`` components.

    0 where they do not vary.
    """
    power = torch.linalg.svdvals(rows.double() - rows.double().mean(dim=0)).square()
    return float(power[:size].sum() / power.sum().clamp_min(1e-300))


@dataclass(frozen=True, slots=True, eq=False)
class PhotoText:
    """One of a head's texts, as a photo shows it.

    Attributes:
        end: ``most`` or ``least``: which of all texts the photo shows it as.
        text: what it says.
        coefficient: how far the head's output for the photo lies from its usual one along what
            the text has beyond those before it, in the units of ``T(f)``.
        tokens: what the photo's tokens add along the text through this head alone, less what they
            add along the average class.
    """

    end: str
    text: str
    coefficient: float
    tokens: TokenMap

    def as_rows(self) -> list[dict[str, Any]]:
        """Return a row a patch, then one of what has no place."""
        facts = {"end": self.end, "text": self.text, "coefficient": self.coefficient}
        rows = [
            facts | {"row": y, "column": x, "score": float(value)}
            for y, line in enumerate(self.tokens.heat)
            for x, value in enumerate(line)
        ]
        return [*rows, facts | {"row": None, "column": None, "score": self.tokens.prefix}]


def photo_texts(
    photo: PhotoUnits,
    moments: HeadMoments,
    texts: Sequence[str],
    embeddings: Tensor,
    layer: int,
    head: int,
    *,
    size: int = SIXTY,
) -> tuple[PhotoText, ...]:
    """Return the texts of a head that a photo shows most and least, of its ``size`` first ones.

    ``embeddings`` ``(M, d)`` of length 1. A head that writes the same for every image has none.

    Raises:
        UnitsError: there is no such head, or the moments are another network's.
    """
    inside = photo.inside
    check_moments(inside, moments, layer, head)
    rows = moments.stand_ins(inside, layer, head, list(range(len(moments.counts))))
    span = text_span(rows, embeddings, size)
    if not span.chosen:
        return ()
    known = inside.vocabulary
    classes = normalize(known.embeddings[: known.n_classes].double(), dim=-1).mean(dim=0)
    average = inside.translator.weight.double().mT @ classes
    written = inside.shares.head(photo.parts.sums, layer, head)[0].double()
    shown = span.coefficients(inside.translator.weight.double() @ written)
    found = []
    for end, place in (("most", int(shown.argmax())), ("least", int(shown.argmin()))):
        chosen = span.chosen[place]
        direction = pulled_back(inside, embeddings[chosen], "full", None) - average
        heat = token_map(photo, direction, (layer, head))
        found.append(PhotoText(end, texts[chosen], float(shown[place]), heat))
    return tuple(found)
