"""The residual stream taken apart: one forward pass, and what each head, token and MLP wrote.

``f = P LN(z)`` with ``z`` the sum of the embedding, of every head's ``sum_i alpha_i W_VO v_i`` and
of every MLP (arXiv:2310.05916, eqs. 2.4 to 2.6). LayerNorm's ``sigma`` is that of the image's own
pass, so that the rest is linear and the units add up to the output exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.units.blocks import Layer, Rope
from sing_core.units.towers import Readout, Tower


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What the units of ``n`` images add to the stream that the output reads, before projection.

    ``L`` layers, ``H`` heads of width ``e``, ``d`` the stream; each divided by the image's own
    ``sigma`` of the last norm. float32.

    Attributes:
        heads: ``(n, L, H, e)`` values under the attention of the tokens that are read.
        mlps: ``(n, L, d)``.
        embedding: ``(n, d)`` where the tokens began.
        mean: ``(n,)`` mean of the stream over ``sigma``, which LayerNorm takes away.
        scale: ``(n,)`` of ``1 / sigma``.
        own: ``(n, d)`` what the class token, where it alone is read, gives itself in all heads:
            a part of theirs. Zeros where patches are read.
    """

    heads: Tensor
    mlps: Tensor
    embedding: Tensor
    mean: Tensor
    scale: Tensor
    own: Tensor

    def __len__(self) -> int:
        """Return n."""
        return len(self.embedding)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The units of ``n`` images with their tokens: ``t`` of them, the class token first.

    Attributes:
        sums: over all tokens.
        rows: ``(n, L, H, t)`` attention with which the output reads each token, over ``sigma``.
        values: ``(n, L, H, t, e)`` what each token offers.
    """

    sums: Sums
    rows: Tensor
    values: Tensor


def sums_of(tower: Tower, batch: Tensor) -> Sums:
    """Return the units of a preprocessed batch ``(n, 3, h, w)``, summed over tokens.

    Raises:
        ShapeError: the batch is not four-dimensional.
    """
    return _Pass(tower, batch, keeps_tokens=False).sums()


def parts_of(tower: Tower, batch: Tensor) -> Parts:
    """Return the units of a preprocessed batch ``(n, 3, h, w)``, token by token.

    Raises:
        ShapeError: the batch is not four-dimensional.
    """
    forward = _Pass(tower, batch, keeps_tokens=True)
    sums = forward.sums()
    rows = torch.stack([torch.einsum("nq,nhqt->nht", forward.read, a) for a in forward.attention])
    values = torch.stack(forward.values)
    return Parts(sums, rows.transpose(0, 1).cpu(), values.transpose(0, 1).cpu())


def attention_of(tower: Tower, batch: Tensor) -> Tensor:
    """Return ``(n, L, t, t)`` attention between all tokens of images, the mean over heads."""
    rows = []
    with torch.inference_mode():
        tokens, turns = tower.begin(batch.to(tower.device))
        for layer, turn in zip(tower.layers, turns, strict=True):
            q, k, v = layer.project(layer.norm(tokens), turn)
            attention = (q @ k.mT).softmax(dim=-1)
            rows.append(attention.float().mean(dim=1).cpu())
            joined = (attention @ v).transpose(1, 2).flatten(2)
            tokens = tokens + torch.nn.functional.linear(joined, layer.weight, layer.bias)
            tokens = tokens + layer.mlp(tokens)
    return torch.stack(rows, dim=1).clone()


class _Pass:
    """One pass through the layers that keeps what the tokens that are read were given.

    Where the class token alone is read, attention is the network's own fused kernel and one row
    beside it.
    """

    def __init__(self, tower: Tower, batch: Tensor, *, keeps_tokens: bool) -> None:
        if batch.ndim != 4:
            raise ShapeError(f"A batch is (images, 3, height, width), got {tuple(batch.shape)}.")
        self.keeps_tokens, self.first = keeps_tokens, tower.readout.first
        self.whole = tower.readout.whole
        self.attention: list[Tensor] = []
        self.values: list[Tensor] = []
        self.given: list[Tensor] = []
        self.own: list[Tensor] = []
        self.mlps: list[Tensor] = []
        with torch.inference_mode():
            tokens, turns = tower.begin(batch.to(tower.device))
            self.embedding = self._read(tokens).float()
            for layer, turn in zip(tower.layers, turns, strict=True):
                tokens = self._attend(layer, tokens, turn)
                added = layer.mlp(tokens)
                self.mlps.append(self._read(added).float())
                tokens = tokens + added
            last = self._read(tokens).float()
            self.read, self.mean = _reading(tower.readout, last)

    def sums(self) -> Sums:
        """Return what was kept, contracted over the tokens that are read."""
        r = self.read
        heads = torch.stack([torch.einsum("nq,nhqe->nhe", r, given) for given in self.given], 1)
        mlps = torch.stack([torch.einsum("nq,nqd->nd", r, added) for added in self.mlps], 1)
        begun = torch.einsum("nq,nqd->nd", r, self.embedding)
        own = torch.zeros_like(begun)
        if self.own:
            own = torch.einsum("nq,nqd->nd", r, torch.stack(self.own).sum(dim=0))
        found = (heads, mlps, begun, self.mean, r.sum(dim=1), own)
        return Sums(*(value.clone().cpu() for value in found))

    def _read(self, tokens: Tensor) -> Tensor:
        """Return the tokens that the output reads: the class token, or those it averages."""
        return tokens[:, self.first :] if self.whole else tokens[:, :1]

    def _attend(self, layer: Layer, tokens: Tensor, turn: Rope) -> Tensor:
        q, k, v = layer.project(layer.norm(tokens), turn)
        asks = q[:, :, self.first :] if self.whole else q[:, :, :1]
        if self.keeps_tokens or not self.whole:
            row = (asks @ k.mT).softmax(dim=-1)
            given = (row @ v).float()
        if not self.whole:
            self.own.append(_from_itself(layer, row, v).float())
        mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, scale=1.0)
        if self.keeps_tokens:
            self.attention.append(row.float())
            self.values.append(v.float())
        elif self.whole:
            given = mixed[:, :, self.first :].float()
        self.given.append(given)
        joined = mixed.transpose(1, 2).flatten(2)
        added = torch.nn.functional.linear(joined, layer.weight.to(joined), layer.bias.to(joined))
        return tokens + added


def _from_itself(layer: Layer, row: Tensor, v: Tensor) -> Tensor:
    """Return ``(n, 1, d)`` what the class token gives itself, with its share of the layer's bias.

    ``row`` ``(n, H, 1, t)`` is its attention, ``v`` ``(n, H, t, e)`` what the tokens offer.
    """
    joined = (row[..., :1] * v[:, :, :1]).transpose(1, 2).flatten(2)
    bias = layer.bias.to(joined) / row.shape[-1]
    return torch.nn.functional.linear(joined, layer.weight.to(joined), bias)


def _reading(readout: Readout, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weight ``(n, q)`` with which each token is read, and the mean ``(n,)`` taken away.

    ``tokens`` ``(n, q, d)`` are the last ones before the norm.
    """
    share = 1 / tokens.shape[1]
    seen = tokens if readout.norm_first else tokens.mean(dim=1, keepdim=True)
    variance, mean = torch.var_mean(seen.double(), dim=-1, correction=0)
    inverse = (variance + readout.eps).rsqrt()
    read = (share * inverse).expand(-1, tokens.shape[1]).float()
    away = (inverse * mean).mean(dim=1).float()
    return read, away


def sliced(sums: Sums, rows: slice | Sequence[int]) -> Sums:
    """Return the sums of some images."""
    return Sums(*(getattr(sums, name)[rows] for name in Sums.__slots__))
