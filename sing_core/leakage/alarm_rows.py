"""How well scores of the null part tell images apart: a row a score, and what they say together.

Each score is held against the logits' own (the largest probability and the largest logit), which
cost nothing: one that does no better is not needed. Whoever names the best of several scores has
looked at all of them, so tests and differences are corrected for that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sing_core.leakage.classes import known
from sing_core.maths.detection import (
    Sample,
    auroc,
    auroc_difference,
    compared,
    false_alarms,
    within_auroc,
    within_difference,
)
from sing_core.maths.statistics import FAMILY_WISE_ERROR, Interval, family_wise

# What each is called, and whether a larger value or a smaller one is the alarm.
SCORES = {
    "null_energy": 1.0,
    "image_score_deg": 1.0,
    "directed_score_deg": -1.0,
    "probability": -1.0,
    "max_logit": -1.0,
}
NAMES = {
    "null_energy": "share of the feature in the null space",
    "image_score_deg": "IS of null removal",
    "directed_score_deg": "AS towards the class decided for",
    "probability": "largest probability",
    "max_logit": "largest logit",
}
OWN = ("null_energy", "image_score_deg", "directed_score_deg")
FREE = ("probability", "max_logit")
_PAIRS = len(OWN) * len(FREE)  # the best of each is one of so many differences


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """How well one score tells what is looked for from what is usual.

    Attributes:
        score: of ``SCORES``; ``directed_score_deg`` is AS towards the class decided for.
        auroc: 0.5 is chance, below it the score says the opposite of what was expected of it.
        fpr95: share of false alarms where 95 % of what is looked for is found, on the side that
            ``told_apart`` names; None within classes.
        n: images that are usual; ``looked_for`` images that are not.
        p_adjusted: of "it is chance", corrected for the null part's three scores, or for the two of
            the logits (Holm); None where there is no interval.
        over_logits: of a score of the null part, what it tells apart minus what the best one of the
            logits does, on the same images; its interval is as wide as the best of six such
            differences asks. None of a score of the logits.
        stratum: of which kind the images are, see ``strata.kind_among``.
    """

    score: str
    auroc: Interval
    fpr95: float | None
    n: int
    looked_for: int
    p_adjusted: float | None = None
    over_logits: Interval | None = None
    stratum: str = ""

    @property
    def told_apart(self) -> Interval:
        """The share of pairs that the score tells apart on its ``side``; the interval turns too.

        The side is read off the data, so the share is never below 0.5. The lower end may be: where
        it is, chance is not excluded.
        """
        found = self.auroc
        if self.sign > 0:
            return found
        low, high = (None if end is None else 1 - end for end in (found.high, found.low))
        return replace(found, estimate=1 - found.estimate, low=low, high=high)

    @property
    def sign(self) -> float:
        """-1 where the score says the opposite of what was expected of it, else 1."""
        return -1.0 if self.auroc.estimate < 0.5 else 1.0

    @property
    def beyond_chance(self) -> bool:
        """Whether it tells more apart than chance, as one of several scores that were looked at."""
        low = self.told_apart.low
        is_found = self.p_adjusted is not None and self.p_adjusted <= FAMILY_WISE_ERROR
        return is_found and low is not None and low > 0.5

    @property
    def side(self) -> str:
        """Whether the score itself is ``higher`` or ``lower`` for what is looked for."""
        return "higher" if self.sign * SCORES[self.score] > 0 else "lower"

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        over = self.over_logits
        return {
            "score": self.score, "side": self.side, "auroc": known(self.told_apart.estimate),
            "low": self.told_apart.low, "high": self.told_apart.high,
            "p_adjusted": self.p_adjusted, "fpr95": self.fpr95,
            "over_logits": over and known(over.estimate), "over_logits_low": over and over.low,
            "over_logits_high": over and over.high, "n": self.n, "looked_for": self.looked_for,
            "stratum": self.stratum,
        }  # fmt: skip


Scores = Mapping[str, Sample]
Gap = Callable[[AlarmRow, AlarmRow], Interval]


def within_rows(samples: Scores, wrong: NDArray[np.bool_]) -> tuple[AlarmRow, ...]:
    """Return how well each score tells ``wrong`` ``(n,)`` from the others of the same class.

    ``samples`` hold each of ``SCORES`` as an alarm, by name. Images of classes without both kinds
    take no part and are not counted.

    Raises:
        ShapeError: there is not one entry an image.
    """
    rows = []
    for name, sample in samples.items():
        asked = wrong[compared(sample, wrong)]
        right, looked_for = int((~asked).sum()), int(asked.sum())
        rows.append(AlarmRow(name, within_auroc(sample, wrong), None, right, looked_for))

    def gap(own: AlarmRow, free: AlarmRow) -> Interval:
        one, two = (samples[row.score].times(row.sign) for row in (own, free))
        return within_difference(one, two, wrong, tests=_PAIRS)

    return _judged(rows, gap)


def between_rows(usual: Scores, strange: Scores) -> tuple[AlarmRow, ...]:
    """Return how well each score tells ``strange`` images from ``usual`` ones.

    Both hold each of ``SCORES`` as an alarm, by name.
    """
    rows = [_row(name, usual[name], strange[name]) for name in usual]

    def turned(row: AlarmRow) -> tuple[Sample, Sample]:
        return usual[row.score].times(row.sign), strange[row.score].times(row.sign)

    def gap(own: AlarmRow, free: AlarmRow) -> Interval:
        return auroc_difference(turned(own), turned(free), tests=_PAIRS)

    return _judged(rows, gap)


def _judged(rows: Sequence[AlarmRow], gap: Gap) -> tuple[AlarmRow, ...]:
    """Return the rows with their corrected tests, and each own score's lead over the logits'."""
    free = _best(rows, FREE)
    p_of: dict[str, float | None] = {}
    for family in (OWN, FREE):
        found = [row for row in rows if row.score in family]
        told = family_wise([np.nan if row.auroc.p is None else row.auroc.p for row in found])
        p_of |= {row.score: known(p) for row, p in zip(found, told.tolist(), strict=True)}
    return tuple(
        replace(
            row,
            p_adjusted=p_of[row.score],
            over_logits=gap(row, free) if row.score in OWN and free else None,
        )
        for row in rows
    )


def _best(rows: Sequence[AlarmRow], family: Sequence[str]) -> AlarmRow | None:
    found = [row for row in rows if row.score in family]
    return max(found, key=lambda row: row.told_apart.estimate, default=None)


def _row(name: str, usual: Sample, strange: Sample) -> AlarmRow:
    row = AlarmRow(name, auroc(usual, strange), None, len(usual.scores), len(strange.scores))
    rate = false_alarms(usual.times(row.sign), strange.times(row.sign))  # of the side that warns
    return replace(row, fpr95=rate)


def sentence(rows: Sequence[AlarmRow], what: str) -> str:
    """Say how well the null part tells ``what`` apart, beside what can be read off the logits."""
    own = _best([row for row in rows if row.beyond_chance], OWN)
    free = _best(rows, FREE)
    if own is None:
        corrected = f"beyond chance (corrected for its {_IN_WORDS[len(OWN)]} scores)"
        return f"No score of the null part tells {what} from the others {corrected}; {_nor(free)}."
    first = "best score" if own is _best(rows, OWN) else "best score that is beyond chance"
    best = (
        f"The null part’s {first}, the {NAMES[own.score]}, is {own.side} for {what} in "
        f"{_share(own)} of pairs (beyond chance, which is 50 %, corrected for its "
        f"{_IN_WORDS[len(OWN)]} scores)"
    )
    if free is None:
        return f"{best}."
    return (
        f"{best}; the logits’ own {NAMES[free.score]}, which costs nothing to read, is "
        f"{free.side} in {_share(free)}: {_lead(own.over_logits)}."
    )


_IN_WORDS = {2: "two", 3: "three"}


def _nor(free: AlarmRow | None) -> str:
    if free is None or not free.beyond_chance:
        return "nor does what can be read off the logits"
    return f"the logits’ own {NAMES[free.score]} is {free.side} for them in {_share(free)} of pairs"


def _share(row: AlarmRow) -> str:
    return f"{100 * row.told_apart.estimate:.0f} %"


def _lead(over: Interval | None) -> str:
    """Say which of the two scores tells more apart; ``over``: the null part's minus the logits'."""
    if over is None or over.low is None or over.high is None or not over.decided:
        return "which of the two tells more of them apart is not decided"
    least, most = sorted(100 * abs(end) for end in (over.low, over.high))
    return (
        f"it tells {100 * abs(over.estimate):.0f} percentage points "
        f"{'fewer' if over.estimate > 0 else 'more'} of them apart ({least:.0f} to {most:.0f})"
    )
