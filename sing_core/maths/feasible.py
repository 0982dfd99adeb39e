"""The feasible step: as far towards the prompt as a network with a last ReLU can go.

Features behind a ReLU are never negative, and ``f + eps d`` may be. Exactly equal logits leave
sparse features next to nowhere to go, so that a stated budget is allowed. Wanted is the solution of

    maximise  g . d   subject to   |W d| <= budget in every logit,   f + d >= 0,   |d| <= r

with the unit direction ``g`` of the line: steered inside what a network can produce, not cut
afterwards. The programme is convex. It is solved by the alternating direction method of multipliers
(Boyd et al. 2011), with the two constraints on ``d`` itself in one projection, and its multipliers
give an upper bound on what any step could reach: how far the one found is from the best is known.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from sing_core.errors import ShapeError

# By how much a logit may move where it has to, as a share of the largest.
FEASIBLE_BUDGET = 0.03
_ITERATIONS = 4000
_LOOK_EVERY = 20
# Share of the radius that a better step might still gain. Within a budget two thousandths are
# enough, which no picture and no score shows, and single precision is enough for them. Logits that
# may not move at all are held to rounding.
_NEAR_ENOUGH = 2e-3
_TO_ROUNDING = 1e-6
_RELAXATION = 1.6
_MOST_TURNS = 60
# The head is scaled to this spectral norm: multipliers of logits and of features then move alike.
SPECTRAL_NORM = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class FeasibleSteps:
    """Steps steered inside what a network can produce; each row has a radius of its own.

    Attributes:
        features: ``(k, m)`` float64, no entry below 0 where the network has a last ReLU.
        lost_share: ``(k,)`` what the constraints cost of the move along the direction: 0 where all
            of it can be produced, 1 where nothing can.
        max_logit_drift: ``(k,)`` largest absolute logit difference to the original.
        gap: ``(k,)`` how much further along the direction the best step could be at most, over the
            radius: 0.002 where the solver is done, rounding where no logit may move.
        bounded: whether there was a bound at all; False for networks whose features may be
            negative, and then the steps are the asked ones.
    """

    features: Tensor
    lost_share: Tensor
    max_logit_drift: Tensor
    gap: Tensor
    bounded: bool


def feasible_steps(
    features: Tensor, direction: Tensor, radii: Tensor, weight: Tensor, *, budget: float
) -> FeasibleSteps:
    """Go from ``features (m,)`` along ``direction (m,)``, unit, at most ``radii (k,)`` far.

    ``weight`` ``(c, m)``; ``budget`` >= 0, how far a logit may move. A feature with negative
    entries shows that its network has no last ReLU: the steps are then straight.

    Raises:
        ShapeError: the widths do not agree.
    """
    origin, goal, head = features.double(), direction.double(), weight.double()
    if origin.ndim != 1 or goal.shape != origin.shape or head.shape[-1] != len(origin):
        raise ShapeError(
            f"The head reads {head.shape[-1]} features; the feature has shape "
            f"{tuple(origin.shape)} and the direction {tuple(goal.shape)}."
        )
    lengths = radii.double()
    bounded = bool((origin >= 0).all())
    if bounded:
        programme = _Programme(origin, goal, _scaled(weight), budget)
        moves, gap = programme.solve(lengths)
    else:
        moves, gap = lengths[:, None] * goal, torch.zeros_like(lengths)
    share = (moves @ goal) / lengths.clamp_min(1e-300)
    return FeasibleSteps(
        features=origin + moves,
        lost_share=torch.where(lengths > 0, (1 - share).clamp(0, 1), 0.0),
        max_logit_drift=(moves @ head.mT).abs().amax(dim=1),
        gap=gap,
        bounded=bounded,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Scaled:
    """A head as the method takes it: ``head (c, m)``, by which ``factor``, ``inverse (m, m)``."""

    head: Tensor
    factor: float
    inverse: Tensor


# A head is asked for every photo and prompt; kept as long as its weights are.
_KNOWN: MutableMapping[Tensor, _Scaled] = WeakTensorKeyDictionary()


def _scaled(weight: Tensor) -> _Scaled:
    if (known := _KNOWN.get(weight)) is not None:
        return known
    head = weight.double()
    largest = float(torch.linalg.matrix_norm(head, 2))
    factor = SPECTRAL_NORM / largest if largest > 0 else 1.0
    head = head * factor
    normal = torch.eye(head.shape[1], dtype=torch.float64) + head.mT @ head
    found = _Scaled(head, factor, torch.cholesky_inverse(torch.linalg.cholesky(normal)))
    _KNOWN[weight] = found
    return found


class _Programme:
    """The programme of one feature and direction, for any radii."""

    def __init__(self, origin: Tensor, direction: Tensor, scaled: _Scaled, budget: float) -> None:
        self._floor, self._goal = -origin, direction
        self._head, self._inverse = scaled.head, scaled.inverse
        self._budget = budget * scaled.factor
        self._tolerance = _NEAR_ENOUGH if budget > 0 else _TO_ROUNDING

    def solve(self, radii: Tensor) -> tuple[Tensor, Tensor]:
        """Return the moves ``(k, m)``, which meet every constraint, and their gaps ``(k,)``."""
        moves = radii.new_zeros(len(radii), len(self._goal))
        gap = torch.full_like(radii, torch.inf)
        gap[radii <= 0] = 0
        rows = (radii > 0).nonzero()[:, 0]
        turns = _Turns(self._head, self._inverse, self._floor, self._budget)
        state = turns.start(radii[rows], self._goal)
        for _ in range(_ITERATIONS // _LOOK_EVERY):
            if not len(rows):
                break
            for _ in range(_LOOK_EVERY):
                turns.take(state)
            found = self._inside(state.moves.double(), radii[rows])
            left = self._gap(found, state.of_logits.double() / radii[rows, None], radii[rows])
            better = left < gap[rows]
            moves[rows[better]], gap[rows[better]] = found[better], left[better]
            going = left >= self._tolerance
            if not bool(going.all()):
                rows, state = rows[going], state.kept(going)
        return moves, gap

    def _inside(self, moves: Tensor, radii: Tensor) -> Tensor:
        """Shorten ``moves`` until no logit moves by more than the budget; 0 is always inside."""
        moves = _within(moves, self._floor, radii)  # what single precision rounded
        drift = (moves @ self._head.mT).abs().amax(dim=1)
        if self._budget == 0:
            return moves  # exact to rounding when solved; shortening would leave nothing
        return moves * (self._budget / drift.clamp_min(self._budget))[:, None]

    def _gap(self, moves: Tensor, prices: Tensor, radii: Tensor) -> Tensor:
        """Return what the dual bound leaves open, over the radius.

        For any ``prices (k, c)`` no step reaches more than ``budget |y|_1`` plus the most that
        ``g - W^T y`` reaches under the constraints on ``d`` alone. With no budget a gap may be
        negative by what is left of ``W d``.
        """
        rest = self._goal - prices @ self._head
        furthest = _within(rest * 1e9 * radii[:, None], self._floor, radii)
        bound = (furthest * rest).sum(1) + self._budget * prices.abs().sum(1)
        astray = (moves @ self._head.mT).abs().amax(dim=1) * (self._budget == 0)
        return ((bound - moves @ self._goal).abs() + astray) / radii


@dataclass(slots=True, eq=False)
class _State:
    """Where the ``k`` solutions stand: both copies of each and the multipliers between them."""

    radii: Tensor
    pull: Tensor
    moves: Tensor
    logits: Tensor
    of_moves: Tensor
    of_logits: Tensor

    def kept(self, rows: Tensor) -> "_State":
        return _State(*(getattr(self, name)[rows] for name in self.__slots__))


class _Turns:
    """The turns of the method, in single precision where a budget leaves room for it."""

    def __init__(self, head: Tensor, inverse: Tensor, floor: Tensor, budget: float) -> None:
        kind = torch.float32 if budget > 0 else torch.float64
        self._head, self._inverse, self._floor = head.to(kind), inverse.to(kind), floor.to(kind)
        self._to_logits = self._head.mT.contiguous()
        self._budget, self._kind = budget, kind

    def start(self, radii: Tensor, goal: Tensor) -> _State:
        radii, goal = radii.to(self._kind), goal.to(self._kind)
        moves = radii.new_zeros(len(radii), len(goal))
        logits = radii.new_zeros(len(radii), len(self._head))
        pull = radii[:, None] * goal
        return _State(radii, pull, moves, logits, torch.zeros_like(moves), torch.zeros_like(logits))

    def take(self, at: _State) -> None:
        """Take one turn."""
        wanted = at.moves - at.of_moves + (at.logits - at.of_logits) @ self._head + at.pull
        free = wanted @ self._inverse  # normal's eigenvalues lie between 1 and 145
        eased = _RELAXATION * free + (1 - _RELAXATION) * at.moves
        eased_logits = _RELAXATION * free @ self._to_logits + (1 - _RELAXATION) * at.logits
        at.moves = _within(eased + at.of_moves, self._floor, at.radii)
        at.logits = (eased_logits + at.of_logits).clamp(-self._budget, self._budget)
        at.of_moves = at.of_moves + eased - at.moves
        at.of_logits = at.of_logits + eased_logits - at.logits


def _within(points: Tensor, floor: Tensor, radii: Tensor) -> Tensor:
    """Project ``points (k, m)`` onto ``{d >= floor, |d| <= radius}``, where ``floor <= 0``.

    The nearest one is ``max(floor, s point)`` with the largest ``s <= 1`` that is short enough.
    Its squared length is concave in ``s^2``: Newton's method climbs to the answer from below.
    """
    nearest = torch.maximum(points, floor)
    long = torch.linalg.vector_norm(nearest, dim=1) > radii
    if not bool(long.any()):
        return nearest
    chosen, limit = points[long], radii[long]
    scale = limit / torch.linalg.vector_norm(chosen, dim=1)
    for _ in range(_MOST_TURNS):
        free = scale[:, None] * chosen > floor
        fixed = torch.where(free, 0, floor).square().sum(dim=1)
        length = torch.where(free, chosen, 0).square().sum(dim=1)
        closer = ((limit.square() - fixed).clamp_min(0) / length.clamp_min(1e-30)).sqrt()
        if not bool((closer > scale).any()):
            break
        scale = torch.maximum(closer, scale)
    nearest[long] = torch.maximum(scale[:, None] * chosen, floor)
    return nearest
