"""A classifier as the inversion sees it: differentiable, at any size, shared and never changed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from sing_core.files.digests import content_key
from sing_core.pictures.inversion.folded import fold_batch_norms

if TYPE_CHECKING:
    from sing_core.models.backbones import Backbone
    from sing_core.models.timm_surface import TimmNetwork


@dataclass(frozen=True, slots=True, eq=False)
class Eye:
    """Pictures in [0, 1] -> features of one classifier, with gradients.

    Attributes:
        backbone: the classifier.
        mean: ``(3, 1, 1)`` and ``std`` ``(3, 1, 1)``: the normalisation that its weights expect.
        any_side: whether it also takes pictures of other sides than its own.
        network: the classifier's own, or the same without batch norms.
        fast: compute the trunk in bfloat16.
    """

    backbone: "Backbone"
    mean: Tensor
    std: Tensor
    any_side: bool
    network: nn.Module
    fast: bool

    @classmethod
    def of(cls, backbone: "Backbone", *, fast: bool) -> "Eye":
        """Look through ``backbone``; ``fast`` computes in bfloat16."""
        sight = backbone.sight
        mean, std = (
            torch.tensor(values, device=backbone.device).view(3, 1, 1)
            for values in (sight.mean, sight.std)
        )
        device, network = backbone.device, backbone.network
        any_side = _takes(network, sight.side // 2, device)
        example = torch.rand(
            1, 3, sight.side, sight.side, generator=torch.Generator().manual_seed(0)
        )
        folded = fold_batch_norms(network, example.to(device))
        return cls(backbone, mean, std, any_side, folded, fast)

    @property
    def identity(self) -> str:
        """Digest of the weights and of the arithmetic."""
        return sight_of(self.backbone.weights_digest, self.backbone.device, fast=self.fast)

    def features(self, pictures: Tensor) -> Tensor:
        """Return ``(n, m)`` float32 features of ``pictures (n, 3, s, s)``; gradients flow."""
        batch = (pictures - self.mean) / self.std
        network = cast("TimmNetwork", self.network)
        kind = torch.device(self.backbone.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=self.fast):
            trunk = network.forward_features(batch.contiguous(memory_format=torch.channels_last))
            pooled = network.forward_head(trunk, pre_logits=True)
        return pooled.flatten(1).float()


def _takes(network: nn.Module, side: int, device: str) -> bool:
    """Whether the network takes pictures of ``side``; transformers with fixed positions do not."""
    try:
        with torch.inference_mode():
            network(torch.zeros(1, 3, side, side, device=device))
    except (AssertionError, RuntimeError, ValueError):
        return False
    return True


def sight_of(weights_digest: str, device: str, *, fast: bool) -> str:
    """Return the identity of an eye without the network that it looks through."""
    return content_key(weights_digest, str(fast), device)


def space_of(model: str, weights_digest: str) -> str:
    """Return the id of the space in which a classifier's features lie."""
    return f"features-of-{model}-{weights_digest[:16]}"
