"""Validate's answer in words: what the steps do to the logits, and how good the translator is."""

import statistics

from pages._view.words.phrases import count, in_words, number, size
from sing_core.maths.linear_head import DRIFT_BUDGET
from sing_core.sets.kinds import pooled
from sing_core.studies.validation import Perturbations, Validation


def answer(found: Validation, title: str) -> str:
    """Return the answer to the page's question for the classifier ``title``, with magnitudes."""
    return f"{_of_logits(found, title)} {_of_meaning(found)}"


def _of_logits(found: Validation, title: str) -> str:
    moved = found.perturbations
    if moved.sentence:
        return f"**The null space: there is none.** {title} reads every direction of its features."
    null, seen = moved.null.median(), moved.class_row.median()
    verdict = "yes" if null <= DRIFT_BUDGET else "no"
    return (
        f"**The null space is null: {verdict}.** A step inside it changes the logits of {title} by "
        f"{size(null, 1)} of their length (median of {count(len(moved.names), 'image')}"
        f"{_pooled(found)}), one of the same length that the head reads by {size(seen)}"
        f"{_turn(moved)}.{_of_kinds(found)}"
    )


def _pooled(found: Validation) -> str:
    kinds = in_words(pooled(found.counted), 300)
    return f": {kinds}" if kinds else ""


def _of_kinds(found: Validation) -> str:
    """Return the medians of each kind of images by itself; nothing where there is one kind."""
    if len(found.counted) < 2:
        return ""
    said = [
        f"{in_words(kind, 80)}: {size(found.of_kind(kind, 'null').median(), 1)} and "
        f"{size(found.of_kind(kind, 'class_row').median())}"
        for kind in found.counted
    ]
    return f" By kind, {'; '.join(said)}."


def _turn(moved: Perturbations) -> str:
    """Return what the same steps do to the meaning; nothing where no translator says it."""
    if not moved.null.degrees:
        return ""
    null, seen = (one.median("degrees") for one in (moved.null, moved.class_row))
    return f"; the meaning turns by {number(null, '.0f')}° and {number(seen, '.0f')}°"


def _of_meaning(found: Validation) -> str:
    if found.no_translator:
        return "**The meaning cannot be measured**: there is no translator into this reference."
    if found.no_photos:
        return "How near the translation comes to the reference is asked of photos, not of a set."
    mean, least = statistics.mean(found.cosine), min(found.cosine)
    return (
        "**The meaning is as good as its translation**: between a translated feature and what "
        f"{in_words(found.reference, 120)} itself makes of the photo the mean cosine is "
        f"{number(mean, '.2f')}, the least {number(least, '.2f')}; 1 would be the same."
    )
