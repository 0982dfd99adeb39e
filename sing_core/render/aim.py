"""What the pictures of an inversion are asked for, and how far a feature found is from it."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

# A move shorter than this share of the translated feature has no direction worth following.
_NO_MOVE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """Asked features, and the feature that all of them moved away from.

    Attributes:
        asked: ``(n, m)`` features to be drawn.
        origin: ``(m,)`` the photo's own feature.
        meaning: ``(d, m)`` linear part A of the translator; None draws without one.
        toward: weight of the direction in which the meaning moves.
    """

    asked: Tensor
    origin: Tensor
    meaning: Tensor | None
    toward: float

    def loss(self, found: Tensor, rows: Tensor) -> Tensor:
        """Return the summed loss of ``found (k, m)`` for ``rows (k,)``; rows do not mix.

        ``1 - cos(found, asked)``, and, where the asked feature has moved,
        ``toward (1 - cos(A (found - origin), A (asked - origin)))``: a step inside the null space
        is short beside the feature, and the cosine of the features alone hardly sees it.
        """
        asked = self.asked[rows]
        loss = 1 - cosine_similarity(found, asked)
        if self.meaning is not None and self.toward:
            wanted = (asked - self.origin) @ self.meaning.mT
            moves = torch.linalg.vector_norm(wanted, dim=1) > _NO_MOVE * torch.linalg.vector_norm(
                self.meaning @ self.origin
            )
            astray = 1 - cosine_similarity((found - self.origin) @ self.meaning.mT, wanted)
            loss = loss + self.toward * torch.where(moves, astray, 0.0)
        return loss.sum()
