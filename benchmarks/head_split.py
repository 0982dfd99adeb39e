"""The head split beside the full SVD that the paper's eq. 1 writes down."""

from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.timing import Line, compare, demand
from sing_core.maths.head import HeadDecomposition

CLASSES = 1000


def lines() -> Iterator[Line]:
    for features, target, rounds in ((2048, 2.5, 3), (4096, 6.0, 2)):
        generator = torch.Generator().manual_seed(features)
        # A trained head: its rows share directions, so its singular values spread.
        weight = torch.randn(CLASSES, features, generator=generator)
        weight += (
            0.05
            * torch.randn(CLASSES, 20, generator=generator)
            @ torch.randn(20, features, generator=generator)
        )
        size = f"{CLASSES}x{features}"
        wide = weight.double()

        def full_svd(wide: Tensor = wide) -> Tensor:
            return torch.linalg.svd(wide, full_matrices=True)[2].mT

        def split(weight: Tensor = weight) -> HeadDecomposition:
            return HeadDecomposition.from_weight(weight)

        def with_null_basis(weight: Tensor = weight) -> Tensor:
            head = HeadDecomposition.from_weight(weight)
            return torch.cat([head.principal_basis, head.null_basis], dim=1)

        def check_split(head: HeadDecomposition, basis: Tensor, wide: Tensor = wide) -> None:
            demand(head.rank == CLASSES, "rank")
            check_bases(wide, head.principal_basis, basis[:, : head.rank])

        def check_whole(found: Tensor, basis: Tensor, wide: Tensor = wide) -> None:
            check_bases(wide, found, basis)
            check_bases(wide, found[:, :CLASSES], basis[:, :CLASSES])

        yield compare(
            f"head split {size} vs full SVD, float64",
            split, full_svd, check=check_split, target=target, rounds=rounds,
        )  # fmt: skip
        yield compare(
            f"the same with the null basis made too, {size}",
            with_null_basis, full_svd, check=check_whole, target=None, rounds=rounds,
        )  # fmt: skip


def check_bases(weight: Tensor, ours: Tensor, other: Tensor) -> None:
    """Both bases are orthonormal, and projecting on them moves no logit, equally well."""
    # Rounding of a few hundred sums, or what the SVD itself manages if that is worse.
    limit = max(1e-12, 3 * defect(other))
    demand(defect(ours) <= limit, f"orthonormality {defect(ours):.1e}, {defect(other):.1e}")
    if ours.shape[1] == len(weight):
        limit = max(1e-12, 3 * drift(weight, other))
        demand(drift(weight, ours) <= limit, f"drift {drift(weight, ours):.1e}")


def defect(basis: Tensor) -> float:
    eye = torch.eye(basis.shape[1], dtype=basis.dtype)
    return float((basis.mT @ basis - eye).abs().max())


def drift(weight: Tensor, basis: Tensor) -> float:
    features = torch.randn(
        16, weight.shape[1], dtype=weight.dtype, generator=torch.Generator().manual_seed(0)
    )
    logits = features @ weight.mT
    kept = (features @ basis) @ basis.mT @ weight.mT
    return float((kept - logits).abs().max() / logits.abs().max())
