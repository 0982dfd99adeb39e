"""Does a claim survive other defensible choices? Every combination of them, measured anew.

Varied are the kind of images, the reading of angles, the reference, and the fit of the translator:
a tenth to ten times its penalty, the fits that left a fifth of the images out, and the non-linear
translators, where they are asked for and trained on the set (``set_networks``). A claim is what the
usual choices say; it survives another choice that says the same, beyond its own interval.

What Compare says of two models is claimed here, and nothing else: no claim about two that must not
be compared, one for each kind of images where kinds differ, intervals as wide as the correction
over all pairs and measures asks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sing_core.errors import ImageSetError
from sing_core.leakage.choices import CONTRAST, Measured, measured_by
from sing_core.leakage.claims import Choice, Claim, judged
from sing_core.leakage.differences import PairRow, pair_rows
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.strata import ALL, POOLED, strata_of
from sing_core.maths.statistics import LEVEL, Floats, cluster_means, family_wise_levels, student

Masks = Mapping[str, "np.ndarray[Any, Any]"]


def multiverse(sets: Sequence[ScoredSet], *, networks: bool = False) -> tuple[Claim, ...]:
    """Return the claims about each model of ``sets``, and about every two, of one prepared set.

    ``networks``: under the non-linear translators, too, that were trained on the set. Two models
    that must not be compared have no claim (``differences.PairRow.barrier``).

    Raises:
        ImageSetError: they are of different sets, or have no image of two classes in common.
        SingError: scores, features or translators cannot be read.
    """
    if len({scored.folder.facts.key for scored in sets}) != 1:
        raise ImageSetError("Choices are compared on the same set of images.")
    rows = _common_rows(sets)
    found = {
        (scored.model, place): measured_by(scored, rows, networks=networks)
        for place, scored in enumerate(sets)
    }
    by_model = {model: one for (model, _), one in found.items()}
    several, strata = strata_of(sets[0]), np.array(next(iter(found.values())).strata)
    kinds = {POOLED if several else ALL: np.ones(len(rows), dtype=bool)}
    kinds |= {kind: strata == kind for kind in several}
    claims = [_claim(CONTRAST, (one, None), kinds) for one in found.values()]
    if len(sets) > 1:
        claims += _of_pairs(pair_rows(sets), by_model, kinds)
    return tuple(claims)


def _of_pairs(pairs: Sequence[PairRow], found: Mapping[str, Measured], kinds: Masks) -> list[Claim]:
    """Return the claims about every two models that may be compared."""
    fair = [pair for pair in pairs if not pair.barrier]
    levels = family_wise_levels([
        np.nan if pair.difference.p is None else pair.difference.p for pair in fair
    ])  # fmt: skip
    claims = []
    for pair, level in zip(fair, levels.tolist(), strict=True):
        two = found[pair.first], found[pair.second]
        if not pair.kinds_differ:
            claims.append(_claim(pair.measure, two, kinds, level))
            continue
        for row in pair.by_stratum:
            own = {row.stratum: kinds[row.stratum]}
            claims.append(_claim(pair.measure, two, own, level, row.stratum))
    return [claim for claim in claims if claim.choices]


def _common_rows(sets: Sequence[ScoredSet]) -> list[int]:
    scored = [set(one.ask("SELECT row FROM images")["row"].to_pylist()) for one in sets]
    rows = sorted(set.intersection(*scored))
    labels = sets[0].ask("SELECT DISTINCT label FROM images")
    if not rows or len(labels) < 2:
        raise ImageSetError("Intervals are over classes: at least two are needed in common.")
    return rows


def _claim(
    measure: str,
    models: tuple[Measured, Measured | None],
    kinds: Masks,
    level: float = LEVEL,
    kind: str = "",
) -> Claim:
    """Return a claim about one model, or about two, the first of ``kinds`` being the usual one.

    A kind with images of one class alone has no interval, and is no choice; nor is a reference
    that is built on the tower of one of two models.
    """
    one, two = models
    keys = [key for key in one.scores if two is None or _fair(one, two, key[1], key)]
    choices = []
    for name, kept in kinds.items():
        if len(np.unique(one.labels[kept])) < 2:
            continue
        for reading, reference, fit in keys:
            values = one.scores[reading, reference, fit][measure]
            if two is not None:
                values = values - two.scores[reading, reference, fit][measure]
            told = _over_classes(values[kept], one.labels[kept], level)
            choices.append(Choice(name, reading, reference, fit, *told))
    second = "" if two is None else two.model
    return Claim(
        measure, one.model, second, judged(choices) if choices else (), level=level, kind=kind
    )


def _fair(one: Measured, two: Measured, reference: str, key: tuple[str, str, str]) -> bool:
    """Whether a choice is one of both models, and favours neither of them."""
    return key in two.scores and (reference in one.own) == (reference in two.own)


def _over_classes(
    values: Floats, labels: "np.ndarray[Any, Any]", level: float
) -> tuple[float, float, float]:
    """Return the mean over classes and its t interval."""
    (means,) = cluster_means(labels, values)
    middle, spread = float(means.mean()), float(means.std(ddof=1))
    if spread == 0:  # as without a null space
        return middle, middle, middle
    low, high, _ = student([middle], [spread], [len(means)], level=level)
    return middle, float(low[0]), float(high[0])
