"""Matrices in less room than single precision takes: in half of it, or rows in 255 even steps."""

import torch
from torch import Tensor

_LARGEST_STEP = 127


def half_if_exact(values: Tensor) -> Tensor:
    """Return float32 ``values`` in half precision where that loses nothing, else as they are."""
    if values.dtype != torch.float32:
        return values
    half = values.half()
    return half if torch.equal(half.float(), values) else values


def widened(values: Tensor) -> Tensor:
    """Undo ``half_if_exact``: half precision in single precision, everything else as it is."""
    return values.float() if values.dtype == torch.float16 else values


def row_steps(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Round ``(..., rows, columns)`` to int8 steps; return them with their lengths ``(..., rows)``.

    The lengths are float32 and fit each row's largest entry; a row of zeros has length 0.
    """
    exact = matrices.double()
    scales = (exact.abs().amax(dim=-1) / _LARGEST_STEP).float()
    wide = scales.double()[..., None]
    steps = torch.where(wide > 0, (exact / wide.clamp_min(1e-300)).round(), 0.0)
    return steps.clamp(-_LARGEST_STEP, _LARGEST_STEP).to(torch.int8), scales


def from_row_steps(steps: Tensor, scales: Tensor) -> Tensor:
    """Return the matrices ``(..., rows, columns)``, float32, that ``row_steps`` rounded."""
    return steps.float() * scales.float()[..., None]
