"""Which classifier leaks most, asked in other image-text spaces: does the order hold there, too?

The paper repeats its comparison with another reference (EVA-02). An order is a list of means; what
of it is more than chance says each pair's difference on the same images.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sing_core.errors import SingError
from sing_core.leakage.comparison import columns_of, spread
from sing_core.leakage.differences import PairRow, pair_rows
from sing_core.leakage.measures import MEASURES
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.maths.statistics import Interval, clustered_mean

DEFAULT_MEASURE = "abs_attribute_score_deg"


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

    def larger(self, first: str, second: str) -> str | None:
        """Return which of two has the larger mean here where that is decided, else None."""
        for pair in self.pairs:
            if {pair.first, pair.second} == {first, second} and pair.decided:
                return pair.first if pair.difference.estimate > 0 else pair.second
        return None

    def as_rows(self) -> list[dict[str, Any]]:
        """Return what the command line prints, a row per classifier."""
        return [
            {"reference": self.reference, "place": place, "model": model,
             "shares_tower": model in self.own_tower} | spread("mean", score)
            for place, (model, score) in enumerate(zip(self.models, self.scores, strict=True), 1)
        ]  # fmt: skip


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
        SingError: there is none in the first, or scores cannot be read.
    """
    first, *others = references
    found = [order_of(opened(first), measure)]
    for name in others:
        try:
            sets = opened(name)
        except SingError:  # nothing was measured there: what is left says so
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
    return " ".join(_beside(first, other, named) for other in others)


def _beside(first: Order, other: Order, named: Callable[[str], str]) -> str:
    both = [
        (pair.first, pair.second) for pair in first.pairs
        if any({pair.first, pair.second} == {own.first, own.second} for own in other.pairs)
    ]  # fmt: skip
    where = f"{first.reference} and {other.reference}"
    if not both:
        return f"No two of these classifiers may be compared in both {where}."
    said = [(first.larger(*pair), other.larger(*pair), pair) for pair in both]
    same = [pair for a, b, pair in said if a is not None and a == b]
    turned = [pair for a, b, pair in said if None not in (a, b) and a != b]
    undecided = len(both) - len(same) - len(turned)
    parts = [
        f"{len(same)} {'has' if len(same) == 1 else 'have'} the same order in both" * bool(same),
        f"{len(turned)} turned round{_names(turned, named)}" * bool(turned),
        f"{undecided} not decided in one of the two" * bool(undecided),
    ]
    of = "Of the one pair" if len(both) == 1 else f"Of {len(both)} pairs"
    return f"{of} that may be compared in both {where}: {', '.join(filter(None, parts))}."


def _names(pairs: Sequence[tuple[str, str]], named: Callable[[str], str]) -> str:
    if not pairs:
        return ""
    return f" ({'; '.join(f'{named(a)} and {named(b)}' for a, b in pairs)})"
