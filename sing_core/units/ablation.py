"""Accuracy without some units: their mean over the images in their place, or nothing.

What a head that carries the background does to the class that is read worst (arXiv:2310.05916,
section 4: Waterbirds) is the case for which one asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from scipy.stats import binomtest
from torch import Tensor

from sing_core.maths.statistics import (
    LEVEL,
    Interval,
    cluster_means,
    clustered_mean,
    paired_difference,
)
from sing_core.models.imagenet import imagenet_labels, imagenet_places
from sing_core.units.atlas import known_images, rights, unit_means
from sing_core.units.inside import Inside, unit_index
from sing_core.units.recorded import Recorded
from sing_core.units.residual import Sums

How = Literal["mean", "zero"]


@dataclass(frozen=True, slots=True)
class Ablation:
    """What is left of a network's answers without what some of its units write.

    Attributes:
        units: their names, in the network's order; none: the network as it is.
        how: ``mean`` of each over the images stands for it, or ``zero``: it is left out.
        accuracy: share of images read rightly, with its interval over classes.
        change: of it from the network as it is, on the same images; interval over classes.
        worst: the class (wnid) that is read worst, the first of ``alike`` that are read so.
        worst_accuracy: share of its images read rightly; a Wilson interval over them, of this class
            as if it had been named before.
        alike: how many classes are read as badly.
    """

    units: tuple[str, ...]
    how: How
    accuracy: Interval
    change: Interval
    worst: str
    worst_accuracy: Interval
    alike: int

    def as_row(self) -> dict[str, Any]:
        """Return it as a row of a table."""
        own, worst, change = self.accuracy, self.worst_accuracy, self.change
        return {
            "units": " ".join(self.units) or "none", "how": self.how,
            "accuracy": own.estimate, "low": own.low, "high": own.high,
            "change": change.estimate, "change_low": change.low, "change_high": change.high,
            "worst_class": _label(self.worst), "worst_wnid": self.worst,
            "worst_accuracy": worst.estimate, "worst_low": worst.low, "worst_high": worst.high,
            "worst_images": worst.clusters, "worst_alike": self.alike,
        }  # fmt: skip


def ablated(
    inside: Inside, recorded: Recorded, units: Sequence[str], how: How = "mean"
) -> Ablation:
    """Return the accuracy, and that of the class that is read worst, without some units.

    Each is named as in ``Tower.unit_names``, in any order; twice is once. Effects are direct:
    LayerNorm's sigma stays that of the image.

    Raises:
        UnitsError: there is no such unit.
        ImageSetError: fewer than two classes of the head are among the images.
    """
    places = sorted({unit_index(inside, name) for name in units})
    means = unit_means(inside, recorded.sums) if how == "mean" else torch.zeros(1, 1)

    def outputs(found: Tensor, _: Sums) -> Tensor:
        whole = found.sum(dim=1)
        away = (found - means)[:, places].sum(dim=1)
        return torch.stack([whole, whole - away], dim=1)

    known, classes = known_images(recorded)
    base, left = rights(inside, recorded, outputs)[known].double().numpy().T
    (rates,) = cluster_means(classes, left)
    names, counts = np.unique(classes, return_counts=True)
    worst = int(rates.argmin())
    count = int(counts[worst])
    return Ablation(
        tuple(inside.tower.unit_names[place] for place in places), how,
        clustered_mean(left, classes), paired_difference(left, base, classes),
        str(names[worst]), _wilson(round(float(rates[worst]) * count), count),
        int((rates == rates[worst]).sum()),
    )  # fmt: skip


def _label(wnid: str) -> str:
    return imagenet_labels()[imagenet_places()[wnid]]


def _wilson(read: int, images: int) -> Interval:
    """Return a share of the images of one class with its 95 % interval over them."""
    found = binomtest(read, images).proportion_ci(LEVEL, method="wilson")
    return Interval(read / images, float(found.low), float(found.high), images)


def ablation_sentence(base: Ablation, found: Ablation) -> str:
    """Return what leaving units out did, in words with a magnitude; ``base`` leaves none out."""
    change, worst = found.change, found.worst_accuracy
    bounds = (
        "" if change.low is None or change.high is None
        else f" [{100 * change.low:+.1f}, {100 * change.high:+.1f}]"
    )  # fmt: skip
    instead = "their mean in place of" if found.how == "mean" else "nothing in place of"
    others = f", as {found.alike - 1} others are" if found.alike > 1 else ""
    return (
        f"With {instead} {', '.join(found.units) or 'no unit'}, "
        f"{100 * found.accuracy.estimate:.1f} % of the images are read rightly: "
        f"{100 * change.estimate:+.1f} points{bounds}. The class that is read worst, "
        f"“{_label(found.worst)}”, is read rightly in {100 * worst.estimate:.1f} % of "
        f"{worst.clusters} images{others}; before, the worst one was in "
        f"{100 * base.worst_accuracy.estimate:.1f} %."
    )
