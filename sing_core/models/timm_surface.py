"""The part of timm's uniform surface that is used here."""

from typing import Protocol

from torch import Tensor, nn


class TimmNetwork(Protocol):
    """The part of timm's uniform surface that is used here."""

    def __call__(self, batch: Tensor) -> Tensor:
        """Return logits ``(n, c)``."""

    def forward_features(self, batch: Tensor) -> Tensor:
        """Return the unpooled features."""

    def forward_head(self, features: Tensor, *, pre_logits: bool) -> Tensor:
        """Return the pooled features, or logits."""

    def get_classifier(self) -> nn.Module:
        """Return the last layer."""
