"""Translators side by side on held-out rows: cosine and MSE with intervals (Table 2, Fig. 8)."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from sing_core.errors import ShapeError, StaleArtefactError
from sing_core.feature_map import FeatureMap

if TYPE_CHECKING:
    from pathlib import Path

    from sing_core.settings import Settings

LINEAR = "linear"
# A linear translator this close to the best loses nothing that the paper would call significant.
TOLERANCE = 0.02
_RESAMPLES = 2000
_SEED = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % bootstrap interval (percentile, resampled over images)."""

    mean: float
    low: float
    high: float


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
    cosine: Estimate
    mse: Estimate
    behind: Estimate
    histogram: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Translators of one classifier into one reference, on the same held-out images.

    Attributes:
        images: what the images are, as text; ``n`` how many.
        edges: borders of the cosine bins, one more than a histogram has shares.
        rows: one per translator, best mean cosine first.
    """

    images: str
    n: int
    edges: tuple[float, ...]
    rows: tuple[Quality, ...]

    @property
    def linear_behind(self) -> Estimate:
        """How far the linear translator's mean cosine is behind the best one's."""
        return next(row.behind for row in self.rows if row.architecture == LINEAR)

    @property
    def linear_suffices(self) -> bool:
        """Whether the linear translator is within 0.02 of the best mean cosine."""
        return self.linear_behind.mean <= TOLERANCE

    @property
    def verdict(self) -> str:
        """The same in words."""
        best, gap = self.rows[0], self.linear_behind
        if best.architecture == LINEAR:
            return "The linear translator has the largest mean cosine."
        start = (
            f"The linear translator’s mean cosine is {gap.mean:.3f} "
            f"({gap.low:.3f} to {gap.high:.3f}) below that of the best, "
            f"{best.architecture} trained by {best.loss}: "
        )
        if self.linear_suffices:
            return f"{start}within {TOLERANCE:g}, so little is lost by being linear."
        return f"{start}more than {TOLERANCE:g}, so here being linear does cost something."

    def as_json(self) -> dict[str, Any]:
        """Return plain values that ``from_json`` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Comparison":
        """Return what ``as_json`` wrote."""
        rows = []
        for row in stored["rows"]:
            estimates = {name: Estimate(**row[name]) for name in ("cosine", "mse", "behind")}
            histogram = tuple(row["histogram"])
            rows.append(Quality(row["architecture"], row["loss"], histogram=histogram, **estimates))
        return cls(stored["images"], stored["n"], tuple(stored["edges"]), tuple(rows))


def per_image(translator: FeatureMap, features: Tensor, embeddings: Tensor) -> PerImage:
    """Return cosine and squared error of every row; ``(n, m)`` features, ``(n, d)`` true.

    Raises:
        ShapeError: the two do not have as many rows, or the widths do not fit.
    """
    guess, true = translator.apply(features), embeddings.double()
    if guess.shape != true.shape or guess.ndim != 2:
        raise ShapeError(f"Cannot compare {tuple(guess.shape)} with {tuple(true.shape)}.")
    cosine = torch.cosine_similarity(guess, true, dim=-1)
    return PerImage(cosine, (guess - true).square().mean(dim=-1))


def r_squared(translator: FeatureMap, features: Tensor, embeddings: Tensor) -> float:
    """Return 1 - residual / total sum of squares over all entries, ``(n, m)`` and ``(n, d)``."""
    true = embeddings.double()
    residual = (translator.apply(features) - true).square().sum()
    return float(1 - residual / (true - true.mean(dim=0)).square().sum())


def compare(
    found: Sequence[tuple[str, str, PerImage]], *, images: str, bins: int = 40
) -> Comparison:
    """Return the table of ``(architecture, loss, per-image measures)``, all of the same images.

    Raises:
        ShapeError: there is no row, no linear one, or they are of different images.
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
            estimate(measured.cosine),
            estimate(measured.mse),
            estimate(best - measured.cosine),
            tuple((np.histogram(measured.cosine, edges)[0] / len(best)).tolist()),
        )
        for architecture, loss, measured in ranked
    )
    return Comparison(images, len(best), tuple(edges.tolist()), rows)


def estimate(values: Tensor) -> Estimate:
    """Return the mean of ``values`` ``(n,)`` and its 95 % percentile bootstrap interval.

    Raises:
        ShapeError: there are fewer than two values.
    """
    from scipy.stats import bootstrap

    numbers = values.double().numpy()
    if numbers.ndim != 1 or len(numbers) < 2:
        raise ShapeError(f"An interval needs at least two values, got {tuple(values.shape)}.")
    mean = float(numbers.mean())
    if float(np.ptp(numbers)) == 0:
        return Estimate(mean, mean, mean)
    interval = bootstrap(
        (numbers,),
        np.mean,
        n_resamples=_RESAMPLES,
        batch=50,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Estimate(mean, float(interval.low), float(interval.high))


def comparison_path(settings: "Settings") -> "Path":
    """Return where the comparison that ships lies; ``sing_core.mini.compare`` makes it."""
    return settings.assets_dir / "translators" / "comparison.json"


def read_comparisons(settings: "Settings") -> tuple[str, dict[str, Comparison]]:
    """Return the command that made the shipped comparison, and its tables by set of images.

    Raises:
        StaleArtefactError: the file is missing or is not one.
    """
    path = comparison_path(settings)
    try:
        stored = json.loads(path.read_text("utf-8"))
        tables = {name: Comparison.from_json(table) for name, table in stored["tests"].items()}
        return str(stored["command"]), tables
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StaleArtefactError(
            f"The comparison of translators, {path.name} under assets/translators, is missing or "
            "damaged."
        ) from error
