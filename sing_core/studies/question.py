"""What is asked about a photo: names and numbers alone, so that it can be a key or a link."""

from dataclasses import dataclass, replace
from typing import Literal

from sing_core.errors import SingError
from sing_core.files.digests import content_key
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant
from sing_core.models.registry import DEFAULT_REFERENCE

Mode = Literal["steer", "remove"]  # eq. 13, eq. 9
MODES: tuple[Mode, ...] = ("steer", "remove")
DEFAULT_STEPS = 81
DEFAULT_TARGET_DEG = 40.0
# Image scores that a hand or a key goes to at once: there a sweep has a step exactly.
MARKS_DEG = (10.0, 20.0, 40.0)


@dataclass(frozen=True, slots=True)
class Question:
    """A sweep along a null step, and which step of it is looked at.

    Attributes:
        model: classifier; ``reference``: image-text space, both by name.
        prompt: the text target.
        mode: ``steer`` follows the concept gradient (eq. 13), ``remove`` walks to null removal
            (eq. 9).
        epsilon: the step, feature-norm units; None chooses the one of ``target_deg``, or the end
            where that is not reachable.
        target_deg: a wanted image score, degrees; None wants none.
        steps: how many even steps the sweep has, at least two.
        marks_deg: image scores, degrees, at which it has a step exactly where it reaches them.
        variant: which null space of the head.
    """

    model: str
    prompt: str
    mode: Mode = "steer"
    reference: str = DEFAULT_REFERENCE
    epsilon: float | None = None
    target_deg: float | None = DEFAULT_TARGET_DEG
    steps: int = DEFAULT_STEPS
    variant: HeadVariant = WHOLE_HEAD
    marks_deg: tuple[float, ...] = MARKS_DEG

    def __post_init__(self) -> None:
        """Check what no name can say.

        Raises:
            SingError: there is no such mode, or a sweep of fewer than two steps.
        """
        if self.mode not in MODES or self.steps < 2:
            raise SingError(f"A sweep has a mode out of {', '.join(MODES)} and at least two steps.")

    def at(self, epsilon: float | None) -> "Question":
        """Return the same question, looked at ``epsilon``."""
        return replace(self, epsilon=epsilon)

    @property
    def key(self) -> str:
        """Digest of the question; the same for the same answer on the same photo and weights."""
        return content_key(
            self.model,
            self.prompt,
            self.mode,
            self.reference,
            repr(self.epsilon),
            repr(self.target_deg),
            str(self.steps),
            repr(self.variant),
            # Recordings were made under keys that know no marks; the usual ones are not named.
            *([] if self.marks_deg == MARKS_DEG else [repr(self.marks_deg)]),
        )
