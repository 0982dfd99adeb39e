"""A transformer as the sum that it is: how tokens begin, its layers, how the output reads them."""

import sys
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import timm
import torch
from timm.layers import resample_abs_pos_embed
from timm.models import model_entrypoint
from torch import Tensor, nn

from sing_core.errors import UnitsError
from sing_core.models.backbones import Backbone
from sing_core.models.centred_reference import CentredReference
from sing_core.models.references import Reference
from sing_core.models.registry import find_reference
from sing_core.models.token_head import TokenHead
from sing_core.models.workbench import Workbench
from sing_core.units.blocks import Layer, Rope, layer_of

Start = Callable[[Tensor], tuple[Tensor, Sequence[Rope]]]


@dataclass(frozen=True, slots=True, eq=False)
class Readout:
    """How the output reads the last tokens: pooled, normed, projected.

    Attributes:
        whole: tokens are averaged; False where the class token alone is read.
        norm_first: each token is normed before they are averaged.
        gain: ``(d,)`` of the last LayerNorm, float32; ``shift`` ``(d,)``; ``eps`` added to its
            variance.
        weight: ``(o, d)`` projection into the output; None where the output is what was normed.
        bias: ``(o,)`` of it.
        first: of averaged tokens, the first that is read: those of patches without what stands
            before them, or all.
    """

    whole: bool
    norm_first: bool
    gain: Tensor
    shift: Tensor
    eps: float
    weight: Tensor | None = None
    bias: Tensor | None = None
    first: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Tower:
    """A network that can be taken apart. ``t`` tokens, ``d`` wide; the output has ``o`` entries.

    Attributes:
        name: of the classifier or reference it belongs to.
        identity: of its weights.
        begin: images ``(n, 3, h, w)`` to tokens ``(n, t, d)`` and the turn of each layer.
        layers: from the first to the last.
        heads: in every layer; ``width`` of one of them.
        prefix: tokens before those of patches, the class token first.
        readout: how the output is read.
        output: images to the network's own output ``(n, o)``: what the units must add up to.
        device: where it runs.
    """

    name: str
    identity: str
    begin: Start
    layers: tuple[Layer, ...]
    heads: int
    width: int
    prefix: int
    readout: Readout
    output: Callable[[Tensor], Tensor]
    device: str

    @property
    def unit_names(self) -> tuple[str, ...]:
        """Names of the units: the embedding, each head ``L0.H0``, each MLP ``L0.MLP``."""
        count = len(self.layers)
        heads = [f"L{layer}.H{head}" for layer in range(count) for head in range(self.heads)]
        return ("embedding", *heads, *(f"L{layer}.MLP" for layer in range(count)))


def tower_of(network: Backbone | Reference | CentredReference, side: int | None = None) -> Tower:
    """Return a classifier, or the image side of a reference, as a tower.

    A classifier's output is its feature, a reference's its raw embedding. ``side`` shows it
    squares of so many pixels (see ``finer``).

    Raises:
        UnitsError: it is no transformer whose output is a sum of units, or cannot see ``side``.
    """
    if isinstance(network, Backbone):
        if side is not None:
            _check_transformer(network.network, network.name)
            network = replace(network, network=finer(network.network, side))
        return _timm_tower(
            network.network, network.name, network.weights_digest, network.features, network.device
        )
    raw = network.raw if isinstance(network, CentredReference) else network
    visual = raw.model.visual
    if not hasattr(visual, "trunk"):
        if side is not None:
            raise UnitsError(f"{raw.name} sees squares of one size alone.")
        return _open_clip_tower(raw)
    _check_transformer(visual.trunk, raw.name)
    trunk = visual.trunk if side is None else finer(visual.trunk, side)

    def output(batch: Tensor) -> Tensor:
        with torch.inference_mode():
            found: Tensor = visual.head(trunk(batch.to(raw.device)))
        return found.float().cpu().clone()

    return _timm_tower(trunk, raw.name, raw.space_id, output, raw.device, _projection(visual))


def finer(network: nn.Module, side: int) -> nn.Module:
    """Return a timm ViT that sees squares of ``side`` pixels, its table of positions resampled.

    The weights are shared with ``network``, which stays as it is. What it says of a photo is no
    longer what the network says: tokens are smaller than those it was trained on.

    Raises:
        UnitsError: it has no table of positions, or ``side`` is no whole number of patches.
    """
    parts: Any = network
    table, patch = getattr(parts, "pos_embed", None), parts.patch_embed.patch_size[0]
    if table is None or getattr(parts, "rope", None) is not None or side % patch or side <= 0:
        raise UnitsError(f"This network cannot be shown squares of {side} pixels.")
    grid = side // patch
    prefix = 0 if parts.no_embed_class else parts.num_prefix_tokens
    seen: Any = copy(parts)
    seen._parameters, seen._modules = dict(parts._parameters), dict(parts._modules)
    seen.patch_embed = copy(parts.patch_embed)
    seen.patch_embed.img_size, seen.patch_embed.grid_size = (side, side), (grid, grid)
    seen.patch_embed.num_patches = grid * grid
    with torch.inference_mode(mode=False):
        resampled = resample_abs_pos_embed(table.detach(), [grid, grid], num_prefix_tokens=prefix)
    seen.pos_embed = nn.Parameter(resampled.clone(), requires_grad=False)
    whole: nn.Module = seen
    return whole


def is_transformer(network: nn.Module) -> bool:
    """Return whether a timm network looks as if it could be taken apart; ``tower_of`` decides."""
    return all(hasattr(network, part) for part in ("blocks", "_pos_embed", "global_pool"))


def is_called_transformer(architecture: str) -> bool:
    """Return what ``is_transformer`` says of timm's ``architecture``, with or without a tag.

    No network is made: timm keeps the classes of a family of architectures in one file.
    """
    if not timm.is_model(architecture):
        return False
    family = vars(sys.modules[model_entrypoint(architecture).__module__]).values()
    classes = [kind for kind in family if isinstance(kind, type) and issubclass(kind, nn.Module)]
    return any(hasattr(kind, "_pos_embed") for kind in classes)


def is_additive(bench: Workbench, reference: str) -> bool:
    """Return whether a reference's image side can be taken apart; of a typed one, loading it.

    Raises:
        SingError: a reference that is not in the table cannot be loaded.
    """
    row = find_reference(reference, bench.settings)
    if row is not None:
        return row.is_additive
    try:
        tower_of(bench.pool.raw_reference(reference))
    except UnitsError:
        return False
    return True


def _check_transformer(network: nn.Module, name: str) -> None:
    if isinstance(network, TokenHead):
        raise UnitsError(
            f"{name} reads the class token and the mean of the patch tokens side by side. Each "
            "would be a sum of heads and MLPs under a scale of its own; here one of them alone can "
            "be taken apart. Take the same network with a head on the class token, or on the mean "
            "of its patch tokens."
        )
    if not is_transformer(network):
        raise UnitsError(
            f"{name} is no plain transformer: only a residual stream that is never cut by a ReLU "
            "or pooled half way is a sum of heads and MLPs. vits and mini-vit are."
        )


def _timm_tower(
    network: nn.Module,
    name: str,
    identity: str,
    output: Callable[[Tensor], Tensor],
    device: str,
    projection: nn.Linear | None = None,
) -> Tower:
    _check_transformer(network, name)
    parts: Any = network
    prefix = int(parts.num_prefix_tokens)
    layers = tuple(layer_of(block, prefix) for block in parts.blocks)

    def begin(batch: Tensor) -> tuple[Tensor, Sequence[Rope]]:
        placed = parts._pos_embed(parts.patch_embed(batch))
        tokens, turn = placed if isinstance(placed, tuple) else (placed, None)
        per_layer = getattr(parts, "rope_mixed", False) and turn is not None
        turns = list(turn) if per_layer else [turn] * len(layers)
        return parts.norm_pre(tokens), turns

    attention: Any = parts.blocks[0].attn
    readout = _timm_readout(parts, name, projection)
    return Tower(
        name, identity, begin, layers, attention.num_heads, attention.head_dim, prefix, readout,
        output, device,
    )  # fmt: skip


def _timm_readout(parts: Any, name: str, projection: nn.Linear | None) -> Readout:  # noqa: ANN401
    norms = [parts.norm, parts.fc_norm]
    real = [norm for norm in norms if not isinstance(norm, nn.Identity)]
    if len(real) != 1 or getattr(parts, "attn_pool", None) is not None:
        raise _pooled(name, "by an attention, or through two norms, of its own")
    if parts.global_pool not in ("token", "avg"):
        raise _pooled(name, f"by “{parts.global_pool}”")
    first = 0 if getattr(parts, "pool_include_prefix", False) else int(parts.num_prefix_tokens)
    whole = parts.global_pool == "avg"
    plain = _readout(real[0], whole, real[0] is parts.norm, name, projection)
    return replace(plain, first=first)


def _pooled(name: str, how: str) -> UnitsError:
    return UnitsError(
        f"{name} reads its last tokens {how}: what a head or an MLP wrote is not carried into the "
        "output as it is, so there is no share of it. Transformers that read the class token or "
        "the mean of their tokens can be taken apart."
    )


def _readout(
    norm: nn.Module, whole: bool, norm_first: bool, name: str, projection: nn.Linear | None = None
) -> Readout:
    if not isinstance(norm, nn.LayerNorm) or norm.weight is None:
        raise UnitsError(f"The last norm of {name} is {type(norm).__name__}, not a LayerNorm.")
    gain = norm.weight.detach().float()
    shift = torch.zeros_like(gain) if norm.bias is None else norm.bias.detach().float()
    if projection is None:
        return Readout(whole, norm_first, gain, shift, norm.eps)
    weight = projection.weight.detach().float()
    bias = None if projection.bias is None else projection.bias.detach().float()
    return Readout(whole, norm_first, gain, shift, norm.eps, weight, bias)


def _projection(visual: Any) -> nn.Linear | None:  # noqa: ANN401
    """Return the linear layer between timm's pooled feature and open_clip's embedding.

    It is the trunk's own head, or stands after the trunk.
    """
    passing = (nn.Sequential, nn.Dropout, nn.Identity)
    parts = (visual.trunk.head, *visual.head.modules())
    layers = [part for part in parts if not isinstance(part, passing)]
    if not layers:
        return None
    if len(layers) != 1 or not isinstance(layers[0], nn.Linear):
        raise UnitsError("The projection of this reference is not linear: its output is no sum.")
    return layers[0]


def _open_clip_tower(reference: Reference) -> Tower:
    visual: Any = reference.model.visual
    name = reference.name
    if not hasattr(visual, "transformer") or visual.attn_pool is not None:
        raise UnitsError(f"The image side of {name} is no transformer that could be taken apart.")
    blocks = visual.transformer.resblocks
    layers = tuple(layer_of(block, 1) for block in blocks)
    whole = visual.pool_type == "avg"
    if visual.pool_type not in ("tok", "avg"):
        raise _pooled(name, f"by “{visual.pool_type}”")
    plain = _readout(visual.ln_post, whole, not visual.final_ln_after_pool, name)
    weight = None if visual.proj is None else visual.proj.detach().float().mT.contiguous()
    readout = replace(plain, weight=weight, first=1)

    def begin(batch: Tensor) -> tuple[Tensor, Sequence[Rope]]:
        return visual._embeds(batch), [None] * len(layers)

    attention = blocks[0].attn
    return Tower(
        name, reference.space_id, begin, layers, attention.num_heads, attention.head_dim, 1,
        readout, reference.embed_batch, reference.device,
    )  # fmt: skip
