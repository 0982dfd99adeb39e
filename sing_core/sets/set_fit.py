"""A translator fitted from a prepared set itself, chunk by chunk: moments add up.

Runs of chunks are summed each in its order and the sums are merged in theirs. So the result is the
same whichever process, or machine, computed a run.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce

import torch
from torch import Tensor

from sing_core.errors import ImageSetError
from sing_core.maths.fitting import lambdas_around
from sing_core.maths.ridge import Moments, fit_moments
from sing_core.maths.statistics import mean_over_images
from sing_core.maths.translator import Translator
from sing_core.maths.translator_quality import LINEAR
from sing_core.sets.chunks import SetFolder, Stored

RUN = 16
_TENTHS = 10
_CHOOSING, _TESTING = 1, 0


@dataclass(frozen=True, slots=True, eq=False)
class SideMoments:
    """Moments of the images that are fitted, of those that choose lambda, of those that measure."""

    sides: tuple[Moments | None, Moments | None, Moments | None]

    def merge(self, other: "SideMoments") -> "SideMoments":
        """Return the moments of both together."""
        pairs = zip(self.sides, other.sides, strict=True)
        one, two, three = (a.merge(b) if a and b else a or b for a, b in pairs)
        return SideMoments((one, two, three))


def runs(folder: SetFolder) -> list[range]:
    """Return the runs of chunks whose moments are summed together."""
    count = folder.facts.chunks
    return [range(start, min(start + RUN, count)) for start in range(0, count, RUN)]


def run_moments(
    folder: SetFolder, model: Stored, reference: Stored, run: Iterable[int]
) -> SideMoments:
    """Return the moments of the images of some chunks.

    Raises:
        StaleArtefactError: a chunk is missing under the classifier or the reference.
    """
    return reduce(
        SideMoments.merge,
        (_moments_of(*pair) for pair in _pairs(folder, model, reference, run)),
        SideMoments((None, None, None)),
    )


def fit_set(
    folder: SetFolder, model: Stored, reference: Stored, moments: Iterable[SideMoments]
) -> Translator:
    """Fit ridge from the merged moments of all runs, in order, and measure it.

    An image's side is decided by its contents: eight tenths are fitted, one chooses lambda (by
    mean squared error), and one, which neither saw, measures.

    Raises:
        ImageSetError: a side has too few images.
        UnsupportedImageError: the classifier sees no difference between them.
    """
    fitting, choosing, testing = reduce(SideMoments.merge, moments).sides
    if not (fitting and choosing and testing and testing.weight > 1):
        raise ImageSetError(
            f"The set {folder.facts.name} has too few images to fit a translator: one tenth must "
            "choose its λ and another must measure it."
        )
    alphas = lambdas_around(float(fitting.xx.diagonal().mean()))
    fitted, _ = fit_moments(fitting, choosing, alphas=alphas)
    fitted = replace(fitted, weight=fitted.weight.float(), bias=fitted.bias.float())
    cosine = mean_over_images(torch.cat(list(_cosines(folder, model, reference, fitted))))
    details = {
        "architecture": LINEAR,
        "data": folder.facts.key,
        "images": "/".join(f"{side.weight:.0f}" for side in (fitting, choosing, testing)),
        "cosine": repr(cosine.estimate),
        "mse": repr(testing.mse(fitted)),
        "r2": repr(testing.r_squared(fitted)),
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
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield the features, the embeddings and the tenths of the images of each chunk."""
    for index in run:
        seen = folder.chunk(model.name, model.weights_digest, index)
        embedded = folder.chunk(reference.name, reference.weights_digest, index)
        tenth = torch.tensor([int(image.digest[:8], 16) % _TENTHS for image in seen.images])
        yield seen.features, embedded.features, tenth


def _moments_of(features: Tensor, embeddings: Tensor, tenth: Tensor) -> SideMoments:
    def side(chosen: Tensor) -> Moments | None:
        return Moments.of(features[chosen], embeddings[chosen]) if bool(chosen.any()) else None

    return SideMoments((side(tenth > 1), side(tenth == _CHOOSING), side(tenth == _TESTING)))


def _cosines(
    folder: SetFolder, model: Stored, reference: Stored, translator: Translator
) -> Iterator[Tensor]:
    for features, embeddings, tenth in _pairs(folder, model, reference, range(folder.facts.chunks)):
        kept = tenth == _TESTING
        if bool(kept.any()):
            guess = translator.apply(features[kept])
            yield torch.cosine_similarity(guess, embeddings[kept].double(), dim=-1)
