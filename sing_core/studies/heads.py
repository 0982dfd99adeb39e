"""The verbs on a head alone: what its null space is under a variant, and what a threshold costs."""

from dataclasses import dataclass, replace

import torch

from sing_core.maths.head_variants import (
    HeadVariant,
    deciding_head,
    drift_per_step,
    nothing_hidden,
    split_variant,
)
from sing_core.maths.linear_head import LinearHead
from sing_core.models.head_classes import names_of
from sing_core.models.workbench import Workbench

_STORED = {2.0**-8: "bfloat16", 2.0**-11: "float16"}
THRESHOLDS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)


@dataclass(frozen=True, slots=True)
class HeadReport:
    """A head under a variant.

    Attributes:
        model: the classifier; ``title`` its name for people.
        weights_digest: SHA-256 over its parameters and buffers.
        feature_dim: m; ``classes`` c of the whole head; ``deciding`` k of the variant.
        rank: r; ``nullity`` m - r.
        largest_singular_value: of the deciding head, logits per unit of feature norm;
            ``smallest_singular_value`` the smallest that does not count as zero.
        drift_per_step: the most that a null step of length 1 moves any deciding logit.
        sentence: the variant in words, what a nullity of 0 leaves to do, and whether the storage of
            the weights decided the rank; "" for none.
    """

    model: str
    title: str
    weights_digest: str
    feature_dim: int
    classes: int
    deciding: int
    rank: int
    nullity: int
    largest_singular_value: float
    smallest_singular_value: float
    drift_per_step: float
    sentence: str


@dataclass(frozen=True, slots=True)
class ThresholdCost:
    """What counting small singular values as zero gives and costs.

    Attributes:
        threshold: share of the largest singular value, 0 to 1.
        nullity: dimension of what then counts as null space.
        drift_per_step: the most that a step of length 1 inside it moves any deciding logit.
    """

    threshold: float
    nullity: int
    drift_per_step: float


def describe_head(bench: Workbench, model: str, variant: HeadVariant) -> HeadReport:
    """Return what the head of ``model`` is under ``variant``.

    Raises:
        SingError: the model cannot be loaded, or its head has no such variant.
    """
    seen = bench.deciding(model, variant)
    head, weight = seen.linear.head, seen.linear.weight
    sigma = head.singular_values
    is_hidden = head.nullity > 0
    return HeadReport(
        model=model,
        title=seen.entry.title,
        weights_digest=seen.entry.weights_digest,
        feature_dim=seen.entry.feature_dim,
        classes=seen.entry.classes,
        deciding=len(weight),
        rank=head.rank,
        nullity=head.nullity,
        largest_singular_value=float(sigma[0]),
        smallest_singular_value=float(sigma[max(head.rank - 1, 0)]),
        drift_per_step=drift_per_step(weight, head),
        sentence=" ".join(filter(None, (variant.sentence, _stored(seen.linear))))
        if is_hidden
        else nothing_hidden(seen.entry.title, seen.entry.feature_dim),
    )


def _stored(linear: LinearHead) -> str:
    """Return the sentence on a rank that the storage of the weights decided; "" for others."""
    head = linear.head
    if not head.rounding:
        return ""
    kind = _STORED[head.rounding]
    left = min(linear.weight.shape) - head.rank
    directions = "1 direction is" if left == 1 else f"{left} directions are"
    return (
        f"Its weights were stored as {kind}: {directions} read by that rounding alone and count "
        f"as not read, so that a step may move a logit by up to {head.rounding:.2%} of the largest."
    )


def threshold_costs(
    bench: Workbench,
    model: str,
    variant: HeadVariant,
    thresholds: tuple[float, ...] = THRESHOLDS,
) -> tuple[ThresholdCost, ...]:
    """Return nullity and drift at each of ``thresholds``, by one decomposition (eq. 1).

    With ``W = U S V^T`` the rows' parts inside the weak directions have the squared lengths
    ``sum_j (U_ij S_j)^2`` over the singular values that count as zero.

    Raises:
        SingError: the model cannot be loaded, or its head has no such variant.
    """
    whole = bench.classifier(model)
    weight, _ = deciding_head(whole.linear.weight, whole.linear.bias, variant)
    left, sigma, _ = torch.linalg.svd(weight.double(), full_matrices=False)
    largest = float(sigma[0])
    # (k, s): what each direction adds to each logit, squared, in units of the largest
    squared = (left * (sigma / (largest or 1.0))).square()
    weak = squared.flip(1).cumsum(1)  # over the j + 1 smallest
    exact = split_variant(whole.linear.weight, replace(variant, threshold=0.0)).rtol
    costs = []
    for threshold in thresholds:
        rank = int((sigma > max(exact, threshold) * sigma[0]).sum())
        zeros = len(sigma) - rank
        moved = largest * float(weak[:, zeros - 1].max().sqrt()) if zeros else 0.0
        costs.append(ThresholdCost(threshold, weight.shape[1] - rank, moved))
    return tuple(costs)


def class_names(bench: Workbench, model: str) -> tuple[str, ...]:
    """Return the ``c`` class names: the weights' own, else ImageNet's where c fits, else numbers.

    Raises:
        SingError: the model cannot be loaded.
    """
    whole = bench.classifier(model)
    return whole.labels or names_of(whole)
