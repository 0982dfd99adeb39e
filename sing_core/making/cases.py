"""The three cases a reference is right or wrong in, named alike everywhere, and their folds.

*Photograph new*: the class was trained on, this photograph was not. *Class without photographs*:
none of the class's photographs was seen, but its texts were, and pseudo-features of it (a
classifier's head knows the class). *Class left out entirely*: no photograph, no pseudo-feature, no
text; what an open vocabulary means. The frozen towers have met all of it: lite2 was trained on all
1,000 classes, whatever the heads were kept from.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from sing_core.maths.folds import FOLDS


def left_out(labels: Tensor, folds: Tensor, fold: int, classes: int) -> Tensor:
    """Return ``(c,)`` which classes a fold leaves out: its photographs', and some without any.

    ``labels (n,)`` and ``folds (n,)`` are those of the photographs, one of each class there is;
    ``classes`` is c. Of the classes without a photograph every fold leaves out its share.
    """
    bare = torch.ones(classes, dtype=torch.bool)
    bare[labels] = False
    others = bare.nonzero().squeeze(1)
    out = torch.zeros(classes, dtype=torch.bool)
    out[labels[folds == fold]] = True
    out[others[torch.arange(len(others)) % FOLDS == fold]] = True
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What embedded photographs are called among class prompts.

    Attributes:
        right: ``(n,)`` whether the nearest of all prompts is the photograph's own.
        right_among: ``(n,)`` the same among the prompts of some classes alone.
        own_deg: ``(n,)`` angle to the own prompt, in degrees.
        other_deg: ``(n,)`` median angle to the others' prompts, in degrees.
    """

    right: Tensor
    right_among: Tensor
    own_deg: Tensor
    other_deg: Tensor


def answer(embedded: Tensor, labels: Tensor, prompts: Tensor, among: Tensor) -> Answers:
    """Ask embeddings ``(n, d)`` of photographs of ``labels (n,)`` for the nearest prompt.

    ``prompts`` is ``(c, d)``; ``among`` is ``(c,)``, the classes of the narrower question, which
    those of all photographs are among.
    """
    cosines = normalize(embedded, dim=1).double() @ normalize(prompts, dim=1).double().mT
    rows = torch.arange(len(labels))
    narrow = cosines.masked_fill(~among, -torch.inf)
    angles = torch.rad2deg(torch.arccos(cosines.clamp(-1, 1)))
    others = angles.clone()
    others[rows, labels] = torch.nan
    return Answers(
        cosines.argmax(1) == labels,
        narrow.argmax(1) == labels,
        angles[rows, labels],
        others.nanmedian(1).values,
    )


def neighbour_overlap(before: Tensor, after: Tensor, count: int = 10) -> float:
    """Return the share of each row's ``count`` nearest rows by cosine that stays, on average.

    ``before (n, d)`` and ``after (n, e)`` embed the same texts.
    """
    near = []
    for rows in (before, after):
        units = normalize(rows, dim=1)
        cosines = units @ units.mT
        cosines.fill_diagonal_(-torch.inf)
        chosen = torch.zeros(cosines.shape, dtype=torch.bool)
        near.append(chosen.scatter(1, cosines.topk(count, dim=1).indices, True))
    return float((near[0] & near[1]).sum(1).double().mean() / count)
