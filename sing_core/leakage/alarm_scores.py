"""What is read off one image without its label: scores of its null part, and of its logits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from sing_core.leakage.scoring import Pairs, attribute_scores
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.scores import angle_deg
from sing_core.maths.unseen import Unseen
from sing_core.models.head_classes import mapping_of
from sing_core.models.workbench import Workbench

_NOWHERE = -1  # decided for a class that no prompt names: no direction to move in


@dataclass(frozen=True, slots=True, eq=False)
class Alarmed:
    """What decides, and the texts that its classes are called by.

    Attributes:
        linear: head with its split.
        texts: ``(k, d)`` of the reference's classes.
        class_of: by the head's class, which of the texts is its.
    """

    linear: LinearHead
    texts: Tensor
    class_of: Mapping[int, int]

    @classmethod
    def of(cls, bench: Workbench, model: str, reference: str, linear: LinearHead) -> Self:
        """Return it for a model of ``bench``, whose null space is that of ``linear``.

        Raises:
            SingError: texts or classes cannot be read.
        """
        meant = mapping_of(bench.settings, bench.classifier(model)) or {}
        texts = bench.vocabulary(reference).embeddings
        return cls(linear, texts, {own: index for index, own in meant.items()})

    def scores(self, features: Tensor, unseen: Unseen) -> dict[str, Tensor]:
        """Return the scores ``(n,)`` of ``features`` ``(n, m)`` by their names in ``SCORES``."""
        pairs = Pairs.of(features, self.linear, unseen)
        decided = torch.tensor([self.class_of.get(top, _NOWHERE) for top in pairs.top1.tolist()])
        logits = self.linear.logits(features)
        _, directed = attribute_scores(pairs, self.texts[decided.clamp_min(0)])
        return {
            "null_energy": pairs.null_energy,
            "image_score_deg": angle_deg(pairs.z, pairs.z_equivalent),
            "directed_score_deg": directed.where(decided >= 0, 0.0),
            "probability": logits.softmax(dim=1).amax(dim=1),
            "max_logit": logits.amax(dim=1),
        }
