"""The ledger of a set or a class: which unit writes what is hidden, over many images.

Each image has its own shares, ``<u, Pi_n f> / |Pi_n f|^2``, which sum to 1; here is their mean. One
photo's ledger may be luck, so intervals stand beside it, and the same for random subspaces of as
many dimensions: a unit that writes much of anything has a large share of those too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sing_core.errors import ImageSetError
from sing_core.maths.controls import random_basis
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.statistics import (
    Interval,
    cluster_means,
    clustered_mean,
    paired_difference,
)
from sing_core.models.class_names import wnid_of
from sing_core.sets.chunks import ImageRow
from sing_core.units.inside import Inside
from sing_core.units.recorded import Recorded
from sing_core.units.residual import Sums, sliced

DRAWS = 5
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class SetShare:
    """What one unit wrote of what is hidden, over a set.

    Attributes:
        unit: its name.
        share: mean of its shares, every class alike, with its interval.
        random: mean of its shares of random subspaces, as large.
        beyond: the first less the second, with its interval.
    """

    unit: str
    share: Interval
    random: float
    beyond: Interval

    def as_row(self) -> dict[str, Any]:
        """Return it as a row of a table."""
        return {
            "unit": self.unit,
            "null_share": self.share.estimate,
            "low": self.share.low,
            "high": self.share.high,
            "random_share": self.random,
            "beyond": self.beyond.estimate,
            "beyond_low": self.beyond.low,
            "beyond_high": self.beyond.high,
        }


@dataclass(frozen=True, slots=True)
class SetLedger:
    """Who wrote what is hidden of a set.

    Attributes:
        units: in the order of ``Tower.unit_names``; none where nothing is hidden.
        images: how many images it is of; ``where`` says which.
        nullity: dimensions of the null space.
        over: what the intervals are over: ``classes``, or ``images`` of one class.
    """

    units: tuple[SetShare, ...]
    images: int
    where: str
    nullity: int
    over: str

    def as_rows(self) -> list[dict[str, Any]]:
        """Return a row a unit, the largest share first."""
        ordered = sorted(self.units, key=lambda unit: -unit.share.estimate)
        return [unit.as_row() for unit in ordered]

    @property
    def sentence(self) -> str:
        """Who wrote what is hidden, in words with a magnitude."""
        if not self.units:
            return f"Nothing of {self.where} is hidden: this head reads every direction it takes."
        first = max(self.units, key=lambda unit: unit.share.estimate)
        more = sum(unit.beyond.decided and unit.beyond.estimate > 0 for unit in self.units)
        return (
            f"Of what is hidden of {self.where}, {self.images:,} images, {first.unit} wrote most: "
            f"{_percent(first.share)}, where random subspaces of {self.nullity} dimensions have "
            f"{100 * first.random:.1f} %. {more} of {len(self.units)} units wrote more of it than "
            f"of those; intervals are over {self.over}."
        )


def asked_wnid(class_name: str) -> str:
    """Return the wnid of a class that is named as people do, "" for "".

    Raises:
        ImageSetError: there is no such class.
    """
    wnid = wnid_of(class_name) if class_name else ""
    if class_name and not wnid:
        raise ImageSetError(f"“{class_name[:64]}” is no class of ImageNet-1k.")
    return wnid


def part_of_recorded(recorded: Recorded, class_name: str) -> tuple[Sums, tuple[ImageRow, ...], str]:
    """Return the sums and images of one class, of all for "", and in words which they are.

    Raises:
        ImageSetError: there is no such class, no image of it, or none at all.
    """
    wnid = asked_wnid(class_name)
    kept = [k for k, row in enumerate(recorded.images) if not class_name or row.wnid == wnid]
    if not kept:
        what = f"of “{class_name}”" if class_name else "that can be used"
        raise ImageSetError(f"There is no image {what} in this set.")
    where = f"“{class_name}”" if class_name else "this set"
    return sliced(recorded.sums, kept), tuple(recorded.images[k] for k in kept), where


def mean_output(inside: Inside, sums: Sums) -> Tensor:
    """Return ``(o,)`` the mean of the network's outputs over images, float32."""
    blocks = (inside.shares.all(block).sum(dim=(0, 1)) for block in _blocks(sums))
    return torch.stack(list(blocks)).sum(dim=0) / len(sums)


def set_ledger(
    inside: Inside,
    sums: Sums,
    images: Sequence[ImageRow],
    linear: LinearHead,
    where: str = "this set",
) -> SetLedger:
    """Return the ledger of ``n`` ``images`` with these ``sums``, for the head that decides.

    Raises:
        ImageSetError: there is no image.
    """
    if not images:
        raise ImageSetError("A ledger of a set needs an image.")
    classes = [row.wnid for row in images]
    over = "classes"
    if len(set(classes)) == 1:
        classes, over = [str(place) for place in range(len(images))], "images"
    nullity = linear.head.nullity
    if nullity == 0:
        return SetLedger((), len(images), where, nullity, over)
    hidden, random = _shares(inside, sums, linear)
    names = inside.tower.unit_names
    found = tuple(
        SetShare(
            name,
            clustered_mean(hidden[:, place].numpy(), classes),
            float(cluster_means(classes, random[:, place].numpy())[0].mean()),
            paired_difference(hidden[:, place].numpy(), random[:, place].numpy(), classes),
        )
        for place, name in enumerate(names)
    )
    return SetLedger(found, len(images), where, nullity, over)


def _shares(inside: Inside, sums: Sums, linear: LinearHead) -> tuple[Tensor, Tensor]:
    """Return ``(n, u)`` shares of the null part, and of random subspaces, all draws together."""
    width, nullity = linear.weight.shape[1], linear.head.nullity
    bases = [random_basis(width, nullity, seed) for seed in range(DRAWS)]
    hidden, random = [], []
    for block in _blocks(sums):
        units = inside.shares.all(block).double()
        whole = units.sum(dim=1)
        null = linear.head.null_part(whole)
        hidden.append(_shares_of(units, null, null.square().sum(dim=1)))
        drawn = [(whole @ basis) @ basis.mT for basis in bases]
        lengths = torch.stack(drawn).square().sum(dim=(0, 2))
        random.append(_shares_of(units, torch.stack(drawn).sum(dim=0), lengths))
    return torch.cat(hidden), torch.cat(random)


def _shares_of(units: Tensor, part: Tensor, squares: Tensor) -> Tensor:
    """Return ``(n, u)`` shares of units ``(n, u, o)`` in an orthogonal ``part`` ``(n, o)``.

    ``squares`` ``(n,)`` are its squared lengths; of several parts both are sums, so that a draw in
    which an image has nearly nothing weighs nearly nothing.
    """
    return torch.einsum("nuo,no->nu", units, part) / squares.clamp_min(1e-300)[:, None]


def _blocks(sums: Sums) -> list[Sums]:
    return [sliced(sums, slice(k, k + _BLOCK)) for k in range(0, len(sums), _BLOCK)]


def _percent(value: Interval) -> str:
    bounds = "" if value.low is None or value.high is None else (
        f" [{100 * value.low:.1f}, {100 * value.high:.1f}]"
    )  # fmt: skip
    return f"{100 * value.estimate:.1f} %{bounds}"
