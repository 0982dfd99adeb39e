"""Cross-fitted non-linear translators: each image by a network that never saw its photograph.

Folds are those of the linear translator (``maths.folds``): the network that translates fold k is
trained without it, and stops where its cosine on fold k's partner is largest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from sing_core.errors import ShapeError, StaleArtefactError
from sing_core.maths.cross_fit import partner_of
from sing_core.maths.folds import FOLDS, check_folds
from sing_core.maths.nonlinear import TranslatorNetwork, rebuilt
from sing_core.maths.training import Epoch, Recipe, train

_FEWEST = 2  # images of a fold: fewer would choose when to stop
_BATCH = 4096

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class CrossNetworks:
    """``K`` networks of one architecture, the k-th trained and stopped without fold k.

    Attributes:
        architecture: one of ``nonlinear.ARCHITECTURES``.
        networks: one a fold, in single precision.
    """

    architecture: str
    networks: tuple[TranslatorNetwork, ...]

    def apply(self, features: Tensor, folds: Tensor) -> Tensor:
        """Return ``(n, d)`` float32: each of ``features`` ``(n, m)`` by the network without it.

        ``folds`` ``(n,)`` whole numbers from 0 to K - 1.

        Raises:
            ShapeError: there is no such fold, or not one fold a row.
        """
        check_folds(folds, features, len(self.networks))
        width = len(self.networks[0].get_buffer("embedding_mean"))
        out = torch.empty(len(features), width)
        for fold, network in enumerate(self.networks):
            for rows in torch.split(torch.nonzero(folds == fold).squeeze(1), _BATCH):
                with torch.inference_mode():
                    out[rows] = network(features[rows].float())
        return out

    def tensors(self) -> dict[str, Tensor]:
        """Return what ``of_tensors`` reads: all weights, in half precision."""
        return {
            f"{fold}/{name}": value.half().contiguous()
            for fold, network in enumerate(self.networks)
            for name, value in network.state_dict().items()
        }

    @classmethod
    def of_tensors(cls, architecture: str, tensors: Mapping[str, Tensor]) -> Self:
        """Return the networks that ``tensors`` of another one hold.

        Raises:
            StaleArtefactError: they are not the layers of this architecture.
        """
        states: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            fold, _, own = name.partition("/")
            states.setdefault(int(fold), {})[own] = value.float()
        try:
            ordered = [states[fold] for fold in range(FOLDS)]
            networks = [rebuilt(architecture, state) for state in ordered]
        except (KeyError, RuntimeError) as error:
            raise StaleArtefactError(f"These are not five networks “{architecture}”.") from error
        return cls(architecture, tuple(networks))


def cross_train(
    architecture: str,
    rows: tuple[Tensor, Tensor],
    folds: Tensor,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> CrossNetworks:
    """Train one network without each fold of ``rows``, features ``(n, m)`` and ``(n, d)``.

    ``folds`` ``(n,)``. The squared error is trained on (supplement 1.1: it raises the cosine, too).
    ``progress`` is called after each pass with how many are done, of the most there can be.

    Raises:
        ShapeError: shapes do not agree, or a fold has too few rows.
        UnknownNameError: there is no such architecture.
    """
    recipe = recipe or Recipe()
    check_folds(folds, rows[0], FOLDS)
    if min(int((folds == fold).sum()) for fold in range(FOLDS)) < _FEWEST:
        raise ShapeError(
            f"Networks are trained in {FOLDS} parts of the images, and one has fewer than "
            f"{_FEWEST}: add images."
        )

    def part(chosen: Tensor) -> tuple[Tensor, Tensor]:
        return rows[0][chosen].float(), rows[1][chosen].float()

    networks = []
    for fold in range(FOLDS):
        done = _said(progress, fold, recipe.epochs)
        partner = folds == partner_of(fold, FOLDS)
        inside = (folds != fold) & ~partner
        trained = train(architecture, "mse", part(inside), part(partner), recipe, done)
        networks.append(trained.translator.network)
    found = CrossNetworks(architecture, tuple(networks))
    return CrossNetworks.of_tensors(architecture, found.tensors())  # as they will be read again


def _said(
    progress: Progress | None, fold: int, epochs: int
) -> Callable[[int, int, Epoch], None] | None:
    """Return the report of one network's passes as part of all networks'."""
    if progress is None:
        return None
    whole = FOLDS * epochs
    return lambda done, _, __: progress(fold * epochs + done, whole)
