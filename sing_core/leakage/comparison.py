"""Which model leaks: scores with intervals, beside the size of its null space and its controls."""

from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from sing_core.leakage.measures import MEASURES
from sing_core.leakage.score_files import drawn
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.strata import kind_of, took_part
from sing_core.maths.draws import among_draws
from sing_core.maths.statistics import (
    Floats,
    Interval,
    clustered_mean,
    clustered_ratio,
)

_COLUMNS = {
    **{measure.short: measure.sql for measure in MEASURES.values()},
    "feasible_is": "feasible_image_score_deg",
    "dim_is": "control_dim_image_score_deg",
    "dim_abs_as": "control_dim_abs_attribute_score_deg",
    "energy_is": "control_energy_image_score_deg",
    "energy_abs_as": "control_energy_abs_attribute_score_deg",
    "principal_is": "control_principal_image_score_deg",
    "principal_abs_as": "control_principal_abs_attribute_score_deg",
}
_DRAWN = tuple(f"control_{kind}_abs_attribute_draws_deg" for kind in ("dim", "energy", "principal"))


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


def model_row(scored: ScoredSet) -> ModelRow:
    """Return the row of one model.

    Raises:
        SingError: the scores cannot be read.
    """
    data = columns_of(scored)
    entry, label = scored.bench.entry(scored.model), data["label"]
    mean = {name: clustered_mean(data[name], label) for name in _COLUMNS if name != "feasible_is"}
    dim, energy, principal = (among_draws(data["abs_as"], d, label) for d in _drawn(scored))
    return ModelRow(
        model=scored.model,
        shares_tower=entry.shares_tower(scored.reference),
        n=len(label),
        classes=len(np.unique(label)),
        nullity=scored.nullity,
        feature_dim=entry.feature_dim,
        image_score=mean["is"],
        attribute_score=mean["as"],
        abs_attribute_score=mean["abs_as"],
        ratio=clustered_ratio(data["is"], data["abs_as"], label),
        dim_image_score=mean["dim_is"],
        dim_abs_attribute_score=mean["dim_abs_as"],
        dim_ratio=clustered_ratio(data["dim_is"], data["dim_abs_as"], label),
        energy_image_score=mean["energy_is"],
        energy_abs_attribute_score=mean["energy_abs_as"],
        energy_ratio=clustered_ratio(data["energy_is"], data["energy_abs_as"], label),
        principal_image_score=mean["principal_is"],
        principal_abs_attribute_score=mean["principal_abs_as"],
        above_dim=dim.difference,
        above_energy=energy.difference,
        above_principal=principal.difference,
        control_draws=energy.draws,
        rank_among_draws=energy.rank if scored.nullity else None,
        stratum=kind_of(scored),
        cross_fitted=took_part(scored).cross_fitted,
        feasible_image_score_deg=_feasible(data),
    )


def _feasible(data: dict[str, Floats]) -> Interval:
    """Return the mean feasible IS; not a number where the range of the network is unknown."""
    known = np.isfinite(data["feasible_is"]).all()
    nowhere = Interval(nan, None, None, 0)
    return clustered_mean(data["feasible_is"], data["label"]) if known else nowhere


def spread(name: str, interval: Interval) -> dict[str, float | None]:
    """Return an interval as three columns."""
    estimate = interval.estimate if np.isfinite(interval.estimate) else None
    return {name: estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def columns_of(scored: ScoredSet) -> dict[str, Floats]:
    """Return rows, classes and scores ``(n,)`` of a set's images, by their short names."""
    parts = ", ".join(f"{sql} AS '{name}'" for name, sql in _COLUMNS.items())
    found = scored.ask(f"SELECT row, label, {parts} FROM images ORDER BY row")
    return {name: found[name].to_numpy(zero_copy_only=False) for name in found.column_names}


def _drawn(scored: ScoredSet) -> tuple[Floats, ...]:
    """Return ``|AS|`` of the draws of each control, ``(n, k)`` in the order of ``_DRAWN``."""
    found = scored.ask(f"SELECT {', '.join(_DRAWN)} FROM images ORDER BY row")
    return tuple(drawn(found[name]) for name in _DRAWN)
