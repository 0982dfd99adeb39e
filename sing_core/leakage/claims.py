"""A claim, every combination of choices under which it was measured, and what is left of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sing_core.leakage.choices import CENTRED, RAW
from sing_core.leakage.measures import MEASURES
from sing_core.leakage.other_fits import AS_FITTED, WITHOUT_PART
from sing_core.leakage.set_networks import SPOKEN
from sing_core.maths.statistics import LEVEL

_SPOKEN = {
    RAW: "raw angles",
    CENTRED: "centred angles",
    AS_FITTED: "the translator as fitted",
    "λ / 10": "a tenth of the translator’s penalty",
    "λ / 3": "a third of the translator’s penalty",
    "λ × 3": "three times the translator’s penalty",
    "λ × 10": "ten times the translator’s penalty",
    **SPOKEN,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One combination of choices, and what it says.

    Attributes:
        images: kind of images; ``reading`` of angles; ``reference``; ``fit`` of the translator.
        estimate: mean, degrees; ``low`` and ``high`` the ends of its interval.
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


def judged(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Return the choices, each with whether it says what the first of them, the usual one, says."""
    return tuple(replace(choice, survives=choice.sign == choices[0].sign) for choice in choices)


@dataclass(frozen=True, slots=True)
class Claim:
    """What the usual choices say of one model, or of two, and every combination of choices.

    Attributes:
        measure: of ``MEASURES`` for two models; else what is measured of one.
        first: the model; ``second`` the one that it is compared with, "" for 0.
        choices: the usual ones first.
        label: the class that the claim is about; "" where it is about all images.
        concept: what its images, or all, turn towards; "" where the claim is about no concept.
        level: of the intervals.
        kind: of images that the claim is about alone, as another kind says something else.
    """

    measure: str
    first: str
    second: str
    choices: tuple[Choice, ...]
    label: str = ""
    level: float = LEVEL
    concept: str = ""
    kind: str = ""

    @property
    def text(self) -> str:
        """The claim in words."""
        said = self._of_two if self.second else self._of_one
        return f"Of the kind {self.kind}: {said}" if self.kind else said

    @property
    def _of_two(self) -> str:
        name, usual = MEASURES[self.measure].words, self.choices[0]
        if not usual.sign:
            return f"{name} of {self.first} and of {self.second} are not told apart"
        order = (self.first, self.second) if usual.sign > 0 else (self.second, self.first)
        return f"{name} of {order[0]} is larger than that of {order[1]}"

    @property
    def _of_one(self) -> str:
        whose, name, it = self._about
        turns = f"null removal under {self.first} turns {whose}"
        sign = self.choices[0].sign
        if not sign:
            return f"Whether {turns} towards {name} or away from {it} is not decided"
        beyond = "more than it does with those of other classes"
        beyond = "beyond what shortening does" if self.concept else beyond
        way = "towards" if sign > 0 else "away from"
        return f"N{turns[1:]} {way} {name}, {beyond}{self._unheld}"

    @property
    def _unheld(self) -> str:
        """Of own names of all classes: that no random part is held beside it."""
        if self.label or self.concept:
            return ""
        return "; beside no random part of the same length, which may turn them as far or further"

    @property
    def _about(self) -> tuple[str, str, str]:
        """Which images are turned, towards what, and the pronoun for that."""
        if self.concept:
            return f"the images of {self.label}" if self.label else "the images", self.concept, "it"
        if self.label:
            return self.label, "its own name", "it"
        return "images", "the names of their own classes", "them"

    @property
    def survives(self) -> int:
        """In how many choices it does."""
        return sum(choice.survives for choice in self.choices)

    @property
    def decided(self) -> tuple[int, int]:
        """Under how many choices the interval lies above 0, and under how many below."""
        signs = [choice.sign for choice in self.choices]
        return signs.count(1), signs.count(-1)

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
        return "" if self.second else "own name beside all names"

    @property
    def sentence(self) -> str:
        """The claim with its magnitude, and how much of it is left under other choices."""
        usual, whole = self.choices[0], len(self.choices)
        ends = ", ".join(_signed(end) for end in (usual.low, usual.high))
        named = f"{self.quantity} " if self.quantity else ""
        wide = ", corrected," if self.level != LEVEL else ""
        said = (
            f"{self.text} ({named}{_signed(usual.estimate)}° [{ends}]{wide} by the usual choices)"
        )
        if not usual.sign:
            above, below = self.decided
            return (
                f"{said}: it stays undecided under {self.survives} of {whole} choices; {above} say "
                f"above 0, {below} below."
            )
        left = f"it survives {self.survives} of {whole} choices{self._against}{self._where}"
        return f"{said}: {left}{self._range}."

    @property
    def opposite(self) -> int:
        """How many choices say the opposite of what the usual ones say; 0 where these say nothing.

        The others that it does not survive say nothing either way.
        """
        return sum(choice.sign * self.choices[0].sign < 0 for choice in self.choices)

    @property
    def _against(self) -> str:
        """Of a claim that fails somewhere, how many choices say the opposite."""
        if self.survives == len(self.choices):
            return ""
        return f"; {self.opposite or 'none'} {'say' if self.opposite > 1 else 'says'} the opposite"

    @property
    def _where(self) -> str:
        """Of a claim that fails somewhere, with which single choice most of all."""
        if self.never:
            return f"; never with {' or '.join(spoken(name) for name in self.never)}"
        worst, (kept, of) = min(self.by_option.items(), key=lambda item: item[1][0] / item[1][1])
        if kept * len(self.choices) >= of * self.survives:
            return ""
        return f"; with {spoken(worst)} only {kept} of {of}"

    @property
    def _range(self) -> str:
        """The smallest and the largest estimate of all choices, of more than one."""
        ends = [f"{_signed(end)}°" for end in self.ends]
        return f"; estimates from {ends[0]} to {ends[1]}" if len(self.choices) > 1 else ""

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest estimate of all choices, degrees."""
        estimates = [choice.estimate for choice in self.choices]
        return min(estimates), max(estimates)

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints."""
        usual, (above, below) = self.choices[0], self.decided
        return {
            "claim": self.text, "measure": self.measure, "first": self.first,
            "second": self.second, "class": self.label, "concept": self.concept, "kind": self.kind,
            "estimate": usual.estimate, "low": usual.low, "high": usual.high, "level": self.level,
            "choices": len(self.choices), "survives": self.survives, "above": above, "below": below,
            "opposite": self.opposite, "smallest": self.ends[0], "largest": self.ends[1],
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
