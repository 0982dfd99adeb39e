"""Texts that describe outputs, each with how often it is chosen again from half the images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sing_core.maths.text_span import TextSpan

_HALVES = 20
STABLE = 0.5


@dataclass(frozen=True, slots=True)
class Word:
    """One text that describes outputs.

    Attributes:
        rank: its place, from 1.
        text: what it says.
        gain: share of the outputs' variance that it explains beyond those before it.
        stability: share of random halves of the images in which it is among as many texts.
    """

    rank: int
    text: str
    gain: float
    stability: float

    @property
    def is_firm(self) -> bool:
        """Whether at least half of the halves choose it again: below, it is no name."""
        return self.stability >= STABLE

    def as_row(self) -> dict[str, Any]:
        """Return it as a row of a table; ``unstable`` says that half of the images drop it."""
        names = ("rank", "text", "gain", "stability")
        return {name: getattr(self, name) for name in names} | {"unstable": not self.is_firm}


def stable_words(
    span_of: Callable[[list[int]], TextSpan], parts: int, texts: Sequence[str]
) -> tuple[Word, ...]:
    """Return the words of all ``parts`` of the images, and how often random halves choose each.

    ``span_of`` describes the images of some parts; a part is a fold, or one image.
    """
    return counted_words(*spans_of_halves(span_of, parts), texts)


def spans_of_halves(
    span_of: Callable[[list[int]], TextSpan], parts: int
) -> tuple[TextSpan, tuple[TextSpan, ...]]:
    """Return what describes all ``parts`` of the images, and what each of their random halves."""
    halves = tuple(span_of(half) for half in random_halves(parts))
    return span_of(list(range(parts))), halves


def counted_words(
    whole: TextSpan, halves: Sequence[TextSpan], texts: Sequence[str]
) -> tuple[Word, ...]:
    """Return the words of the whole, each with the share of the halves that choose it too."""
    again = torch.zeros(len(texts), dtype=torch.float64)
    for half in halves:
        again[list(half.chosen)] += 1
    again /= len(halves)
    return tuple(
        Word(rank, texts[place], float(gain), float(again[place]))
        for rank, (place, gain) in enumerate(zip(whole.chosen, whole.gains, strict=True), start=1)
    )


def random_halves(parts: int) -> list[list[int]]:
    """Return twenty random halves of so many parts, the same each time; the whole of one part."""
    if parts < 2:
        return [list(range(parts))]
    generator = np.random.default_rng(0)
    count = (parts + 1) // 2
    return [sorted(generator.permutation(parts)[:count].tolist()) for _ in range(_HALVES)]
