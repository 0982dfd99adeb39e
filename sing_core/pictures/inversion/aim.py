"""What the pictures of an inversion are asked for, and how far a feature found is from it."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from sing_core.maths.translator import Translator


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """Asked features, and the features that they moved away from.

    Attributes:
        asked: ``(n, m)`` features to be drawn.
        origin: ``(n, m)`` the feature of each one's photo.
        meaning: ``(d, m)`` what of a feature the meaning is read from; None: nothing is known.
        weights: ``(n,)`` how much the direction in which the meaning moves counts.
    """

    asked: Tensor
    origin: Tensor
    meaning: Tensor | None = None
    weights: Tensor | None = None

    @classmethod
    def of(
        cls,
        asked: Tensor,
        origin: Tensor,
        translator: Translator | None,
        toward: float,
        fade: float = 0.5,
    ) -> "Aim":
        """Let the direction of a move count ``toward`` times its length to the power ``fade``.

        The length is that of the translated move beside the translated feature, at most 1: what
        hardly moves in meaning shall hardly move in the picture, the more so the larger ``fade``.
        """
        if translator is None or not toward:
            return cls(asked, origin)
        moves = translator.linear((asked - origin).cpu())
        lengths = torch.linalg.vector_norm(translator.apply(origin.cpu()), dim=1)
        share = (torch.linalg.vector_norm(moves, dim=1) / lengths).clamp_max(1) ** fade
        meaning = translator.weight.float().to(asked.device)
        return cls(asked, origin, meaning, (toward * share).float().to(asked.device))

    def strength(self, rows: Tensor) -> Tensor:
        """Return ``(k,)`` how much all that ``loss`` asks of ``rows (k,)`` weighs together."""
        if self.weights is None:
            return torch.ones(len(rows), device=self.asked.device)
        return 1 + self.weights[rows]

    def loss(self, found: Tensor, rows: Tensor) -> Tensor:
        """Return the summed loss of ``found (k, m)`` for ``rows (k,)``; rows do not mix.

        ``1 - cos(found, asked) + weight (1 - cos(A (found - origin), A (asked - origin)))``: a
        step inside the null space is short beside the feature, and the cosine of the features
        alone hardly sees it.
        """
        asked, origin = self.asked[rows], self.origin[rows]
        loss = 1 - cosine_similarity(found, asked)
        if self.meaning is not None and self.weights is not None:
            wanted = (asked - origin) @ self.meaning.mT
            astray = 1 - cosine_similarity((found - origin) @ self.meaning.mT, wanted)
            loss = loss + self.weights[rows] * astray
        return loss.sum()
