"""Stand-ins of a translator for the images that it was fitted from: one fit without each fold.

Which fold an image is in is decided by the digest of its file, for every set and every fit. So a
stored translator can say of any image whether it saw it, and which of its stand-ins did not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.row_steps import from_row_steps, row_steps

FOLDS = 5
OUTSIDE = -1
_HEX = 8  # digits of a digest that are read: 32 bits


def fold_of(digest: str, count: int = FOLDS) -> int:
    """Return the fold of a photograph by the digest of its file: all its views lie in one."""
    return int(digest[:_HEX], 16) % count


def folds_of(digests: Sequence[str], count: int = FOLDS) -> Tensor:
    """Return ``(n,)`` folds of photographs by the digests of their files."""
    return torch.tensor([fold_of(digest, count) for digest in digests], dtype=torch.long)


def check_folds(folds: Tensor, rows: Tensor, count: int) -> None:
    """Refuse ``folds`` that are not ``(n,)`` whole numbers from 0 to count - 1, of n ``rows``.

    Raises:
        ShapeError: there is no such fold, or not one fold a row.
    """
    if folds.shape != rows.shape[:1] or bool(((folds < 0) | (folds >= count)).any()):
        raise ShapeError(f"Every row has a fold from 0 to {count - 1}, got {tuple(folds.shape)}.")


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """``K`` affine maps, the k-th fitted without fold k, and which images were in the fit.

    The maps are kept in a quarter of the room of single precision: a row in 255 even steps, and
    the offset such that the mean feature stays where it was. That turns an embedding by about a
    tenth of a degree, and no rounding depends on what a map did not see.

    Attributes:
        steps: ``(K, d, m)`` int8; ``scales`` ``(K, d)`` float32, the length of a row's step.
        biases: ``(K, d)`` float32.
        images: ``(n,)`` int32, ascending: the first 31 bits of the digests of the images. One
            of another image that agrees by chance only has this image scored by a stand-in.
    """

    steps: Tensor
    scales: Tensor
    biases: Tensor
    images: Tensor

    def __post_init__(self) -> None:
        """Check the shapes once.

        Raises:
            ShapeError: they do not belong together.
        """
        if self.steps.ndim != 3 or not (
            self.scales.shape == self.biases.shape == self.steps.shape[:2]
        ):
            raise ShapeError("The fits without a fold are (K, d, m), (K, d) and (K, d).")

    @classmethod
    def of(
        cls,
        weights: Sequence[Tensor],
        biases: Sequence[Tensor],
        means: Sequence[Tensor],
        digests: Iterable[str],
    ) -> Self:
        """Round ``K`` maps ``(d, m)``, ``(d,)`` that were fitted around the features ``(m,)``."""
        exact, mean = torch.stack(list(weights)).double(), torch.stack(list(means)).double()
        steps, scales = row_steps(exact)
        rounded = steps.double() * scales.double()[..., None]
        moved = ((exact - rounded) @ mean[..., None]).squeeze(-1)
        offsets = torch.stack(list(biases)).double() + moved
        seen = sorted({_prefix(digest) for digest in digests})
        return cls(
            steps,
            scales,
            offsets.float(),
            torch.tensor(seen, dtype=torch.int32),
        )

    @property
    def count(self) -> int:
        """Number of folds."""
        return len(self.steps)

    def place(self, digests: Sequence[str]) -> Tensor:
        """Return ``(n,)`` the fold of each image, or ``OUTSIDE`` where the fit did not see it."""
        asked = torch.tensor([_prefix(digest) for digest in digests], dtype=torch.int32)
        seen = torch.isin(asked, self.images)
        return torch.where(seen, folds_of(digests, self.count), OUTSIDE)

    def fit(self, fold: int) -> tuple[Tensor, Tensor]:
        """Return weight ``(d, m)`` and bias ``(d,)``, float32, of the fit without ``fold``."""
        return from_row_steps(self.steps[fold], self.scales[fold]), self.biases[fold]


def _prefix(digest: str) -> int:
    return int(digest[:_HEX], 16) >> 1
