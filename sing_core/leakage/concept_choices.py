"""Does what is said of a concept survive other defensible choices?

The verdict of a concept is that of the table of concepts: the directed part of AS, over the images
of one class or over all classes. There a concept is decided after a correction over all concepts of
the list; the intervals here are of the level that decides the same (``level_of_decided``).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sing_core.errors import ImageSetError
from sing_core.leakage.choices import Key, Towards, towards_by, usual_first
from sing_core.leakage.claims import Choice, Claim, judged
from sing_core.leakage.class_choices import FEWEST, kinds_of
from sing_core.leakage.concept_lists import ConceptList
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.maths.statistics import Floats, adjusted, cluster_means, level_of_decided, student

DIRECTED = "directed_deg"


@dataclass(frozen=True, slots=True, eq=False)
class Over:
    """Means ``(k,)`` of ``k`` concepts over ``n`` units, and their standard deviations, degrees."""

    mean: Floats
    sd: Floats
    n: int

    @property
    def p_adjusted(self) -> Floats:
        """``(k,)`` of "it is 0", corrected for all concepts."""
        return adjusted(student(self.mean, self.sd, self.n)[2])

    def told(self, level: float) -> Floats:
        """Return means and both ends of their t intervals ``(3, k)``; all alike without spread."""
        low, high, _ = student(self.mean, self.sd, self.n, level=level)
        still = self.sd == 0  # as without a null space
        ends = (np.where(still, self.mean, end) for end in (low, high))
        return np.stack([self.mean, *ends])


def concept_claims(
    scored: ScoredSet,
    concepts: ConceptList,
    index: int | None = None,
    *,
    networks: bool = False,
) -> tuple[Claim, ...]:
    """Return of each concept what the usual choices say, and what all others say.

    ``index``: the class whose images are asked about; None asks all, and then each class counts
    once. Varied are the choices of ``multiverse``, ``networks`` likewise. The usual kind
    of images is that of ``scored``.

    Raises:
        ImageSetError: there are fewer than two images of the class, or two classes of the set.
        SingError: features, scores, translators or the reference cannot be read.
    """
    label = "" if index is None else scored.bench.vocabulary(scored.reference).labels[index]
    _check(scored, index, label)
    whole = replace(scored, stratum="")
    towards = towards_by(whole, concepts.prompts, index, networks=networks)
    found = over_units(towards, index is not None, scored.stratum)
    ordered = usual_first(scored, found)
    kinds = next(iter(ordered.values()))
    level = level_of_decided(next(iter(kinds.values())).p_adjusted)
    told = {(kind, *key): over[kind].told(level) for kind in kinds for key, over in ordered.items()}
    return tuple(
        Claim(
            DIRECTED, scored.model, "", label=label, level=level, concept=concept,
            choices=judged([_choice(names, values[:, i]) for names, values in told.items()]),
        )
        for i, concept in enumerate(concepts.labels)
    )  # fmt: skip


def _choice(names: tuple[str, str, str, str], told: Floats) -> Choice:
    mean, low, high = told.tolist()
    return Choice(*names, mean, low, high)


def over_units(towards: Towards, each_image: bool, usual: str = "") -> dict[Key, dict[str, Over]]:
    """Return means over units under every choice, by kind of images, the ``usual`` kind first.

    Units are the images where ``each_image`` counts, else their classes.
    """
    units = np.arange(len(towards.labels)) if each_image else towards.labels
    kinds = kinds_of(towards.strata, units.tolist(), usual)
    return {
        key: {kind: _over(table[kept], units[kept]) for kind, kept in kinds.items()}
        for key, table in towards.tables
    }


def _over(table: Floats, units: "np.ndarray[Any, Any]") -> Over:
    means = np.stack(cluster_means(units, *table.T))  # (k, u)
    return Over(means.mean(axis=1), means.std(axis=1, ddof=1), means.shape[1])


def _check(scored: ScoredSet, index: int | None, label: str) -> None:
    """Refuse what has no interval by the usual choices."""
    count, where = ("row", "WHERE label = ?") if label else ("label", "")
    asked = f"SELECT count(DISTINCT {count}) AS n FROM images {where}"
    found = scored.ask(asked, [index] if label else None)["n"][0].as_py()
    if found < FEWEST:
        name = scored.folder.facts.name
        what = f"images of {label}" if label else "classes of images"
        raise ImageSetError(
            f"A verdict needs at least {FEWEST} {what}; the set {name} has {found}."
        )
