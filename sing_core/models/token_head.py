"""A linear head on the class token and the mean of the patch tokens, side by side (DINOv2)."""

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from sing_core.models.timm_surface import TimmNetwork


class TokenHead(nn.Module):
    """A headless transformer and a linear layer on ``[class token; mean patch token]``.

    It offers the part of timm's surface that ``Backbone`` uses. With ``e`` the width of a token
    and ``c`` classes, the feature is ``(n, 2 e)`` and the head ``(c, 2 e)``: the linear evaluation
    of DINOv2 (arXiv:2304.07193) on the last layer's tokens.

    Attributes:
        trunk: the transformer; its final norm is part of ``forward_features``.
        head: the linear layer.
    """

    def __init__(self, trunk: nn.Module, weight: Tensor, bias: Tensor) -> None:
        """Join ``trunk`` with a head of ``weight`` ``(c, 2 e)`` and ``bias`` ``(c,)``."""
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(weight.shape[1], weight.shape[0])
        self.head.load_state_dict({"weight": weight, "bias": bias})
        self.prefix_tokens = int(cast(Any, trunk).num_prefix_tokens)
        self.pretrained_cfg: dict[str, Any] = dict(cast(Any, trunk).pretrained_cfg)

    def forward_features(self, batch: Tensor) -> Tensor:
        """Return the tokens ``(n, t, e)``, the class token first."""
        return cast("TimmNetwork", self.trunk).forward_features(batch)

    def forward_head(self, features: Tensor, *, pre_logits: bool) -> Tensor:
        """Return ``(n, 2 e)`` of the tokens ``(n, t, e)``, or the logits ``(n, c)``."""
        patches = features[:, self.prefix_tokens :].mean(dim=1)
        joined = torch.cat([features[:, 0], patches], dim=1)
        if pre_logits:
            return joined
        logits: Tensor = self.head(joined)
        return logits

    def forward(self, batch: Tensor) -> Tensor:
        """Return the logits ``(n, c)``."""
        return self.forward_head(self.forward_features(batch), pre_logits=False)

    def get_classifier(self) -> nn.Module:
        """Return the linear layer."""
        return self.head
