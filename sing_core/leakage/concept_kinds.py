"""Concepts by kind of images: where a pooled verdict would hide that two kinds say opposite things.

Between kinds, verdicts are compared and not estimates: a concept differs where one kind, or all
pooled, is decided towards it and another away from it, each after its own correction over the list.
Where one kind decides and another does not, the second is not said to be different.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.leakage.classes import known
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.vocabulary_scale import unit_means, units_of
from sing_core.maths.statistics import FALSE_DISCOVERY_RATE, Floats, adjusted, student

TOWARDS, AWAY, NOT_DECIDED = "towards", "away", "not decided"


@dataclass(frozen=True, slots=True)
class OfKind:
    """Which way null removal turns one ``kind`` of images with regard to a concept.

    Attributes:
        kind: of images; ``n`` units of the statistics, see ``ConceptRow``.
        directed_mean: degrees.
        p_adjusted: of "it is 0", corrected over the list within this kind; None of one unit.
    """

    kind: str
    n: int
    directed_mean: float
    p_adjusted: float | None

    @property
    def verdict(self) -> str:
        """``towards``, ``away`` or ``not decided``."""
        return way_of(self.directed_mean, self.p_adjusted)

    @property
    def text(self) -> str:
        """Kind, verdict and magnitude, as a cell of a table."""
        size = f"{self.directed_mean:+.3f}°".replace("-", "−")
        return f"{self.kind}: {self.verdict} {size}"


def way_of(directed_mean: float, p_adjusted: float | None) -> str:
    """Return ``towards`` or ``away`` where the corrected test says so, else ``not decided``."""
    if p_adjusted is None or p_adjusted > FALSE_DISCOVERY_RATE:
        return NOT_DECIDED
    return TOWARDS if directed_mean > 0 else AWAY


def opposite(verdicts: Sequence[str]) -> bool:
    """Return whether one of ``verdicts`` is ``towards`` and another ``away``."""
    return {TOWARDS, AWAY} <= {*verdicts}


def means_by_kind(
    scored: ScoredSet, texts: Tensor, label: int | None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return ``(3, u, k)`` as ``unit_means``: of all images, and of each kind where several are.

    Raises:
        SingError: features, scores or translator cannot be read.
    """
    units = units_of(scored, label)
    found = scored.ask("SELECT row, stratum FROM images").to_pylist()
    kind_of = {row["row"]: row["stratum"] for row in found if row["row"] in units}
    kinds = sorted({*kind_of.values()})
    if len(kinds) < 2:
        return unit_means(scored, texts, units), {}
    parts = {row: unit * len(kinds) + kinds.index(kind_of[row]) for row, unit in units.items()}
    means, counts = unit_means(scored, texts, parts), Counter(parts.values())
    order = sorted(counts)  # as the means are
    kind = torch.tensor([part % len(kinds) for part in order])
    _, place = torch.unique(
        torch.tensor([part // len(kinds) for part in order]), return_inverse=True
    )
    images = torch.tensor([float(counts[part]) for part in order], dtype=torch.float64)
    whole = torch.zeros(3, int(place.max()) + 1, len(texts), dtype=torch.float64)
    whole.index_add_(1, place, means * images[:, None])
    total = torch.bincount(place, weights=images)
    return whole / total[:, None], {name: means[:, kind == i] for i, name in enumerate(kinds)}


def of_kinds(directed: dict[str, Floats]) -> tuple[tuple[OfKind, ...], ...]:
    """Return of each of ``k`` concepts every kind, from directed means ``(u, k)`` of its units."""
    columns = [_of_kind(kind, means) for kind, means in directed.items()]
    return tuple(zip(*columns, strict=True))


def _of_kind(kind: str, directed: Floats) -> list[OfKind]:
    n, mean = len(directed), directed.mean(axis=0)
    sd = directed.std(axis=0, ddof=1) if n > 1 else 0 * mean
    p = adjusted(student(mean, sd, n)[2])
    return [OfKind(kind, n, float(m), known(q)) for m, q in zip(mean, p, strict=True)]
