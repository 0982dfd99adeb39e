"""Concepts' answer in words: how many hide in the null part, most of all which, by how much."""

from collections.abc import Sequence

from pages._view.words.phrases import FEW, FEW_SCORES, be, count, in_words, listed, number
from sing_core.leakage.concept_kinds import NOT_DECIDED, TOWARDS, OfKind
from sing_core.leakage.concepts import ConceptRow
from sing_core.leakage.strata import POOLED


def summary(found: Sequence[ConceptRow], *, whole: bool) -> str:
    """Return the result in words; what no test decides is said to be not decided."""
    unit = "classes" if whole else "images"
    n = found[0].n
    if n < 2:
        return (
            f"There is one of the {unit} alone: without a second one, every concept is **not "
            "decided**."
        )
    moved = [row for row in found if row.verdict in ("towards", "away")]
    open_ = sum(row.verdict == "not decided" for row in found)
    few = FEW_SCORES if n < FEW else ""
    return (
        f"**{_first(found, moved, unit)}** Tested over {n:,} {unit}{_kind(found[0])}, with a false "
        f"discovery rate of 5 %; **{open_:,}** {be(open_)} not decided. "
        f"{_turned(found)}{_still(found)}{few}"
    )


def _first(found: Sequence[ConceptRow], moved: Sequence[ConceptRow], unit: str) -> str:
    """Say how many concepts are hidden, and how far the one of the largest directed part moves."""
    row = max(moved or found, key=lambda row: abs(row.directed_mean))
    where = "nearer to it" if row.as_mean > 0 else "further from it"
    lie = f"without that part the {unit} lie {number(abs(row.as_mean), '.3f')}° {where}"
    if not moved:
        return (
            f"None of {count(len(found), 'concept')} is shown to hide in the null part; the "
            f"strongest is {in_words(row.concept)}: {lie}."
        )
    hide = "hides" if len(moved) == 1 else "hide"
    return (
        f"{len(moved):,} of {count(len(found), 'concept')} {hide} in the null part, most of all "
        f"{in_words(row.concept)}: {lie}."
    )


def _turned(found: Sequence[ConceptRow]) -> str:
    """Say of which concepts kinds of images say opposite things, and by how much."""
    rows = [row for row in found if row.kinds_differ]
    if not rows:
        return ""
    row = max(rows, key=_apart)
    parts = [f"{_way(part)} on {in_words(part.kind)}s" for part in row.by_kind]
    others = [in_words(one.concept) for one in rows if one is not row][:4]
    named = f"; also {', '.join(others)}" if others else ""
    return (
        f"Towards or away from **{count(len(rows), 'concept')}** depends on the kind of images, "
        f"and pooled there is no verdict: of **{in_words(row.concept)}**, {listed(parts)}{named}. "
    )


def _apart(row: ConceptRow) -> float:
    means = [part.directed_mean for part in row.by_kind]
    return max(means) - min(means)


def _way(part: OfKind) -> str:
    if part.verdict == NOT_DECIDED:
        return f"not decided ({number(part.directed_mean, '+.3f')}°)"
    size = f"{number(abs(part.directed_mean), '.3f')}°"
    return f"{'towards' if part.verdict == TOWARDS else 'away from'} it by {size}"


def _kind(row: ConceptRow) -> str:
    """Say of which kind the images are, where there are several."""
    if not row.stratum:
        return ""
    return " of several kinds of images, pooled," if row.stratum == POOLED else (
        f" (images of kind “{in_words(row.stratum)}”)"
    )  # fmt: skip


def _still(found: Sequence[ConceptRow]) -> str:
    """Say which close or loosely related concepts are shown to move by next to nothing."""
    bound = f"{number(found[0].bound_deg, '.2g')}°"
    close = [row for row in found if row.close]
    untouched = [row for row in found if row.untouched]
    spurious = [row for row in found if row.spurious]
    if untouched:
        told = (
            f"Of {count(len(close), 'close concept')} **{len(untouched):,}** {be(len(untouched))} "
            f"shown to move by less than {bound} ({_named(untouched)}): the null space has no part "
            "in that closeness."
        )
    elif close:
        told = (
            f"{count(len(close), 'concept')} {be(len(close))} close; none is shown to move by less "
            f"than {bound}."
        )
    else:
        told = "No concept is close."
    if spurious:
        told += (
            f" **{len(spurious):,}** may be spurious, loosely related and shown to hardly move: "
            f"{_named(spurious)}."
        )
    return told


def _named(rows: Sequence[ConceptRow]) -> str:
    return ", ".join(in_words(row.concept) for row in rows[:5])
