"""Which model leaks: scores with intervals, beside the size of its null space and two controls."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from sing_core.errors import ImageSetError
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.maths.statistics import (
    Floats,
    Interval,
    clustered_mean,
    clustered_ratio,
    paired_difference,
)

_COLUMNS = {
    "is": "image_score_deg",
    "as": "attribute_score_deg",
    "abs_as": "abs(attribute_score_deg)",
    "dim_is": "control_dim_image_score_deg",
    "dim_abs_as": "control_dim_abs_attribute_score_deg",
    "energy_is": "control_energy_image_score_deg",
    "energy_abs_as": "control_energy_abs_attribute_score_deg",
}
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
        above_dim: ``|AS|`` minus that of the control of equal dimension, on the same images;
            ``above_energy`` of the other.
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
    above_dim: Interval
    above_energy: Interval

    def as_row(self) -> dict[str, Any]:
        """Return the table's row: each interval as mean, ``_low`` and ``_high``."""
        row: dict[str, Any] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            row |= spread(name, value) if isinstance(value, Interval) else {name: value}
        return row


@dataclass(frozen=True, slots=True)
class PairRow:
    """One measure of two models on the same images: ``first`` minus ``second``, degrees."""

    first: str
    second: str
    measure: str
    n: int
    difference: Interval

    @property
    def verdict(self) -> str:
        """Which model's measure is larger, or ``not decided``."""
        if not self.difference.decided:
            return "not decided"
        return f"{self.first if self.difference.estimate > 0 else self.second} is larger"

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        names = {"first": self.first, "second": self.second, "measure": self.measure, "n": self.n}
        return {**names, **spread("difference", self.difference), "verdict": self.verdict}


def model_row(scored: ScoredSet) -> ModelRow:
    """Return the row of one model.

    Raises:
        SingError: the scores cannot be read.
    """
    data = _columns(scored)
    entry, label = scored.bench.entry(scored.model), data["label"]

    def mean(name: str) -> Interval:
        return clustered_mean(data[name], label)

    return ModelRow(
        model=scored.model,
        shares_tower=entry.shares_tower_with == scored.reference,
        n=len(label),
        classes=len(np.unique(label)),
        nullity=entry.nullity,
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
        above_dim=paired_difference(data["abs_as"], data["dim_abs_as"], label),
        above_energy=paired_difference(data["abs_as"], data["energy_abs_as"], label),
    )


def pair_rows(sets: Sequence[ScoredSet]) -> tuple[PairRow, ...]:
    """Return the differences of every two models on the images that both have scores of.

    Raises:
        ImageSetError: two of them are of different sets, or have no image in common.
        SingError: the scores cannot be read.
    """
    if len({scored.folder.facts.key for scored in sets}) > 1:
        raise ImageSetError("Models are compared on the same set of images.")
    data = {scored.model: _columns(scored) for scored in sets}
    rows = []
    for first, second in combinations(data, 2):
        _, left, right = np.intersect1d(
            data[first]["row"], data[second]["row"], assume_unique=True, return_indices=True
        )
        if not len(left):
            raise ImageSetError(f"{first} and {second} have no scored image in common.")
        for measure, name in MEASURES.items():
            a, b = data[first][name][left], data[second][name][right]
            found = paired_difference(a, b, data[first]["label"][left])
            rows.append(PairRow(first, second, measure, len(left), found))
    return tuple(rows)


def spread(name: str, interval: Interval) -> dict[str, float | None]:
    """Return an interval as three columns."""
    estimate = interval.estimate if np.isfinite(interval.estimate) else None
    return {name: estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _columns(scored: ScoredSet) -> dict[str, Floats]:
    parts = ", ".join(f"{sql} AS '{name}'" for name, sql in _COLUMNS.items())
    found = scored.ask(f"SELECT row, label, {parts} FROM images ORDER BY row")
    return {name: found[name].to_numpy(zero_copy_only=False) for name in found.column_names}
