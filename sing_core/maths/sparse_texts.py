"""Sparse descriptions by matching pursuit: of one direction, or of many rows at once.

``omp`` is the thesis's text card of a neuron (Gandelsman, section 3.4): a vector as a signed sum
of a few texts. ``somp`` is ResiDual's simultaneous pursuit (appendix A.2, Algorithm 2): the texts
that explain many rows together. Both fit all texts chosen so far anew at every step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.text_span import RTOL

Report = Callable[[int, int], object]
Criterion = Literal["std", "l1"]
# A text of which less than this share of its squared length is new adds nothing but rounding.
_LEFT_OVER = 1e-10
# A residual that is this share of the vector is rounding.
_DONE = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class SparseTexts:
    """A direction as a signed sum of a few texts of length 1.

    ``s`` texts: fewer than were asked for where the rest is zero or no text is left that adds to
    it.

    Attributes:
        chosen: places in the list of texts, in the order in which they were taken; none twice.
        coefficients: ``(s,)`` signed, of texts scaled to length 1, in the units of the vector;
            float64.
        residual: ``(d,)`` what the texts leave, orthogonal to each of them; float64.
        unexplained: ``(s + 1,)`` length of the residual before the first text and after each, as
            a share of the vector's: 1 first, and never rising.
    """

    chosen: tuple[int, ...]
    coefficients: Tensor
    residual: Tensor
    unexplained: Tensor


def omp(vector: Tensor, texts: Tensor, size: int) -> SparseTexts:
    """Describe ``vector`` ``(d,)`` by at most ``size`` of ``texts`` ``(M, d)`` (section 3.4).

    Each step takes the text of the largest absolute cosine with the residual and fits all chosen
    ones anew by least squares. Rows are scaled to length 1 here; take their mean away before,
    where all texts share a direction (the gap between images and texts). Turning the vector round
    turns every sign.

    Raises:
        ShapeError: shapes do not agree, or ``size`` is negative.
    """
    if vector.ndim != 1 or texts.ndim != 2 or texts.shape[1] != len(vector) or size < 0:
        raise ShapeError(
            f"A vector (d,) is described by texts (M, d), got {tuple(vector.shape)}, "
            f"{tuple(texts.shape)} and size {size}."
        )
    goal, unit = vector.double(), torch.nn.functional.normalize(texts.double(), dim=1)
    whole = float(torch.linalg.vector_norm(goal))
    frame = unit.new_zeros(min(size, *unit.shape), len(goal))  # orthonormal, spans the chosen
    free = unit.square().sum(dim=1) > 0
    chosen: list[int] = []
    residual, lengths = goal.clone(), [whole]
    while len(chosen) < len(frame) and bool(free.any()) and lengths[-1] > _DONE * whole:
        best = int((unit @ residual).abs().masked_fill(~free, -1.0).argmax())
        free[best] = False
        taken = frame[: len(chosen)]
        new = unit[best] - (taken @ unit[best]) @ taken
        if float(new @ new) <= _LEFT_OVER:
            continue
        new = new - (taken @ new) @ taken
        frame[len(chosen)] = new / torch.linalg.vector_norm(new)
        chosen.append(best)
        taken = frame[: len(chosen)]
        residual = goal - (taken @ goal) @ taken
        residual = residual - (taken @ residual) @ taken
        lengths.append(min(lengths[-1], float(torch.linalg.vector_norm(residual))))
    fitted = torch.linalg.lstsq(unit[chosen].mT, goal[:, None]).solution[:, 0]
    shares = torch.tensor(lengths, dtype=torch.float64) / (whole or 1.0)
    return SparseTexts(tuple(chosen), fitted, residual, shares)


def left_over(
    vectors: Tensor, texts: Tensor, size: int, report: Report = lambda done, total: None
) -> Tensor:
    """Return ``(k, s + 1)`` what ``omp`` leaves of each of ``vectors`` ``(k, d)``: its curve alone.

    All vectors take their texts side by side, which is many times as fast as one after the other.
    ``s`` is ``size``, or as many as there are texts or dimensions; a curve whose texts are
    exhausted stays where it is. A zero vector has zeros. ``report`` hears how many of how many
    texts were taken.

    Raises:
        ShapeError: shapes do not agree, or ``size`` is negative.
    """
    if vectors.ndim != 2 or texts.ndim != 2 or vectors.shape[1] != texts.shape[1] or size < 0:
        raise ShapeError(
            f"Vectors (k, d) are described by texts (M, d), got {tuple(vectors.shape)}, "
            f"{tuple(texts.shape)} and size {size}."
        )
    unit = torch.nn.functional.normalize(texts.double(), dim=1)
    residual = torch.nn.functional.normalize(vectors.double(), dim=1)
    everyone = torch.arange(len(residual))
    frames = unit.new_zeros(len(residual), min(size, *unit.shape), unit.shape[1])
    taken_before = torch.zeros(len(unit), len(residual), dtype=torch.bool)
    lengths = [torch.linalg.vector_norm(residual, dim=1)]
    for step in range(frames.shape[1]):
        best = (unit @ residual.mT).abs_().masked_fill_(taken_before, -1.0).argmax(dim=0)
        taken_before[best, everyone] = True
        taken, new = frames[:, :step], unit[best]
        for _ in range(2):  # once leaves rounding behind
            new = new - torch.einsum("ksd,ks->kd", taken, torch.einsum("ksd,kd->ks", taken, new))
        square = new.square().sum(dim=1, keepdim=True)
        new = torch.where(square > _LEFT_OVER, new / square.sqrt().clamp_min(1e-300), 0.0)
        frames[:, step] = new
        residual = residual - (new * residual).sum(dim=1, keepdim=True) * new
        lengths.append(torch.minimum(lengths[-1], torch.linalg.vector_norm(residual, dim=1)))
        report(step + 1, frames.shape[1])
    return torch.stack(lengths, dim=1)


@dataclass(frozen=True, slots=True, eq=False)
class SharedTexts:
    """Texts that describe many rows at once.

    Attributes:
        chosen: places in the list of texts, in the order in which they were taken; none twice.
        explained: ``(s,)`` share of the rows' total variance that the texts up to each explain.
        residual: ``(k, d)`` centred rows less their least-squares fit; float64.
    """

    chosen: tuple[int, ...]
    explained: Tensor
    residual: Tensor


def somp(rows: Tensor, texts: Tensor, size: int, *, criterion: Criterion = "std") -> SharedTexts:
    """Describe ``rows`` ``(k, d)`` by at most ``size`` of ``texts`` ``(M, d)`` together.

    Rows are centred and texts projected on the span of the uncentred rows, as in ``text_span``;
    each step takes the text whose dot products with the residuals have the largest ``criterion``,
    and fits all chosen ones anew. By "std" it is TextSpan with the rule "variance"; "l1" is what
    ResiDual prints. Every step passes over all rows: ``text_span`` gives the same in less time.

    Raises:
        ShapeError: rows and texts are no matrices of one width, or there is no row.
    """
    if rows.ndim != 2 or texts.ndim != 2 or rows.shape[1] != texts.shape[1] or not rows.numel():
        raise ShapeError(
            f"Rows (k, d) and texts (M, d), got {tuple(rows.shape)} and {tuple(texts.shape)}."
        )
    wide = rows.double()
    _, sigma, axes = torch.linalg.svd(wide, full_matrices=False)
    axes = axes[sigma > RTOL * sigma[0]]
    dictionary = texts.double() @ axes.mT @ axes
    centred = wide - wide.mean(dim=0)
    total, residual = float(centred.square().sum()), centred
    free = dictionary.square().sum(dim=1) > _LEFT_OVER * texts.double().square().sum(dim=1)
    chosen: list[int] = []
    explained: list[float] = []
    while len(chosen) < min(size, len(axes)) and bool(free.any()):
        products = dictionary @ residual.mT
        score = products.std(dim=1, correction=0) if criterion == "std" else products.abs().sum(1)
        best = int(score.masked_fill(~free, -1.0).argmax())
        if float(residual.square().sum()) <= _DONE * total:
            break
        free[best] = False
        atoms = dictionary[[*chosen, best]].mT
        residual = centred - (atoms @ torch.linalg.lstsq(atoms, centred.mT).solution).mT
        chosen.append(best)
        explained.append(1 - float(residual.square().sum()) / total)
    return SharedTexts(tuple(chosen), torch.tensor(explained, dtype=torch.float64), residual)
