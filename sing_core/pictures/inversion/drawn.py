"""Drawn equivalents: the picture is steered, not a feature that may have no picture.

Most features, even those without negative entries, are none that any image has. So the question
is turned round. Under the prior, the picture's own logits are held, and its own translated feature
and the reference's own look at it move to where the asked step points. What comes out is a picture
whose logits stand, to a stated tolerance, and whose own scores are measured; where it gets nowhere,
it says so. Two networks guide it; one that took no part is kept for the check.
"""

from dataclasses import astuple, dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from sing_core.errors import WeightsUnavailableError
from sing_core.files.digests import content_key
from sing_core.maths.scores import angle_deg
from sing_core.maths.translator import Translator
from sing_core.pictures.catalogue import DRAWN
from sing_core.pictures.inversion.descent import Descent, to_frames
from sing_core.pictures.inversion.layout import Pyramid, Wobble, layout_prior
from sing_core.pictures.inversion.recipe import Stage
from sing_core.pictures.inversion.renderer import InversionRenderer
from sing_core.pictures.inversion.tower import Tower
from sing_core.pictures.protocol import (
    ProgressCallback,
    RenderedFrames,
    RenderRequest,
    StopQuestion,
    never_stop,
)
from sing_core.pictures.watch import Watch

_VERSION = "1"
# A class is held whose logit the asked step leaves within this share of the largest: all of them
# where none moves by more than the budget of a feasible step, else those that stand still.
_BUDGET, _STILL = 0.031, 1e-3


@dataclass(frozen=True, slots=True)
class Drawing:
    """What decides a drawn equivalent besides the inversion's recipe.

    Attributes:
        stages: of the steering, after the inversion's first stage.
        meaning: weight of the translated feature's angle to where the asked step leads.
        looks: the same of what the reference itself sees.
        hold: weight of the held logits, in units of the gap to the runner-up.
        tolerance: how far held logits may be off, in that unit, before they weigh at all.
        nowhere_deg: what the reference must see of the move for it to count as one.
    """

    stages: tuple[Stage, ...] = (Stage(96, 40, 9 / 14), Stage(128, 60, 1.0))
    meaning: float = 2.0
    looks: float = 4.0
    hold: float = 2.0
    tolerance: float = 0.1
    nowhere_deg: float = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class _Goal:
    """Where rows are to go: ``(n, d)`` for the feature and for the look; what they hold.

    ``logits`` ``(n, c)`` wanted, ``weights`` ``(n, c)`` of each, of sum 1, and ``gap`` ``(n,)``;
    ``moves`` ``(n,)`` whether there is a step at all.
    """

    meaning: Tensor
    looks: Tensor
    logits: Tensor
    weights: Tensor
    gap: Tensor
    moves: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class DrawnRenderer:
    """Steers pictures; satisfies ``Renderer``.

    Attributes:
        inversion: gives the start, the prior and the classifier's eye.
        translator: of the classifier into the reference.
        tower: the reference's own.
        weight: ``(c, m)`` and ``bias`` ``(c,)`` of the classifier's head.
        drawing: the schedule.
        name: short name of the renderer.
    """

    inversion: InversionRenderer
    translator: Translator
    tower: Tower
    weight: Tensor
    bias: Tensor
    drawing: Drawing = Drawing()
    name: str = DRAWN.name
    sizes: tuple[int, ...] = (128,)
    strip_size: int = 128
    rows_are_independent: bool = True

    @classmethod
    def of(
        cls, inversion: InversionRenderer, tower: Tower, weight: Tensor, bias: Tensor
    ) -> "DrawnRenderer":
        """Steer by the translator that ``inversion`` reads.

        Raises:
            WeightsUnavailableError: it has none.
        """
        if inversion.translator is None:
            raise WeightsUnavailableError(
                f"Drawn equivalents are steered by a translator, and {inversion.model} has none."
            )
        return cls(inversion, inversion.translator, tower, weight, bias)

    @property
    def identity(self) -> str:
        """Digest of the inversion's identity, the reference's space and the schedule."""
        plan = repr(astuple(self.drawing))
        return content_key(self.name, _VERSION, self.inversion.identity, self.tower.space_id, plan)

    @property
    def space_id(self) -> str:
        """The space of the classifier's features."""
        return self.inversion.space_id

    def render(
        self,
        request: RenderRequest,
        *,
        on_progress: ProgressCallback | None = None,
        should_stop: StopQuestion = never_stop,
    ) -> RenderedFrames:
        """Steer a picture for each row: to where the asked feature's step points.

        Raises:
            TranslatorMismatchError: the features are not of this classifier.
            ShapeError: they have another width.
            RenderError: no photo, or a size or steps that it cannot draw.
            RenderCancelledError: ``should_stop`` said yes.
        """
        base = self.inversion
        photo = base.photo_of(request, self.sizes)
        device = base.eye.backbone.device
        own = base.own_of([request], [photo])
        asked = request.vectors.detach().float().to(device)
        priors = layout_prior(photo, request.size, device)[None]
        rows = torch.zeros(len(asked)).long()
        steps = base.recipe.first.steps + sum(stage.steps for stage in self.drawing.stages)
        every, places = base.recipe.preview_every, tuple(range(len(asked)))
        watch = Watch(places, steps, on_progress, should_stop, every)
        pyramid = base.start(own, priors, rows, request.seed, watch)
        with torch.no_grad():
            before = self.tower.embed(pyramid.pictures(request.size).clamp(0, 1))
        goal = self._goal(own, asked, before)
        loss = partial(self._loss, goal)
        stages, seed = self.drawing.stages, request.seed + 2
        Descent(pyramid, loss, stages, base.recipe, seed, watch).run()
        pictures = pyramid.pictures(request.size).detach().clamp(0, 1)
        facts: dict[str, str | int | float] = {"renderer": self.name, "model": base.model}
        facts |= {"seed": request.seed, "recipe": repr(astuple(self.drawing))}
        facts |= self._said(pictures, before, goal)
        return RenderedFrames(to_frames(pictures), facts)

    def _goal(self, own: Tensor, asked: Tensor, before: Tensor) -> _Goal:
        """Return where the asked steps lead in meaning, and which logits they leave."""
        weight, bias = self.weight.to(own.device), self.bias.to(own.device)
        here, there = (self.translator.apply(one.cpu()).float() for one in (own, asked))
        logits, moved = own @ weight.mT + bias, (asked - own) @ weight.mT
        largest = logits.abs().max()
        slight = moved.abs().amax(1, keepdim=True) <= _BUDGET * largest
        held = slight | (moved.abs() <= _STILL * largest)
        # Held ones that are likely, or nearly so, decide: half of the weight is theirs.
        likely = torch.where(held, logits.expand_as(held), -torch.inf).softmax(1)
        even = held / held.sum(1, keepdim=True).clamp_min(1)
        best = torch.where(held, logits.expand_as(held), -torch.inf).topk(2, dim=1).values
        gap = (best[:, 0] - best[:, 1]).nan_to_num(1.0, 1.0, 1.0).clamp_min(0.5)
        # The reference sees the start where it is; it shall see the same move as the translator.
        steps = there - here
        scale = before.norm(dim=1, keepdim=True) / here.norm(dim=1, keepdim=True)
        return _Goal(
            there.to(own.device),
            before + scale * steps.to(own.device),
            logits.expand_as(held),
            (likely.nan_to_num(0.0) + even) / 2,
            gap,
            torch.linalg.vector_norm(steps, dim=1) > 1e-4 * torch.linalg.vector_norm(here),
        )

    def _loss(
        self,
        goal: _Goal,
        pyramid: Pyramid,
        rows: Tensor,
        stage: Stage,
        share: float,
        generator: torch.Generator,
    ) -> Tensor:
        base, drawing = self.inversion, self.drawing
        raw = pyramid.pictures(stage.side)
        window = Wobble(base.eye.backbone.sight.crop, base.recipe.jitter, base.recipe.zoom)
        found = base.eye.features(window(raw, generator, base.side_at(stage)))
        meaning = found @ self.translator.weight.float().mT + self.translator.bias.float()
        looks = self.tower.embed(raw)
        off = (found @ self.weight.mT + self.bias - goal.logits[rows]) / goal.gap[rows, None]
        beyond = (off.abs() - drawing.tolerance).clamp_min(0).square()
        loss = drawing.meaning * (1 - cosine_similarity(meaning, goal.meaning[rows]))
        loss = loss + drawing.looks * (1 - cosine_similarity(looks, goal.looks[rows]))
        loss = loss + drawing.hold * ((goal.weights[rows] * beyond).sum(1) + 1e-6).sqrt()
        outside = (raw - raw.detach().clamp(0, 1)).square().mean((1, 2, 3))
        loss = loss + 10 * outside
        if base.prior is not None:
            layouts = pyramid.layout(stage.side)
            loss = loss + base.prior.loss(raw, layouts, base.recipe.pull, share, generator)
        return loss.sum()

    def _said(self, pictures: Tensor, before: Tensor, goal: _Goal) -> dict[str, str]:
        """Return what each finished picture says of itself, a sentence a row."""
        eye, said = self.inversion.eye, {}
        with torch.no_grad():
            backbone = eye.backbone
            side = backbone.sight.side
            window = Wobble(backbone.sight.crop, 0.0, 0.0)
            found = eye.features(window.still(pictures, side))
            looks = self.tower.embed(pictures)
        logits = found @ self.weight.mT + self.bias
        off = ((logits - goal.logits).abs() * (goal.weights > 0) * goal.weights).sum(1) / goal.gap
        seen = angle_deg(before.expand_as(looks), goal.looks) - angle_deg(looks, goal.looks)
        named = logits.argmax(1) == goal.logits.argmax(1)
        for row in range(len(pictures)):
            words = (
                f"{float(seen[row]):+.1f} degrees towards what was asked, as the reference sees; "
                f"the deciding logits are {float(off[row]):.0%} of the gap to the runner-up off"
            )
            if not bool(named[row]):
                words += "; it reads as another class"
            if not bool(goal.moves[row]):
                words = f"nothing was asked of it but its logits: {words.partition('; ')[2]}"
            elif float(seen[row]) < self.drawing.nowhere_deg:
                words += "; it gets nowhere"
            said[f"row {row}"] = words
        return said
