"""Where an inversion starts and what it may change: the photo's low-pass and a pyramid over it.

The layout prior is the person's own photo averaged over 12 x 12 cells: composition and colours, no
texture. Residuals are kept as a Laplacian-like pyramid in decorrelated colours, so that one step
of the optimiser changes all scales alike and no single pixel channel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

CELLS = 12
# Principal axes of the colours of natural photographs, longest first (Olah et al. 2017, "Feature
# Visualization"): brightness, blue-yellow, green-magenta; columns scaled to a longest of 1.
_COLOURS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]])
_COARSEST = 8


def layout_prior(photo: Image.Image, size: int, device: str = "cpu") -> Tensor:
    """Return ``(3, size, size)`` in [0, 1]: the photo's centre square on a 12 x 12 grid."""
    side = min(photo.size)
    left, top = (photo.width - side) / 2, (photo.height - side) / 2
    box = (left, top, left + side, top + side)
    square = photo.convert("RGB").resize((size, size), Image.Resampling.BICUBIC, box=box)
    pixels = torch.frombuffer(bytearray(square.tobytes()), dtype=torch.uint8)
    picture = pixels.view(1, size, size, 3).permute(0, 3, 1, 2).float() / 255
    cells = adaptive_avg_pool2d(picture, CELLS)
    return (
        interpolate(cells, size=size, mode="bicubic", align_corners=False).clamp(0, 1)[0].to(device)
    )


class Pyramid:
    """Residuals of ``n`` pictures over their layout priors, coarse to fine.

    Attributes:
        levels: parameters ``(n, 3, s, s)``, ``s`` halving from ``size`` down to 8.
    """

    def __init__(self, priors: Tensor, levels: Sequence[Tensor] | None = None) -> None:
        """Start pictures at ``priors (n, 3, size, size)``: all residuals are 0, or ``levels``."""
        sides = [priors.shape[-1]]
        while sides[-1] // 2 >= _COARSEST:
            sides.append(sides[-1] // 2)
        self._priors = priors
        self._colours = (_COLOURS / _COLOURS.norm(dim=0).max()).to(priors.device)
        self.levels: Sequence[Tensor] = levels or [
            torch.zeros(len(priors), 3, side, side, device=priors.device, requires_grad=True)
            for side in sides
        ]

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._priors)

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        return self._priors.device

    def part(self, rows: Tensor) -> "Pyramid":
        """Return the pyramid of ``rows (k,)``, which follow each other; memory is shared.

        Gradients are not: parts may be optimised side by side.
        """
        first, end = int(rows[0]), int(rows[-1]) + 1
        # ``data`` and not ``detach``: each part counts its own changes.
        levels = [level.data[first:end].requires_grad_() for level in self.levels]
        return Pyramid(self._priors[first:end], levels)

    def copy_from(self, levels: Sequence[Tensor]) -> None:
        """Start every picture where that of the same row of ``levels (n, 3, s, s)`` stands."""
        with torch.no_grad():
            for own, other in zip(self.levels, levels, strict=True):
                own.copy_(other)

    def pictures(self, size: int, rows: Tensor | None = None) -> Tensor:
        """Return ``(n, 3, size, size)``, not clamped, of ``rows`` (all by default).

        Levels finer than ``size`` are left out.
        """
        levels = [level for level in self.levels if level.shape[-1] <= size]
        if rows is not None:
            levels = [level[rows] for level in levels]
        total = torch.stack([_resized(level, size) for level in levels]).sum(0)
        return self.layout(size, rows) + torch.einsum("ij,njhw->nihw", self._colours, total)

    def layout(self, size: int, rows: Tensor | None = None) -> Tensor:
        """Return ``(n, 3, size, size)``, the layout priors of ``rows`` at this size."""
        priors = self._priors if rows is None else self._priors[rows]
        if priors.shape[-1] == size:
            return priors
        return interpolate(priors, size=size, mode="bilinear", align_corners=False, antialias=True)


def _resized(pictures: Tensor, size: int) -> Tensor:
    if pictures.shape[-1] == size:
        return pictures
    return interpolate(pictures, size=size, mode="bilinear", align_corners=False)


@dataclass(frozen=True, slots=True)
class Wobble:
    """How far the window through which the classifier looks moves between steps.

    What an independent eye also sees survives this; patterns that fit one pixel grid do not.

    Attributes:
        crop: side of the window as a share of the picture's, as in the network's preprocessing.
        jitter: largest shift from the centre, as a share of the picture's side.
        zoom: largest change of the window's side, as a share of it.
    """

    crop: float
    jitter: float
    zoom: float

    def __call__(self, pictures: Tensor, generator: torch.Generator, side: int) -> Tensor:
        """Return ``(n, 3, side, side)``: one random window of all ``pictures``."""
        whole = pictures.shape[-1]
        zoom, down, right, mirror = torch.rand(4, generator=generator).tolist()
        kept = round(whole * min(1.0, self.crop * (1 + self.zoom * (2 * zoom - 1))))
        top, left = (
            round(min(max((whole - kept) / 2 + self.jitter * whole * (2 * u - 1), 0), whole - kept))
            for u in (down, right)
        )
        window = _resized(pictures[:, :, top : top + kept, left : left + kept], side)
        return window.flip(3) if mirror < 0.5 else window

    def still(self, pictures: Tensor, side: int) -> Tensor:
        """Return ``(n, 3, side, side)``: the middle, as photos are looked at."""
        whole = pictures.shape[-1]
        kept = round(whole * min(1.0, self.crop))
        at = (whole - kept) // 2
        return _resized(pictures[:, :, at : at + kept, at : at + kept], side)
