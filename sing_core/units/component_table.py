"""Which components of what a head cannot see have words, looked at in an order set beforehand.

One component that was picked because it has words proves little: of random directions one in
twenty has some. So all of the first few stand in one table, with what random directions show.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from sing_core.maths.head import HeadDecomposition
from sing_core.maths.sparse_texts import Report, left_over
from sing_core.maths.statistics import as_many_by_chance
from sing_core.maths.translator import Translator
from sing_core.units.directions import DRAWS, PLACE, HiddenDirection, RandomBand

LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Component:
    """One principal component of the hidden part of some images.

    Attributes:
        component: its place, from 1, by how much of the hidden part varies along it.
        share: of that variance; ``elsewhere`` the same in the images that did not make it.
        unexplained: what all texts leave of its length.
        random_median: what they leave of half of the random directions; ``random_low`` of 5 %.
        random_below: of how many of the 99 random directions they leave no more than of it.
        has_words: whether it lies below that 5 %.
    """

    component: int
    share: float
    elsewhere: float
    unexplained: float
    random_low: float
    random_median: float
    random_below: int
    has_words: bool


@dataclass(frozen=True, slots=True)
class ComponentTable:
    """The first components of a null space, in the order of how much varies along them.

    Attributes:
        components: what was looked at.
        what: whose they are, in words.
    """

    components: tuple[Component, ...]
    what: str

    @property
    def with_words(self) -> tuple[int, ...]:
        """The places of those that have words."""
        return tuple(one.component for one in self.components if one.has_words)

    @property
    def first(self) -> int:
        """The first that has words; where none has any, the first."""
        return self.with_words[0] if self.with_words else 1

    @property
    def sentence(self) -> str:
        """How many have words, and of how many random directions as many would."""
        looked, found = len(self.components), self.with_words
        chance = looked * PLACE / (1 + DRAWS)
        whose = f"of what {self.what}"
        if not found:
            return (
                f"None of the first {looked} components {whose} has words; of {looked} random "
                f"directions {chance:.1f} would on average."
            )
        named = ", ".join(map(str, found))
        likely = as_many_by_chance(len(found), looked, PLACE, DRAWS)
        has = "has" if len(found) == 1 else "have"
        return (
            f"{len(found)} of the first {looked} components {whose} {has} words ({named}); of "
            f"{looked} random directions {chance:.1f} would on average, and as many or more "
            f"{_how_often(likely)}."
        )

    def picked(self, component: int) -> str:
        """Say how the one that is shown was picked out of those that were looked at."""
        if component != self.first:
            return f"Component {component} is the one that was asked for."
        rule = "the order, by how much varies along them, was set before any was described"
        if self.with_words:
            return f"Component {component} is the first of them that has words: {rule}."
        return f"Component {component} is the first of all: {rule}."

    def as_rows(self) -> list[dict[str, Any]]:
        """Return a row for each component."""
        return [asdict(one) for one in self.components]


def component_table(
    found: Sequence[HiddenDirection],
    elsewhere: Tensor,
    head: HeadDecomposition,
    translator: Translator,
    texts: Tensor,
    band: RandomBand,
    what: str,
    *,
    report: Report = lambda done, total: None,
) -> ComponentTable:
    """Look at components ``found``, from the first on.

    ``elsewhere`` ``(n, m)`` are features of images that did not make them; ``texts`` ``(M, d)`` as
    from ``centred_texts``; ``band`` of the same texts and translator. ``report`` hears how many of
    how many texts were taken.
    """
    vectors = torch.stack([one.vector for one in found])
    most = len(band.low) - 1
    left = left_over(translator.linear(vectors), texts, most, report)[:, -1].tolist()
    kept = hidden_shares(vectors, elsewhere, head).tolist()
    components = tuple(
        Component(
            place, one.share, again, rest, band.low[-1], band.median[-1], band.below(rest),
            band.stands_out(rest),
        )
        for place, (one, again, rest) in enumerate(zip(found, kept, left, strict=True), start=1)
    )  # fmt: skip
    return ComponentTable(components, what)


def hidden_shares(vectors: Tensor, features: Tensor, head: HeadDecomposition) -> Tensor:
    """Return ``(k,)`` of the variance of the hidden part of ``features`` ``(n, m)``.

    Each is the share along one of the directions ``vectors`` ``(k, m)``; zeros where nothing
    varies.
    """
    rows = head.null_part(features)
    rows = rows - rows.mean(dim=0)
    whole = rows.square().sum()
    shares: Tensor = (rows @ vectors.mT).square().sum(dim=0) / whole.clamp_min(1e-300)
    return shares


def _how_often(likely: float) -> str:
    if likely < 0.01:
        return "less than once in 100 times"
    times = round(100 * likely)
    return f"{times} time{'' if times == 1 else 's'} in 100"
