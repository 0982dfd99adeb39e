"""Other fits of a translator: other penalties, other images, other architectures.

Images are translated by a fit that did not see them, as everywhere, but for the fits that left one
fifth out: these translate all images, whoever saw them, and show what the choice of images does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.set_networks import trained_networks
from sing_core.maths.folds import OUTSIDE, folds_of
from sing_core.maths.ridge_path import Scatter, penalty_shares
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import Unseen, stand_in

AS_FITTED = "as fitted"
PENALTIES = {"λ / 10": 0.1, "λ / 3": 1 / 3, "λ × 3": 3.0, "λ × 10": 10.0}
WITHOUT_PART = "without part"


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Features and equivalents ``(n, m)`` float32, and whose they are.

    ``spread`` is of the features that stand for those of the fit, for other penalties.
    """

    features: Tensor
    removed: Tensor
    digests: tuple[str, ...]
    labels: Tensor
    strata: tuple[str, ...]
    spread: Scatter

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
    yield from _other_penalties(unseen, images, shares) if shares else ()
    for fold in range(whole.folds.count if whole.folds is not None else 0):
        everywhere = torch.zeros(len(images.digests), dtype=torch.long)
        part = Unseen(stand_in(whole, fold), everywhere)
        yield f"{WITHOUT_PART} {fold + 1}", *_translated(part, images)


def _other_penalties(
    unseen: Unseen, images: Images, shares: Mapping[int, float]
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yield the fits with other penalties, the fit of each place with a share of its own.

    This set's scatter stands for that of the fit: both penalties are shares of its mean eigenvalue.
    """
    spread, groups = images.spread, [*unseen.groups()]
    rows = spread.turned(images.features), spread.turned(images.removed)
    weights = [spread.turned(own.weight) for _, own, _ in groups]
    for name, factor in PENALTIES.items():
        maps = []
        for (place, own, _), weight in zip(groups, weights, strict=True):
            penalty = shares.get(place, shares[OUTSIDE]) * spread.mean_eigenvalue
            maps.append(spread.repenalised(weight, own.bias, penalty, factor * penalty))
        yield name, *_mapped(rows, maps, [mine for _, _, mine in groups])


def network_fits(
    scored: ScoredSet, reference: str, images: Images
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yield the same of the non-linear translators that were trained on the set."""
    folds = folds_of(images.digests)
    for own in trained_networks(scored, reference):
        z, equivalent = (own.apply(part, folds) for part in (images.features, images.removed))
        yield own.architecture, z, equivalent


def _translated(unseen: Unseen, images: Images) -> tuple[Tensor, Tensor]:
    groups = [*unseen.groups()]
    maps = [(own.weight.float(), own.bias.float()) for _, own, _ in groups]
    return _mapped((images.features, images.removed), maps, [mine for _, _, mine in groups])


def _mapped(
    rows: tuple[Tensor, Tensor], maps: Sequence[tuple[Tensor, Tensor]], groups: Sequence[Tensor]
) -> tuple[Tensor, Tensor]:
    """Return both ``rows`` ``(n, m)`` as ``(n, d)``, each group of them by its affine map."""
    z, equivalent = (torch.empty(len(part), len(maps[0][1])) for part in rows)
    for (weight, bias), mine in zip(maps, groups, strict=True):
        for target, part in ((z, rows[0]), (equivalent, rows[1])):
            target[mine] = torch.addmm(bias, part[mine], weight.mT)
    return z, equivalent
