"""What a network sees in pictures: the deciding class, its logits, and the prompt's place.

A picture is read like any photo. Whoever reads may be the classifier that it was drawn through, or
a network that took no part in the drawing: only the latter says something about the picture.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from sing_core.maths.head_variants import HeadVariant
from sing_core.maths.scores import angle_table
from sing_core.models.head_classes import names_of
from sing_core.pictures.protocol import Frames

if TYPE_CHECKING:
    from sing_core.models.workbench import Workbench

_SAME_DEG = 1e-6


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for in pictures.

    Attributes:
        variant: which classes decide.
        reference: image-text space in which the prompt is placed.
        prompt: the text target.
    """

    variant: HeadVariant
    reference: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One picture, read by one network.

    Attributes:
        label: the deciding class that it names; ``index`` its number in the whole head.
        probability: among the deciding classes, 0 to 1.
        logits: of the deciding classes.
        prompt_rank: place of the prompt among all concepts, 1 is nearest; as the network's
            translator sees it.
    """

    label: str
    index: int
    probability: float
    logits: tuple[float, ...]
    prompt_rank: int

    @property
    def gap(self) -> float:
        """How far the named class lies before the next, in logits."""
        first, second = sorted(self.logits, reverse=True)[:2]
        return first - second


def rank_of(embeddings: Tensor, text: Tensor, concepts: Tensor) -> Tensor:
    """Return the place of ``text (d,)`` among ``concepts (k, d)``, seen from ``embeddings (n, d)``.

    1 is nearest: none of the concepts is nearer. The text itself, if it is one of them, does not
    count against it.
    """
    own = angle_table(embeddings, text[None])
    others = angle_table(embeddings, concepts)
    # The same text through another product may differ by rounding: it is not in its own way.
    return 1 + (others < own - _SAME_DEG).sum(dim=1)


def read_pictures(
    bench: "Workbench", model: str, frames: Frames, asked: Asked
) -> tuple[Reading, ...]:
    """Read ``frames (n, h, w, 3)`` with the classifier ``model``.

    Raises:
        SingError: the classifier or its translator cannot be loaded.
    """
    backbone = bench.pool.backbone(model)
    pictures = [backbone.preprocess(Image.fromarray(frame)) for frame in frames]
    features = backbone.features(torch.stack(pictures))
    vocabulary = bench.vocabulary(asked.reference)
    text = bench.text_embedding(asked.reference, asked.prompt, vocabulary)
    translated = bench.translator(model, asked.reference).apply(features)
    ranks = rank_of(translated, text, vocabulary.embeddings).tolist()
    return read_features(bench, model, asked, features, ranks)


def read_by_reference(bench: "Workbench", frames: Frames, asked: Asked) -> tuple[int, ...]:
    """Return the prompt's place for each frame, as the reference's own image tower sees it.

    Raises:
        SingError: the reference cannot be loaded.
    """
    vocabulary = bench.vocabulary(asked.reference)
    text = bench.text_embedding(asked.reference, asked.prompt, vocabulary)
    tower = bench.pool.reference(asked.reference)
    embedded = tower.embed_images([Image.fromarray(frame) for frame in frames])
    return tuple(rank_of(embedded, text, vocabulary.embeddings).tolist())


def read_features(
    bench: "Workbench", model: str, asked: Asked, features: Tensor, ranks: list[int]
) -> tuple[Reading, ...]:
    """Return what the deciding head of ``model`` says of ``features (n, m)``.

    ``ranks`` are the prompt's places for each of them.

    Raises:
        SingError: the classifier cannot be loaded, or has no such head.
    """
    deciding = bench.deciding(model, asked.variant)
    names = names_of(bench.classifier(model))
    readings = []
    for logits, rank in zip(deciding.linear.logits(features).double(), ranks, strict=True):
        best = int(logits.argmax())
        index = deciding.classes[best] if deciding.classes else best
        readings.append(
            Reading(
                label=names[index],
                index=index,
                probability=float(logits.softmax(dim=0)[best]),
                logits=tuple(logits.tolist()),
                prompt_rank=rank,
            )
        )
    return tuple(readings)
