"""Pre-norm transformer blocks as data: what each head reads, and what attention and MLP add.

The blocks of timm's ViTs (DeiT-3, DINOv2), of its EVAs, and of open_clip's own towers hold the same
parts under other names. Nothing here changes a network or hooks into it: it may be in use.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from timm.layers import apply_rot_embed_cat
from torch import Tensor, nn

from sing_core.errors import UnitsError

Rope = Tensor | None
Heads = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One block ``z = x + A(x)``, ``z + M(z)``; ``d`` wide, ``h`` heads of width ``e``.

    Attributes:
        project: normed tokens ``(n, t, d)`` to queries (scaled), keys, values ``(n, h, t, e)``.
        norm: the LayerNorm before attention.
        weight: ``(d, h e)`` of the output projection times LayerScale, float32.
        bias: ``(d,)`` of it, likewise.
        mlp: what the MLP adds, ``(n, t, d)``, to the tokens ``(n, t, d)`` after attention.
    """

    project: Callable[[Tensor, Rope], Heads]
    norm: Callable[[Tensor], Tensor]
    weight: Tensor
    bias: Tensor
    mlp: Callable[[Tensor], Tensor]


def layer_of(block: nn.Module, prefix: int) -> Layer:
    """Return a block as data; ``prefix`` tokens have no place on the grid.

    Raises:
        UnitsError: its attention is not linear in its values, or the block is of another form.
    """
    parts: Any = block
    if hasattr(block, "ln_1"):
        return _open_clip(parts)
    wanted = ("norm1", "attn", "norm2", "mlp")
    plain = all(hasattr(block, name) for name in wanted)
    if not plain or not hasattr(parts.attn, "proj") or type(block).__name__ not in _BLOCKS:
        raise _other(f"its blocks are {type(block).__name__}")
    for name in ("norm", "gate"):
        extra = getattr(parts.attn, name, None)
        if extra is not None and not isinstance(extra, nn.Identity):
            raise _other(f"a {name} stands between its heads and their projection")
    gain = _gain(parts, "ls1", "gamma_1")
    weight, bias = _scaled(parts.attn.proj, gain)
    after = _gain(parts, "ls2", "gamma_2")

    def mlp(tokens: Tensor) -> Tensor:
        added: Tensor = parts.mlp(parts.norm2(tokens))
        return added if after is None else added * after

    return Layer(_timm_projection(parts.attn, prefix), parts.norm1, weight, bias, mlp)


_BLOCKS = ("Block", "EvaBlock")


def _other(what: str) -> UnitsError:
    return UnitsError(
        f"This network's output is no sum of heads and MLPs that could be told apart: {what}. "
        "Pre-norm ViTs (timm's, DINOv2, DeiT-3, EVA-02, open_clip's) can be taken apart."
    )


def _timm_projection(attention: Any, prefix: int) -> Callable[[Tensor, Rope], Heads]:  # noqa: ANN401
    count, width = attention.num_heads, attention.head_dim
    half = getattr(attention, "rotate_half", False)

    def split(tokens: Tensor) -> Tensor:
        return tokens.reshape(*tokens.shape[:-1], count, width).transpose(1, 2)

    def turned(tokens: Tensor, rope: Tensor) -> Tensor:
        grid: Tensor = apply_rot_embed_cat(tokens[:, :, prefix:], rope, half=half)
        return torch.cat([tokens[:, :, :prefix], grid], dim=2)

    def project(tokens: Tensor, rope: Rope) -> Heads:
        q, k, v = (split(part) for part in _linear_parts(attention, tokens))
        q, k = attention.q_norm(q), attention.k_norm(k)
        if rope is not None:
            q, k = turned(q, rope), turned(k, rope)
        return q * attention.scale, k, v

    return project


def _linear_parts(attention: Any, tokens: Tensor) -> tuple[Tensor, ...]:  # noqa: ANN401
    """Return queries, keys and values ``(n, t, h e)``: one matrix or three, biases as they are."""
    if attention.qkv is None:
        return attention.q_proj(tokens), attention.k_proj(tokens), attention.v_proj(tokens)
    joined = attention.qkv(tokens)
    if getattr(attention, "q_bias", None) is not None:  # EVA keeps them apart from the matrix
        joined = joined + torch.cat([attention.q_bias, attention.k_bias, attention.v_bias])
    q, k, v = joined.chunk(3, dim=-1)
    return q, k, v


def _open_clip(block: Any) -> Layer:  # noqa: ANN401
    attention = getattr(block, "attn", None)
    if not isinstance(attention, nn.MultiheadAttention) or attention.in_proj_weight is None:
        raise _other("its attention is not torch's own")
    if hasattr(block, "ln_attn") and not isinstance(block.ln_attn, nn.Identity):
        raise _other("a norm stands between its heads and what they add")
    count, width = attention.num_heads, attention.head_dim

    def project(tokens: Tensor, _: Rope) -> Heads:
        joined = nn.functional.linear(tokens, attention.in_proj_weight, attention.in_proj_bias)
        shape = (*tokens.shape[:-1], count, width)
        q, k, v = (part.reshape(shape).transpose(1, 2) for part in joined.chunk(3, -1))
        return q * width**-0.5, k, v

    def mlp(tokens: Tensor) -> Tensor:
        added: Tensor = block.ls_2(block.mlp(block.ln_2(tokens)))
        return added

    weight, bias = _scaled(attention.out_proj, _gain(block, "ls_1"))
    return Layer(project, block.ln_1, weight, bias, mlp)


def _gain(block: Any, *names: str) -> Tensor | None:  # noqa: ANN401
    """Return the LayerScale ``(d,)`` of a block under one of ``names``, None where it has none."""
    for name in names:
        found = getattr(block, name, None)
        if isinstance(found, Tensor):
            return found.detach()
        gamma = getattr(found, "gamma", None)
        if isinstance(gamma, Tensor):
            return gamma.detach()
    return None


def _scaled(layer: nn.Linear, gain: Tensor | None) -> tuple[Tensor, Tensor]:
    weight = layer.weight.detach().float()
    bias = weight.new_zeros(len(weight)) if layer.bias is None else layer.bias.detach().float()
    return (weight, bias) if gain is None else (weight * gain.float()[:, None], bias * gain.float())
