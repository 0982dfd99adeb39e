"""Fit a translator for any classifier and reference from a set of images (eq. 4)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sing_core.errors import ShapeError, UnknownNameError, UnsupportedImageError
from sing_core.files.digests import digest_of_set
from sing_core.maths.nonlinear import ARCHITECTURES, NonlinearTranslator
from sing_core.maths.ridge import fit_ridge_path
from sing_core.maths.statistics import Interval, mean_over_images
from sing_core.maths.training import LOSSES, Recipe, train
from sing_core.maths.translator import Translator
from sing_core.maths.translator_quality import LINEAR, per_image, r_squared

# Lambdas as shares of the features' mean eigenvalue: the path means the same for every classifier.
SHARES = tuple(10.0 ** (power / 2) for power in range(-12, 5))
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
        """Return rows to fit, to choose lambda or the epoch, and to measure: 8, 1 and 1 tenths.

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
        cosine: mean cosine there; ``mse`` mean squared error per entry; ``r2`` over all entries.
        n: rows fitted, choosing, and measured.
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
    """Fit ``linear`` by closed-form ridge over a path of lambdas, or a network by ``loss``.

    Raises:
        ShapeError: there are too few images.
        UnknownNameError: there is no such architecture.
        UnsupportedImageError: the classifier sees no difference between the images.
    """
    inside, choosing, testing = rows.split()

    def part(chosen: Tensor) -> Part:
        return rows.features[chosen], rows.embeddings[chosen]

    fitted: Translator | NonlinearTranslator
    if architecture == LINEAR:
        fitted = _ridge(part(inside), part(choosing))
    else:
        fitted = train(architecture, loss, part(inside), part(choosing), recipe).translator
        fitted = replace(fitted, details={"loss": loss})
    measured = per_image(fitted, *part(testing))
    cosine, mse = mean_over_images(measured.cosine), mean_over_images(measured.mse)
    r2 = r_squared(fitted, *part(testing))
    n = (len(inside), len(choosing), len(testing))
    details = {
        "architecture": architecture,
        "data": rows.data_digest,
        "images": "/".join(map(str, n)),
        "cosine": repr(cosine.estimate),
        "mse": repr(mse.estimate),
        "r2": repr(r2),
    }
    return Fit(_named(fitted, rows, model, details), cosine, mse, r2, n)


def _ridge(inside: Part, choosing: Part) -> Translator:
    """Return the float32 translator of the lambda that does best on ``choosing``."""
    alphas = lambda_path(inside[0])
    found = fit_ridge_path(*inside, *choosing, alphas=alphas).translator
    return replace(found, weight=found.weight.float(), bias=found.bias.float())


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


def lambda_path(features: Tensor) -> tuple[float, ...]:
    """Return lambdas around the mean eigenvalue of ``X^T X`` of centred ``features`` ``(n, m)``.

    Raises:
        UnsupportedImageError: all rows are equal.
    """
    wide = features.double()
    return lambdas_around(float((wide - wide.mean(dim=0)).square().sum() / wide.shape[1]))


def lambdas_around(eigenvalue: float) -> tuple[float, ...]:
    """Return the lambdas to try where ``X^T X`` has this mean eigenvalue.

    Raises:
        UnsupportedImageError: it is 0: all rows are equal.
    """
    if not eigenvalue > 0:
        raise UnsupportedImageError("The classifier sees no difference between these images.")
    return tuple(eigenvalue * share for share in SHARES)
