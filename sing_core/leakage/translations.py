"""Do translators of other architectures show other images?

Table 2 and Fig. 11 of the paper, which draws one translated feature of each architecture. Here the
nearest real images of the set are looked up: of each image's own T(f), among what the reference
itself sees in the others.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from sing_core.errors import ImageSetError
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.set_networks import trained_networks
from sing_core.maths.cross_fit import cross_fit, moments_by_fold
from sing_core.maths.folds import folds_of
from sing_core.maths.nearest import nearest
from sing_core.maths.statistics import Interval, mean_over_images
from sing_core.sets.chunks import ImageRow
from sing_core.sets.reference_rows import reference_rows

NEAREST = 5
SHIPPED = "linear, in use"
HERE = "linear, fitted here"


@dataclass(frozen=True, slots=True)
class TranslatorRow:
    """One translator on the images of a set, none of which it saw.

    Attributes:
        translator: ``SHIPPED``, ``HERE``, or one of ``nonlinear.ARCHITECTURES``.
        cosine: mean cosine of T(f) to the reference's own embedding, over classes.
        apart: by how much it is above that of ``HERE``, on the same images.
        shared: share of the nearest images that ``HERE`` finds, too; 1 for itself.
        same_class: share of the nearest images that are of the image's own class, over images of
            classes with more than one.
    """

    translator: str
    cosine: Interval
    apart: Interval
    shared: float
    same_class: float

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints."""
        return {
            "translator": self.translator, "cosine": self.cosine.estimate,
            "low": self.cosine.low, "high": self.cosine.high, "apart": self.apart.estimate,
            "apart_low": self.apart.low, "apart_high": self.apart.high, "shared": self.shared,
            "same_class": self.same_class,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Translations:
    """Translators beside each other.

    Attributes:
        rows: the shipped linear one, the linear one fitted on this set, and the networks.
        images: the ``n`` images, ``labels`` their classes.
        places: by translator ``(n, NEAREST)``: which images are nearest, the first one first.
    """

    rows: tuple[TranslatorRow, ...]
    images: tuple[ImageRow, ...]
    labels: tuple[int, ...]
    places: dict[str, Tensor]

    @property
    def sentence(self) -> str:
        """Whether the architecture decides what is seen."""
        shipped, here, *networks = self.rows
        if not networks:
            return "No other translator than a linear one is trained on this set yet."
        best = max(networks, key=lambda row: row.cosine.estimate)
        least = min(row.shared for row in networks)
        return (
            f"The best of {len(networks)} networks comes {_beside(best.apart)} the cosine of "
            f"{here.cosine.estimate:.3f} that a linear map has, fitted on the same images. Of the "
            f"{NEAREST} images nearest to a translated feature it shares {100 * best.shared:.0f} % "
            f"with that map (every network at least {100 * least:.0f} %); the linear translator in "
            f"use, fitted on other images too, shares {100 * shipped.shared:.0f} %."
        )


def _beside(apart: Interval) -> str:
    """Return how far above or below, with the interval's ends likewise."""
    size, side = f"{abs(apart.estimate):.3f}", "above" if apart.estimate > 0 else "below"
    if not apart.decided or apart.low is None or apart.high is None:
        return f"{size} {side} (not told from 0)"
    near, far = sorted((abs(apart.low), abs(apart.high)))
    return f"{size} [{near:.3f}, {far:.3f}] {side}"


def translations(scored: ScoredSet) -> Translations:
    """Compare linear translators and the networks trained on the set, image by image.

    Raises:
        ImageSetError: the reference's embeddings are not kept with the set, or it is too small.
        SingError: features, translators or networks cannot be read.
    """
    seen = reference_rows(scored.bench, scored.folder, scored.reference)
    place = {row: index for index, row in enumerate(seen.rows.tolist())}
    asked = scored.ask("SELECT row, label FROM images").to_pylist()
    labels = {row["row"]: row["label"] for row in asked if row["row"] in place}
    images, pieces = [], []
    for own, part in scored.features(list(labels)):
        images += own
        pieces.append(part)
    if len(images) <= NEAREST:
        raise ImageSetError(f"Neighbours are looked for among more than {NEAREST} images.")
    features = torch.cat(pieces).float()
    true = seen.embeddings[torch.tensor([place[image.row] for image in images])].float()
    folds = folds_of([image.digest for image in images])
    here = cross_fit(moments_by_fold(features, true, folds))
    found = {SHIPPED: scored.unseen(images).apply(features).float()}
    found[HERE] = here.apply(features, folds).float()
    for network in trained_networks(scored, scored.reference):
        found[network.architecture] = network.apply(features, folds)
    classes = tuple(int(labels[image.row]) for image in images)
    return _compared(found, true, tuple(images), classes)


def _compared(
    found: dict[str, Tensor], true: Tensor, images: tuple[ImageRow, ...], classes: tuple[int, ...]
) -> Translations:
    """Return the comparison of translated features ``(n, d)`` by translator."""
    real, label = normalize(true, dim=-1), torch.tensor(classes)
    places = {name: nearest(real, NEAREST, normalize(z, dim=-1))[0] for name, z in found.items()}
    several = torch.bincount(label)[label] > 1
    cosines = {name: cosine_similarity(z, true, dim=-1).numpy() for name, z in found.items()}
    rows = []
    for name, cosine in cosines.items():
        alike = (places[name][:, :, None] == places[HERE][:, None, :]).any(-1).float()
        own = (label[places[name]] == label[:, None])[several].float()
        rows.append(TranslatorRow(
            name, mean_over_images(cosine, classes),
            mean_over_images(cosine - cosines[HERE], classes),
            float(alike.mean()), float(own.mean()) if len(own) else 0.0,
        ))  # fmt: skip
    return Translations(tuple(rows), images, classes, places)
