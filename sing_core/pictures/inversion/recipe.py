"""The recipe of an inversion: stages, rates and weights, all that decides a picture by choice."""

import math
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pull:
    """How strongly, and at which noise levels, the denoiser is listened to.

    Attributes:
        weight: of the mean squared difference between a picture and its denoised self, beside
            what is asked of the picture: where the direction of a move counts, it counts more.
        first: the noise level at the first step of a schedule; it falls in even ratios to ``last``.
        last: the noise level at the last step, deviations in units of the picture's range.
        fresh: noise that is laid over the picture before it is denoised, as a share of that level:
            without any, the denoiser takes what is not noise for texture that should go.
        layout: whether the denoiser is shown the photo's low-pass.
    """

    weight: float = 50.0
    first: float = 0.3
    last: float = 0.1
    fresh: float = 0.25
    layout: bool = True

    def sigma(self, share: float) -> float:
        """Return the noise level where ``share`` of a schedule is done."""
        return math.exp((1 - share) * math.log(self.first) + share * math.log(self.last))


@dataclass(frozen=True, slots=True)
class Stage:
    """Part of the schedule: the picture's side, steps, and what share of its side the eye has.

    The eye looks at an enlarged picture: what it sees must survive enlarging, as it must for
    another network that takes larger pictures.
    """

    side: int
    steps: int
    share: float


@dataclass(frozen=True, slots=True)
class InversionRecipe:
    """Everything that decides a picture besides the request and the weights.

    Attributes:
        first: the stage that one picture, of the photo's own feature, takes alone: all pictures
            of the photo start from it, whatever the prompt.
        stages: the stages that the pictures take together.
        rate: peak learning rate of Adam, in units of the picture's range; it falls as a cosine.
        toward: how much the direction counts in which the meaning moves, see ``Aim``.
        fade: how much less it counts for a short move.
        pull: how the prior draws the pictures to photographs.
        jitter: largest shift, ``zoom`` largest zoom of the window between steps.
        chunk: rows that go through the network together; bounds the memory.
        preview_every: steps between previews.
    """

    first: Stage = Stage(64, 40, 3 / 7)
    stages: tuple[Stage, ...] = (Stage(96, 30, 9 / 14), Stage(128, 50, 1.0))
    rate: float = 0.02
    toward: float = 1.5
    fade: float = 0.5
    pull: Pull = field(default_factory=Pull)
    jitter: float = 0.06
    zoom: float = 0.1
    chunk: int = 9
    preview_every: int = 10

    def rate_at(self, share: float) -> float:
        """Return the learning rate where ``share`` of a schedule is done."""
        return self.rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share)))


# For a scale: a short move looks short. In a strip, where the direction is what one wants to see of
# a step, three degrees look nearly as different from none as forty do.
IN_PROPORTION = InversionRecipe(toward=6.5, fade=2.0)
