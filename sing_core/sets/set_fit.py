"""A translator fitted from a prepared set itself, chunk by chunk: moments add up.

Runs of chunks are summed each in its order and the sums are merged in theirs. So the result is the
same whichever process, or machine, computed a run. Moments are kept by fold, and the translator
gets a stand-in for each: the set is scored by fits that did not see the image scored.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce

import torch
from torch import Tensor

from sing_core.errors import ImageSetError
from sing_core.maths.cross_fit import FEWEST_FOLDS, cross_fit, moments_by_fold
from sing_core.maths.folds import FOLDS, folds_of
from sing_core.maths.ridge import Moments
from sing_core.maths.translator import Translator
from sing_core.maths.translator_quality import LINEAR, PerImage, per_image
from sing_core.maths.unseen import Unseen
from sing_core.sets.chunks import SetFolder, Stored

RUN = 16


@dataclass(frozen=True, slots=True, eq=False)
class FoldMoments:
    """Moments of the images of each fold, None where there is none."""

    folds: tuple[Moments | None, ...] = (None,) * FOLDS

    def merge(self, other: "FoldMoments") -> "FoldMoments":
        """Return the moments of both together."""
        pairs = zip(self.folds, other.folds, strict=True)
        return FoldMoments(tuple(a.merge(b) if a and b else a or b for a, b in pairs))


def runs(folder: SetFolder) -> list[range]:
    """Return the runs of chunks whose moments are summed together."""
    count = folder.facts.chunks
    return [range(start, min(start + RUN, count)) for start in range(0, count, RUN)]


def run_moments(
    folder: SetFolder, model: Stored, reference: Stored, run: Iterable[int]
) -> FoldMoments:
    """Return the moments of the images of some chunks.

    Raises:
        StaleArtefactError: a chunk is missing under the classifier or the reference.
    """
    return reduce(
        FoldMoments.merge,
        (
            FoldMoments(moments_by_fold(features, embeddings, folds_of(digests)))
            for features, embeddings, digests in _pairs(folder, model, reference, run)
        ),
        FoldMoments(),
    )


def fit_set(
    folder: SetFolder, model: Stored, reference: Stored, moments: Iterable[FoldMoments]
) -> Translator:
    """Cross-fit ridge from the merged moments of all runs, in order, and measure it.

    Every image is measured by the stand-in that was fitted, and whose lambda was chosen, without
    its photograph.

    Raises:
        ImageSetError: there are too few images.
        UnsupportedImageError: the classifier sees no difference between them.
    """
    folds = reduce(FoldMoments.merge, moments).folds
    count = sum(fold.weight for fold in folds if fold is not None)
    if sum(fold is not None for fold in folds) < FEWEST_FOLDS or count < 2 * FOLDS:
        raise ImageSetError(
            f"The set {folder.facts.name} has too few images to fit a translator: of "
            f"{FOLDS} parts, one must choose its λ and another must measure it."
        )
    crossed = cross_fit(folds)
    fitted = crossed.translator(_digests(folder, model))
    found = _measured(folder, model, reference, fitted)
    mse = found.mse.mean()
    spread = reduce(Moments.merge, (fold for fold in folds if fold is not None)).yy
    details = {
        "architecture": LINEAR,
        "data": folder.facts.key,
        "images": f"{count:.0f}",
        "folds": str(FOLDS),
        "cosine": repr(float(found.cosine.mean())),
        "mse": repr(float(mse)),
        "r2": repr(1 - float(mse) * len(fitted.bias) * count / spread),
    }
    return replace(
        fitted,
        model=model.name,
        model_digest=model.weights_digest,
        space_id=reference.weights_digest,
        details={**fitted.details, **details},
    )


def _pairs(
    folder: SetFolder, model: Stored, reference: Stored, run: Iterable[int]
) -> Iterator[tuple[Tensor, Tensor, list[str]]]:
    """Yield the features, the embeddings and the digests of the images of each chunk."""
    for index in run:
        seen = folder.chunk(model.name, model.weights_digest, index)
        embedded = folder.chunk(reference.name, reference.weights_digest, index)
        if seen.images:
            yield seen.features, embedded.features, [image.digest for image in seen.images]


def _digests(folder: SetFolder, model: Stored) -> Iterator[str]:
    for index in range(folder.facts.chunks):
        chunk = folder.chunk(model.name, model.weights_digest, index)
        yield from (image.digest for image in chunk.images)


def _measured(
    folder: SetFolder, model: Stored, reference: Stored, translator: Translator
) -> PerImage:
    parts = [
        per_image(Unseen.of(translator, digests), features, embeddings)
        for features, embeddings, digests in _pairs(
            folder, model, reference, range(folder.facts.chunks)
        )
    ]
    return PerImage(
        torch.cat([part.cosine for part in parts]), torch.cat([part.mse for part in parts])
    )
