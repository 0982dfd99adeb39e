"""Pictures of token maps: the photo in grey, what adds in orange, what takes away in blue."""

from typing import Literal

import torch
from PIL import Image
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from sing_core.files.images import picture_url
from sing_core.units.tokens import enlarged

SIDE_PX = 336
_ADDS, _TAKES = (0.90, 0.38, 0.0), (0.0, 0.45, 0.74)
_GREY = (0.30, 0.59, 0.11)
_STRONGEST = 0.85


def picture_of(pixels: Tensor) -> str:
    """Return ``pixels`` ``(3, h, w)`` from 0 to 1, as large as they are shown, as a data URL."""
    plain = (pixels * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    large = Image.fromarray(plain).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC)
    return picture_url(large)


def show(
    place: DeltaGenerator, picture: str, caption: str, width: Literal["stretch"] | int = SIDE_PX
) -> None:
    """Draw a picture over its caption, which is also what it says to who does not see it.

    The caption is one of text: that of an image is too pale to read.
    """
    place.image(picture, width=width, alt=caption)
    place.caption(caption)


def overlay(pixels: Tensor, heat: Tensor, most: float) -> str:
    """Return ``heat`` ``(rows, columns)`` over the photo; ``most`` is full colour."""
    size = (pixels.shape[2], pixels.shape[1])
    wide = enlarged(heat, size).float() / max(most, 1e-12)
    grey = torch.einsum("c,chw->hw", torch.tensor(_GREY), pixels.float())[None]
    strength = (wide.abs().clamp(0, 1) * _STRONGEST)[None]
    adds, takes = (torch.tensor(colour)[:, None, None] for colour in (_ADDS, _TAKES))
    colour = torch.where(wide[None] > 0, adds, takes)
    return picture_of((1 - strength) * grey + strength * colour)


def cut_out(pixels: Tensor, front: Tensor) -> Image.Image:
    """Return ``pixels`` ``(3, h, w)`` with all that is not ``front`` ``(h, w)`` pale and grey."""
    grey = torch.einsum("c,chw->hw", torch.tensor(_GREY), pixels)[None].expand_as(pixels)
    return Image.fromarray(
        (torch.where(front[None], pixels, 0.25 * grey + 0.75) * 255)
        .round().to(torch.uint8).permute(1, 2, 0).numpy()
    )  # fmt: skip
