"""Real equivalents: photographs whose logits nearly agree, and whose null parts are far apart.

No feature is made up here. Whether an image has an equivalent is said by its nearest one in logits;
among the nearest few, the one whose null part is farthest away shows how far invariance goes in the
data. Beside it stands the same null part put into the image's own feature, which keeps every logit
exactly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

from sing_core.errors import ImageSetError
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.scoring import Pairs
from sing_core.leakage.strata import kind_of
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.nearest import nearest
from sing_core.maths.scores import angle_deg
from sing_core.sets.chunks import ImageRow

NEIGHBOURS = 10
_BLOCK = 512
AGREE = 0.1  # of the usual distance: up to it logits are said to nearly agree
_USUAL = 20_000  # pairs at random that say what is usual


@dataclass(frozen=True, slots=True)
class RealPair:
    """An image and, of those whose logits are nearest, that with the farthest null part.

    Attributes:
        row: of the image in the set; ``name`` its, ``label`` its class (index of the vocabulary),
            ``digest`` of its file; ``other_row``, ``other``, ``other_label``, ``other_digest`` of
            the other one.
        logit_distance: how far their logits are apart, in units of what is usual between two images
            of the set; ``null_distance`` their null parts, likewise.
        angle: between T(f) of the two, degrees.
        swapped: between T(f) and T of the equivalent that has the other's null part, degrees.
    """

    row: int
    name: str
    label: int
    digest: str
    other_row: int
    other: str
    other_label: int
    other_digest: str
    logit_distance: float
    null_distance: float
    angle: float
    swapped: float

    def as_row(self, labels: Sequence[str]) -> dict[str, Any]:
        """Return what the command line prints and the page shows; ``labels`` name the classes."""
        names = {"label": labels[self.label], "other_label": labels[self.other_label]}
        return {**asdict(self), **names}


@dataclass(frozen=True, slots=True)
class RealPairs:
    """The pairs of a set, and what they say together; medians over images, angles in degrees.

    Attributes:
        rows: one an image, the nearest in logits for its null distance first.
        neighbours: of how many nearest in logits the one with the farthest null part was taken.
        nearest: how far the logits of the nearest of all are, in units of what is usual.
        agreeing: share of images whose nearest one nearly agrees.
        logit_distance: of the pairs, in units of what is usual; ``null_distance`` likewise.
        angle: of the pairs; ``usual_angle`` of two images at random; ``swapped`` of the equivalents
            with the other's null part; ``removed`` of null removal (IS).
        same_class: share of pairs of one class.
        kept: share of the nearest images to T(f) that are still nearest after null removal.
        stratum: of which kind the images are, see ``strata.kind_of``.
    """

    rows: tuple[RealPair, ...]
    nearest: float
    agreeing: float
    logit_distance: float
    null_distance: float
    angle: float
    usual_angle: float
    swapped: float
    removed: float
    same_class: float
    kept: float
    neighbours: int = NEIGHBOURS
    stratum: str = ""

    @property
    def sentence(self) -> str:
        """Whether images have real equivalents, with magnitudes."""
        near = "one that nearly agrees" if self.nearest <= AGREE else "none that nearly agrees"
        few = f"Of the {self.neighbours} nearest the one" if self.neighbours > 1 else "The one"
        return (
            f"Most images have {near}: the nearest in logits is {100 * self.nearest:.0f} % of the "
            f"usual distance away (median over {len(self.rows):,} images; "
            f"{100 * self.agreeing:.0f} % have one within {100 * AGREE:.0f} %). {few} with the "
            f"farthest null part is {100 * self.logit_distance:.0f} % of the usual distance away "
            f"there, and {100 * self.null_distance:.0f} % in the null space."
        )

    @property
    def meaning(self) -> str:
        """What the other's null part does, and what it does not say of the other image."""
        seen = ", which the classifier does tell apart," if self.logit_distance > AGREE else ""
        return (
            f"Put into the image's own feature, the other's null part turns the translated feature "
            f"by {self.swapped:.1f}° and moves no logit; null removal turns it by "
            f"{self.removed:.1f}°. The other image itself{seen} is {self.angle:.0f}° away."
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Of ``n`` images: coordinates in which logits are as far apart as they are; null parts."""

    logits: Tensor
    null: Tensor
    z: Tensor
    z_equivalent: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """Of each image the other one that was chosen, and how far it is; all ``(n,)``.

    Attributes:
        other: its place; ``logits`` and ``null`` how far these are apart.
        nearest: how far the logits of the nearest image are.
    """

    other: Tensor
    logits: Tensor
    null: Tensor
    nearest: Tensor

    @classmethod
    def of(cls, parts: _Parts, neighbours: int) -> Self:
        """Choose among so many nearest in logits the one whose null part is farthest away."""
        near, apart = nearest(parts.logits, neighbours)
        far = _null_distances(parts.null, near)
        best = far.argmax(dim=1, keepdim=True)
        other, logits, null = (table.gather(1, best).squeeze(1) for table in (near, apart, far))
        return cls(other, logits, null, apart[:, 0])


def real_pairs(scored: ScoredSet, neighbours: int = NEIGHBOURS) -> RealPairs:
    """Return for every image of a set its real equivalent among ``neighbours`` nearest in logits.

    Raises:
        ImageSetError: the set has fewer images than that, or the head no null space.
        SingError: scores, features or translator cannot be read.
    """
    found = scored.ask("SELECT row, label FROM images ORDER BY row")
    if not scored.nullity:
        title = scored.bench.entry(scored.model).title
        raise ImageSetError(f"{title} has no null space: no two images are equivalent.")
    if len(found) <= neighbours:
        raise ImageSetError(
            f"Real equivalents need more than {neighbours} images; the set "
            f"{scored.folder.facts.name} has {len(found)}."
        )
    labels, images = torch.tensor(found["label"].to_pylist()), list[ImageRow]()
    parts = _parts(scored, found["row"].to_pylist(), images)
    chosen = _Chosen.of(parts, neighbours)
    found_pairs = _told(scored, images, labels, parts, chosen)
    return replace(found_pairs, neighbours=neighbours, stratum=kind_of(scored))


def _parts(scored: ScoredSet, rows: list[int], images: list[ImageRow]) -> _Parts:
    """Return what the pairs are found by; ``images`` is filled with whose rows these are."""
    pieces: list[tuple[Tensor, ...]] = []
    turn = logit_coordinates(scored.linear)
    for own, features in scored.features(rows):
        images += own
        pairs = Pairs.of(features, scored.linear, scored.unseen(own))
        null = scored.linear.head.null_part(features).float()
        coordinates = (features.double() @ turn).float()
        pieces.append((coordinates, null, pairs.z.float(), pairs.z_equivalent.float()))
    return _Parts(*(torch.cat(kind) for kind in zip(*pieces, strict=True)))


def logit_coordinates(linear: LinearHead) -> Tensor:
    """Return ``(m, r)``: in these coordinates features are as far apart as their logits.

    ``|W (f - g)| = |R V_p^T (f - g)|`` for ``W V_p = Q R``: ``r`` numbers instead of ``c``.
    """
    basis = linear.head.principal_basis
    upper = torch.linalg.qr(linear.weight.double() @ basis, mode="r").R
    turn: Tensor = basis @ upper.mT
    return turn


def _null_distances(null: Tensor, near: Tensor) -> Tensor:
    """Return ``(n, k)`` distances of null parts ``(n, m)`` to those of the neighbours."""
    columns = [torch.linalg.vector_norm(null - null[place], dim=1) for place in near.mT]
    return torch.stack(columns, dim=1)


def _told(
    scored: ScoredSet, images: list[ImageRow], labels: Tensor, parts: _Parts, chosen: _Chosen
) -> RealPairs:
    one, two = torch.randint(len(images), (2, _USUAL), generator=torch.Generator().manual_seed(0))
    one, two = one[one != two], two[one != two]
    usual_logits = _median_distance(parts.logits, one, two)
    logit, near = chosen.logits / usual_logits, chosen.nearest / usual_logits
    null, other = chosen.null / _median_distance(parts.null, one, two), chosen.other
    angle = angle_deg(parts.z.double(), parts.z[other].double())
    swapped = torch.cat(list(_swapped(scored, images, parts, other)))
    usual = angle_deg(parts.z[one].double(), parts.z[two].double())
    removed = angle_deg(parts.z.double(), parts.z_equivalent.double())
    measured = torch.stack([logit.double(), null.double(), angle, swapped], dim=1).tolist()
    rows = [
        RealPair(*_name(images[i], labels[i]), *_name(images[j], labels[j]), *numbers)
        for i, (j, numbers) in enumerate(zip(other.tolist(), measured, strict=True))
    ]
    return RealPairs(
        rows=tuple(sorted(rows, key=lambda pair: pair.logit_distance / pair.null_distance)),
        nearest=float(near.median()),
        agreeing=float((near <= AGREE).double().mean()),
        logit_distance=float(logit.median()),
        null_distance=float(null.median()),
        angle=float(angle.median()),
        usual_angle=float(usual.median()),
        swapped=float(swapped.median()),
        removed=float(removed.median()),
        same_class=float((labels == labels[other]).double().mean()),
        kept=_kept(parts),
    )


def _name(image: ImageRow, label: Tensor) -> tuple[int, str, int, str]:
    return image.row, image.name, int(label), image.digest


def _median_distance(rows: Tensor, one: Tensor, two: Tensor) -> float:
    apart = [
        torch.linalg.vector_norm(rows[a] - rows[b], dim=1)
        for a, b in zip(torch.split(one, _BLOCK), torch.split(two, _BLOCK), strict=True)
    ]
    return float(torch.cat(apart).median())


def _swapped(
    scored: ScoredSet, images: list[ImageRow], parts: _Parts, other: Tensor
) -> Iterator[Tensor]:
    """Yield the angles of T(f) to T of the feature with the other image's null part in it."""
    for mine in torch.split(torch.arange(len(images)), _BLOCK):
        unseen = scored.unseen([images[i] for i in mine.tolist()])
        steps = parts.null[other[mine]]
        moved = parts.z_equivalent[mine].double() + unseen.apply(steps) - unseen.apply(0 * steps)
        yield angle_deg(parts.z[mine].double(), moved)


def _kept(parts: _Parts) -> float:
    """Return the share of the nearest images to T(f), by angle, that null removal keeps."""
    unit = torch.nn.functional.normalize(parts.z)
    after = torch.nn.functional.normalize(parts.z_equivalent)
    before, _ = nearest(unit, NEIGHBOURS)
    left, _ = nearest(unit, NEIGHBOURS, after)
    return float((before[:, :, None] == left[:, None, :]).any(dim=2).double().mean())
