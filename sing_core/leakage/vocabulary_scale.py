"""The fixed vocabulary of a reference as the scale for one concept: what is close, what is small.

Whoever types a list of concepts chooses what they are held against. So they are held against the
same 1,000 classes and more than 150 attributes always, measured over the same images.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.scoring import concept_scores
from sing_core.maths.scores import angle_table
from sing_core.maths.statistics import FALSE_DISCOVERY_RATE, Floats, adjusted, student

# Of the standard deviation over the vocabulary: what Cohen (1988) calls a small difference.
FRACTION = 0.2
NEAREST = 10
RELATED = 0.1
# Where there is no null space nothing moves but rounding, and that is as good as 0.
_LEAST_BOUND_DEG = 1e-6
_BATCH = 256


@dataclass(frozen=True, slots=True)
class VocabularyScale:
    """What the vocabulary of a reference says of the images that are asked about; degrees.

    Attributes:
        size: concepts of the vocabulary.
        spread_deg: standard deviation of mean AS over them.
        bound_deg: ``FRACTION`` of that; a mean AS shown to lie within it is as good as 0.
        within: how many of them have a mean AS within the bound.
        close_deg: angle of T(f) to the tenth nearest of them before null removal; nearer ones are
            close. ``related_deg`` that to the last of the nearest tenth of them.
        meaning: ``(d,)`` text of the class asked about, None for the whole set; ``meaning_deg`` its
            angle to the tenth nearest other text: what lies further means something else.
        decided: the negative control: of how many of them the corrected test says that the directed
            part of AS is not 0; None where there is no test, of one unit. ``directed`` ``(size,)``
            its means.
    """

    size: int
    spread_deg: float
    bound_deg: float
    within: int
    close_deg: float
    related_deg: float
    meaning: Tensor | None
    meaning_deg: float
    decided: int | None = None
    directed: Tensor | None = None

    def beyond(self, directed_mean: float) -> float | None:
        """Return the share of the vocabulary with a smaller ``|directed_mean|``, if it is known."""
        if self.directed is None:
            return None
        return float((self.directed.abs() < abs(directed_mean)).double().mean())

    def means_else(self, texts: Tensor) -> list[bool]:
        """Return of ``texts`` ``(k, d)`` which mean something else than the class; none of a set's.

        Raises:
            ZeroVectorError: a text is zero.
        """
        if self.meaning is None:
            return [False] * len(texts)
        away = angle_table(texts, self.meaning[None])[:, 0]
        return [bool(angle > self.meaning_deg) for angle in away]


def vocabulary_scale(scored: ScoredSet, label: int | None = None) -> VocabularyScale:
    """Return the scale for the images of class ``label``; None for all, each class counting once.

    Raises:
        SingError: features, scores or the reference cannot be read.
    """
    vocabulary = scored.bench.vocabulary(scored.reference)
    texts = vocabulary.embeddings
    each = unit_means(scored, texts, units_of(scored, label))
    angle, score, directed = each.mean(dim=1)
    scale = scale_of(angle.numpy(), score.numpy(), texts, None if label is None else texts[label])
    return replace(scale, decided=decided_of(each[2].numpy()), directed=directed)


def decided_of(directed: Floats) -> int | None:
    """Return of how many concepts the corrected test says that the directed part is not 0.

    ``directed`` ``(u, k)`` of ``u`` units; None of one unit.
    """
    n, mean = len(directed), directed.mean(axis=0)
    if n < 2:
        return None
    p = adjusted(student(mean, directed.std(axis=0, ddof=1), n)[2])
    return int((p <= FALSE_DISCOVERY_RATE).sum())


def scale_of(
    angle: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    score: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    texts: Tensor,
    meaning: Tensor | None,
) -> VocabularyScale:
    """Return the scale of a vocabulary's mean angles and AS ``(k,)``, its ``texts`` ``(k, d)``.

    ``meaning`` ``(d,)`` is the text of the class.
    """
    spread, nearest = float(np.std(score)), np.sort(angle)
    bound = max(FRACTION * spread, _LEAST_BOUND_DEG)
    last = max(NEAREST, round(RELATED * len(angle)))
    meaning_deg = 0.0
    if meaning is not None:
        away = angle_table(texts, meaning[None])[:, 0].sort().values
        meaning_deg = float(away[min(NEAREST, len(away) - 1)])  # the nearest is the class itself
    return VocabularyScale(
        size=len(angle),
        spread_deg=spread,
        bound_deg=bound,
        within=int((np.abs(score) <= bound).sum()),
        close_deg=float(nearest[min(NEAREST, len(angle)) - 1]),
        related_deg=float(nearest[min(last, len(angle)) - 1]),
        meaning=meaning,
        meaning_deg=meaning_deg,
    )


def units_of(scored: ScoredSet, label: int | None) -> dict[int, int]:
    """Return row -> unit of the statistics: the image of class ``label``, or the image's class.

    Raises:
        SingError: the scores cannot be read.
    """
    where, given = ("", None) if label is None else ("WHERE label = ?", [label])
    found = scored.ask(f"SELECT row, label FROM images {where} ORDER BY row", given)
    units = found["row"] if label is not None else found["label"]
    return dict(zip(found["row"].to_pylist(), units.to_pylist(), strict=True))


def unit_means(scored: ScoredSet, texts: Tensor, unit_of: dict[int, int]) -> Tensor:
    """Return ``(3, u, k)``: angle, AS and directed AS averaged over each unit's images, degrees.

    Raises:
        SingError: features or translator cannot be read.
    """
    order = {unit: place for place, unit in enumerate(sorted(set(unit_of.values())))}
    sums = torch.zeros(3, len(order), len(texts), dtype=torch.float64)
    counts = torch.zeros(len(order), dtype=torch.float64)
    for rows, pairs, _ in scored.pairs(list(unit_of)):
        places = torch.tensor([order[unit_of[row]] for row in rows])
        counts.index_add_(0, places, torch.ones(len(rows), dtype=torch.float64))
        for start in range(0, len(rows), _BATCH):
            part = torch.zeros(len(rows), dtype=torch.bool)
            part[start : start + _BATCH] = True
            scores = concept_scores(pairs.select(part), texts)
            sums.index_add_(1, places[part], torch.stack(scores))
    return sums / counts[:, None]
