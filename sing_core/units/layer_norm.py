"""The last LayerNorm and projection, shared out over the units exactly (thesis, eq. A.2).

``P (gain (z - mean) / sigma + shift) + b`` is linear in ``z`` once ``sigma`` is that of the image:
what is constant in it is shared out, so that the units add up to the output. Two ways differ by a
multiple of ``P gain`` a unit: the seed's takes an equal share of the stream's mean from each unit,
the other each unit's own mean.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from sing_core.units.residual import Parts, Sums
from sing_core.units.towers import Tower

Variant = Literal["shared", "own"]


@dataclass(frozen=True, eq=False)
class Shares:
    """From what units wrote into the stream to what they add to the output of width ``o``.

    Attributes:
        tower: whose units.
        variant: ``shared`` takes an equal share of the mean from each unit, as the published
            labels do; ``own`` each unit's own mean.
    """

    tower: Tower
    variant: Variant = "shared"

    @property
    def units(self) -> int:
        """Additive units where the heads of a layer count as one: 2 L + 1."""
        return 2 * len(self.tower.layers) + 1

    @cached_property
    def into_output(self) -> Tensor:
        """``(o, d)`` from the stream, over sigma, into the output; own means are taken away."""
        readout = self.tower.readout
        gain = readout.gain.cpu()
        whole = torch.diag(gain) if readout.weight is None else readout.weight.cpu() * gain
        if self.variant == "own":
            whole = whole - whole.mean(dim=1, keepdim=True)
        return whole

    @cached_property
    def head_maps(self) -> Tensor:
        """``(L, H, o, e)`` from a head's values into the output."""
        stacked = torch.stack([layer.weight.cpu() for layer in self.tower.layers])  # (L, d, H e)
        found = torch.einsum("od,ldx->lox", self.into_output, stacked)
        split = found.reshape(*found.shape[:2], self.tower.heads, self.tower.width)
        return split.transpose(1, 2).contiguous()

    @cached_property
    def head_bias(self) -> Tensor:
        """``(L, o)`` what a layer's output bias adds, times the scale; each head has its share."""
        return torch.stack([layer.bias.cpu() for layer in self.tower.layers]) @ self.into_output.mT

    @cached_property
    def mean_map(self) -> Tensor:
        """``(o,)`` what one unit of the stream's mean takes from the output."""
        return self.into_output.sum(dim=1)

    @cached_property
    def constant(self) -> Tensor:
        """``(o,)`` of the last norm's shift and the projection's bias, the same for all images."""
        readout = self.tower.readout
        shift = readout.shift.cpu()
        found = shift if readout.weight is None else readout.weight.cpu() @ shift
        return found if readout.bias is None else found + readout.bias.cpu()

    def heads(self, sums: Sums) -> Tensor:
        """Return ``(n, L, H, o)`` what each head adds to the output."""
        count = self.tower.heads
        written = torch.einsum("lhoe,nlhe->nlho", self.head_maps, sums.heads)
        bias = sums.scale[:, None, None] * self.head_bias / count
        return written + (bias + self._rest(sums, self.units * count)[:, None])[:, :, None]

    def head(self, sums: Sums, layer: int, head: int) -> Tensor:
        """Return ``(n, o)`` what one head adds to the output, as ``heads`` has it."""
        return self.written(layer, head, sums.heads[:, layer, head], sums.mean, sums.scale)

    def written(self, layer: int, head: int, values: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
        """Return ``(n, o)`` what a head adds whose ``values`` ``(n, e)`` are known.

        ``mean`` and ``scale`` ``(n,)`` are those of the stream (``Sums``). The result is linear in
        all three but for what is constant, so that means of them give the mean.
        """
        heads = self.tower.heads
        into, bias = self.head_maps[layer, head].mT, self.head_bias[layer] / heads
        rest = self.constant.to(values)[None]
        if self.variant == "shared":
            rest = rest - mean[:, None] * self.mean_map.to(values)
        found: Tensor = values @ into.to(values) + scale[:, None] * bias.to(values)
        return found + rest / (self.units * heads)

    def mlps(self, sums: Sums) -> Tensor:
        """Return ``(n, L, o)`` what each MLP adds to the output."""
        return sums.mlps @ self.into_output.mT + self._rest(sums, self.units)[:, None]

    def embedding(self, sums: Sums) -> Tensor:
        """Return ``(n, o)`` what the embedding adds to the output."""
        return sums.embedding @ self.into_output.mT + self._rest(sums, self.units)

    def class_token(self, sums: Sums) -> Tensor:
        """Return ``(n, o)`` what the class token gives itself, a part of what the heads add.

        The shares of what is constant stay with the heads.
        """
        return sums.own @ self.into_output.mT

    def all(self, sums: Sums, *, unit_length: bool = False) -> Tensor:
        """Return ``(n, u, o)`` every unit in the order of ``Tower.unit_names``.

        ``unit_length`` divides those of an image by the length of its output, as the published
        numbers do: they then sum to a vector of length 1.
        """
        parts = self.embedding(sums)[:, None], self.heads(sums).flatten(1, 2), self.mlps(sums)
        units = torch.cat(parts, dim=1)
        if not unit_length:
            return units
        length = torch.linalg.vector_norm(units.sum(dim=1), dim=-1)
        normed: Tensor = units / length.clamp_min(1e-30)[:, None, None]
        return normed

    def token_scores(self, parts: Parts, direction: Tensor) -> Tensor:
        """Return ``(n, L, H, t)`` what each head takes from each token, along ``direction`` (o,).

        The bias of a layer and what is constant are shared out over its heads and tokens.
        """
        asked = torch.einsum("lhoe,o->lhe", self.head_maps, direction.float())
        scores = parts.rows * torch.einsum("nlhte,lhe->nlht", parts.values, asked)
        tokens = parts.rows.shape[-1]
        count = self.tower.heads * tokens
        bias = parts.sums.scale[:, None] * (self.head_bias @ direction.float()) / count
        rest = self._rest(parts.sums, self.units * count) @ direction.float()
        return scores + (bias + rest[:, None])[:, :, None, None]

    def tokens(self, parts: Parts) -> Tensor:
        """Return ``(n, t, o)`` what all heads take from each token, in all layers together.

        Their scores along a direction are ``token_scores`` summed over layers and heads.
        """
        found = parts.rows.new_zeros(*parts.rows.shape[::3], len(self.constant))
        for layer, into in enumerate(self.head_maps):
            read = parts.rows[:, layer, ..., None] * parts.values[:, layer]  # (n, H, t, e)
            found += torch.einsum("nhte,hoe->nto", read, into)
        tokens = parts.rows.shape[-1]
        bias = parts.sums.scale[:, None] * self.head_bias.sum(dim=0) / tokens
        heads = len(self.tower.layers) * self.tower.heads
        rest = heads * self._rest(parts.sums, self.units * self.tower.heads * tokens)
        return found + (bias + rest)[:, None]

    def _rest(self, sums: Sums, shares: int) -> Tensor:
        """Return ``(n, o)`` the share of a unit, of ``shares`` equal ones, in what is constant."""
        constant = self.constant.expand(len(sums), -1)
        if self.variant == "shared":
            constant = constant - sums.mean[:, None] * self.mean_map
        return constant / shares


def residual_of(total: Tensor, output: Tensor) -> float:
    """Return the largest error of ``total`` ``(n, o)`` as a share of ``output``'s largest entry."""
    largest = output.abs().amax(dim=-1).clamp_min(1e-30)
    return float(((total - output).abs().amax(dim=-1) / largest).max())
