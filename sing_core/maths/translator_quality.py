"""Translators side by side on held-out rows: cosine and MSE with intervals (Table 2, Fig. 8)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.feature_map import RowMap
from sing_core.maths.statistics import Interval, mean_over_images

LINEAR = "linear"
# A linear translator this close to the best loses nothing that the paper would call significant.
TOLERANCE = 0.02
_INTERVALS = ("cosine", "mse", "behind")


@dataclass(frozen=True, slots=True, eq=False)
class PerImage:
    """What a translator does on each held-out image.

    Attributes:
        cosine: ``(n,)`` between translated and true embedding.
        mse: ``(n,)`` squared error per entry.
    """

    cosine: Tensor
    mse: Tensor


@dataclass(frozen=True, slots=True)
class Quality:
    """One row of the table.

    Attributes:
        architecture: ``linear`` or one of ``nonlinear.ARCHITECTURES``.
        loss: what it was fitted by: ``ridge``, ``mse``, ``cosine`` or ``both``.
        cosine: mean cosine; ``mse``: mean squared error per entry.
        behind: mean cosine of the best row minus this one's, image by image.
        histogram: share of images in each of the table's cosine bins.
    """

    architecture: str
    loss: str
    cosine: Interval
    mse: Interval
    behind: Interval
    histogram: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Translators of one classifier into one reference, on the same held-out images.

    Attributes:
        images: what the images are, as text; ``n`` how many.
        edges: borders of the cosine bins, one more than a histogram has shares.
        rows: one per translator, best mean cosine first.
        classes: over how many classes the intervals are; None in a file that was made when each
            image counted for itself.
    """

    images: str
    n: int
    edges: tuple[float, ...]
    rows: tuple[Quality, ...]
    classes: int | None = None

    @property
    def linear_behind(self) -> Interval:
        """How far the linear translator's mean cosine is behind the best one's."""
        return next(row.behind for row in self.rows if row.architecture == LINEAR)

    @property
    def linear_suffices(self) -> bool:
        """Whether the linear translator is within 0.02 of the best mean cosine."""
        return self.linear_behind.estimate <= TOLERANCE

    @property
    def verdict(self) -> str:
        """The same in words."""
        best, gap = self.rows[0], self.linear_behind
        if best.architecture == LINEAR:
            return "The linear translator has the largest mean cosine."
        start = (
            f"The linear translator’s mean cosine is {gap.estimate:.3f} "
            f"({gap.low:z.3f} to {gap.high:z.3f}) below that of the best, "
            f"{best.architecture} trained by {best.loss}: "
        )
        if self.linear_suffices:
            return f"{start}within {TOLERANCE:g}, so little is lost by being linear."
        return f"{start}more than {TOLERANCE:g}, so here being linear does cost something."

    def as_json(self) -> dict[str, Any]:
        """Return plain values that ``from_json`` reads."""
        rows = [
            asdict(row) | {name: _stored(getattr(row, name)) for name in _INTERVALS}
            for row in self.rows
        ]
        told = {"images": self.images, "n": self.n, "classes": self.classes}
        return {**told, "edges": self.edges, "rows": rows}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Comparison":
        """Return what ``as_json`` wrote."""
        rows, classes = [], stored.get("classes")
        for row in stored["rows"]:
            ends = {name: (row[name]["low"], row[name]["high"]) for name in _INTERVALS}
            found = {
                name: Interval(row[name]["mean"], *ends[name], classes or stored["n"])
                for name in _INTERVALS
            }
            histogram = tuple(row["histogram"])
            rows.append(Quality(row["architecture"], row["loss"], histogram=histogram, **found))
        return cls(stored["images"], stored["n"], tuple(stored["edges"]), tuple(rows), classes)


def _stored(interval: Interval) -> dict[str, float | None]:
    return {"mean": interval.estimate, "low": interval.low, "high": interval.high}


def per_image(translator: RowMap, features: Tensor, embeddings: Tensor) -> PerImage:
    """Return cosine and squared error of every row; ``(n, m)`` features, ``(n, d)`` true.

    Raises:
        ShapeError: the two do not have as many rows, or the widths do not fit.
    """
    guess, true = translator.apply(features), embeddings.double()
    if guess.shape != true.shape or guess.ndim != 2:
        raise ShapeError(f"Cannot compare {tuple(guess.shape)} with {tuple(true.shape)}.")
    cosine = torch.cosine_similarity(guess, true, dim=-1)
    return PerImage(cosine, (guess - true).square().mean(dim=-1))


def r_squared(translator: RowMap, features: Tensor, embeddings: Tensor) -> float:
    """Return 1 - residual / total sum of squares over all entries, ``(n, m)`` and ``(n, d)``."""
    true = embeddings.double()
    residual = (translator.apply(features) - true).square().sum()
    return float(1 - residual / (true - true.mean(dim=0)).square().sum())


def compare(
    found: Sequence[tuple[str, str, PerImage]],
    *,
    images: str,
    classes: ArrayLike,
    bins: int = 40,
) -> Comparison:
    """Return the table of ``(architecture, loss, per-image measures)``, all of the same images.

    ``images`` says what they are, ``classes`` ``(n,)`` of which class each is.

    Raises:
        ShapeError: there is no row, no linear one, or they are of different images, or there is not
            one class an image.
    """
    counts = {len(measured.cosine) for _, _, measured in found}
    if len(counts) != 1 or LINEAR not in {architecture for architecture, _, _ in found}:
        raise ShapeError("A comparison needs rows of the same images, one of them linear.")
    ranked = sorted(found, key=lambda row: -float(row[2].cosine.mean()))
    best = ranked[0][2].cosine
    low = min(float(measured.cosine.min()) for _, _, measured in found)
    edges = np.linspace(np.floor(low * 20) / 20, 1.0, bins + 1)
    rows = tuple(
        Quality(
            architecture,
            loss,
            mean_over_images(measured.cosine, classes),
            mean_over_images(measured.mse, classes),
            mean_over_images(best - measured.cosine, classes),
            tuple((np.histogram(measured.cosine, edges)[0] / len(best)).tolist()),
        )
        for architecture, loss, measured in ranked
    )
    count = len(np.unique(np.asarray(classes)))
    return Comparison(images, len(best), tuple(edges.tolist()), rows, count)
