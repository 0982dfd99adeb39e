"""The two halves of the restored ViT: blocks that stay as they are, and blocks that are trained."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from sing_core.models.focus_vit import ARCHITECTURE, SIZE
from sing_core.models.restored_vit import FROZEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from timm.models.vision_transformer import VisionTransformer

CLASSES = 1000
WIDTH = 384
TEACHER_WIDTH = 1280


def _network(weights: Mapping[str, Tensor], drop_path: float = 0.0) -> "VisionTransformer":
    import timm

    network: Any = timm.create_model(ARCHITECTURE, img_size=SIZE, drop_path_rate=drop_path)
    network.load_state_dict(weights)
    # On processors the fused attention's backward pass takes a third of a step; matrix products
    # take a tenth.
    for block in network.blocks:
        block.attn.fused_attn = False
    return cast("VisionTransformer", network)


def lower_half(weights: Mapping[str, Tensor]) -> "Callable[[Tensor], Tensor]":
    """Return what maps pictures ``(n, 3, SIZE, SIZE)`` to tokens ``(n, 1 + patches, 384)``."""
    network = _network(weights).eval()

    def run(pictures: Tensor) -> Tensor:
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            tokens: Tensor = network.norm_pre(network._pos_embed(network.patch_embed(pictures)))
            for block in network.blocks[:FROZEN]:
                tokens = block(tokens)
        return tokens.float().clone()

    return run


class Student(nn.Module):
    """Upper blocks with a linear head over the classes and a guide towards lite2's features."""

    def __init__(self, weights: Mapping[str, Tensor], drop_path: float = 0.0) -> None:
        """Start from the package's ``weights``; the two linear layers start at random."""
        super().__init__()
        network = _network(weights, drop_path)
        self.blocks = network.blocks[FROZEN:]
        self.norm = network.norm
        self.head = nn.Linear(WIDTH, CLASSES)
        self.guide = nn.Linear(WIDTH, TEACHER_WIDTH)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    def features(self, tokens: Tensor) -> Tensor:
        """Return the class token after the last norm, ``(n, 384)``."""
        for block in self.blocks:
            tokens = block(tokens)
        features: Tensor = self.norm(tokens[:, 0])
        return features

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits ``(n, 1000)`` and guessed features of lite2 ``(n, 1280)``."""
        features = self.features(tokens)
        return self.head(features), self.guide(features)
