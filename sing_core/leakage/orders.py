"""Which classifier leaks most, asked in other image-text spaces: does the order hold there, too?

The paper repeats its comparison with another reference (EVA-02). An order is a list of means; what
of it is more than chance says each pair's difference on the same images.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sing_core.errors import ImageSetError, WeightsUnavailableError
from sing_core.leakage.comparison import columns_of, spread
from sing_core.leakage.differences import PairRow, pair_rows
from sing_core.leakage.measures import MEASURES
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.maths.statistics import Interval, clustered_mean

DEFAULT_MEASURE = "abs_attribute_score_deg"
_NAMED = 3  # as many pairs are told one by one


@dataclass(frozen=True, slots=True)
class Order:
    """The classifiers in one reference, the largest mean first; degrees.

    Attributes:
        reference: the image-text space.
        models: those that have a null space; ``scores`` their means with intervals over classes.
        own_tower: of them those on whose image tower the reference is built: never compared.
        pairs: the differences that may be compared here, corrected as on Compare.
    """

    reference: str
    models: tuple[str, ...]
    scores: tuple[Interval, ...]
    own_tower: frozenset[str]
    pairs: tuple[PairRow, ...]

    def place(self, model: str) -> int | None:
        """Return a classifier's place among those that are judged here, from 1; None for others."""
        judged = [name for name in self.models if name not in self.own_tower]
        return judged.index(model) + 1 if model in judged else None

    def mean(self, model: str) -> Interval:
        """Return the mean of a classifier with a null space."""
        return self.scores[self.models.index(model)]

    def gap(self, first: str, second: str) -> "Gap | None":
        """Return by how much the mean of ``first`` is larger here; None where nobody may judge."""
        for pair in self.pairs:
            if {pair.first, pair.second} == {first, second}:
                sign = 1 if pair.first == first else -1
                return Gap(first, second, sign * pair.difference.estimate, pair.decided)
        return None

    def as_rows(self) -> list[dict[str, Any]]:
        """Return what the command line prints, a row per classifier."""
        return [
            {"reference": self.reference, "place": self.place(model), "model": model,
             "shares_tower": model in self.own_tower} | spread("mean", score)
            for model, score in zip(self.models, self.scores, strict=True)
        ]  # fmt: skip


class Gap(NamedTuple):
    """The mean of ``first`` less that of ``second``, degrees, and whether it is decided."""

    first: str
    second: str
    degrees: float
    decided: bool

    def words(self, named: Callable[[str], str]) -> str:
        """Return it in words."""
        if not self.decided:
            return f"not decided ({abs(self.degrees):.3f}° apart)"
        larger = self.first if self.degrees > 0 else self.second
        return f"{named(larger)} leaks more, by {abs(self.degrees):.3f}°"


def order_of(sets: Sequence[ScoredSet], measure: str = DEFAULT_MEASURE) -> Order:
    """Return the order of the classifiers of ``sets``, of one reference, by one of ``MEASURES``.

    Raises:
        ImageSetError: they are of different sets, or have no image in common.
        SingError: the scores cannot be read.
    """
    means = {}
    for scored in sets:
        if scored.nullity:
            data = columns_of(scored)
            means[scored.model] = clustered_mean(data[MEASURES[measure].short], data["label"])
    models = sorted(means, key=lambda model: -means[model].estimate)
    told = tuple(
        pair for pair in pair_rows(sets)
        if pair.measure == measure and not pair.barrier and {pair.first, pair.second} <= {*means}
    )  # fmt: skip
    reference, bench = sets[0].reference, sets[0].bench
    own = frozenset(model for model in models if bench.entry(model).shares_tower(reference))
    return Order(reference, tuple(models), tuple(means[m] for m in models), own, told)


def orders(
    references: Iterable[str],
    opened: Callable[[str], Sequence[ScoredSet]],
    measure: str = DEFAULT_MEASURE,
) -> tuple[Order, ...]:
    """Return the order in each reference in which ``opened`` finds scores of every classifier.

    Raises:
        SingError: there is none in the first, or scores that are there cannot be read.
    """
    first, *others = references
    found = [order_of(opened(first), measure)]
    for name in others:
        try:
            sets = opened(name)
        except (ImageSetError, WeightsUnavailableError):  # nothing was measured there
            continue
        found.append(order_of(sets, measure))
    return tuple(found)


def sentence(found: Sequence[Order], named: Callable[[str], str] = str) -> str:
    """Say whether the first order holds in the others; ``named`` gives a classifier's title."""
    first, others = found[0], found[1:]
    if not others:
        return (
            f"Only {first.reference} has scores of all these classifiers: whether their order "
            "holds in another image–text space is not known here."
        )
    told = [_beside(first, other, named) for other in others]
    return " ".join((*told, *_own_towers(found, named)))


def _beside(first: Order, other: Order, named: Callable[[str], str]) -> str:
    pairs = [(pair.first, pair.second) for pair in first.pairs]
    gaps = [(first.gap(*pair), other.gap(*pair)) for pair in pairs]
    both = [(here, there) for here, there in gaps if here is not None and there is not None]
    where = f"{first.reference} and {other.reference}"
    if not both:
        return f"No two of these classifiers may be compared in both {where}."
    if len(both) <= _NAMED:
        return " ".join(
            f"{named(here.first)} and {named(here.second)}: in {first.reference} "
            f"{here.words(named)}, in {other.reference} {there.words(named)}."
            for here, there in both
        )
    clear = [(here, there) for here, there in both if here.decided and there.decided]
    turned = [here for here, there in clear if (here.degrees > 0) != (there.degrees > 0)]
    names = "; ".join(f"{named(gap.first)} and {named(gap.second)}" for gap in turned)
    return (
        f"Of {len(both)} pairs that may be compared in both {where}, {len(clear) - len(turned)} "
        f"have the same order in both, {len(turned)} turn round{f' ({names})' if names else ''} "
        f"and {len(both) - len(clear)} are not decided in one of the two."
    )


def _own_towers(found: Sequence[Order], named: Callable[[str], str]) -> Iterator[str]:
    """Say where a classifier stands that one of the references is built on."""
    for order in found:
        for model in sorted(order.own_tower):
            judged = [one for one in found if one.place(model) is not None]
            told = [
                f"in {one.reference} it has place {one.place(model)} of "
                f"{len(one.models) - len(one.own_tower)} ({one.mean(model).estimate:.3f}°)"
                for one in judged
            ]
            where = f": {', '.join(told)}" if told else ""
            yield (
                f"{named(model)} is not judged in {order.reference}, which is built on its own "
                f"image tower{where}."
            )
