"""Does it find what was planted? Null movement of known nuisances, and AS towards their words.

A nuisance moves a feature from f to f'. The null part of this movement is known exactly, and
``f + Pi_n (f' - f)`` has the logits of f. If null space, translator and AS are what they are said
to be, this equivalent lies nearer to the words of that nuisance than to those of the others: AS
towards its own words minus the mean over the words of all others is the *contrast*. The whole
movement, measured in the same way, says what reference and translator would find at best.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sing_core.errors import ImageSetError, LogitDriftError
from sing_core.leakage.nuisance_lens import Lens
from sing_core.leakage.planting import FULL, Planted
from sing_core.leakage.vocabulary_scale import FRACTION
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.scores import angle_table
from sing_core.maths.statistics import (
    FAMILY_WISE_ERROR,
    Interval,
    below_p,
    cluster_means,
    clustered_mean,
    family_wise,
)

FOUND, NOT_FOUND, UNDECIDED = "found", "not found", "not decided"
# What the rounding of float32 features turns a translated one by, at most.
_ROUNDING_DEG = 1e-4


@dataclass(frozen=True, slots=True)
class NuisanceRow:
    """What one nuisance in one dose moves, over the photographs that it changes.

    Attributes:
        nuisance: its name; ``dose`` in [0, 1].
        null_share: mean of ``|Pi_n delta|^2 / |delta|^2``; None where nothing moves.
        null_share_random: what it is on average for a random direction, nullity / m.
        logit_change: mean of the largest change of a logit, as a share of the largest logit.
        top1_changed: share of photographs whose likeliest class changes.
        attribute_score_deg: mean AS of the null movement alone towards the nuisance's own words;
            ``contrast`` that minus the mean over the words of all others, with its interval over
            classes of photographs; degrees.
        whole: the contrast of the whole movement, which the head does see.
        rank: place of the own words among those of all nuisances, 1 for the largest mean AS.
        rises_more: the nuisance with the largest, where it is another one; else "".
        n: photographs that it changes.
        bound_deg: a contrast shown to be below it counts as nothing: a fifth of the standard
            deviation of mean AS over the reference's vocabulary, for the same movement.
        p_adjusted: of "the contrast is 0", corrected for both tests of all nuisances (Holm); None
            below the full dose.
        verdict: ``found``, ``not found`` or ``not decided``; "" below the full dose.
    """

    nuisance: str
    dose: float
    null_share: float | None
    null_share_random: float
    logit_change: float
    top1_changed: float
    attribute_score_deg: float
    contrast: Interval
    whole: Interval
    rank: int
    n: int
    bound_deg: float = 0.0
    p_adjusted: float | None = None
    verdict: str = ""
    rises_more: str = ""

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        return {
            "nuisance": self.nuisance, "dose": self.dose, "null_share": self.null_share,
            "null_share_random": self.null_share_random, "logit_change": self.logit_change,
            "top1_changed": self.top1_changed, "attribute_score_deg": self.attribute_score_deg,
            "contrast_deg": self.contrast.estimate, "low": self.contrast.low,
            "high": self.contrast.high, "rank": self.rank, "n": self.n,
            "whole_contrast_deg": self.whole.estimate, "whole_low": self.whole.low,
            "whole_high": self.whole.high, "bound_deg": self.bound_deg,
            "p_adjusted": self.p_adjusted, "verdict": self.verdict,
            "rises_more": self.rises_more,
        }  # fmt: skip


def nuisance_rows(planted: Sequence[Planted], lens: Lens) -> tuple[NuisanceRow, ...]:
    """Return a row for each nuisance and dose that changes a photograph.

    Raises:
        ImageSetError: there is no photograph, or nothing changes any.
        LogitDriftError: a null movement moves a logit by more than the drift budget.
    """
    if not planted or not torch.cat([one.changed for one in planted]).any():
        raise ImageSetError("Nuisances are planted in photographs: there is none that they change.")
    kin = np.array([one.kin or one.digest for one in planted])
    before = torch.stack([one.features for one in planted])
    rows, tests = [], []
    for place, (name, dose) in enumerate(planted[0].steps):
        changed = torch.stack([one.changed[place] for one in planted])
        if dose > 0 and not changed.any():
            continue
        kept = changed if dose > 0 else torch.ones_like(changed)
        after = torch.stack([one.moved[place] for one in planted])
        part = replace(lens, unseen=lens.unseen.select(kept))
        row, p_absent = _row(name, dose, (before[kept], after[kept]), part, kin[kept.numpy()])
        rows.append(row)
        if dose == FULL:
            tests += [np.nan if row.contrast.p is None else row.contrast.p, p_absent]
    told = iter(family_wise(tests).reshape(-1, 2))
    return tuple(_judged(row, next(told)) if row.dose == FULL else row for row in rows)


def _judged(row: NuisanceRow, p: "np.ndarray[Any, np.dtype[np.float64]]") -> NuisanceRow:
    """Return the row with its verdict; ``p`` of "it is 0" and of "it is at least the bound"."""
    differs, absent = (bool(value <= FAMILY_WISE_ERROR) for value in p)
    low, high = row.contrast.low, row.contrast.high
    verdict = UNDECIDED
    if low is not None and high is not None and max(-low, high) < _ROUNDING_DEG:
        verdict = NOT_FOUND
    elif differs and row.contrast.decided and row.contrast.estimate > 0:
        verdict = FOUND
    elif absent or (differs and row.contrast.estimate < 0):
        verdict = NOT_FOUND
    return replace(row, p_adjusted=None if np.isnan(p[0]) else float(p[0]), verdict=verdict)


def _row(
    name: str, dose: float, moves: tuple[Tensor, Tensor], lens: Lens, kin: "np.ndarray[Any, Any]"
) -> tuple[NuisanceRow, float]:
    """Return a row without verdict, and the p of "the contrast is at least the bound"."""
    delta = (after := moves[1]).double() - (before := moves[0]).double()
    inside = lens.linear.head.null_part(delta)
    equivalent = (before.double() + inside).float()
    logits = lens.linear.logits(before)
    largest = logits.abs().amax(dim=1)
    drift = _logit_change(logits, lens.linear.logits(equivalent))
    if bool((drift > lens.linear.drift_budget * largest).any()):
        raise LogitDriftError(
            f"The null movement of “{name}” moves a logit by {float(drift.max()):.1e}: it is not "
            "inside the null space, so no score is given."
        )
    seen = lens.linear.logits(after)
    own = [one.name for one in lens.nuisances].index(name)
    z = [lens.unseen.apply(features) for features in (before, equivalent, after.float())]
    scores = (angle_table(z[0], lens.words) - angle_table(z[1], lens.words)) @ lens.averaging
    whole = (angle_table(z[0], lens.words) - angle_table(z[2], lens.words)) @ lens.averaging
    contrast, mean = _contrast(scores, own), scores.mean(dim=0)
    bound = _bound(z[0], z[1], lens.vocabulary, kin)
    row = NuisanceRow(
        nuisance=name,
        dose=dose,
        null_share=_share(delta, inside),
        null_share_random=lens.linear.head.nullity / before.shape[1],
        logit_change=float((_logit_change(logits, seen) / largest).mean()),
        top1_changed=float((logits.argmax(dim=1) != seen.argmax(dim=1)).double().mean()),
        attribute_score_deg=clustered_mean(scores[:, own].numpy(), kin).estimate,
        contrast=clustered_mean(contrast, kin),
        whole=clustered_mean(_contrast(whole, own), kin),
        rank=1 + int((mean > mean[own]).sum()),
        n=len(before),
        bound_deg=bound,
        rises_more="" if mean.max() == mean[own] else lens.nuisances[int(mean.argmax())].name,
    )
    (means,) = cluster_means(kin, contrast)
    spread = means.std(ddof=1) if len(means) > 1 else np.nan
    return row, float(below_p(means.mean(), spread, len(means), bound))


def _logit_change(one: Tensor, other: Tensor) -> Tensor:
    return (other - one).abs().amax(dim=1)


def _contrast(scores: Tensor, own: int) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return ``(n,)``: score ``own`` of ``scores`` ``(n, q)`` minus the mean of the others."""
    others = torch.arange(scores.shape[1]) != own
    found: np.ndarray[Any, np.dtype[np.float64]]
    found = (scores[:, own] - scores[:, others].mean(dim=1)).numpy()
    return found


def _share(delta: Tensor, inside: Tensor) -> float | None:
    """Return the mean share of ``|delta|^2`` that lies in the null space; None if none moves."""
    length = delta.square().sum(dim=1)
    moved = length > 0
    if not bool(moved.any()):
        return None
    return float((inside.square().sum(dim=1)[moved] / length[moved]).mean())


def _bound(before: Tensor, after: Tensor, texts: Tensor, kin: "np.ndarray[Any, Any]") -> float:
    score = (angle_table(before, texts) - angle_table(after, texts)).numpy()
    _, places = np.unique(kin, return_inverse=True)
    means = np.zeros((places.max() + 1, score.shape[1]))
    np.add.at(means, places, score)
    means /= np.bincount(places)[:, None]
    return max(FRACTION * float(means.mean(axis=0).std()), _ROUNDING_DEG)


def share_between(planted: Sequence[Planted], linear: LinearHead) -> float | None:
    """Return the mean null share of the difference of two photographs, each with the next one."""
    features = torch.stack([one.features for one in planted]).double()
    delta = features - features.roll(1, dims=0)
    return _share(delta, linear.head.null_part(delta))
