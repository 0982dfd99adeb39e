"""TextSpan: the few texts whose directions carry most of what varies in a unit's outputs.

Gandelsman's thesis, chapter 2, Algorithm 1 and eq. 2.7: take the text along which the rows vary
most, take its direction out of rows and texts alike, and repeat. For texts ``R`` and rows of
covariance ``S`` the variance of a dot product is ``r^T S r``: one Gram matrix of the rows is all
that is needed of them. With orthonormal atoms Q taken so far and the next one q, a text's length
and variance follow from two products, ``a = R q`` and ``b = R (I - Q Q^T) S q``:

    ``|r'|^2 = |r|^2 - a^2``,    ``var' = var - 2 a b + a^2 q^T S q``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from sing_core.errors import ShapeError

Rule = Literal["variance", "gain"]
# Singular values of the rows up to this share of the largest count as zero: what storing them in
# float32 alone explains lies below it.
RTOL = 1e-6
# A text of which no more than this share of its squared length is left has nothing more to say.
_LEFT_OVER = 1e-10
# What an atom adds below this share of all variance is rounding.
_NO_GAIN = 1e-13
_BLOCK = 4096


@dataclass(frozen=True, slots=True, eq=False)
class TextSpan:
    """Texts that describe a unit's outputs, the one that explains most first.

    ``d`` dimensions, ``s`` texts chosen: fewer than were asked for where the texts, or the
    dimensions in which the rows vary, are exhausted.

    Attributes:
        chosen: their places in the list of texts, in order; none twice.
        gains: ``(s,)`` share of the rows' total variance that each step explains, so that the
            cumulative sum is V_explained (eq. 2.7) of the whole; float64.
        atoms: ``(s, d)`` orthonormal: what each text has beyond the earlier ones, inside the span
            of the rows, and pointing its way; float64.
        mean: ``(d,)`` of the rows; float64.
        rank: how many dimensions the span of the uncentred rows was taken to have.
    """

    chosen: tuple[int, ...]
    gains: Tensor
    atoms: Tensor
    mean: Tensor
    rank: int

    def coefficients(self, rows: Tensor) -> Tensor:
        """Return ``(..., s)`` float64: how far rows ``(..., d)`` lie from the mean on each atom.

        The largest belongs to the text that a row shows most beyond the average.

        Raises:
            ShapeError: the last dimension is not d.
        """
        if rows.ndim == 0 or rows.shape[-1] != len(self.mean):
            raise ShapeError(f"These rows are (..., {len(self.mean)}), got {tuple(rows.shape)}.")
        return (rows.double() - self.mean) @ self.atoms.mT

    def project(self, rows: Tensor) -> Tensor:
        """Return ``mean + Proj(rows - mean)`` ``(..., d)`` float64: what the texts say of rows.

        Raises:
            ShapeError: the last dimension is not d.
        """
        return self.mean + self.coefficients(rows) @ self.atoms


def text_span(
    rows: Tensor, texts: Tensor, size: int, *, rule: Rule = "variance", rank: int | None = None
) -> TextSpan:
    """Return the ``size`` of ``texts`` ``(M, d)`` that explain ``rows`` ``(k, d)`` best.

    ``rule`` "variance" is the thesis's: the largest variance of the dot product with what is left
    of a text, so longer texts come first: make them of length 1. "gain" divides it by that rest's
    squared length, which explains most at each step. Texts are projected on the span of the first
    ``rank`` singular directions of the uncentred rows, never more than those above ``RTOL``.

    Raises:
        ShapeError: rows or texts are no matrices of one width, there is no row, or ``size`` or
            ``rank`` is negative.
    """
    _check(rows, texts, size, rank)
    mean, scatter = _moments(rows)
    total = float(scatter.trace())
    basis = _span(mean, scatter, rank)  # (d, r)
    if total <= RTOL**2 * float(mean @ mean):  # the rows are all the same
        size = 0
    wide = texts.double()
    chosen, gains, atoms = _pursue(
        wide @ basis,
        basis.mT @ scatter @ basis,
        size,
        floor=_LEFT_OVER * wide.square().sum(dim=1),
        least=_NO_GAIN * total,
        by_gain=rule == "gain",
    )
    return TextSpan(chosen, gains / max(total, 1e-300), atoms @ basis.mT, mean, basis.shape[1])


def text_spans(
    rows: Tensor, texts: Tensor, size: int, *, rule: Rule = "variance", rank: int | None = None
) -> Iterator[TextSpan]:
    """Yield the ``text_span`` of each of ``h`` units with ``rows`` ``(k, h, d)``, one at a time.

    No more than a block of one unit's rows is ever held in float64, whatever type they have.

    Raises:
        ShapeError: rows are not ``(k, h, d)``, or as ``text_span``.
    """
    if rows.ndim != 3:
        raise ShapeError(f"Rows of several units are (k, h, d), got {tuple(rows.shape)}.")
    for unit in range(rows.shape[1]):
        yield text_span(rows[:, unit], texts, size, rule=rule, rank=rank)


def _check(rows: Tensor, texts: Tensor, size: int, rank: int | None) -> None:
    if rows.ndim != 2 or texts.ndim != 2 or rows.shape[1] != texts.shape[1] or not rows.numel():
        raise ShapeError(
            "Rows (k, d) and texts (M, d) have one width, and there is a row, got "
            f"{tuple(rows.shape)} and {tuple(texts.shape)}."
        )
    if size < 0 or (rank is not None and rank < 0):
        raise ShapeError(f"Size and rank are not negative, got {size} and {rank}.")


def _moments(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean ``(d,)`` and covariance ``(d, d)``, float64, block by block."""
    blocks: tuple[Tensor, ...] = torch.split(rows, _BLOCK)
    mean = torch.stack([block.double().sum(dim=0) for block in blocks]).sum(dim=0) / len(rows)
    scatter = torch.zeros(len(mean), len(mean), dtype=torch.float64, device=rows.device)
    for block in blocks:
        centred = block.double() - mean
        scatter.addmm_(centred.mT, centred)
    return mean, scatter / len(rows)


def _span(mean: Tensor, scatter: Tensor, rank: int | None) -> Tensor:
    """Return ``(d, r)`` orthonormal leading right singular vectors of the uncentred rows."""
    power, vectors = torch.linalg.eigh(scatter + torch.outer(mean, mean))
    numerical = int((power > RTOL**2 * power.max()).sum())
    kept: Tensor = vectors.flip(1)[:, : numerical if rank is None else min(rank, numerical)]
    return kept


def _pursue(
    texts: Tensor, cov: Tensor, size: int, *, floor: Tensor, least: float, by_gain: bool
) -> tuple[tuple[int, ...], Tensor, Tensor]:
    """Return places, gains ``(s,)`` and atoms ``(s, r)`` in the coordinates of the span.

    ``texts`` ``(M, r)``, ``cov`` ``(r, r)``. A text is out once its squared length is at most its
    ``floor`` ``(M,)``; the pursuit ends where an atom adds no more than ``least``.
    """
    atoms, gains = cov.new_zeros(min(size, len(cov)), len(cov)), cov.new_zeros(min(size, len(cov)))
    chosen: list[int] = []
    length = texts.square().sum(dim=1)
    variance = (texts @ cov).mul_(texts).sum(dim=1)
    while len(chosen) < len(atoms):
        score = variance / length.clamp_min(1e-300) if by_gain else variance
        score = score.masked_fill(length <= floor, -torch.inf)
        best = int(score.argmax()) if len(score) else -1
        if best < 0 or float(score[best]) <= 0:
            break
        taken = atoms[: len(chosen)]
        atom = _beyond(taken, _beyond(taken, texts[best]))
        if float(atom @ atom) <= float(floor[best]):
            length[best] = 0.0
            continue
        atom = atom / torch.linalg.vector_norm(atom)
        image = cov @ atom
        gain = float(atom @ image)
        if gain <= least:
            break
        a, b = (texts @ torch.stack([atom, _beyond(taken, image)], dim=1)).unbind(dim=1)
        length, variance = length - a * a, variance - 2 * a * b + a * a * gain
        length[best] = 0.0  # never again
        atoms[len(chosen)], gains[len(chosen)] = atom, gain
        chosen.append(best)
    return tuple(chosen), gains[: len(chosen)], atoms[: len(chosen)]


def _beyond(atoms: Tensor, vector: Tensor) -> Tensor:
    """Return ``vector`` ``(r,)`` less what lies along orthonormal ``atoms`` ``(s, r)``."""
    return vector - (atoms @ vector) @ atoms
