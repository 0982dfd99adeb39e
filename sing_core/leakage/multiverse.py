"""Does a claim survive other defensible choices? Every combination of them, measured anew.

Varied are the kind of images, the reading of angles, the reference, and the fit of the translator:
a tenth to ten times its penalty, and the fits that left a fifth of the images out. A claim is what
the usual choices say; it survives another choice that says the same, beyond its own interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

import numpy as np

from sing_core.errors import ImageSetError
from sing_core.leakage.choices import (
    AS_FITTED,
    CENTRED,
    RAW,
    WITHOUT_PART,
    Measured,
    measured_by,
)
from sing_core.leakage.measures import MEASURES
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.strata import ALL, POOLED, strata_of
from sing_core.maths.statistics import LEVEL, Floats, cluster_means, student

_SPOKEN = {
    RAW: "raw angles",
    CENTRED: "centred angles",
    AS_FITTED: "the translator as fitted",
    "λ / 10": "a tenth of the translator’s penalty",
    "λ / 3": "a third of the translator’s penalty",
    "λ × 3": "three times the translator’s penalty",
    "λ × 10": "ten times the translator’s penalty",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One combination of choices, and what it says.

    Attributes:
        images: kind of images; ``reading`` of angles; ``reference``; ``fit`` of the translator.
        estimate: mean over classes, degrees; ``low`` and ``high`` its 95 % t interval.
        survives: whether it says what the claim says.
    """

    images: str
    reading: str
    reference: str
    fit: str
    estimate: float
    low: float
    high: float
    survives: bool = True

    @property
    def names(self) -> tuple[str, str, str, str]:
        """The four choices."""
        return self.images, self.reading, self.reference, self.fit

    @property
    def sign(self) -> int:
        """1 or -1 where the interval lies on one side of 0, else 0."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True, slots=True)
class Claim:
    """What the usual choices say of one model, or of two, and every combination of choices.

    Attributes:
        measure: of ``MEASURES``.
        first: the model; ``second`` the one that it is compared with, "" for 0.
        choices: the usual ones first.
        label: the class that the claim is about; "" where it is about all images.
        concept: what its images, or all, turn towards; "" where the claim is about no concept.
        level: of the intervals.
    """

    measure: str
    first: str
    second: str
    choices: tuple[Choice, ...]
    label: str = ""
    level: float = LEVEL
    concept: str = ""

    @property
    def text(self) -> str:
        """The claim in words."""
        if self.concept:
            return self._of_concept
        if self.label:
            return self._of_class
        name, usual = MEASURES[self.measure].words, self.choices[0]
        if not self.second:
            if not usual.sign:
                return f"{name} of {self.first} towards an image’s class is not told from 0"
            side = "above" if usual.sign > 0 else "below"
            return f"{name} of {self.first} towards an image’s class is {side} 0"
        if not usual.sign:
            return f"{name} of {self.first} and of {self.second} are not told apart"
        order = (self.first, self.second) if usual.sign > 0 else (self.second, self.first)
        return f"{name} of {order[0]} is larger than that of {order[1]}"

    @property
    def _of_class(self) -> str:
        """The claim about one class in words."""
        sign, turns = self.choices[0].sign, f"null removal under {self.first} turns {self.label}"
        if not sign:
            return f"Whether {turns} towards its own name or away from it is not decided"
        way = "towards" if sign > 0 else "away from"
        return f"N{turns[1:]} {way} its own name, more than it does with those of other classes"

    @property
    def _of_concept(self) -> str:
        """The claim about one concept in words."""
        whose = f"the images of {self.label}" if self.label else "the images"
        sign, turns = self.choices[0].sign, f"null removal under {self.first} turns {whose}"
        if not sign:
            return f"Whether {turns} towards {self.concept} or away from it is not decided"
        way = "towards" if sign > 0 else "away from"
        return f"N{turns[1:]} {way} {self.concept}, beyond what shortening does"

    @property
    def survives(self) -> int:
        """In how many choices it does."""
        return sum(choice.survives for choice in self.choices)

    @property
    def by_option(self) -> dict[str, tuple[int, int]]:
        """Of each single choice: in how many combinations the claim survives, of how many."""
        counts: dict[str, tuple[int, int]] = {}
        for choice in self.choices:
            for name in choice.names:
                kept, whole = counts.get(name, (0, 0))
                counts[name] = kept + choice.survives, whole + 1
        return counts

    @property
    def never(self) -> tuple[str, ...]:
        """The single choices with which it never survives, where it does without them."""
        counts = self.by_option if self.survives else {}
        return tuple(name for name, (kept, _) in counts.items() if not kept)

    @property
    def quantity(self) -> str:
        """What the degrees of the choices are; "" where ``text`` names it."""
        if self.concept:
            return "directed part of AS"
        return "own name beside all names" if self.label else ""

    @property
    def sentence(self) -> str:
        """The claim with its magnitude, and how much of it is left under other choices."""
        usual, whole = self.choices[0], len(self.choices)
        ends = ", ".join(_signed(end) for end in (usual.low, usual.high))
        named = f"{self.quantity} " if self.quantity else ""
        wide = ", corrected," if self.level != LEVEL else ""
        kept_as = "survives" if usual.sign else "stays undecided under"
        said = (
            f"{self.text} ({named}{_signed(usual.estimate)}° [{ends}]{wide} by the usual choices): "
            f"it {kept_as} {self.survives} of {whole} choices"
        )
        if self.never:
            return f"{said}; never with {' or '.join(spoken(name) for name in self.never)}."
        worst, (kept, of) = min(self.by_option.items(), key=lambda item: item[1][0] / item[1][1])
        if kept * whole >= of * self.survives:
            return f"{said}."
        return f"{said}; with {spoken(worst)} only {kept} of {of}."

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints."""
        usual = self.choices[0]
        return {
            "claim": self.text, "measure": self.measure, "first": self.first,
            "second": self.second, "class": self.label, "concept": self.concept,
            "estimate": usual.estimate, "low": usual.low, "high": usual.high, "level": self.level,
            "choices": len(self.choices), "survives": self.survives,
            "never": list(self.never),
            "fails": [", ".join(c.names) for c in self.choices if not c.survives],
        }  # fmt: skip

    def as_rows(self) -> list[dict[str, Any]]:
        """Return every combination of choices, the usual one first."""
        return [
            {
                "images": c.images, "reading": c.reading, "reference": c.reference, "fit": c.fit,
                "estimate": c.estimate, "low": c.low, "high": c.high, "survives": c.survives,
            }
            for c in self.choices
        ]  # fmt: skip


def spoken(option: str) -> str:
    """Return what a single choice is called in a sentence."""
    if option in _SPOKEN:
        return _SPOKEN[option]
    return f"the fit {option}" if option.startswith(WITHOUT_PART) else option


def _signed(degrees: float) -> str:
    """Return a number with its sign; nothing has none."""
    text = f"{degrees:+.2f}".replace("-", "−")
    return "0.00" if text in ("+0.00", "−0.00") else text


def multiverse(sets: Sequence[ScoredSet]) -> tuple[Claim, ...]:
    """Return the claims about each model of ``sets``, and about every two, of one prepared set.

    Raises:
        ImageSetError: they are of different sets, or have no image of two classes in common.
        SingError: scores, features or translators cannot be read.
    """
    if len({scored.folder.facts.key for scored in sets}) != 1:
        raise ImageSetError("Choices are compared on the same set of images.")
    rows = _common_rows(sets)
    found = [measured_by(scored, rows) for scored in sets]
    several, strata = strata_of(sets[0]), np.array(found[0].strata)
    kinds = {POOLED if several else ALL: np.ones(len(rows), dtype=bool)}
    kinds |= {kind: strata == kind for kind in several}
    claims = [_claim(m, one, None, kinds) for one in found for m in ("attribute_score_deg",)]
    for one, two in combinations(found, 2):
        claims += [_claim(measure, one, two, kinds) for measure in MEASURES]
    return tuple(claims)


def _common_rows(sets: Sequence[ScoredSet]) -> list[int]:
    scored = [set(one.ask("SELECT row FROM images")["row"].to_pylist()) for one in sets]
    rows = sorted(set.intersection(*scored))
    labels = sets[0].ask("SELECT DISTINCT label FROM images")
    if not rows or len(labels) < 2:
        raise ImageSetError("Intervals are over classes: at least two are needed in common.")
    return rows


def _claim(
    measure: str, one: Measured, two: Measured | None, kinds: "dict[str, np.ndarray[Any, Any]]"
) -> Claim:
    keys = [key for key in one.scores if two is None or key in two.scores]
    choices = []
    for (kind, kept), (reading, reference, fit) in product(kinds.items(), keys):
        values = one.scores[reading, reference, fit][measure]
        if two is not None:
            values = values - two.scores[reading, reference, fit][measure]
        estimate, low, high = _over_classes(values[kept], one.labels[kept])
        choices.append(Choice(kind, reading, reference, fit, estimate, low, high))
    return Claim(measure, one.model, "" if two is None else two.model, judged(choices))


def judged(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Return the choices, each with whether it says what the first of them, the usual one, says."""
    return tuple(replace(choice, survives=choice.sign == choices[0].sign) for choice in choices)


def _over_classes(values: Floats, labels: "np.ndarray[Any, Any]") -> tuple[float, float, float]:
    """Return the mean over classes and its t interval; unbounded where one class alone is."""
    (means,) = cluster_means(labels, values)
    if len(means) < 2:
        return float(means.mean()), -np.inf, np.inf
    middle, spread = float(means.mean()), float(means.std(ddof=1))
    if spread == 0:  # as without a null space
        return middle, middle, middle
    low, high, _ = student([middle], [spread], [len(means)])
    return middle, float(low[0]), float(high[0])
