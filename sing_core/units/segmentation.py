"""What stands in the foreground, from token maps alone: zero-shot segmentation and its rivals.

The seed's protocol (arXiv:2310.05916, section 2.5): the map of the predicted class, less that of
the average class; enlarged bilinearly, then clipped at 0, then stretched from 0 to 1; foreground is
what exceeds the map's mean. ``route`` says which text is meant by "the predicted class".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

import torch
from PIL import Image
from torch import Tensor, nn

from sing_core.models.workbench import Workbench
from sing_core.units.inside import Inside, open_inside
from sing_core.units.tokens import PhotoUnits, enlarged, look_inside, stretched, token_map

# Tokens of 14 pixels on squares of 224: a grid of 16 x 16 where the networks that ship have 8 x 8.
SIDE = 224
Route = Literal["likely", "class"]


@dataclass(frozen=True, slots=True, eq=False)
class Foreground:
    """What a network takes for the foreground of a photo.

    Attributes:
        label: the class that it reads.
        heat: ``(rows, columns)`` what the patches add along it beyond the average class, as shares
            of a cosine; of either sign.
    """

    label: str
    heat: Tensor

    def picture(self, size: tuple[int, int]) -> tuple[Tensor, float]:
        """Return the map ``(h, w)`` of a photo of ``size`` (w, h), from 0 to 1, and its mean.

        It reaches both ends, unless no pixel speaks for the class: then it is 0 throughout.
        """
        smooth = _spread(enlarged(self.heat, size).clamp_min(0))
        return smooth, float(smooth.mean())


def foreground(photo: PhotoUnits, probabilities: Tensor, route: Route = "likely") -> Foreground:
    """Return the foreground of a photo by the classes that its network reads.

    ``probabilities`` ``(c,)`` are those of the photo as the network was trained to see it, while
    ``photo`` may have finer tokens. ``likely`` asks for all classes, as likely as they are held to
    be; ``class`` for the first alone, as the seed does.
    """
    rows = photo.inside.classifier.linear.weight.double()
    wide = probabilities.double()
    best = int(wide.argmax())
    wanted = rows[best] if route == "class" else wide @ rows
    heat = token_map(photo, wanted - rows.mean(dim=0)).heat
    return Foreground(photo.inside.labels[best], heat)


@dataclass(frozen=True, slots=True, eq=False)
class Segmenter:
    """A network twice: as it was trained to see photos, and with finer tokens; one set of weights.

    Attributes:
        plain: reads the classes.
        fine: gives the map.
    """

    plain: Inside
    fine: Inside

    @classmethod
    def open(cls, bench: Workbench, reference: str, model: str = "") -> Self:
        """Open a classifier by its name, or, without one, the reference's own image side.

        Raises:
            SingError: see ``open_inside``.
        """
        plain = open_inside(bench, reference, model)
        return cls(plain, open_inside(bench, reference, model, side=SIDE))

    def foreground(self, photo: Image.Image, route: Route = "likely") -> Foreground:
        """Return the foreground of an RGB photo."""
        output = self.plain.tower.output(self.plain.prepare(photo)[None])[0]
        probabilities = self.plain.logits(output).softmax(dim=0)
        return foreground(look_inside(self.fine, photo), probabilities, route)


def raw_attention(photo: PhotoUnits) -> Tensor:
    """Return the attention of the output to each patch in the last layer, mean over heads."""
    return _on_grid(photo, photo.parts.rows[0, -1].mean(dim=0))


def rollout(photo: PhotoUnits, attention: Tensor) -> Tensor:
    """Return attention rolled out over layers: the product of ``(mean over heads + I) / 2``.

    ``attention`` is ``(L, t, t)``, the mean over heads (``Abnar & Zuidema 2020``).
    """
    eye = torch.eye(attention.shape[-1], dtype=attention.dtype)
    joint = eye
    for layer in attention:
        joint = (layer + eye) / 2 @ joint
    return _on_grid(photo, joint[0])


def _on_grid(photo: PhotoUnits, row: Tensor) -> Tensor:
    return row[photo.inside.tower.prefix :].reshape(photo.grid)


def grad_cam(network: nn.Module, batch: Tensor, row: Callable[[Tensor], Tensor]) -> Tensor:
    """Return Grad-CAM on the last block's tokens ``(t,)`` for what ``row`` makes of the output.

    ``network`` is a timm ViT whose class token alone is read; ``batch`` ``(1, 3, h, w)``. The
    gradient is taken at the input of the last block (after it, patches have none).
    """
    parts = cast(Any, network)
    with torch.inference_mode(mode=False), torch.enable_grad():
        tokens = parts.norm_pre(parts._pos_embed(parts.patch_embed(batch.clone())))
        for block in parts.blocks[:-1]:
            tokens = block(tokens)
        last = tokens.detach().requires_grad_(True)
        output = parts.forward_head(parts.norm(parts.blocks[-1](last)), pre_logits=True)
        (slope,) = torch.autograd.grad(row(output[0]), last)
    weights = slope[0, parts.num_prefix_tokens :].mean(dim=0)
    patches: Tensor = (last.detach()[0, parts.num_prefix_tokens :] @ weights).clamp_min(0)
    return patches


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a map cuts one photo beside a mask: pixels, by what they are and were taken for.

    Attributes:
        both: foreground in mask and map; ``neither`` background in both.
        missed: foreground that the map leaves out; ``extra`` background that it takes in.
    """

    both: int
    neither: int
    missed: int
    extra: int


def agreement(heat: Tensor, mask: Tensor) -> Agreement:
    """Return how a map ``(rows, columns)``, enlarged, agrees with a ``mask`` ``(h, w)``.

    What exceeds its mean is foreground. A map of the mask's own size is taken as it is.
    """
    smooth = _spread(enlarged(heat, (mask.shape[1], mask.shape[0])))
    taken = smooth > smooth.mean()
    both, extra = int((taken & mask).sum()), int((taken & ~mask).sum())
    missed = int((~taken & mask).sum())
    return Agreement(both, mask.numel() - both - extra - missed, missed, extra)


def measures(rows: Sequence[Agreement]) -> tuple[float, float]:
    """Return pixel accuracy and mIoU over foreground and background, all pixels of all photos."""
    both, neither = sum(r.both for r in rows), sum(r.neither for r in rows)
    wrong = sum(r.missed + r.extra for r in rows)
    accuracy = (both + neither) / max(both + neither + wrong, 1)
    front, back = both / max(both + wrong, 1), neither / max(neither + wrong, 1)
    return accuracy, (front + back) / 2


def average_precision(heat: Tensor, mask: Tensor) -> float:
    """Return the average precision of a map ``(rows, columns)`` beside a ``mask`` ``(h, w)``.

    Every pixel is asked twice, as the protocol does: the map, from 0 to 1, is its score as
    foreground, and one minus the map its score as background. Equal scores are drawn at once.
    """
    smooth = _spread(enlarged(heat, (mask.shape[1], mask.shape[0]))).flatten()
    scores = torch.cat([1 - smooth, smooth])
    scores, order = scores.sort(descending=True)
    found = torch.cat([~mask.flatten(), mask.flatten()])[order].cumsum(dim=0).double()
    last = torch.cat([scores[1:] != scores[:-1], torch.ones(1, dtype=torch.bool)])
    drawn = torch.arange(1, len(scores) + 1)[last]
    found = found[last]
    gained = torch.diff(found, prepend=found.new_zeros(1))
    return float((gained * found / drawn).sum() / mask.numel())


def _spread(smooth: Tensor) -> Tensor:
    """Return a map from 0 to 1; zeros where all its pixels are one number but for rounding."""
    low, high = torch.aminmax(smooth)
    same = float(high - low) <= 1e-12 * float(smooth.abs().max())
    return torch.zeros_like(smooth) if same else stretched(smooth)
