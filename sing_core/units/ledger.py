"""The unit ledger: which head, MLP or embedding wrote what the head of a classifier cannot see."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sing_core.maths.linear_head import LinearHead
from sing_core.maths.shares import LeftOut, NullShares, left_out, null_shares
from sing_core.units.layer_norm import residual_of
from sing_core.units.tokens import PhotoUnits, TokenMap, summed


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """What each unit of a photo wrote, and how much of it is hidden.

    Attributes:
        names: of the units.
        shares: of the null part; they sum to 1.
        scores: ``(u,)`` share of each in ``cos(T(f), text)``; with ``offset`` they add up to it.
        offset: what the translator adds without any unit.
        left: what leaving out a unit's null part does to the angle to the text.
        residual: largest relative error of the sum of all units.
        nullity: dimensions of the null space.
        prompt: the text.
    """

    names: tuple[str, ...]
    shares: NullShares
    scores: Tensor
    offset: float
    left: LeftOut
    residual: float
    nullity: int
    prompt: str

    def as_rows(self) -> list[dict[str, Any]]:
        """Return a row a unit, then one of the residual: the largest relative error of the sum."""
        rows: list[dict[str, Any]] = [
            {
                "unit": name,
                "norm": float(self.shares.norm[place]),
                "null_share": float(self.shares.share[place]),
                "null_fraction": float(self.shares.null_fraction[place]),
                "score": float(self.scores[place]),
                "attribute_score_deg": float(self.left.attribute_score_deg[place]),
                "image_score_deg": float(self.left.image_score_deg[place]),
                "linear_share_deg": float(self.left.linear_share_deg[place]),
                "null_norm": float(self.shares.null_norm[place]),
                "principal_norm": float(self.shares.principal_norm[place]),
            }
            for place, name in enumerate(self.names)
        ]
        empty = dict.fromkeys(rows[0])
        if self.offset:
            rows.append(empty | {"unit": "offset", "score": self.offset})
        return [*rows, empty | {"unit": "residual", "norm": self.residual}]

    @property
    def sentence(self) -> str:
        """Who wrote what is hidden, in words with a magnitude."""
        if self.shares.is_empty:
            return "Nothing is hidden: this head reads every direction of the output."
        order = self.shares.share.argsort(descending=True)
        first = int(order[0])
        most = " and ".join(self.names[int(place)] for place in order[:2])
        both = 100 * float(self.shares.share[order[:2]].sum())
        few = int((self.shares.share[order].cumsum(0) < 0.5).sum()) + 1
        usual = 100 * float(self.shares.null_fraction[first])
        return (
            f"{most} wrote {both:.0f} % of what is hidden. Half of it was written by {few} of "
            f"{len(self.names)} units; {usual:.0f} % of what {self.names[first]} writes is hidden."
        )


def ledger(
    photo: PhotoUnits, linear: LinearHead, text: Tensor, prompt: str, *, by_token: bool = False
) -> Ledger:
    """Return the ledger of a photo for the head that decides and a ``text`` ``(d,)``.

    ``by_token`` shares the heads out over the tokens that they read: its units are then the
    embedding, the tokens and the MLPs.

    Raises:
        ZeroVectorError: the text, or what the output translates to, is zero.
    """
    names, units = photo.inside.tower.unit_names, photo.units
    if by_token:
        names, units = photo.by_token
    translator = photo.inside.translator
    unit = text.double() / torch.linalg.vector_norm(text.double()).clamp_min(1e-300)
    length = torch.linalg.vector_norm(photo.translated).clamp_min(1e-300)
    along = (translator.weight.double().mT @ unit) / length
    return Ledger(
        names,
        null_shares(units, linear.head),
        units.double() @ along,
        float(translator.bias.double() @ unit / length),
        left_out(units, linear.head, translator, text),
        residual_of(units.sum(dim=0)[None], photo.output[None]),
        linear.head.nullity,
        prompt,
    )


def hidden_tokens(photo: PhotoUnits, linear: LinearHead) -> TokenMap | None:
    """Return which token wrote what is hidden: ``<c_i, Pi_n f> / |Pi_n f|^2``, whatever the text.

    With the embedding and the MLPs (``others``) the shares sum to 1. None where nothing is hidden.
    """
    units = photo.units
    if null_shares(units, linear.head).is_empty:
        return None
    null = linear.head.null_part(units.double().sum(dim=0))
    return summed(photo, null / null.square().sum())
