"""A small network that has seen photographs: what a noisy picture most likely was.

It is the prior of the inversion. Preconditioned as in Karras et al. 2022 ("Elucidating the Design
Space of Diffusion-Based Generative Models"): the network's own inputs and outputs have about unit
variance at every noise level.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle, pixel_unshuffle, silu

WIDTHS = (32, 64, 112)
# Deviation of a photograph's values from their mean, which is 0.45 (range 0 to 1).
_SPREAD, _MEAN = 0.25, 0.45
# Noise levels that it was trained on: deviations in units of the picture's range.
SIGMAS = (0.02, 0.6)


class _Block(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = x + self.second(silu(self.first(silu(x))))
        return found


class Denoiser(nn.Module):
    """A U-Net over pictures whose sides are multiples of 8, conditioned on noise level and layout.

    The layout, the photo's low-pass, may be left out: it was in a share of the training.
    """

    def __init__(self) -> None:
        """Start with weights of chance, and an output of 0."""
        super().__init__()
        top, middle, bottom = WIDTHS
        # Four pixels of three colours, of the picture and of the layout; noise level, layout given.
        self.enter = nn.Conv2d(2 * 12 + 2, top, 3, padding=1)
        self.down = nn.ModuleList([_Block(top), _Block(middle), _Block(bottom)])
        self.narrow = nn.ModuleList(
            [nn.Conv2d(top, middle, 2, stride=2), nn.Conv2d(middle, bottom, 2, stride=2)]
        )
        self.up = nn.ModuleList([_Block(top), _Block(middle), _Block(bottom)])
        self.widen = nn.ModuleList([nn.Conv2d(middle, top, 1), nn.Conv2d(bottom, middle, 1)])
        self.last = _Block(top)
        self.leave = nn.Conv2d(top, 12, 3, padding=1)
        nn.init.zeros_(self.leave.weight)

    def forward(self, noisy: Tensor, sigma: Tensor, layout: Tensor | None) -> Tensor:
        """Return ``(n, 3, s, s)``, the mean of the photographs that ``noisy`` may have been.

        ``noisy`` ``(n, 3, s, s)`` about [0, 1]; ``sigma`` ``(n,)`` the noise's deviation;
        ``layout`` ``(n, 3, s, s)``, or None. A row of NaN in ``layout`` is a row without one.
        """
        level = sigma.view(-1, 1, 1, 1)
        total = (level.square() + _SPREAD**2).sqrt()
        inputs = self._inputs(noisy, level, layout, total)
        found = pixel_shuffle(self._trunk(inputs).float(), 2)
        kept = (_SPREAD / total).square()
        return _MEAN + kept * (noisy - _MEAN) + level * _SPREAD / total * found

    def _inputs(self, noisy: Tensor, level: Tensor, layout: Tensor | None, total: Tensor) -> Tensor:
        shown = pixel_unshuffle((noisy - _MEAN) / total, 2)
        if layout is None:
            layout = torch.full_like(noisy, torch.nan)
        given = (~layout.isnan()).float()[:, :1, ::2, ::2]
        seen = pixel_unshuffle((layout.nan_to_num(_MEAN) - _MEAN) / _SPREAD, 2)
        noise = (level.log() / 4).expand(-1, 1, *shown.shape[2:])
        return torch.cat([shown, seen, noise, given], 1)

    def _trunk(self, inputs: Tensor) -> Tensor:
        x = self.enter(inputs.contiguous(memory_format=torch.channels_last))
        kept = []
        for depth, block in enumerate(self.down):
            x = block(x)
            if depth < len(self.narrow):
                kept.append(x)
                x = self.narrow[depth](x)
        for depth in range(len(self.up) - 1, -1, -1):
            x = self.up[depth](x)
            if depth:
                wide = interpolate(self.widen[depth - 1](x), scale_factor=2, mode="nearest")
                x = wide + kept[depth - 1]
        found: Tensor = self.leave(silu(self.last(x)))
        return found
