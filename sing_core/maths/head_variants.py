"""Other null spaces of a head: of some classes, of probabilities, with small values as zero.

Three questions that people ask of a head ``logits = f W^T + b`` with ``c`` classes and ``m``
features. Each gives another matrix or another tolerance for the split of eq. 1:

* classes: only K of the rows of W decide. Their null space has m - K dimensions and more.
* centred: softmax does not change when all logits move by the same amount, so only the centred
  matrix ``(I - 1 1^T / c) W`` decides: one dimension more where W has a direction that moves all
  logits alike, which a head with c <= m of full rank has.
* threshold: singular values up to a share of the largest count as zero. Then logits may move;
  ``drift_per_step`` says by how much.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.errors import HeadError
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.linear_head import LinearHead

_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")


@dataclass(frozen=True, slots=True)
class HeadVariant:
    """Which null space is asked for; the default is that of the whole head.

    Attributes:
        classes: indices of the classes that decide, ascending; () for all.
        centred: whether a common shift of all logits counts as no change (softmax level).
        threshold: share of the largest singular value, 0 to 1, up to which others count as zero.
    """

    classes: tuple[int, ...] = ()
    centred: bool = False
    threshold: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Whether a step inside the null space moves no logit that decides, but for rounding."""
        return self.threshold == 0

    @property
    def sentence(self) -> str:
        """What is asked, in words; "" for the whole head."""
        parts = []
        if self.classes:
            one = len(self.classes) == 1
            chosen = (
                "1 chosen class decides" if one else f"{len(self.classes)} chosen classes decide"
            )
            parts.append(f"only {chosen}")
        if self.centred:
            parts.append("a common shift of all logits counts as no change")
        if self.threshold:
            parts.append(
                f"singular values up to {self.threshold:g} of the largest count as zero, so the "
                "logits may move"
            )
        return f"{'; '.join(parts).capitalize()}." if parts else ""

    @property
    def options(self) -> tuple[str, ...]:
        """The options of the command line that ask for it."""
        asked = []
        if self.classes:
            asked.append(f"--classes {','.join(map(str, self.classes))}")
        if self.centred:
            asked.append("--centred")
        if self.threshold:
            asked.append(f"--threshold {self.threshold!r}")
        return tuple(asked)


WHOLE_HEAD = HeadVariant()


def check_variant(variant: HeadVariant, n_classes: int) -> None:
    """Check that ``variant`` can be asked of a head with ``n_classes`` classes.

    Raises:
        HeadError: a class that does not exist or stands twice, a single class where only
            differences count, or a threshold outside 0 to 1.
    """
    wrong = [index for index in variant.classes if not 0 <= index < n_classes]
    if wrong:
        raise HeadError(
            f"There is no class {wrong[0]}: this head has classes 0 to {n_classes - 1}."
        )
    if len(set(variant.classes)) < len(variant.classes):
        raise HeadError("A class was chosen twice.")
    if variant.centred and (len(variant.classes) or n_classes) < 2:
        raise HeadError("With one class alone there is nothing but the common shift: choose two.")
    if not 0 <= variant.threshold < 1:
        raise HeadError(f"A threshold lies between 0 and 1, got {variant.threshold:g}.")


def deciding_head(weight: Tensor, bias: Tensor, variant: HeadVariant) -> tuple[Tensor, Tensor]:
    """Return the weight ``(k, m)`` and bias ``(k,)`` whose logits decide under ``variant``.

    ``weight`` ``(c, m)``, ``bias`` ``(c,)``; ``k`` chosen classes, or c. Centred rows have the
    mean row taken away, so that the logits are those of softmax up to rounding and sum to zero.
    The types are kept; sums are taken in float64.

    Raises:
        HeadError: see ``check_variant``.
    """
    check_variant(variant, len(weight))
    if variant.classes:
        chosen = torch.tensor(variant.classes, device=weight.device)
        weight, bias = weight[chosen], bias[chosen]
    if variant.centred:
        wide, offset = weight.double(), bias.double()
        weight = (wide - wide.mean(dim=0)).to(weight.dtype)
        bias = (offset - offset.mean()).to(bias.dtype)
    return weight, bias


def split_variant(weight: Tensor, variant: HeadVariant) -> HeadDecomposition:
    """Return the principal/null split (eq. 1) of a head's ``weight`` ``(c, m)`` under ``variant``.

    Raises:
        ShapeError: ``weight`` is not a non-empty matrix.
        HeadError: see ``check_variant``; or the weight is not finite.
    """
    own, _ = deciding_head(weight, weight.new_zeros(len(weight)), variant)
    stored = weight[list(variant.classes)] if variant.classes else weight
    rounding = max(weight.shape) * torch.finfo(weight.dtype).eps
    return HeadDecomposition.from_weight(own, rtol=max(rounding, variant.threshold), stored=stored)


def deciding_part(linear: LinearHead, variant: HeadVariant) -> LinearHead:
    """Return the part of a whole head that decides under ``variant``, with its own split.

    Raises:
        HeadError: see ``check_variant``.
    """
    weight, bias = deciding_head(linear.weight, linear.bias, variant)
    return LinearHead(weight, bias, split_variant(linear.weight, variant), variant.is_exact)


def drift_per_step(weight: Tensor, head: HeadDecomposition) -> float:
    """Return the most that a step of length 1 inside the null space of ``head`` moves any logit.

    ``weight`` ``(k, m)``. It is ``max_i |Pi_n w_i|`` over the rows: a row w_i moves most along its
    own null part. Zero but for rounding where the split is exact; at most ``rtol`` times the
    largest singular value in any case.

    Raises:
        ShapeError: ``weight`` has another width than ``head``.
    """
    scale = float(weight.double().abs().max())
    if scale == 0:
        return 0.0
    # In units of the largest entry, so that the squares of tiny or huge weights stay in range.
    rows = head.null_part(weight.double() / scale)
    return scale * float(torch.linalg.vector_norm(rows, dim=-1).max())


def parse_classes(text: str, labels: Sequence[str]) -> tuple[int, ...]:
    """Return the class indices, ascending, in “0-15, 207, jellyfish”: numbers, ranges, labels.

    ``labels`` are the ``c`` class names; upper and lower case are the same.

    Raises:
        HeadError: a part names no class, or nothing was named.
    """
    known = {label.casefold(): index for index, label in reversed(list(enumerate(labels)))}
    found: set[int] = set()
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        span = _RANGE.fullmatch(part)
        if span is not None:
            first, last = int(span[1]), int(span[2])
            if not first <= last < len(labels):
                raise HeadError(
                    f"{part} is no range of classes: they go from 0 to {len(labels) - 1}."
                )
            found.update(range(first, last + 1))
        elif part.isdecimal() and int(part) < len(labels):
            found.add(int(part))
        elif part.casefold() in known:
            found.add(known[part.casefold()])
        else:
            raise HeadError(
                f"“{part[:80]}” is no class of this head: give a number from 0 to "
                f"{len(labels) - 1}, a range such as 0-15, or a class name."
            )
    if not found:
        raise HeadError("Choose at least one class, for example 0-15.")
    return tuple(sorted(found))


def nothing_hidden(title: str, feature_dim: int) -> str:
    """Return the sentences for a head without null space: why, and three ways forward."""
    return (
        f"{title} has no null space: its head reads all {feature_dim} feature directions, "
        "so every step moves some logit. Three ways forward: let only some classes decide (fewer "
        f"than {feature_dim} of them leave a null space), compare probabilities instead of logits "
        "(one direction more at most), or count small singular values as zero and see how far the "
        "logits then drift."
    )
