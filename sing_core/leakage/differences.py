"""Which of two models leaks more: differences on the same images, corrected for all pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import nan
from typing import Any

import numpy as np

from sing_core.errors import ImageSetError
from sing_core.leakage.comparison import columns_of, spread
from sing_core.leakage.measures import MEASURES
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.strata import DIFFERS, kind_of, strata_of, within
from sing_core.maths.statistics import (
    FAMILY_WISE_ERROR,
    Interval,
    family_wise,
    paired_difference,
)


@dataclass(frozen=True, slots=True)
class PairRow:
    """One measure of two models on the same images: ``first`` minus ``second``, degrees.

    ``stratum`` as in ``ModelRow``; of a pooled row ``by_stratum`` holds the rows of each kind.
    ``barrier`` says why their measures must not be compared; empty where they may be.
    ``p_adjusted`` is of "there is no difference", corrected for all pairs and measures that are
    told beside it; None where nothing is.
    """

    first: str
    second: str
    measure: str
    n: int
    difference: Interval
    barrier: str = ""
    p_adjusted: float | None = None
    stratum: str = ""
    by_stratum: "tuple[PairRow, ...]" = ()

    @property
    def decided(self) -> bool:
        """Whether one is larger: beyond the interval, and however many pairs are compared.

        Of several kinds of images pooled, only if each of them says so.
        """
        return self._stands and not self.kinds_differ

    @property
    def kinds_differ(self) -> bool:
        """Whether a difference that is decided for one kind, or for all, is not so for each."""
        rows = (self, *self.by_stratum)
        signs = {row.difference.estimate > 0 for row in rows}
        return any(row._stands for row in rows) and (
            len(signs) > 1 or not all(row._stands for row in rows)
        )

    @property
    def _stands(self) -> bool:
        corrected = self.p_adjusted is None or self.p_adjusted <= FAMILY_WISE_ERROR
        return not self.barrier and self.difference.decided and corrected

    @property
    def verdict(self) -> str:
        """Which model's measure is larger, ``not decided``, or why there is no one answer."""
        if self.barrier:
            return "not comparable"
        if self.kinds_differ:
            return DIFFERS
        if not self.decided:
            return "not decided"
        return f"{self.first if self.difference.estimate > 0 else self.second} is larger"

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        names = {"first": self.first, "second": self.second, "measure": self.measure, "n": self.n}
        names["stratum"] = self.stratum
        told = {"p_adjusted": self.p_adjusted, "verdict": self.verdict, "barrier": self.barrier}
        return {**names, **spread("difference", self.difference), **told}


def pair_rows(sets: Sequence[ScoredSet]) -> tuple[PairRow, ...]:
    """Return the differences of every two models on the images that both have scores of.

    Where images of several kinds are pooled, each row holds those of every kind. The p values of
    one table are corrected together (Holm): any false verdict among all of them comes up in at most
    5 % of comparisons of models that do not differ.

    Raises:
        ImageSetError: two of them are of different sets, or have no image in common.
        SingError: the scores cannot be read.
    """
    if len({scored.folder.facts.key for scored in sets}) > 1:
        raise ImageSetError("Models are compared on the same set of images.")
    barriers = {(a.model, b.model): barrier(a, b) for a, b in combinations(sets, 2)}
    pooled = _pairs(sets, barriers)
    kinds = strata_of(sets[0]) if not sets[0].stratum else ()
    if len(kinds) < 2:
        return pooled
    fair = {pair: why for pair, why in barriers.items() if not why}
    parts = [_pairs([within(scored, kind) for scored in sets], fair) for kind in kinds]
    of = {(r.first, r.second, r.measure): rows for rows in zip(*parts, strict=True) for r in rows}
    return tuple(
        replace(row, by_stratum=of.get((row.first, row.second, row.measure), ())) for row in pooled
    )


def _pairs(
    sets: Sequence[ScoredSet], barriers: Mapping[tuple[str, str], str]
) -> tuple[PairRow, ...]:
    """Return the differences of the pairs that ``barriers`` names, corrected together."""
    data = {scored.model: columns_of(scored) for scored in sets}
    kind, rows = kind_of(sets[0]), []
    for (first, second), why in barriers.items():
        _, left, right = np.intersect1d(
            data[first]["row"], data[second]["row"], assume_unique=True, return_indices=True
        )
        if not len(left):
            raise ImageSetError(f"{first} and {second} have no scored image in common.")
        for measure, one in MEASURES.items():
            a, b = data[first][one.short][left], data[second][one.short][right]
            found = paired_difference(a, b, data[first]["label"][left])
            rows.append(PairRow(first, second, measure, len(left), found, why, None, kind))
    return corrected(rows)


def corrected(rows: Sequence[PairRow]) -> tuple[PairRow, ...]:
    """Return the rows with p values corrected for all of them that may be compared."""
    raw = [nan if row.barrier or row.difference.p is None else row.difference.p for row in rows]
    return tuple(
        replace(row, p_adjusted=None if np.isnan(p) else float(p))
        for row, p in zip(rows, family_wise(raw), strict=True)
    )


def barrier(first: ScoredSet, second: ScoredSet) -> str:
    """Return why the scores of two models must not be compared; empty where they may be."""
    for scored in (first, second):
        if scored.nullity == 0:
            return f"{scored.model} has no null space"
    own = [
        scored.model
        for scored in (first, second)
        if scored.bench.entry(scored.model).shares_tower(scored.reference)
    ]
    # Translation is easier in one's own tower: of two that both are, neither has it easier.
    return f"{own[0]} is measured in its own image tower" if len(own) == 1 else ""
