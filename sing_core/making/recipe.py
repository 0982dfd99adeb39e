"""What decides the heads of ``mini``: the recipe, and everything that is said in training."""

from dataclasses import dataclass, replace

from torch import Tensor

from sing_core.making.geometry import Texts
from sing_core.making.kin import Kin


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the outcome besides the data.

    Attributes:
        joint: optimiser steps in which both heads learn; ``batch`` rows each.
        alone: steps after them in which the image head alone learns, beside the attributes.
        rate: peak learning rate of Adam (warm-up, then cosine), in root-mean-square entries;
            ``alone_rate`` that of the steps alone.
        dim: of the space.
        scale: inverse temperature of cosine similarities.
        sharpness: factor on lite2's logits before the softmax that is the target.
        real: share of features that stay as they are; of these, ``small`` are of small images.
        official: share of steps on the official template; ``definitions`` on names with their
            definition; else a random other template.
        margins: range of the pseudo-features' margin, in logits.
        floor: ridge of the texts' whitening, in mean eigenvalues; ``feature_floor`` that of the
            features'.
        stiffness: of the text head at the start, in mean eigenvalues of the looks' Gram matrix;
            the larger, the nearer to MiniLM's own geometry.
        curvature: spread of a unit of the text head at the start; the larger, the less linear.
        whole: weight of the neighbours of sentences; ``sentences`` a step, a quarter names of kin.
        nearness: temperature of the neighbours.
        removed: attribute directions kept free of class content.
        probe_ridge: ridge of the attribute read-outs, in rows per feature dimension.
        attribute: length of the read-outs relative to the class part.
        seed: of every random draw.
    """

    joint: int = 1200
    alone: int = 500
    batch: int = 512
    rate: float = 0.03
    alone_rate: float = 0.01
    dim: int = 512
    scale: float = 26.0
    sharpness: float = 0.7
    real: float = 0.05
    small: float = 0.3
    official: float = 0.7
    definitions: float = 0.1
    margins: tuple[float, float] = (6.0, 14.0)
    floor: float = 0.03
    feature_floor: float = 1.0
    stiffness: float = 3.0
    curvature: float = 0.3
    whole: float = 3.0
    sentences: int = 512
    nearness: float = 0.05
    removed: int = 26
    probe_ridge: float = 3.0
    attribute: float = 0.45
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Everything that is said, as the text tower gives it: ``t`` coordinates, not normalised.

    Attributes:
        texts: class prompts and attribute paraphrases; the last template of the classes is the
            name with its definition.
        kin: names of synsets beside the classes.
        sentences: ``(n, t)`` sentences that name no class.
    """

    texts: Texts
    kin: Kin
    sentences: Tensor

    def without(self, classes: Tensor) -> "Words":
        """Return the words without those of ``classes (c,)``, a mask: left out entirely."""
        texts = Texts(self.texts.classes[:, ~classes], self.texts.values)
        return replace(self, texts=texts, kin=self.kin.without(classes))
