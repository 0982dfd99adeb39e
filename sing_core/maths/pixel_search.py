"""From a direction of features to pixels: the picture near another one whose feature follows it.

Searched is, inside a ball of so many levels around every value of a picture, the one whose feature
lies furthest along a direction while no logit moves by more than a share of the largest and the
first class stays the first. Every picture that is tried consists of whole levels, as a file holds
them, and is measured as such: what is found is a picture, not the limit of an optimisation.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.feasible import FEASIBLE_BUDGET
from sing_core.maths.linear_head import LinearHead

# Pictures ``(n, 3, h, w)`` in levels from 0 to 255 -> features ``(n, m)``; gradients flow.
Sees = Callable[[Tensor], Tensor]
LEVELS = 255

# A step is at first this share of the radius, and at last a twentieth of that.
_RATE, _LAST = 0.1, 0.05
_MOMENTUM, _SQUARES = 0.8, 0.95  # Adam's memories of gradients and of their squares
# From this share of what they may move by on, logits are held back.
_SOFT = 0.5
# The weight of the logits at first, how quickly it follows them, and within what bounds.
_BEGUN, _FOLLOW, _WEIGHTS = 0.5, 0.2, (0.01, 100.0)


@dataclass(frozen=True, slots=True, eq=False)
class PixelBall:
    """A picture, who sees it, and what its logits may move by.

    ``m`` features, ``c`` classes.

    Attributes:
        sees: the network up to its head.
        linear: the head.
        picture: ``(3, h, w)`` float32, whole levels from 0 to 255.
        features: ``(m,)`` of the picture.
        budget: the largest change of a logit that is allowed, as a share of the largest logit.
    """

    sees: Sees
    linear: LinearHead
    picture: Tensor
    features: Tensor
    budget: float

    @classmethod
    def around(
        cls, picture: Tensor, sees: Sees, linear: LinearHead, budget: float = FEASIBLE_BUDGET
    ) -> "PixelBall":
        """Look at ``picture`` ``(3, h, w)``; its values are rounded to whole levels.

        Raises:
            ShapeError: it is not one picture.
        """
        if picture.ndim != 3:
            raise ShapeError(f"A picture is (3, height, width), got {tuple(picture.shape)}.")
        whole = picture.detach().float().round().clamp(0, LEVELS)
        with torch.no_grad():
            features = sees(whole[None])[0].float()
        return cls(sees, linear, whole, features, budget)

    @property
    def largest(self) -> float:
        """The largest logit of the picture, in absolute value."""
        return float(self.linear.logits(self.features.cpu()).abs().max())

    def within(self, change: Tensor) -> Tensor:
        """Return the pictures ``(n, 3, h, w)`` with ``change`` added, in whole levels."""
        return (self.picture + change).round().clamp(0, LEVELS)

    def noise(self, radius: int, draws: int, generator: torch.Generator) -> Tensor:
        """Return ``draws`` pictures whose every value is ``radius`` levels higher or lower."""
        signs = torch.randint(0, 2, (draws, *self.picture.shape), generator=generator)
        return self.within((2.0 * signs - 1) * radius)


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """The picture that was found for a direction, within a radius.

    Attributes:
        radius: levels by which a value may differ.
        picture: ``(3, h, w)`` float32, whole levels; the one looked around where none is better.
        along: how far its feature lies along the direction, feature-norm units, not below 0.
    """

    radius: int
    picture: Tensor
    along: float


def reach(
    ball: PixelBall,
    directions: Tensor,
    radii: Sequence[int],
    *,
    steps: int,
    starts: int = 2,
    seed: int = 0,
) -> Iterator[tuple[Reached, ...]]:
    """Yield for each of the ascending ``radii`` what is reached along ``directions`` ``(k, m)``.

    Projected gradient ascent of ``<f' - f, d>`` by Adam, with the logits' excess over half of what
    they may move by held back with a weight that follows them. The first of the ``starts`` is what
    the radius before reached, so that a larger radius never reaches less; the others are random.

    Raises:
        ShapeError: radii do not ascend from 1, or there is no step or start.
    """
    if steps < 1 or starts < 1 or list(radii) != sorted(set(radii)) or min(radii, default=0) < 1:
        raise ShapeError("Radii are whole numbers that ascend from 1; steps and starts are some.")
    generator = torch.Generator().manual_seed(seed)
    device, count = ball.picture.device, len(directions)
    units = torch.nn.functional.normalize(directions.to(device).float(), dim=1)
    known = torch.zeros(count, *ball.picture.shape, device=device)
    for radius in radii:
        drawn = torch.rand(starts - 1, count, *ball.picture.shape, generator=generator)
        begun = torch.cat([known[None], (2 * drawn.to(device) - 1) * radius]).flatten(0, 1)
        climb = _Climb(ball, units.repeat(starts, 1), radius, begun)
        for step in range(steps):
            climb.take(step / steps)
        along, change = climb.best()
        along, change = along.view(starts, count), change.view(starts, *known.shape)
        first = along.argmax(dim=0)
        known = change[first, torch.arange(count, device=device)]
        found = along.max(dim=0).values.tolist()
        yield tuple(
            Reached(radius, ball.picture + part, value)
            for part, value in zip(known, found, strict=True)
        )


class _Climb:
    """Pictures on their way, each along its own direction; the best lawful one of each is kept."""

    def __init__(self, ball: PixelBall, directions: Tensor, radius: int, start: Tensor) -> None:
        self.ball, self.directions, self.radius = ball, directions, radius
        self.change = start.clone()
        self.mean, self.square = torch.zeros_like(start), torch.zeros_like(start)
        self.weight = start.new_full((len(start),), _BEGUN)
        self.along, self.kept = start.new_zeros(len(start)), torch.zeros_like(start)
        self.head = ball.linear.weight.to(start.device)
        self.limit = ball.budget * ball.largest
        self.base = ball.linear.logits(ball.features.cpu()).to(start.device)
        self.first = int(self.base.argmax())
        self.taken = 0

    def take(self, done: float) -> None:
        """Measure the pictures, then take a step; ``done`` is the share of the steps before."""
        picture = self.ball.within(self.change).requires_grad_()
        with torch.enable_grad():
            seen = self.ball.sees(picture)
        moved = (seen.detach() - self.ball.features).float()
        logits = moved @ self.head.mT
        excess = self._keep(picture.detach(), moved, logits)
        # Rounding is taken for the identity: the gradient is that at the rounded picture.
        (uphill,) = torch.autograd.grad(seen, picture, self._wanted(logits).to(seen.dtype))
        self.weight = (self.weight * (_FOLLOW * excess).exp()).clamp(*_WEIGHTS)
        self._step(uphill, self.radius * _RATE * (0.5 + 0.5 * math.cos(math.pi * done) + _LAST))

    def best(self) -> tuple[Tensor, Tensor]:
        """Return how far each came ``(n,)``, and by what change ``(n, 3, h, w)``."""
        picture = self.ball.within(self.change)
        with torch.no_grad():
            moved = (self.ball.sees(picture) - self.ball.features).float()
        self._keep(picture, moved, moved @ self.head.mT)
        return self.along, self.kept

    def _keep(self, picture: Tensor, moved: Tensor, logits: Tensor) -> Tensor:
        """Keep what is better and lawful; return how far each is beyond the law, from -1 to 1."""
        along = (moved * self.directions).sum(dim=1)
        drift = logits.abs().amax(dim=1)
        stands = (self.base + logits).argmax(dim=1) == self.first
        better = stands & (drift <= self.limit) & (along > self.along)
        self.along = torch.where(better, along, self.along)
        self.kept[better] = (picture - self.ball.picture)[better]
        excess = (drift / max(self.limit, 1e-30) - 1).clamp(-1, 1)
        return torch.where(stands, excess, torch.ones_like(excess))

    def _wanted(self, logits: Tensor) -> Tensor:
        """Return ``(n, m)`` where features shall go: along, and back from what logits show."""
        over = logits.sign() * torch.relu(logits.abs() - _SOFT * self.limit)
        lead = self.base + logits
        own = lead[:, self.first].clone()
        lead[:, self.first] = -torch.inf
        best, rival = lead.max(dim=1)
        behind = torch.relu(best - own)
        over[:, self.first] -= behind
        over.scatter_add_(1, rival[:, None], behind[:, None])
        back = torch.nn.functional.normalize(over @ self.head, dim=1)
        return self.directions - self.weight[:, None] * back

    def _step(self, uphill: Tensor, rate: float) -> None:
        self.taken += 1
        scale = uphill.abs().mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-30)
        uphill = uphill / scale
        self.mean = _MOMENTUM * self.mean + (1 - _MOMENTUM) * uphill
        self.square = _SQUARES * self.square + (1 - _SQUARES) * uphill.square()
        mean = self.mean / (1 - _MOMENTUM**self.taken)
        spread = (self.square / (1 - _SQUARES**self.taken)).sqrt()
        self.change = self.change + rate * mean / (spread + 1e-8)
        self.change = self.change.clamp(-self.radius, self.radius)
