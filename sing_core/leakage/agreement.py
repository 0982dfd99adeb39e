"""Do two classifiers agree on which classes their null spaces move, as section 3.5 asks?"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sing_core.errors import ImageSetError
from sing_core.leakage.measures import MEASURES
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.maths.split_halves import halves
from sing_core.maths.statistics import Floats, Interval

_AGREED = ("attribute_score_deg", "abs_attribute_score_deg")


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """Rank correlation of two models over classes, between disjoint halves of the images.

    Attributes:
        first, second: the models; ``measure`` what is averaged over a class's images.
        classes: those with four images or more; ``n`` images of these.
        rho: Spearman's, between -1 and 1, with its interval over classes.
        reliability_first, reliability_second: the same between halves of one model.
    """

    first: str
    second: str
    measure: str
    classes: int
    n: int
    rho: Interval
    reliability_first: Interval
    reliability_second: Interval

    @property
    def verdict(self) -> str:
        """``agree``, ``disagree`` (the ranks run against each other) or ``not decided``."""
        if not self.rho.decided:
            return "not decided"
        return "agree" if self.rho.estimate > 0 else "disagree"

    @property
    def ceiling(self) -> float | None:
        """The largest rho that halves of this reliability can show; None where one has none.

        The geometric mean of both reliabilities (Spearman 1904, correction for attenuation).
        """
        reliable = (self.reliability_first, self.reliability_second)
        if not all(one.decided and one.estimate > 0 for one in reliable):
            return None
        return math.sqrt(reliable[0].estimate * reliable[1].estimate)

    @property
    def share(self) -> float | None:
        """``|rho|`` as a share of its ceiling, at most 1; None without one."""
        return None if self.ceiling is None else min(1.0, abs(self.rho.estimate) / self.ceiling)

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        row: dict[str, Any] = {
            name: getattr(self, name) for name in ("first", "second", "measure", "classes", "n")
        }
        for name in ("rho", "reliability_first", "reliability_second"):
            found: Interval = getattr(self, name)
            row |= {name: found.estimate, f"{name}_low": found.low, f"{name}_high": found.high}
        return row | {"ceiling": self.ceiling, "verdict": self.verdict}


def agreement_rows(first: ScoredSet, second: ScoredSet) -> tuple[AgreementRow, ...]:
    """Return how far two models of one set agree about its classes, by AS and by ``|AS|``.

    Each kind of images is taken about its own mean first: kinds are not what is to be agreed on.

    Raises:
        ImageSetError: the sets differ.
        ShapeError: fewer than ten classes have four images.
        SingError: the scores cannot be read.
    """
    if first.folder.facts.key != second.folder.facts.key:
        raise ImageSetError("Models are compared on the same set of images.")
    data = [_columns(scored) for scored in (first, second)]
    _, left, right = np.intersect1d(
        data[0]["row"], data[1]["row"], assume_unique=True, return_indices=True
    )
    label, stratum = data[0]["label"][left], data[0]["stratum"][left]
    counts = np.unique(label, return_counts=True)[1]
    rows = []
    for measure in _AGREED:
        x = _about_mean(data[0][measure][left], stratum)
        y = _about_mean(data[1][measure][right], stratum)
        found = halves(x, y, label)
        kept = int(np.sort(counts)[::-1][: found.classes].sum())
        rows.append(
            AgreementRow(
                first.model, second.model, measure, found.classes, kept, found.between,
                found.first, found.second,
            )
        )  # fmt: skip
    return tuple(rows)


def _columns(scored: ScoredSet) -> "dict[str, np.ndarray[Any, Any]]":
    parts = ", ".join(f"{MEASURES[name].sql} AS {name}" for name in _AGREED)
    found = scored.ask(f"SELECT row, label, stratum, {parts} FROM images ORDER BY row")
    return {name: found[name].to_numpy(zero_copy_only=False) for name in found.column_names}


def _about_mean(values: Floats, kinds: "np.ndarray[Any, Any]") -> Floats:
    _, place = np.unique(kinds.astype(str), return_inverse=True)
    means = np.bincount(place, weights=values) / np.bincount(place)
    centred: Floats = values - means[place]
    return centred
