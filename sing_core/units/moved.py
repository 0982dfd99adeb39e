"""Where on the photo is what is hidden, after a null step: what tokens hold, and what has no place.

``Pi_n (f + eps d) = (1 + a) Pi_n f + r`` with ``r`` at right angles to ``Pi_n f``: the first part
is a sum over the photo's tokens still, ``1 + a`` times what it was; ``r`` was brought by the step,
and no token wrote it. Null removal has no ``r``: there the map fades to nothing.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.maths.linear_head import LinearHead
from sing_core.units.tokens import PhotoUnits, TokenMap, pulled_back, token_map


@dataclass(frozen=True, slots=True, eq=False)
class MovedMap:
    """What is hidden of ``f + eps d`` along a text, as shares of the cosine to ``T(f + eps d)``.

    Attributes:
        tokens: what the photo's own hidden part adds, token by token.
        kept: ``1 + a``: how much of that part there is, 1 before the step.
        brought: what the step adds beside it, which has no place on the photo.
    """

    tokens: TokenMap
    kept: float
    brought: float


def moved_map(
    photo: PhotoUnits, linear: LinearHead, text: Tensor, direction: Tensor, epsilon: float
) -> MovedMap:
    """Return the map of what is hidden after a step of ``epsilon`` along ``direction``.

    ``text`` ``(d,)``; ``direction`` ``(o,)`` a unit vector inside the null space of ``linear``.
    """
    own = linear.head.null_part(photo.output.double())
    step = epsilon * direction.double()
    share = float(step @ own) / max(float(own @ own), 1e-300)
    pulled = pulled_back(photo.inside, text, "null", linear)
    reached = photo.inside.translator.apply(photo.output.double() + step)
    length = float(torch.linalg.vector_norm(reached).clamp_min(1e-300))
    shrunk = float(torch.linalg.vector_norm(photo.translated)) / length
    before, kept = token_map(photo, pulled), 1 + share
    at = kept * shrunk
    tokens = TokenMap(before.heat * at, before.prefix * at, before.others * at, before.total * at)
    return MovedMap(tokens, kept, float((step - share * own) @ pulled) / length)
