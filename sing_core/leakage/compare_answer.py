"""Compare's answer in words: which classifier leaks most and least, by how much, how surely."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import isfinite
from typing import NamedTuple

from sing_core.leakage.comparison import ModelRow
from sing_core.leakage.differences import PairRow
from sing_core.leakage.phrases import in_words, interval, listed, number
from sing_core.maths.statistics import Interval

_MEASURE = "abs_attribute_score_deg"
_MEANING = "without its null part an image lies {score} nearer to or further from its own class"
_MEAN = "(|AS|, the mean over classes)"
_Gaps = Mapping[tuple[str, str], "_Gap"]
_Titles = Mapping[str, str]


class _Gap(NamedTuple):
    """|AS| of one model minus that of another; ``decided`` corrected for the number of pairs.

    ``kinds``: of each kind of images its name, the same and whether that is decided, where they do
    not say the same.
    """

    difference: Interval
    decided: bool
    kinds: tuple[tuple[str, Interval, bool], ...] = ()


def answer(rows: Sequence[ModelRow], pairs: Sequence[PairRow], titles: _Titles) -> str:
    """Return the answer to the page's question, a paragraph a thought, the ranking first.

    Why a model is not ranked is said once. ``titles``: the models' names for a person.
    """
    ranked = sorted(comparable(rows), key=lambda row: -row.abs_attribute_score.estimate)
    told = (
        _ranking(ranked, _gaps(pairs), titles),
        _beyond(ranked, titles),
        _feasible(ranked, titles),
        _left_out(rows, ranked, titles),
    )
    return "\n\n".join(part for part in told if part)


def comparable(rows: Sequence[ModelRow]) -> list[ModelRow]:
    """Return the models whose scores may be held against each other."""
    there = [row for row in rows if row.nullity]
    return [row for row in there if not row.shares_tower] or there


def _gaps(pairs: Sequence[PairRow]) -> dict[tuple[str, str], _Gap]:
    """Return |AS| of one model minus that of another, in either order."""
    found = {}
    for pair in pairs:
        if pair.measure == _MEASURE:
            gap = pair.difference
            split = pair.by_stratum if pair.kinds_differ else ()
            kinds = tuple((row.stratum, row.difference, row.decided) for row in split)
            back = tuple((kind, _turned(apart), decided) for kind, apart, decided in kinds)
            found[pair.first, pair.second] = _Gap(gap, pair.decided, kinds)
            found[pair.second, pair.first] = _Gap(_turned(gap), pair.decided, back)
    return found


def _turned(gap: Interval) -> Interval:
    low, high = (None if end is None else -end for end in (gap.high, gap.low))
    return Interval(-gap.estimate, low, high, gap.clusters)


def _ranking(ranked: Sequence[ModelRow], gaps: _Gaps, titles: _Titles) -> str:
    if not ranked:
        return "**None of these classifiers has a null space**: nothing leaks."
    first, last = ranked[0], ranked[-1]
    one, other = titles[first.model], titles[last.model]
    meaning = _MEANING.format(score=_score(first))
    if first is last:
        return f"**{one} alone can be judged: {meaning}** {_MEAN}."
    gap = gaps[first.model, last.model]
    if gap.kinds:
        start = _by_kind(one, other, gap)
        told = f"On the same images {one} minus {other} is {_each_kind(gap)}."
    else:
        start = _verdict(ranked, gaps, titles)
        told = f"On the same images the difference is {interval(gap.difference, signed=True)}."
    size = f"{meaning[0].upper()}{meaning[1:]} with {one}, {_score(last)} with {other} {_MEAN}."
    return f"**{start}**\n\n{size} {told}{_undecided(ranked, gaps, titles)}"


def _verdict(ranked: Sequence[ModelRow], gaps: _Gaps, titles: _Titles) -> str:
    """Say which leaks most, and by how much more than the one that leaks least."""
    first, last = ranked[0], ranked[-1]
    gap, one, other = gaps[first.model, last.model], titles[first.model], titles[last.model]
    apart = f"{number(abs(gap.difference.estimate), '.3f')}°"
    if not gap.decided:
        names = listed([titles[row.model] for row in ranked])
        more = "most" if len(ranked) > 2 else "more"
        return f"Which of {names} leaks {more} is not decided: they are {apart} apart."
    surely = all(gaps[first.model, row.model].decided for row in ranked[1:])
    if surely and len(ranked) > 2:
        return f"{one} leaks most, {apart} more than {other}."
    return f"{one} leaks more than {other}, by {apart}."


def _by_kind(one: str, other: str, gap: _Gap) -> str:
    """Say that kinds of images answer differently, in place of a pooled verdict."""
    parts = []
    for kind, found, decided in gap.kinds:
        larger = one if found.estimate > 0 else other
        by = f"{larger}, by {number(abs(found.estimate), '.3f')}°" if decided else "not decided"
        parts.append(f"on {in_words(kind)}s {by}")
    return f"Which leaks more depends on the kind of images: {'; '.join(parts)}."


def _each_kind(gap: _Gap) -> str:
    parts = [f"{interval(apart, signed=True)} on {in_words(kind)}s" for kind, apart, _ in gap.kinds]
    return f"{listed(parts)}; pooled {interval(gap.difference, signed=True)}, no verdict"


def _score(row: ModelRow) -> str:
    return f"{number(row.abs_attribute_score.estimate, '.3f')}°"


def _undecided(ranked: Sequence[ModelRow], gaps: _Gaps, titles: _Titles) -> str:
    """Name those that are not told apart, of three and more."""
    open_ = [
        f"{titles[a.model]} and {titles[b.model]}"
        for a, b in combinations(ranked, 2)
        if not gaps[a.model, b.model].decided
    ]
    return f" Not told apart: {'; '.join(open_)}." if open_ and len(ranked) > 2 else ""


def _beyond(ranked: Sequence[ModelRow], titles: _Titles) -> str:
    """Say of whom that is more than the size of the null space explains."""
    named: dict[str, list[str]] = {"**more**": [], "**less**": [], "**not decided**": []}
    for row in ranked:
        word = "**more**" if row.above_energy.estimate > 0 else "**less**"
        named[word if row.above_energy.decided else "**not decided**"].append(titles[row.model])
    parts = [f"{word} with {listed(who)}" for word, who in named.items() if who]
    if not parts:
        return ""
    return f"Against random subspaces that remove as much, that is {listed(parts)}."


def _feasible(ranked: Sequence[ModelRow], titles: _Titles) -> str:
    """Say how much of the move to the equivalents the networks can produce."""
    known = [row for row in ranked if isfinite(row.feasible_image_score_deg.estimate)]
    parts = [
        f"{number(row.feasible_image_score_deg.estimate, '.1f')}° of "
        f"{number(row.image_score.estimate, '.1f')}° with {titles[row.model]}"
        for row in known
    ]
    open_ = [titles[row.model] for row in ranked if row not in known]
    told = []
    if parts:
        told.append(
            "**No network that ends in a ReLU gives these equivalents**: their features have "
            f"negative entries. Of their turn (IS) it can produce at most {listed(parts)}, and "
            "only if the logits may move by 3 % of the largest."
        )
    if open_:
        told.append(f"What can be produced is not known of {listed(open_)}.")
    return " ".join(told)


def _left_out(rows: Sequence[ModelRow], ranked: Sequence[ModelRow], titles: _Titles) -> str:
    kept = {row.model for row in ranked}
    reasons = [
        f"{titles[row.model]} ({'its own image tower' if row.nullity else 'no null space'})"
        for row in rows
        if row.model not in kept
    ]
    return f"Not ranked: {listed(reasons)}." if reasons else ""
