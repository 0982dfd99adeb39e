"""Which model leaks: scores with intervals, beside the size of its null space and its controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import nan
from typing import Any

import numpy as np

from sing_core.errors import ImageSetError
from sing_core.leakage.score_files import drawn
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.strata import kind_of, strata_of, took_part, within
from sing_core.maths.draws import among_draws
from sing_core.maths.statistics import (
    FAMILY_WISE_ERROR,
    Floats,
    Interval,
    clustered_mean,
    clustered_ratio,
    family_wise,
    paired_difference,
)

_COLUMNS = {
    "is": "image_score_deg",
    "feasible_is": "feasible_image_score_deg",
    "as": "attribute_score_deg",
    "abs_as": "abs(attribute_score_deg)",
    "dim_is": "control_dim_image_score_deg",
    "dim_abs_as": "control_dim_abs_attribute_score_deg",
    "energy_is": "control_energy_image_score_deg",
    "energy_abs_as": "control_energy_abs_attribute_score_deg",
    "principal_is": "control_principal_image_score_deg",
    "principal_abs_as": "control_principal_abs_attribute_score_deg",
}
_DRAWN = tuple(f"control_{kind}_abs_attribute_draws_deg" for kind in ("dim", "energy", "principal"))
MEASURES = {
    "image_score_deg": "is",
    "attribute_score_deg": "as",
    "abs_attribute_score_deg": "abs_as",
}


@dataclass(frozen=True, slots=True)
class ModelRow:
    """Null removal over a set under one model; degrees, every class counting once.

    Attributes:
        model: classifier; ``shares_tower`` whether the reference is built on its image tower.
        n: distinct images; ``classes`` of how many classes.
        nullity: dimension of the null space, of ``feature_dim``.
        image_score, attribute_score, abs_attribute_score: means with intervals over classes.
        ratio: mean IS over mean ``|AS|``.
        dim_image_score, dim_abs_attribute_score, dim_ratio: the same of random subspaces of equal
            dimension.
        energy_image_score, energy_abs_attribute_score, energy_ratio: the same scaled to remove as
            much of the feature's length as null removal does.
        principal_image_score, principal_abs_attribute_score: the same of as many random directions
            that the head reads (all where it reads fewer), scaled to remove as much.
        above_dim: ``|AS|`` minus the mean of the controls of equal dimension, on the same images,
            with an interval that holds the spread of the draws; ``above_energy`` and
            ``above_principal`` of the others.
        control_draws: random subspaces of either kind.
        stratum: kind of images; "" in a set of one kind, ``POOLED`` where several are one.
        cross_fitted: whether every score is by a translator that did not see the image.
        feasible_image_score_deg: mean IS of the nearest feature to the equivalent that the network
            can produce (``FeasibleRemoval``); not a number where that is not known.
        rank_among_draws: place of ``|AS|`` among those that remove as much, in ascending order, 1
            to ``control_draws + 1``; None without a null space.
    """

    model: str
    shares_tower: bool
    n: int
    classes: int
    nullity: int
    feature_dim: int
    image_score: Interval
    attribute_score: Interval
    abs_attribute_score: Interval
    ratio: Interval
    dim_image_score: Interval
    dim_abs_attribute_score: Interval
    dim_ratio: Interval
    energy_image_score: Interval
    energy_abs_attribute_score: Interval
    energy_ratio: Interval
    principal_image_score: Interval
    principal_abs_attribute_score: Interval
    above_dim: Interval
    above_energy: Interval
    above_principal: Interval
    control_draws: int
    rank_among_draws: int | None
    feasible_image_score_deg: Interval
    stratum: str = ""
    cross_fitted: bool = False

    def as_row(self) -> dict[str, Any]:
        """Return the table's row: each interval as mean, ``_low`` and ``_high``."""
        row: dict[str, Any] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            row |= spread(name, value) if isinstance(value, Interval) else {name: value}
        return row


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
            return "differs by kind of images"
        if not self.decided:
            return "not decided"
        return f"{self.first if self.difference.estimate > 0 else self.second} is larger"

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        names = {"first": self.first, "second": self.second, "measure": self.measure, "n": self.n}
        names["stratum"] = self.stratum
        told = {"p_adjusted": self.p_adjusted, "verdict": self.verdict, "barrier": self.barrier}
        return {**names, **spread("difference", self.difference), **told}


def model_row(scored: ScoredSet) -> ModelRow:
    """Return the row of one model.

    Raises:
        SingError: the scores cannot be read.
    """
    data = _columns(scored)
    entry, label = scored.bench.entry(scored.model), data["label"]

    def mean(name: str) -> Interval:
        return clustered_mean(data[name], label)

    dim, energy, principal = (among_draws(data["abs_as"], d, label) for d in _drawn(scored))
    return ModelRow(
        model=scored.model,
        shares_tower=entry.shares_tower(scored.reference),
        n=len(label),
        classes=len(np.unique(label)),
        nullity=scored.nullity,
        feature_dim=entry.feature_dim,
        image_score=mean("is"),
        attribute_score=mean("as"),
        abs_attribute_score=mean("abs_as"),
        ratio=clustered_ratio(data["is"], data["abs_as"], label),
        dim_image_score=mean("dim_is"),
        dim_abs_attribute_score=mean("dim_abs_as"),
        dim_ratio=clustered_ratio(data["dim_is"], data["dim_abs_as"], label),
        energy_image_score=mean("energy_is"),
        energy_abs_attribute_score=mean("energy_abs_as"),
        energy_ratio=clustered_ratio(data["energy_is"], data["energy_abs_as"], label),
        principal_image_score=mean("principal_is"),
        principal_abs_attribute_score=mean("principal_abs_as"),
        above_dim=dim.difference,
        above_energy=energy.difference,
        above_principal=principal.difference,
        control_draws=energy.draws,
        rank_among_draws=energy.rank if scored.nullity else None,
        stratum=kind_of(scored),
        cross_fitted=took_part(scored).cross_fitted,
        feasible_image_score_deg=mean("feasible_is")
        if np.isfinite(data["feasible_is"]).all()
        else Interval(nan, None, None, 0),
    )


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
    barriers = {(a.model, b.model): _barrier(a, b) for a, b in combinations(sets, 2)}
    pooled = _pairs(sets, barriers)
    kinds = strata_of(sets[0]) if not sets[0].stratum else ()
    if len(kinds) < 2:
        return pooled
    fair = {pair: barrier for pair, barrier in barriers.items() if not barrier}
    parts = [_pairs([within(scored, kind) for scored in sets], fair) for kind in kinds]
    of = {(r.first, r.second, r.measure): rows for rows in zip(*parts, strict=True) for r in rows}
    return tuple(
        replace(row, by_stratum=of.get((row.first, row.second, row.measure), ())) for row in pooled
    )


def _pairs(
    sets: Sequence[ScoredSet], barriers: Mapping[tuple[str, str], str]
) -> tuple[PairRow, ...]:
    """Return the differences of the pairs that ``barriers`` names, corrected together."""
    data = {scored.model: _columns(scored) for scored in sets}
    kind, rows = kind_of(sets[0]), []
    for (first, second), barrier in barriers.items():
        _, left, right = np.intersect1d(
            data[first]["row"], data[second]["row"], assume_unique=True, return_indices=True
        )
        if not len(left):
            raise ImageSetError(f"{first} and {second} have no scored image in common.")
        for measure, name in MEASURES.items():
            a, b = data[first][name][left], data[second][name][right]
            found = paired_difference(a, b, data[first]["label"][left])
            rows.append(PairRow(first, second, measure, len(left), found, barrier, None, kind))
    return corrected(rows)


def corrected(rows: Sequence[PairRow]) -> tuple[PairRow, ...]:
    """Return the rows with p values corrected for all of them that may be compared."""
    raw = [nan if row.barrier or row.difference.p is None else row.difference.p for row in rows]
    return tuple(
        replace(row, p_adjusted=None if np.isnan(p) else float(p))
        for row, p in zip(rows, family_wise(raw), strict=True)
    )


def _barrier(first: ScoredSet, second: ScoredSet) -> str:
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


def spread(name: str, interval: Interval) -> dict[str, float | None]:
    """Return an interval as three columns."""
    estimate = interval.estimate if np.isfinite(interval.estimate) else None
    return {name: estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _columns(scored: ScoredSet) -> dict[str, Floats]:
    parts = ", ".join(f"{sql} AS '{name}'" for name, sql in _COLUMNS.items())
    found = scored.ask(f"SELECT row, label, {parts} FROM images ORDER BY row")
    return {name: found[name].to_numpy(zero_copy_only=False) for name in found.column_names}


def _drawn(scored: ScoredSet) -> tuple[Floats, ...]:
    """Return ``|AS|`` of the draws of each control, ``(n, k)`` in the order of ``_DRAWN``."""
    found = scored.ask(f"SELECT {', '.join(_DRAWN)} FROM images ORDER BY row")
    return tuple(drawn(found[name]) for name in _DRAWN)
