"""What a rendered picture is, seen again: apart from the exact statement about features.

A picture only approximates the feature that was asked. It is read like any photo, by the classifier
and by the image-text reference, and what they find is reported beside it, never mixed with the
drift of the feature pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from sing_core.maths.scores import angle_deg
from sing_core.pictures.protocol import Frames

if TYPE_CHECKING:
    from sing_core.models.backbones import Backbone
    from sing_core.models.centred_reference import CentredReference
    from sing_core.models.references import Reference


@dataclass(frozen=True, slots=True)
class PictureAudit:
    """One picture, read again.

    Attributes:
        cosine: between the asked feature and the picture's, -1 to 1; ``angle_deg`` the same in
            degrees.
        max_logit_drift: largest absolute logit difference between the picture and the photo.
        top1: class index that the classifier names; ``agrees`` whether the photo's own is the same.
        prompt_cosine: between the reference's embeddings of the picture and of the prompt.
    """

    cosine: float
    angle_deg: float
    max_logit_drift: float
    top1: int
    agrees: bool
    prompt_cosine: float


def audit_pictures(
    frames: Frames,
    asked: Tensor,
    original: Tensor,
    backbone: "Backbone",
    reference: "Reference | CentredReference",
    text: Tensor,
) -> tuple[PictureAudit, ...]:
    """Read ``frames (n, h, w, 3)`` again, as photos are read.

    ``asked (n, m)`` are the features that were to be drawn, ``original (m,)`` the photo's feature,
    ``text (d,)`` the prompt's embedding in ``reference``.
    """
    pictures = [Image.fromarray(frame) for frame in frames]
    found = _features(pictures, backbone)
    logits, before = backbone.logits(found), backbone.logits(original)
    embedded = reference.embed_images(pictures)
    toward = torch.nn.functional.cosine_similarity(embedded, text[None].float(), dim=1)
    angles = angle_deg(found, asked)
    return tuple(
        PictureAudit(
            cosine=float(torch.cos(torch.deg2rad(angles[row]))),
            angle_deg=float(angles[row]),
            max_logit_drift=float((logits[row] - before).abs().max()),
            top1=int(logits[row].argmax()),
            agrees=int(logits[row].argmax()) == int(before.argmax()),
            prompt_cosine=float(toward[row]),
        )
        for row in range(len(pictures))
    )


def _features(pictures: Sequence[Image.Image], backbone: "Backbone") -> Tensor:
    return backbone.features(torch.stack([backbone.preprocess(picture) for picture in pictures]))
