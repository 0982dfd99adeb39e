"""Does a head have a subject of its own? Its texts by property, beside random heads.

The texts of the general pool are written property by property (colour, place, number...). What a
head's TextSpan explains is shared out over the properties of its texts; a head that speaks of one
property more than random heads do is a specialist. A random head is the head itself turned round at
random: the same spectrum, no direction of its own. TextSpan leaves each text what those before it
did not say, so that any head's texts differ from one another: likeness of the texts says nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sing_core.maths.text_span import TextSpan, text_span
from sing_core.units.heads import check_moments
from sing_core.units.inside import Inside
from sing_core.units.moments import HeadMoments
from sing_core.units.stable_words import spans_of_halves

# Of one and more than all of these, a head that is nothing special is 1 time in 40.
DRAWS = 39
SIZE = 10


@dataclass(frozen=True, slots=True)
class Specialisation:
    """How far the texts of one head are about one property.

    Attributes:
        head: its name, ``L11.H3``.
        subject: the property that holds most of what the texts explain.
        share: of what all its texts explain; ``low`` and ``high`` hold 95 % of random halves of
            the images.
        shares: the same of every property, the largest first.
        random: the largest share of each random head, ascending.
    """

    head: str
    subject: str
    share: float
    low: float
    high: float
    shares: tuple[tuple[str, float], ...]
    random: tuple[float, ...]

    @property
    def place(self) -> int:
        """Its place among itself and the random heads, 1 for the most special."""
        return 1 + sum(value >= self.share for value in self.random)

    @property
    def is_special(self) -> bool:
        """Whether it is more about one property than every random head."""
        return self.place == 1

    @property
    def sentence(self) -> str:
        """What was found, in words with a magnitude."""
        if not self.shares:
            return f"{self.head} writes the same for every image: it has no subject."
        whole = f"{100 * self.share:.0f} % [{100 * self.low:.0f}, {100 * self.high:.0f}]"
        usual = f"{100 * float(np.median(self.random)):.0f} %"
        if self.is_special:
            return (
                f"{self.head} has a subject of its own: {self.subject}. {whole} of what its texts "
                f"explain is about it, more than in any of {len(self.random)} random heads, half "
                f"of which have {usual} or less of whatever theirs is."
            )
        return (
            f"{self.head} has no subject of its own: most, {whole}, of what its texts explain is "
            f"about {self.subject}, and {self.place - 1} of {len(self.random)} random heads are as "
            f"much about one thing (half of them {usual} or more)."
        )

    def as_row(self) -> dict[str, Any]:
        """Return it as a row of a table."""
        named = {name: getattr(self, name) for name in ("head", "subject", "share", "low", "high")}
        median = float(np.median(self.random)) if self.random else None
        return named | {"random_median": median, "place": self.place, "draws": len(self.random)}


def specialisation(
    inside: Inside,
    moments: HeadMoments,
    embeddings: Tensor,
    properties: Sequence[str],
    layer: int,
    head: int,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    report: Callable[[int, int], object] = lambda done, whole: None,
) -> Specialisation:
    """Return how far a head's texts are about one property; ``properties`` has one for each text.

    ``embeddings`` ``(M, d)`` of length 1; ``report`` hears how many of the random heads are done.

    Raises:
        UnitsError: there is no such head, or the moments are another network's.
    """
    check_moments(inside, moments, layer, head)
    folds = list(range(len(moments.counts)))

    def span_of(some: list[int]) -> TextSpan:
        return text_span(moments.stand_ins(inside, layer, head, some), embeddings, SIZE)

    whole, halves = spans_of_halves(span_of, len(folds))
    name = f"L{layer}.H{head}"
    shares = by_property(whole, properties)
    if not shares:
        return Specialisation(name, "", 0.0, 0.0, 0.0, (), ())
    subject, share = shares[0]
    low, high = _over_halves(halves, properties, subject)
    rows = moments.stand_ins(inside, layer, head, folds)
    random = []
    for turn in _turns(rows.shape[1], draws, seed):
        random.append(by_property(text_span(rows @ turn, embeddings, SIZE), properties)[0][1])
        report(len(random), draws)
    return Specialisation(name, subject, share, low, high, shares, tuple(sorted(random)))


def by_property(span: TextSpan, properties: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """Return the share of each property in what the texts explain, the largest first."""
    found: dict[str, float] = {}
    for place, gain in zip(span.chosen, span.gains.tolist(), strict=True):
        found[properties[place]] = found.get(properties[place], 0.0) + gain
    total = sum(found.values())
    ordered = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    return tuple((name, gain / total) for name, gain in ordered) if total > 0 else ()


def heads_by_subject(
    inside: Inside,
    moments: HeadMoments,
    embeddings: Tensor,
    properties: Sequence[str],
    report: Callable[[int, int], object] = lambda done, whole: None,
) -> dict[tuple[int, int], tuple[tuple[str, float], ...]]:
    """Return the shares of every (layer, head) of a network, over all images.

    Raises:
        UnitsError: the moments are another network's.
    """
    check_moments(inside, moments, 0, 0)
    folds, found = list(range(len(moments.counts))), {}
    layers, heads = len(inside.tower.layers), inside.tower.heads
    for place in range(layers * heads):
        layer, head = divmod(place, heads)
        span = text_span(moments.stand_ins(inside, layer, head, folds), embeddings, SIZE)
        found[layer, head] = by_property(span, properties)
        report(place + 1, layers * heads)
    return found


def _over_halves(
    halves: Sequence[TextSpan], properties: Sequence[str], subject: str
) -> tuple[float, float]:
    """Return what holds 95 % of the halves' shares of a subject."""
    again = [dict(by_property(half, properties)).get(subject, 0.0) for half in halves]
    low, high = np.quantile(again, (0.025, 0.975))
    return float(low), float(high)


def _turns(size: int, draws: int, seed: int) -> Iterator[Tensor]:
    """Yield random rotations ``(size, size)``, float64."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(draws):
        drawn = torch.randn(size, size, generator=generator, dtype=torch.float64)
        yield torch.linalg.qr(drawn)[0]
