"""Concepts' answer in words: how many hide in the null part, most of all which, by how much."""

from collections.abc import Sequence

from sing_core.leakage.concept_kinds import AWAY, NOT_DECIDED, TOWARDS, OfKind
from sing_core.leakage.concepts import ConceptRow
from sing_core.leakage.phrases import FEW, FEW_SCORES, be, count, in_words, listed, number, percent
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
    open_ = sum(row.verdict == NOT_DECIDED for row in found)
    left = f"; **{open_:,}** {be(open_)} not decided" if open_ else ""
    few = FEW_SCORES if n < FEW else ""
    return (
        f"**{_first(found)}** {_control(found)}"
        "Degrees are the directed part of AS, which is what is tested: over "
        f"{n:,} {unit}{_kind(found[0])}, with a false discovery rate of 5 %{left}. What images "
        f"turn away from without it, the null part pointed to. {_turned(found)}{_still(found)}{few}"
    )


def _first(found: Sequence[ConceptRow]) -> str:
    """Say which way null removal turns the images, how often, and most of all of which concept."""
    ways = {way: [row for row in found if row.verdict == way] for way in (TOWARDS, AWAY)}
    if not any(ways.values()):
        row = max(found, key=_size)
        way = "towards" if row.directed_mean > 0 else "away from"
        return (
            f"Without their null part the images are not shown to turn towards or away from any of "
            f"{count(len(found), 'concept')}; the strongest is {in_words(row.concept)} "
            f"({number(_size(row), '.3f')}° {way} it)."
        )
    nearer, further = (_most(rows) for rows in ways.values())
    towards, away = (len(rows) or "none" for rows in ways.values())
    return (
        f"Without their null part the images turn towards {towards} of "
        f"{count(len(found), 'concept')}{nearer}, and away from {away}{further}."
    )


def _control(found: Sequence[ConceptRow]) -> str:
    """Return the negative control: how much of a fixed vocabulary the same test decides."""
    row, share = max(found, key=_size), found[0].vocabulary_decided
    if share is None:
        return ""
    asked = sum(one.verdict in (TOWARDS, AWAY) for one in found) / len(found)
    stands = ""
    if row.beyond is not None:
        stands = f" ({in_words(row.concept)} moves further than {percent(row.beyond)} of them)"
    return (
        f"Of the {row.vocabulary:,} words of the fixed vocabulary {percent(share)} are decided "
        f"likewise for the same images, of those asked {percent(asked)}: that a word is decided "
        f"says little; where it stands among them says more{stands}. Here every word is tested by "
        "itself; the page Classes tests the own name beside the names of all classes. "
    )


def _most(rows: Sequence[ConceptRow]) -> str:
    """Name the concept of the largest directed part, with it; "" of none."""
    if not rows:
        return ""
    row = max(rows, key=_size)
    which = "most of all " if len(rows) > 1 else ""
    return f", {which}{in_words(row.concept)} ({number(_size(row), '.3f')}°)"


def _size(row: ConceptRow) -> float:
    return abs(row.directed_mean)


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
    return " of several kinds of images, pooled" if row.stratum == POOLED else (
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
        none = "it is not" if len(close) == 1 else "none is"
        told = (
            f"{count(len(close), 'concept')} {be(len(close))} close; {none} shown to move by less "
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
