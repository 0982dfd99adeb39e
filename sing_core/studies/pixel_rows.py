"""What is measured of pictures that were found near a photo, and who is asked about them.

The classifier itself, the translator, the reference's own image tower, and another classifier.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sing_core.maths.scores import attribute_score_deg, image_score_deg
from sing_core.maths.unseen import unseen_by
from sing_core.studies.heads import class_names

if TYPE_CHECKING:
    from sing_core.maths.linear_head import LinearHead
    from sing_core.maths.pixel_search import PixelBall
    from sing_core.maths.translator import Translator
    from sing_core.models.backbones import Backbone
    from sing_core.models.workbench import Workbench
    from sing_core.studies.subject import Subject

PROMPT, RANDOM, NOISE = "the prompt", "random directions", "noise"


@dataclass(frozen=True, slots=True)
class PixelRow:
    """What was reached within one radius; means over the pictures of a control.

    Attributes:
        toward: ``PROMPT``, ``RANDOM`` or ``NOISE``; ``radius`` in levels of 255.
        along: how far the feature moved along the direction, feature-norm units; of noise along
            that of the prompt. ``share_of_step`` is that, as a share of the step ε asked.
        null_share: of ``|f' - f|^2``, what lies in the null space; None where nothing moved.
        image_score_deg: angle of the translated feature to that of the photo;
            ``attribute_score_deg`` by how much it comes nearer to the prompt;
            ``null_attribute_score_deg`` the same of the null part of the movement alone.
        reference_attribute_score_deg: AS as the reference's own image tower sees the picture.
        logit_drift: largest change of a logit; ``logit_change`` that as a share of the largest.
        top1_changed: share of the pictures whose likeliest class is another one.
        other_logit_change: the largest change of a logit of the other classifier, as a share of
            its largest; ``other_top1_changed``, ``other_image_score_deg`` likewise.
        n: pictures.
    """

    toward: str
    radius: int
    along: float
    share_of_step: float
    null_share: float | None
    image_score_deg: float
    attribute_score_deg: float
    null_attribute_score_deg: float
    reference_attribute_score_deg: float
    logit_drift: float
    logit_change: float
    top1_changed: float
    other_logit_change: float
    other_top1_changed: float
    other_image_score_deg: float
    n: int

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, eq=False)
class Onlooker:
    """Another classifier that is shown the same pictures, at its own size.

    Attributes:
        name: whose; ``labels`` its classes.
        backbone: sees; ``linear`` decides; ``translator`` the fit that did not see the photo.
    """

    name: str
    backbone: "Backbone"
    linear: "LinearHead"
    labels: tuple[str, ...]
    translator: "Translator"

    @classmethod
    def of(cls, bench: "Workbench", name: str, subject: "Subject") -> "Onlooker":
        """Let the classifier ``name`` look on.

        Raises:
            SingError: it, or its translator, cannot be had.
        """
        fit = bench.translator(name, subject.question.reference)
        return cls(
            name,
            bench.pool.backbone(name),
            bench.classifier(name).linear,
            class_names(bench, name),
            unseen_by(fit, subject.photo.digest),
        )

    def features(self, images: list[Image.Image]) -> Tensor:
        """Return ``(n, m)`` float32 features of square pictures, scaled to its own input."""
        side = self.backbone.sight.side
        shown = [image.resize((side, side), Image.Resampling.BICUBIC) for image in images]
        with torch.no_grad():
            return self.backbone.sees(torch.stack([levels_of(image) for image in shown])).cpu()

    def top1(self, image: Image.Image) -> str:
        """Return its likeliest class of one picture."""
        return self.labels[int(self.linear.logits(self.features([image]))[0].argmax())]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A photo, its feature, and everybody who is asked about pictures near it.

    Attributes:
        bench: has the reference.
        subject: the question, resolved; ``ball`` the photo as the classifier is shown it.
        other: who looks on; ``epsilon`` the step that is asked.
    """

    bench: "Workbench"
    subject: "Subject"
    ball: "PixelBall"
    other: Onlooker
    epsilon: float

    def row(self, toward: str, radius: int, pictures: Tensor, directions: Tensor) -> PixelRow:
        """Return what ``pictures`` ``(n, 3, h, w)`` in levels reach along ``directions``.

        ``directions`` are ``(n, m)``, or one for all, of any length.

        Raises:
            ZeroVectorError: a translated feature is zero.
            SingError: the reference cannot be loaded.
        """
        before = self.ball.features.cpu()
        with torch.no_grad():
            seen = torch.cat([self.ball.sees(one[None]).cpu() for one in pictures])
        moved = (seen - before).double()
        units = torch.nn.functional.normalize(directions.double(), dim=1)
        along = float((moved * units).sum(dim=1).mean())
        images = [image_of(self.ball.picture), *(image_of(one) for one in pictures)]
        share, meant = self._meaning(before, moved, images)
        return PixelRow(
            toward=toward,
            radius=radius,
            along=along,
            share_of_step=along / self.epsilon,
            null_share=share,
            **meant,
            **_decisions(self.subject.classifier.linear, before, seen),
            **self._noticed(images),
            n=len(pictures),
        )

    def _meaning(
        self, before: Tensor, moved: Tensor, images: list[Image.Image]
    ) -> tuple[float | None, dict[str, float]]:
        """Return the null share of features that ``moved`` ``(n, m)``, and what they mean."""
        subject = self.subject
        inside = subject.classifier.linear.head.null_part(moved)
        length = moved.square().sum(dim=1)
        share = (inside.square().sum(dim=1) / length.clamp_min(1e-300))[length > 0]
        z, text = subject.translator.apply(before), subject.text
        after, hidden = (subject.translator.apply(before + part) for part in (moved, inside))
        own = self.bench.pool.reference(subject.question.reference).embed_images(images)
        return float(share.mean()) if len(share) else None, {
            "image_score_deg": float(image_score_deg(z, after).mean()),
            "attribute_score_deg": float(attribute_score_deg(z, after, text).mean()),
            "null_attribute_score_deg": float(attribute_score_deg(z, hidden, text).mean()),
            "reference_attribute_score_deg": float(
                attribute_score_deg(own[0], own[1:], text).mean()
            ),
        }

    def _noticed(self, images: list[Image.Image]) -> dict[str, float]:
        other = self.other
        seen = other.features(images)
        before, after = seen[:1], seen[1:]
        told = _decisions(other.linear, before[0], after)
        z = [other.translator.apply(part) for part in (before, after)]
        return {
            "other_logit_change": told["logit_change"],
            "other_top1_changed": told["top1_changed"],
            "other_image_score_deg": float(image_score_deg(*z).mean()),
        }


def _decisions(linear: "LinearHead", before: Tensor, after: Tensor) -> dict[str, float]:
    """Return how the logits of ``after`` ``(n, m)`` differ from those of ``before`` ``(m,)``."""
    logits, changed = linear.logits(before), linear.logits(after)
    drift = (changed - logits).abs().amax(dim=1)
    return {
        "logit_drift": float(drift.mean()),
        "logit_change": float(drift.mean() / logits.abs().max().clamp_min(1e-30)),
        "top1_changed": float((changed.argmax(dim=1) != logits.argmax()).double().mean()),
    }


def image_of(levels: Tensor) -> Image.Image:
    """Return ``levels`` ``(3, h, w)`` as a picture."""
    return Image.fromarray(levels.permute(1, 2, 0).byte().cpu().numpy())


def levels_of(image: Image.Image) -> Tensor:
    """Return a picture as ``(3, h, w)`` float32 levels from 0 to 255."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
