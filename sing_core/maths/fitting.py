"""Fit a translator for any classifier and reference from a set of images (eq. 4)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sing_core.errors import ShapeError, UnknownNameError
from sing_core.files.digests import digest_of_set
from sing_core.maths.cross_fit import FEWEST_FOLDS, cross_fit, moments_by_fold
from sing_core.maths.feature_map import RowMap
from sing_core.maths.folds import FOLDS, folds_of
from sing_core.maths.nonlinear import ARCHITECTURES, NonlinearTranslator
from sing_core.maths.statistics import Interval, mean_over_images
from sing_core.maths.training import LOSSES, Recipe, train
from sing_core.maths.translator import Translator
from sing_core.maths.translator_quality import LINEAR, per_image, r_squared
from sing_core.maths.unseen import Unseen

_BATCH = 16
_TENTHS = 10
_FEWEST = 20
Progress = Callable[[int, int], None]
Part = tuple[Tensor, Tensor]  # features (k, m) and embeddings (k, d) of the same rows


@dataclass(frozen=True, slots=True, eq=False)
class PairedRows:
    """One row per image, seen by a classifier and by a reference.

    Attributes:
        features: ``(n, m)`` float32; ``embeddings`` ``(n, d)`` raw, float32.
        labels: a class for each; empty texts where the source has none.
        digests: SHA-256 of every image's file.
        model_digest: of the classifier's weights; ``space_id`` of the reference.
    """

    features: Tensor
    embeddings: Tensor
    labels: tuple[str, ...]
    digests: tuple[str, ...]
    model_digest: str
    space_id: str

    @property
    def data_digest(self) -> str:
        """Digest of the set, from its images' digests in their order."""
        return digest_of_set(self.digests)

    def split(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return rows to fit, to choose the epoch, and to measure: 8, 1 and 1 tenths.

        Decided by the images' contents: the same image is always on the same side, whatever
        the order, and a copy of it is never on another.

        Raises:
            ShapeError: there are fewer than 20 different images.
        """
        different = sorted(set(self.digests))
        if len(different) < _FEWEST:
            raise ShapeError(
                f"A fit needs at least {_FEWEST} different images, these are {len(different)}."
            )
        place = {digest: row % _TENTHS for row, digest in enumerate(different)}
        tenth = torch.tensor([place[digest] for digest in self.digests])
        sides = (tenth > 1, tenth == 1, tenth == 0)
        return tuple(torch.nonzero(side).squeeze(1) for side in sides)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fitted translator and what it does on images that neither fit nor choice saw.

    Attributes:
        translator: with model, digest, space and these measures in its details.
        cosine: mean cosine there; ``mse`` mean squared error per entry; both with intervals over
            classes, where images have one. ``r2`` is over all entries.
        n: rows fitted, choosing, and measured. Of a linear fit all rows are all three: each is
            measured by the stand-in that was fitted and chosen without its photograph.
    """

    translator: Translator | NonlinearTranslator
    cosine: Interval
    mse: Interval
    r2: float
    n: tuple[int, int, int]


def check_fit(count: int, architecture: str, loss: str) -> None:
    """Refuse what cannot be fitted before a single image is shown to a network.

    Raises:
        ShapeError: ``count`` images are too few.
        UnknownNameError: there is no such architecture or loss.
    """
    if count < _FEWEST:
        raise ShapeError(f"A fit needs at least {_FEWEST} different images, these are {count}.")
    for what, name, known in (
        ("architecture", architecture, (LINEAR, *ARCHITECTURES)),
        ("loss", loss, LOSSES),
    ):
        if name not in known:
            raise UnknownNameError(
                f"No translator {what} is called “{name[:80]}”. There are: {', '.join(known)}."
            )


def fit(
    rows: PairedRows,
    *,
    model: str,
    architecture: str = LINEAR,
    loss: str = "mse",
    recipe: Recipe | None = None,
) -> Fit:
    """Fit ``linear`` by closed-form ridge, cross-fitted, or a network by ``loss``.

    Raises:
        ShapeError: there are too few images.
        UnknownNameError: there is no such architecture.
        UnsupportedImageError: the classifier sees no difference between the images.
    """
    if architecture == LINEAR:
        return _measured(rows, model, *_linear(rows))
    inside, choosing, testing = rows.split()

    def part(chosen: Tensor) -> Part:
        return rows.features[chosen], rows.embeddings[chosen]

    network = train(architecture, loss, part(inside), part(choosing), recipe).translator
    n = (len(inside), len(choosing), len(testing))
    facts = {"loss": loss, "architecture": architecture, "images": "/".join(map(str, n))}
    return _measured(rows, model, replace(network, details=facts), network, testing, n)


Measured = tuple[Translator | NonlinearTranslator, RowMap, Tensor, tuple[int, int, int]]


def _linear(rows: PairedRows) -> Measured:
    """Return the fit of all rows with its stand-ins, by which all rows are measured."""
    count = len(rows.digests)
    check_fit(len(set(rows.digests)), LINEAR, LOSSES[0])
    folds = moments_by_fold(rows.features, rows.embeddings, folds_of(rows.digests))
    if sum(fold is not None for fold in folds) < FEWEST_FOLDS:
        raise ShapeError("A fit needs images in at least three folds: add images.")
    fitted = cross_fit(folds).translator(rows.digests)
    facts = {"architecture": LINEAR, "images": str(count), "folds": str(FOLDS)}
    fitted = replace(fitted, details=fitted.details | facts)
    return fitted, Unseen.of(fitted, rows.digests), torch.arange(count), (count, count, count)


def _measured(
    rows: PairedRows,
    model: str,
    fitted: Translator | NonlinearTranslator,
    judged: RowMap,
    testing: Tensor,
    n: tuple[int, int, int],
) -> Fit:
    """Return ``fitted`` with what ``judged`` does on the rows ``testing`` in its details."""
    part = rows.features[testing], rows.embeddings[testing]
    found = per_image(judged, *part)
    classes = [rows.labels[row] or rows.digests[row] for row in testing.tolist()]
    cosine, mse = (mean_over_images(of, classes) for of in (found.cosine, found.mse))
    r2 = r_squared(judged, *part)
    details = {
        "data": rows.data_digest,
        "cosine": repr(cosine.estimate),
        "mse": repr(mse.estimate),
        "r2": repr(r2),
    }
    return Fit(_named(fitted, rows, model, details), cosine, mse, r2, n)


def _named(
    fitted: Translator | NonlinearTranslator, rows: PairedRows, model: str, details: dict[str, str]
) -> Translator | NonlinearTranslator:
    """Return ``fitted`` with what it belongs to, and ``details`` after its own."""
    return replace(
        fitted,
        model=model,
        model_digest=rows.model_digest,
        space_id=rows.space_id,
        details={**fitted.details, **details},
    )
