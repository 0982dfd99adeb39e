"""Own names without a random part: whatever is taken away turns an image from its own name.

A feature is nearer to the name of its class than to others, and what is taken away takes some of
that nearness along. So the contrast of the null part (see ``scoring``) is held against that of
random subspaces, scaled to the length of the null part and seen through the same translators.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.scoring import Pairs
from sing_core.maths.controls import RandomSubspaces
from sing_core.maths.draws import AmongDraws, among_draws, one_draw
from sing_core.maths.folds import OUTSIDE
from sing_core.maths.statistics import Floats, Interval

MOST_IMAGES = 2_000  # in equal numbers of every class, as far as it has them
_SEEDS, _PER_FRAME = (0, 1), 4
_BATCH = 512


@dataclass(frozen=True, slots=True)
class NameControl:
    """How far random parts turn images towards their own names, beside all names; degrees.

    Attributes:
        random: mean over classes and draws; the interval is for one more random part.
        beside: the null part's contrast over the same images, among those of the draws.
    """

    random: Interval
    beside: AmongDraws

    @property
    def share(self) -> float | None:
        """What the null part does, in units of what a random part does; None where it is 0."""
        if not self.random.estimate:
            return None
        return 1 + self.beside.difference.estimate / self.random.estimate


def name_control(scored: ScoredSet) -> NameControl | None:
    """Return what random parts as long as the null part do to own names; None of one class.

    At most ``MOST_IMAGES`` images are asked.

    Raises:
        SingError: features, scores, translator or texts cannot be read.
    """
    found = scored.ask("SELECT row, label, contrast_deg FROM images ORDER BY label, row")
    row, label, own = (found[name].to_numpy() for name in ("row", "label", "contrast_deg"))
    kept = evenly(label, MOST_IMAGES)
    if len(set(label[kept].tolist())) < 2:
        return None
    labels = dict(zip(row[kept].tolist(), label[kept].tolist(), strict=True))
    draws: dict[int, Any] = {}
    for rows, part in _drawn(scored, labels):
        draws.update(zip(rows, part, strict=True))
    table = np.stack([draws[at] for at in row[kept].tolist()])
    return NameControl(one_draw(table, label[kept]), among_draws(own[kept], table, label[kept]))


def evenly(labels: "np.ndarray[Any, Any]", most: int) -> "np.ndarray[Any, Any]":
    """Return which of the sorted ``labels`` ``(n,)`` to keep: the first of every class, ``(n,)``.

    As many of each as there can be of all without more than ``most`` altogether, and at least one.
    """
    _, starts, counts = np.unique(labels, return_index=True, return_counts=True)
    place = np.arange(len(labels)) - np.repeat(starts, counts)
    limit = int(counts.max(initial=1))
    while limit > 1 and np.minimum(counts, limit).sum() > most:
        limit -= 1
    return place < limit


def _drawn(scored: ScoredSet, labels: dict[int, int]) -> Iterator[tuple[list[int], Floats]]:
    """Yield rows and the contrasts ``(n, k)`` of the draws, degrees, translator by translator.

    Raises:
        SingError: features, translator or texts cannot be read.
    """
    vocabulary, linear = scored.bench.vocabulary(scored.reference), scored.linear
    names = torch.nn.functional.normalize(vocabulary.embeddings[: vocabulary.n_classes].float())
    whole = scored.bench.translator(scored.model, scored.reference)
    controls = {OUTSIDE: RandomSubspaces.draw(whole, scored.nullity, _SEEDS, _PER_FRAME)}
    for images, features in scored.features(list(labels)):
        unseen = scored.unseen(images)
        pairs = Pairs.of(features, linear, unseen)
        for place, translator, at in unseen.groups():
            random = controls.get(place) or controls[OUTSIDE].through(translator)
            controls[place] = random
            rows = [images[i].row for i in at.tolist()]
            own = torch.tensor([labels[row] for row in rows])
            asked = (features[at], pairs.z[at], pairs.removed_length[at])
            yield rows, contrasts(random, *asked, names, own).numpy()


def contrasts(
    random: RandomSubspaces, features: Tensor, z: Tensor, removed_length: Tensor, names: Tensor,
    own: Tensor,
) -> Tensor:  # fmt: skip
    """Return the contrast ``(n, k)`` of each of ``k`` random parts, degrees, as of a null part.

    ``features`` ``(n, m)`` with translations ``z`` ``(n, d)``; ``names`` ``(c, d)`` of length 1 and
    single precision; ``own`` ``(n,)`` each image's class.
    """
    before = _beside_all(z, names, own)
    parts = random.parts(features, removed_length)
    turned = [_beside_all(z - 2 * part, names, own) for part in parts]
    return (before[:, None] - torch.stack(turned, dim=1)) / 2


def _beside_all(z: Tensor, names: Tensor, own: Tensor) -> Tensor:
    """Return the angle ``(n,)`` to the own name less the mean angle to all names, degrees."""
    line = torch.nn.functional.normalize(z.float(), dim=-1)
    angle = (line @ names.mT).clamp(-1, 1).acos().rad2deg().double()
    return angle.gather(1, own[:, None])[:, 0] - angle.mean(dim=1)
