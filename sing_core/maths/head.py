"""Principal/null split of a linear classifier head (arXiv:2603.14610, eqs. 1-3 and 9)."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from sing_core.errors import HeadError, ShapeError
from sing_core.maths.storage import half_precision_bits, storage_noise

# The Gram matrix squares the condition number: above this ratio of extreme singular values its
# smallest eigenvalue, and with it the rank, is no longer certain, and the SVD decides.
_GRAM_CONDITION_LIMIT = 1e4
# A Cholesky basis is orthonormal to about eps * condition^2; above this condition it is refined.
_REFINE_ABOVE = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class HeadDecomposition:
    """Orthonormal split of feature space by a head ``logits = f @ W.T + b``.

    ``c`` classes, ``m`` feature dimensions, ``r = rank(W)``; every tensor is float64.

    Attributes:
        principal_basis: ``(m, r)`` columns V_p, orthonormal, spanning what the head reads (its row
            space); the projector V_p V_p^T does not depend on which orthonormal basis this is.
        singular_values: ``(min(c, m),)``, descending, logits per unit of feature norm.
        rtol: singular values at most ``rtol * singular_values[0]`` count as zero.
        rounding: largest relative error of one stored weight, where that of a half precision made
            singular values count as zero: 2^-8 of bfloat16, 2^-11 of float16; else 0.
    """

    principal_basis: Tensor
    singular_values: Tensor
    rtol: float
    rounding: float = 0.0

    @classmethod
    def from_weight(
        cls, weight: Tensor, *, rtol: float | None = None, stored: Tensor | None = None
    ) -> Self:
        """Decompose ``weight`` of shape ``(c, m)`` (eq. 1).

        ``rtol`` is relative to the largest singular value (default ``max(c, m) * eps`` of the
        weight's own type), so that scaling the head does not change its rank. Whatever it is, what
        storing in half precision alone explains counts as zero too; ``stored`` are the weights as
        they were stored, where ``weight`` was computed from them.

        Raises:
            ShapeError: ``weight`` is not a non-empty matrix.
            HeadError: ``weight`` is not float32 or float64, or not finite.
        """
        if weight.ndim != 2 or weight.numel() == 0:
            raise ShapeError(f"A head weight is (classes, features), got {tuple(weight.shape)}.")
        if weight.dtype not in (torch.float32, torch.float64) or not weight.isfinite().all():
            raise HeadError(f"The head needs finite float32 or float64 weights ({weight.dtype}).")
        rtol = max(weight.shape) * torch.finfo(weight.dtype).eps if rtol is None else rtol
        wide, kept = weight.double(), weight if stored is None else stored
        bits = half_precision_bits(kept)
        noise = storage_noise(kept, bits)
        sigma, basis = _gram_split(wide, rtol, noise) or _svd_split(wide)
        largest = float(sigma[0])
        cut = max(rtol, noise / largest) if largest > 0 else rtol
        rank, exact = (int((sigma > share * sigma[0]).sum()) for share in (cut, rtol))
        rounding = 2.0**-bits if rank < exact else 0.0
        return cls(basis[:, :rank], sigma, cut, rounding)

    @property
    def rank(self) -> int:
        """Numerical rank r of the head."""
        return self.principal_basis.shape[1]

    @property
    def nullity(self) -> int:
        """Dimension m - r of the null space; 0 is a value, not an error."""
        return self.principal_basis.shape[0] - self.rank

    @property
    def null_basis(self) -> Tensor:
        """``(m, m - r)`` orthonormal columns V_n; a step along them moves no logit.

        Built on each access, as nothing but an export or a random null direction needs it: null
        removal itself uses the principal basis.
        """
        return orthogonal_complement(self.principal_basis)

    def principal_part(self, features: Tensor) -> Tensor:
        """Return ``Pi_p f = V_p V_p^T f`` (eq. 3) in float64 for ``features`` ``(..., m)``.

        Raises:
            ShapeError: the last dimension is not m.
        """
        m = self.principal_basis.shape[0]
        if features.ndim == 0 or features.shape[-1] != m:
            raise ShapeError(f"This head reads {m} features, got shape {tuple(features.shape)}.")
        return (features.double() @ self.principal_basis) @ self.principal_basis.mT

    def null_part(self, features: Tensor) -> Tensor:
        """Return ``Pi_n f = f - V_p V_p^T f`` (eq. 3) in float64 for ``features`` ``(..., m)``.

        Raises:
            ShapeError: the last dimension is not m.
        """
        wide = features.double()
        rest = wide - self.principal_part(wide)
        # A second pass removes what rounding left of a principal part that was far larger.
        return rest - self.principal_part(rest)

    def remove_null(self, features: Tensor) -> Tensor:
        """Return ``f - Pi_n f`` (eq. 9) in the type of ``features``, shape ``(..., m)``.

        Raises:
            ShapeError: the last dimension is not m.
        """
        return self.principal_part(features).to(features.dtype)


def check_reads(head: HeadDecomposition, name: str) -> None:
    """Check that a classifier's head reads anything at all.

    Raises:
        HeadError: every weight of the head of ``name`` is zero.
    """
    if head.rank == 0:
        raise HeadError(
            f"Every weight of the head of {name} is zero: it gives all images the same logits, so "
            "that there is nothing to analyse; its weights were probably never loaded or trained."
        )


def _gram_split(weight: Tensor, rtol: float, noise: float = 0.0) -> tuple[Tensor, Tensor] | None:
    """Return ``(sigma, V_p)`` by way of W W^T, or None where that would lose accuracy.

    For a wide head of full rank, ``W W^T = L L^T`` and ``V_p = (L^-1 W)^T``: a Cholesky
    factorisation and a triangular solve instead of an SVD; ``sigma`` are the roots of the
    eigenvalues. A second round brings ``V_p`` to rounding where the first did not.
    """
    c, m = weight.shape
    # Products of tiny or huge weights leave the range of float64: not a case for a shortcut.
    if c > m or not 1e-100 < float(weight.abs().max()) < 1e100:
        return None
    gram = weight @ weight.mT
    eigenvalues = torch.linalg.eigvalsh(gram).flip(0)
    smallest, largest = float(eigenvalues[-1]), float(eigenvalues[0])
    unsure = max(4 * rtol, 1 / _GRAM_CONDITION_LIMIT) * largest**0.5
    if smallest <= max(unsure, 4 * noise) ** 2:
        return None
    rows = torch.linalg.solve_triangular(torch.linalg.cholesky(gram), weight, upper=False)
    if largest > _REFINE_ABOVE**2 * smallest:
        factor = torch.linalg.cholesky(rows @ rows.mT)
        rows = torch.linalg.solve_triangular(factor, rows, upper=False)
    return eigenvalues.sqrt(), rows.mT


def _svd_split(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``(sigma, V_p)`` by the thin SVD; never an m x m matrix."""
    _, sigma, vh = torch.linalg.svd(weight, full_matrices=False)
    return sigma, vh.mT


def orthogonal_complement(basis: Tensor) -> Tensor:
    """Return ``(m, m - r)`` orthonormal columns orthogonal to ``basis`` ``(m, r)``, float64.

    With ``basis = V = [A; B]``, any orthogonal ``S``, ``E = [S; 0]`` and ``U = V - E``, the matrix
    ``H = I + U K U^T`` with ``K^-1 = A^T S - I`` is orthogonal and maps E to V: its last m - r
    columns are the complement. ``S`` comes from the QR factors of A, which makes ``K^-1``
    triangular (after Ballard et al., "Reconstructing Householder vectors from TSQR", 2014). Two
    matrix products replace a QR with an m x m factor; where a probe finds the result less than
    orthonormal, that QR is used.
    """
    m, r = basis.shape
    if r == m:
        return basis.new_zeros(m, 0)
    if r == 0:
        return torch.eye(m, dtype=basis.dtype, device=basis.device)
    top, bottom = basis[:r], basis[r:]
    q, upper = torch.linalg.qr(top)
    signs = torch.where(upper.diagonal() > 0, -1.0, 1.0).to(basis.dtype)
    inverse_k = (signs[:, None] * upper).mT - torch.eye(r, dtype=basis.dtype, device=basis.device)
    k_bottom = torch.linalg.solve_triangular(inverse_k, bottom.mT, upper=False)  # (r, m - r)
    complement: Tensor = torch.cat([top - q * signs, bottom]) @ k_bottom
    complement[r:].diagonal().add_(1.0)
    if _orthonormality_defect(basis, complement) > 1e-11:
        complement = torch.linalg.qr(basis, mode="complete").Q[:, r:].contiguous()
    return complement


def _orthonormality_defect(basis: Tensor, complement: Tensor) -> float:
    """Return how far 8 random combinations of ``complement`` are from orthonormal, relative."""
    generator = torch.Generator().manual_seed(0)
    probe = torch.randn(complement.shape[1], 8, dtype=basis.dtype, generator=generator)
    probe = probe.to(basis.device)
    image = complement @ probe
    leak = (basis.mT @ image).abs().max()
    distortion = (complement.mT @ image - probe).abs().max()
    return float(torch.maximum(leak, distortion) / probe.abs().max())
