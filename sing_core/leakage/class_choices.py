"""Does what is said of one class survive other defensible choices?

The verdict of a class is that of the table of classes: its own name beside the names of all. There
a class is decided after a correction over all classes of the set. Read as an interval, that is one
of the level of ``level_of_decided``; so wide are the intervals of every choice here, and that of
the usual ones lies on one side of 0 exactly where the table decides the class.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sing_core.errors import ImageSetError
from sing_core.leakage.choices import CONTRAST, Key, Names, names_by
from sing_core.leakage.claims import Choice, Claim, judged
from sing_core.leakage.classes import ClassRow, class_table
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.strata import ALL, POOLED
from sing_core.maths.draws import interval_among_names
from sing_core.maths.statistics import level_of_decided

FEWEST = 2  # images; one has no interval, and is no choice


def class_claim(scored: ScoredSet, index: int, *, networks: bool = False) -> Claim:
    """Return what the usual choices say of the class ``index``, and what all others say.

    Varied are those of ``multiverse``, ``networks`` likewise. The usual kind of images is that of
    ``scored``.

    Raises:
        ImageSetError: the set has no such class, or one image of it alone.
        SingError: scores, features or translators cannot be read.
    """
    table = class_table(scored)
    row = next((one for one in table if one.index == index), None)
    if row is None or row.contrast_p_adjusted is None:
        name = "it" if row is None else row.label
        raise ImageSetError(
            f"A verdict needs at least {FEWEST} images of {name}; the set "
            f"{scored.folder.facts.name} has {0 if row is None else row.n}."
        )
    strata, found = names_by(replace(scored, stratum=""), index, networks=networks)
    level = level_of(table)
    choices = class_choices(found, strata, level, scored.stratum)
    return Claim(CONTRAST, scored.model, "", choices, label=row.label, level=level)


def level_of(table: Sequence[ClassRow]) -> float:
    """Return the level at which an interval decides what the corrected tests of a table decide."""
    return level_of_decided([
        row.contrast_p_adjusted for row in table if row.contrast_p_adjusted is not None
    ])  # fmt: skip


def class_choices(
    found: dict[Key, Names], strata: Sequence[str], level: float, usual: str = ""
) -> tuple[Choice, ...]:
    """Return every combination of choices, that of the ``usual`` kind of images first.

    ``found``: the usual reading, reference and fit first; ``strata`` kinds of the ``n`` images. A
    kind that is all of them is no other choice, and one of a single image none at all.
    """
    choices = []
    for kind, kept in kinds_of(strata, range(len(strata)), usual).items():
        for (reading, reference, fit), names in found.items():
            seen = interval_among_names(names.own[kept], names.foreign[kept], level)
            low = -np.inf if seen.low is None else seen.low
            high = np.inf if seen.high is None else seen.high
            choices.append(Choice(kind, reading, reference, fit, seen.estimate, low, high))
    return judged(choices)


def kinds_of(
    strata: Sequence[str], units: Sequence[int], usual: str = ""
) -> "dict[str, np.ndarray[Any, Any]]":
    """Return which of ``n`` images are of which kind, masks ``(n,)``, the usual kind first.

    ``units`` ``(n,)`` are what the statistics count; a kind that has one alone is left out.
    """
    each, counted = np.array(strata), np.asarray(units)
    names = sorted(set(strata))
    whole = POOLED if len(names) > 1 else (names[0] or ALL)
    kinds = {whole: np.ones(len(each), dtype=bool)}
    if len(names) > 1:
        masks = {name: each == name for name in names}
        kinds |= {n: own for n, own in masks.items() if len(set(counted[own])) >= FEWEST}
    first = usual if usual in kinds else whole
    return {first: kinds[first], **kinds}
