"""Other fits of a translator: other penalties, other images, other architectures.

Images are translated by a fit that did not see them, as everywhere, but for the fits that left one
fifth out: these translate all images, whoever saw them, and show what the choice of images does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.set_networks import trained_networks
from sing_core.maths.folds import OUTSIDE, folds_of
from sing_core.maths.ridge_path import (
    Repenalised,
    mean_and_scatter,
    other_penalty,
    penalty_shares,
    repenalised,
)
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import Unseen, stand_in

AS_FITTED = "as fitted"
PENALTIES = {"λ / 10": 0.1, "λ / 3": 1 / 3, "λ × 3": 3.0, "λ × 10": 10.0}
WITHOUT_PART = "without part"


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Features and equivalents ``(n, m)`` float32, and whose they are.

    ``spread`` ``(s, m)`` are the features that stand for those of the fit, for other penalties.
    """

    features: Tensor
    removed: Tensor
    digests: tuple[str, ...]
    labels: Tensor
    strata: tuple[str, ...]
    spread: Tensor

    def of_class(self, index: int) -> "Images":
        """Return those of one class, with the same spread."""
        mine = (self.labels == index).nonzero().flatten()
        own = [(self.digests[i], self.strata[i]) for i in mine.tolist()]
        return replace(
            self, features=self.features[mine], removed=self.removed[mine],
            labels=self.labels[mine], digests=tuple(digest for digest, _ in own),
            strata=tuple(stratum for _, stratum in own),
        )  # fmt: skip


def fits(whole: Translator, images: Images) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yield each fit's name, and the translated features and equivalents ``(n, d)`` float32."""
    unseen = Unseen.of(whole, images.digests)
    yield AS_FITTED, *_translated(unseen, images)
    shares = penalty_shares(whole)
    if shares:
        mean, scatter = mean_and_scatter(images.spread)
        for name, factor in PENALTIES.items():
            turns = _turns(scatter, shares, factor)
            changes = {place: repenalised(mean, turn) for place, turn in turns.items()}
            yield name, *_translated(unseen, images, changes)
    for fold in range(whole.folds.count if whole.folds is not None else 0):
        everywhere = torch.zeros(len(images.digests), dtype=torch.long)
        part = Unseen(stand_in(whole, fold), everywhere)
        yield f"{WITHOUT_PART} {fold + 1}", *_translated(part, images)


def _turns(scatter: Tensor, shares: Mapping[int, float], factor: float) -> dict[int, Tensor]:
    """Return by place what turns a fit into that of ``factor`` times its penalty.

    This set's scatter stands for that of the fit: both penalties are shares of its mean eigenvalue.
    """
    eigenvalue = float(scatter.trace()) / len(scatter)
    turns = {
        share: other_penalty(scatter, share * eigenvalue, factor * share * eigenvalue)
        for share in set(shares.values())
    }
    return {place: turns[share] for place, share in shares.items()}


def network_fits(
    scored: ScoredSet, reference: str, images: Images
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yield the same of the non-linear translators that were trained on the set."""
    folds = folds_of(images.digests)
    for own in trained_networks(scored, reference):
        z, equivalent = (own.apply(part, folds) for part in (images.features, images.removed))
        yield own.architecture, z, equivalent


def _translated(
    unseen: Unseen, images: Images, changes: Mapping[int, Repenalised] | None = None
) -> tuple[Tensor, Tensor]:
    width = len(unseen.whole.bias)
    z, equivalent = (torch.empty(len(images.features), width) for _ in range(2))
    for place, own, rows in unseen.groups():
        weight, bias = own.weight.float(), own.bias.float()
        if changes is not None:
            weight, bias = changes.get(place, changes[OUTSIDE])(weight, bias)
        z[rows] = images.features[rows] @ weight.mT + bias
        equivalent[rows] = images.removed[rows] @ weight.mT + bias
    return z, equivalent
