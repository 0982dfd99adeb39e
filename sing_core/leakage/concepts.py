"""Which concept hides in the null space: a class, or a whole set, against a list of concepts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sing_core.files.digests import content_key
from sing_core.leakage.classes import known
from sing_core.leakage.concept_kinds import (
    NOT_DECIDED,
    OfKind,
    means_by_kind,
    of_kinds,
    opposite,
    way_of,
)
from sing_core.leakage.concept_lists import ConceptList
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.scoring import concept_scores
from sing_core.leakage.strata import DIFFERS, kind_of
from sing_core.leakage.vocabulary_scale import VocabularyScale, vocabulary_scale
from sing_core.maths.statistics import FALSE_DISCOVERY_RATE, adjusted, equivalence_p, student
from sing_core.models.workbench import Workbench


@dataclass(frozen=True, slots=True)
class ConceptRow:
    """One concept and the images that were asked about; degrees.

    Attributes:
        concept: as typed; ``prompt`` as embedded.
        n: units of the statistics: images of the one class, or classes of the set.
        angle_before: mean angle of T(f) to the concept; ``angle_after`` that of the equivalent.
        as_mean: mean AS; ``as_low`` and ``as_high`` its 95 % t interval.
        directed_mean: the part of AS that depends on where the null part points.
        p_adjusted: of "the directed part is 0 on average", after Benjamini-Hochberg.
        p_equivalent: of "mean AS lies outside ±bound" (TOST), after Benjamini-Hochberg.
        bound_deg: what is as good as 0.
        close: before removal nearer to the images than all but ten of the fixed vocabulary.
        loosely_related: the images are nearer to it than to nine tenths of that vocabulary, and its
            words are not among those that mean most nearly the class; never of a whole set.
        stratum: kind of images; "" in a set of one kind, ``POOLED`` where several are one.
        by_kind: which way null removal turns each kind, of a row of several alone.
        vocabulary: words of the fixed vocabulary; ``vocabulary_decided`` the share of them that the
            same test decides for the same images, the negative control; ``beyond`` the share of
            them whose directed part is smaller.
    """

    concept: str
    prompt: str
    n: int
    angle_before: float
    angle_after: float
    as_mean: float
    as_low: float | None
    as_high: float | None
    directed_mean: float
    p_adjusted: float | None
    p_equivalent: float | None
    bound_deg: float
    close: bool
    loosely_related: bool
    stratum: str = ""
    by_kind: tuple[OfKind, ...] = ()
    vocabulary: int = 0
    vocabulary_decided: float | None = None
    beyond: float | None = None

    @property
    def kinds_differ(self) -> bool:
        """Whether one kind of images, or all pooled, is turned towards it and another away."""
        ways = [way_of(self.directed_mean, self.p_adjusted)]
        return opposite([*ways, *(part.verdict for part in self.by_kind)])

    @property
    def untouched(self) -> bool:
        """Close, and shown to be as good as untouched by null removal.

        A failed test of "AS is 0" does not show that; the equivalence test does.
        """
        return self.close and self._small

    @property
    def spurious(self) -> bool:
        """Loosely related, and AS shown to be small: what the paper calls a sign of a spurious one.

        Section 4.3: "A small AS for loosely related concept can indicate a spurious correlation".
        """
        return self.loosely_related and self._small

    @property
    def _small(self) -> bool:
        """Of kinds that turn opposite ways the mean is small, and none of them is."""
        small = self.p_equivalent is not None and self.p_equivalent <= FALSE_DISCOVERY_RATE
        return small and not self.kinds_differ

    @property
    def verdict(self) -> str:
        """``towards``, ``away`` or ``as good as 0`` where a test says so, else ``not decided``.

        Of null removal: what it turns the images away from, the null part pointed to.
        Of kinds that turn opposite ways there is none: they differ.
        """
        if self.kinds_differ:
            return DIFFERS
        way = way_of(self.directed_mean, self.p_adjusted)
        return "as good as 0" if way == NOT_DECIDED and self._small else way

    @property
    def decided(self) -> bool:
        """Whether there is one answer for all these images."""
        return self.verdict not in (NOT_DECIDED, DIFFERS)

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        names = (
            "concept", "prompt", "n", "angle_before", "angle_after", "as_mean", "as_low",
            "as_high", "directed_mean", "p_adjusted", "p_equivalent", "bound_deg", "close",
            "untouched", "loosely_related", "spurious", "verdict", "stratum",
            "vocabulary_decided", "beyond",
        )  # fmt: skip
        kinds = "; ".join(part.text for part in self.by_kind)
        return {name: getattr(self, name) for name in names} | {"by_kind": kinds}


def concept_table(
    scored: ScoredSet,
    concepts: ConceptList,
    *,
    label: int | None = None,
    bound_deg: float | None = None,
    scale: VocabularyScale | None = None,
) -> tuple[ConceptRow, ...]:
    """Return one row per concept, in the list's order.

    ``label`` is the class whose images are asked about; None asks all, and then each class counts
    once. ``bound_deg`` is what is as good as 0; None takes that of the ``scale``, which is measured
    over the same images where it is not given.

    Raises:
        SingError: features, scores or the reference cannot be read, or the bound is not positive.
    """
    texts = embed(scored, concepts.prompts)
    held = scale or vocabulary_scale(scored, label)
    means, each = means_by_kind(scored, texts, label)  # (3, units, k)
    bound = held.bound_deg if bound_deg is None else bound_deg
    rows = concept_rows(concepts, means.numpy(), held, bound, held.means_else(texts))
    kind, kinds = kind_of(scored, label), of_kinds({k: part[2].numpy() for k, part in each.items()})
    return tuple(
        replace(row, stratum=kind, by_kind=of)
        for row, of in zip(rows, kinds or [()] * len(rows), strict=True)
    )


_IMAGES = """
SELECT row, label, name, digest, top1, image_score_deg,
    nullif(feasible_image_score_deg, 'NaN') AS feasible_image_score_deg
FROM images {where} ORDER BY row
"""


def concept_images(
    scored: ScoredSet, prompt: str, *, label: int | None = None
) -> list[dict[str, Any]]:
    """Return every image of class ``label`` (None: of the set) with its scores towards ``prompt``.

    Degrees; ``angle_before`` is that of T(f) to the prompt.

    Raises:
        SingError: features, scores or the reference cannot be read.
    """
    where, given = ("", None) if label is None else ("WHERE label = ?", [label])
    found: list[dict[str, Any]] = scored.ask(_IMAGES.format(where=where), given).to_pylist()
    labels, rows = scored.bench.vocabulary(scored.reference).labels, {r["row"]: r for r in found}
    text = embed(scored, (prompt,))
    for own, pairs, _ in scored.pairs(list(rows)):
        table = [part[:, 0].tolist() for part in concept_scores(pairs, text)]
        for row, before, score, directed in zip(own, *table, strict=True):
            rows[row] |= {
                "angle_before": before, "attribute_score_deg": score,
                "directed_score_deg": directed, "top1": labels[rows[row]["top1"]],
            }  # fmt: skip
    return found


def embed(scored: ScoredSet, prompts: tuple[str, ...]) -> Tensor:
    """Return ``(k, d)`` raw embeddings of prompts: from the vocabulary, the disk, or the network.

    Raises:
        SingError: the reference cannot be loaded.
    """
    return texts_in(scored.bench, scored.reference, prompts)


def texts_in(bench: Workbench, reference: str, prompts: tuple[str, ...]) -> Tensor:
    """Return ``(k, d)`` embeddings of prompts in ``reference``, see ``embed``.

    Raises:
        SingError: the reference cannot be loaded.
    """
    vocabulary = bench.vocabulary(reference)
    places = {prompt: i for i, prompt in enumerate(vocabulary.prompts)}
    new = tuple(prompt for prompt in prompts if prompt not in places)
    if not new:
        return vocabulary.embeddings[[places[prompt] for prompt in prompts]]
    fresh = bench.store.get_or_compute(
        "texts",
        content_key(vocabulary.space_id, *new),
        lambda: {"embeddings": bench.pool.reference(reference).embed_texts(new)},
        meta={"space_id": vocabulary.space_id},
    )["embeddings"]
    own = dict(zip(new, fresh, strict=True))
    return torch.stack([own[p] if p in own else vocabulary.embeddings[places[p]] for p in prompts])


def concept_rows(
    concepts: ConceptList,
    means: "np.ndarray[Any, np.dtype[np.float64]]",
    scale: VocabularyScale,
    bound_deg: float,
    means_else: Sequence[bool],
) -> tuple[ConceptRow, ...]:
    """Return a row per concept from ``means`` ``(3, n, k)``: angle, AS, directed AS of ``n`` units.

    Raises:
        ShapeError: the bound is not positive.
    """
    (angle, score, directed), n = means, means.shape[1]
    sd, directed_sd = means[1:].std(axis=1, ddof=1) if n > 1 else np.zeros_like(means[1:, 0])
    low, high, _ = student(score.mean(axis=0), sd, n)
    p = adjusted(student(directed.mean(axis=0), directed_sd, n)[2])
    alike = adjusted(equivalence_p(score.mean(axis=0), sd, n, bound_deg))
    before = angle.mean(axis=0)
    return tuple(
        ConceptRow(
            concept=concept,
            prompt=concepts.prompts[i],
            n=n,
            angle_before=float(before[i]),
            angle_after=float(before[i] - score[:, i].mean()),
            as_mean=float(score[:, i].mean()),
            as_low=known(low[i]),
            as_high=known(high[i]),
            directed_mean=float(directed[:, i].mean()),
            p_adjusted=known(p[i]),
            p_equivalent=known(alike[i]),
            bound_deg=bound_deg,
            close=bool(before[i] <= scale.close_deg),
            loosely_related=bool(before[i] <= scale.related_deg) and means_else[i],
            vocabulary=scale.size,
            vocabulary_decided=None if scale.decided is None else scale.decided / scale.size,
            beyond=scale.beyond(float(directed[:, i].mean())),
        )
        for i, concept in enumerate(concepts.labels)
    )
