"""Which concept hides in the null space: a class, or a whole set, against a list of concepts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sing_core.files.digests import content_key
from sing_core.leakage.classes import known
from sing_core.leakage.concept_lists import ConceptList
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.scoring import concept_scores
from sing_core.leakage.strata import kind_of
from sing_core.maths.statistics import FALSE_DISCOVERY_RATE, adjusted, equivalence_p, student

BOUND_DEG = 0.1
NEAREST = 10
_BATCH = 256


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
        close: among the nearest ten of the list before removal.
        stratum: kind of images; "" in a set of one kind, ``POOLED`` where several are one.
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
    close: bool
    stratum: str = ""

    @property
    def spurious(self) -> bool:
        """Close, and shown to be as good as untouched by null removal.

        A failed test of "AS is 0" does not show that; the equivalence test does.
        """
        small = self.p_equivalent is not None and self.p_equivalent <= FALSE_DISCOVERY_RATE
        return self.close and small

    @property
    def verdict(self) -> str:
        """``towards``, ``away`` or ``as good as 0`` where a test says so, else ``not decided``."""
        if self.p_adjusted is not None and self.p_adjusted <= FALSE_DISCOVERY_RATE:
            return "towards" if self.directed_mean > 0 else "away"
        if self.p_equivalent is not None and self.p_equivalent <= FALSE_DISCOVERY_RATE:
            return "as good as 0"
        return "not decided"

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        names = (
            "concept", "prompt", "n", "angle_before", "angle_after", "as_mean", "as_low",
            "as_high", "directed_mean", "p_adjusted", "p_equivalent", "close", "spurious",
            "verdict", "stratum",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def concept_table(
    scored: ScoredSet,
    concepts: ConceptList,
    *,
    label: int | None = None,
    bound_deg: float = BOUND_DEG,
) -> tuple[ConceptRow, ...]:
    """Return one row per concept, in the list's order.

    ``label`` is the class whose images are asked about; None asks all, and then each class counts
    once. ``bound_deg`` is what is as good as 0.

    Raises:
        SingError: features, scores or the reference cannot be read, or the bound is not positive.
    """
    where, given = ("", None) if label is None else ("WHERE label = ?", [label])
    found = scored.ask(f"SELECT row, label FROM images {where} ORDER BY row", given)
    units = found["row"] if label is not None else found["label"]
    unit_of = dict(zip(found["row"].to_pylist(), units.to_pylist(), strict=True))
    means = _unit_means(scored, embed(scored, concepts.prompts), unit_of)  # (3, units, k)
    return _rows(concepts, means.numpy(), bound_deg, kind_of(scored, label))


_IMAGES = """
SELECT row, label, name, digest, top1, image_score_deg FROM images {where} ORDER BY row
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
    bench, reference = scored.bench, scored.reference
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


def _unit_means(scored: ScoredSet, texts: Tensor, unit_of: dict[int, int]) -> Tensor:
    """Return ``(3, u, k)``: angle, AS and directed AS averaged over each unit's images."""
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


def _rows(
    concepts: ConceptList,
    means: "np.ndarray[Any, np.dtype[np.float64]]",
    bound_deg: float,
    stratum: str,
) -> tuple[ConceptRow, ...]:
    angle, score, directed = means
    n = len(angle)
    sd = score.std(axis=0, ddof=1) if n > 1 else np.zeros(score.shape[1])
    directed_sd = directed.std(axis=0, ddof=1) if n > 1 else np.zeros(score.shape[1])
    low, high, _ = student(score.mean(axis=0), sd, n)
    p = adjusted(student(directed.mean(axis=0), directed_sd, n)[2])
    alike = adjusted(equivalence_p(score.mean(axis=0), sd, n, bound_deg))
    before = angle.mean(axis=0)
    near = set(np.argsort(before, kind="stable")[:NEAREST].tolist())
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
            close=i in near,
            stratum=stratum,
        )
        for i, concept in enumerate(concepts.labels)
    )
