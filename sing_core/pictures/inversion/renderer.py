"""The inversion renderer: a picture whose feature is the asked one, through the classifier itself.

No training, no generator, any classifier: residuals over the photo's low-pass are optimised until
the frozen network sees the asked feature. All pictures of a strip share the start, the sequence of
windows and the schedule, so that what differs between them comes from the feature, and from
rounding, which the many steps amplify.
"""

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from functools import partial

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sing_core.errors import RenderError, ShapeError
from sing_core.files.digests import content_key
from sing_core.maths.translator import Translator
from sing_core.pictures.catalogue import INVERSION
from sing_core.pictures.inversion.aim import Aim
from sing_core.pictures.inversion.eye import Eye, space_of
from sing_core.pictures.inversion.layout import Pyramid, Wobble, layout_prior
from sing_core.pictures.inversion.starts import Starts
from sing_core.pictures.protocol import (
    Frames,
    ProgressCallback,
    RenderedFrames,
    RenderRequest,
    StopQuestion,
    check_space,
    never_stop,
)
from sing_core.pictures.watch import Watch

# Raise when the pictures of an unchanged recipe change.
_VERSION = "4"
_SIZES = (64, 128)


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
        jitter: largest shift, ``zoom`` largest zoom of the window between steps.
        chunk: rows that go through the network together; bounds the memory.
        preview_every: steps between previews.
    """

    first: Stage = Stage(64, 40, 3 / 7)
    stages: tuple[Stage, ...] = (Stage(96, 30, 9 / 14), Stage(128, 50, 1.0))
    rate: float = 0.02
    toward: float = 5.0
    fade: float = 0.5
    jitter: float = 0.06
    zoom: float = 0.1
    chunk: int = 9
    preview_every: int = 10


# For a scale: a short move looks short. In a strip, where the direction is what one wants to see of
# a step, three degrees look nearly as different from none as forty do.
IN_PROPORTION = InversionRecipe(toward=6.5, fade=2.0)


@dataclass(frozen=True, slots=True, eq=False)
class InversionRenderer:
    """Draws features of one classifier over a photo; satisfies ``Renderer``.

    Attributes:
        eye: the classifier, differentiable.
        model: its name.
        recipe: the schedule.
        translator: reads the meaning of a move, see ``Aim``; None draws without it.
        name: short name of the renderer.
        sizes: sides in pixels that it can draw; ``strip_size``: the one that a strip is drawn in.
        rows_are_independent: True: no row enters another. Batches of another size round in another
            way, though, and so many steps amplify it: details differ with the company.
        starts: the last starts; they change no picture.
    """

    eye: Eye
    model: str
    recipe: InversionRecipe = field(default_factory=InversionRecipe)
    translator: Translator | None = None
    name: str = INVERSION.name
    sizes: tuple[int, ...] = _SIZES
    strip_size: int = _SIZES[-1]
    rows_are_independent: bool = True
    starts: Starts = field(default_factory=Starts)

    @property
    def identity(self) -> str:
        """Digest of weights, arithmetic, recipe and translator."""
        reads = () if self.translator is None else (self.translator.weight, self.translator.bias)
        parts = (part.contiguous().numpy().tobytes() for part in reads)
        recipe = repr(astuple(self.recipe))
        return content_key(self.name, _VERSION, self.eye.identity, recipe, *parts)

    @property
    def space_id(self) -> str:
        """The space of this classifier's features."""
        return space_of(self.model, self.eye.backbone.weights_digest)

    def render(
        self,
        request: RenderRequest,
        *,
        on_progress: ProgressCallback | None = None,
        should_stop: StopQuestion = never_stop,
    ) -> RenderedFrames:
        """Draw every row over the low-pass of ``request.photo``; size 64 is a quick preview.

        Raises:
            TranslatorMismatchError: the features are not of this classifier.
            ShapeError: they have another width.
            RenderError: no photo, or a size or steps that it cannot draw.
            RenderCancelledError: ``should_stop`` said yes.
        """
        photo = self._photo(request)
        device = self.eye.backbone.device
        own = self.eye.backbone.features(self.eye.backbone.preprocess(photo)[None])[0].to(device)
        asked = request.vectors.detach().float().to(device)
        aim = Aim.of(asked, own, self.translator, self.recipe.toward, self.recipe.fade)
        prior = layout_prior(photo, request.size, device)
        plan = self._plan(request.size)
        watch = Watch(
            tuple(range(len(asked))),
            sum(stage.steps for stage in plan),
            on_progress,
            should_stop,
            self.recipe.preview_every,
        )
        with torch.enable_grad():
            pyramid = self._start(own, prior, len(asked), request.seed, watch)
            self._run(pyramid, aim, plan[1:], request.seed + 1, watch)
        frames = to_frames(pyramid.pictures(request.size))
        return RenderedFrames(frames, self._facts(request))

    def _plan(self, size: int) -> tuple[Stage, ...]:
        if size == self.sizes[0]:
            return self.recipe.first, self.recipe.first
        return self.recipe.first, *self.recipe.stages

    def _photo(self, request: RenderRequest) -> Image.Image:
        check_space(self, request)
        width = self.eye.backbone.feature_dim
        if request.vectors.shape[1] != width:
            raise ShapeError(f"{self.model} has {width} features, got {request.vectors.shape[1]}.")
        if request.photo is None:
            raise RenderError("Inversion starts from a photo, and none was given.")
        if request.size not in self.sizes:
            raise RenderError(f"Inversion draws pictures of {self.sizes} px, got {request.size}.")
        if request.steps:
            raise RenderError("Inversion keeps to its own schedule; no steps can be asked for.")
        return Image.fromarray(request.photo)

    def _start(self, own: Tensor, prior: Tensor, count: int, seed: int, watch: Watch) -> Pyramid:
        """Return ``count`` pictures that stand where the photo's own feature led one of them."""
        first, together = self.recipe.first, Pyramid(prior, count)
        key = Starts.key(own, prior, seed)
        before = self.starts.find(key)
        if before is not None:
            together.copy_from(before)
            watch.skip(first.steps, partial(_shown, together, first.side, 1))
            return together
        alone = Pyramid(prior, 1)
        self._run(alone, Aim(own[None], own), (first,), seed, watch, shown=count)
        self.starts.keep(key, list(alone.levels))
        together.copy_from(alone.levels)
        return together

    def _run(
        self,
        pyramid: Pyramid,
        aim: Aim,
        stages: tuple[Stage, ...],
        seed: int,
        watch: Watch,
        *,
        shown: int = 1,
    ) -> None:
        """Optimise ``pyramid`` towards ``aim``; the same draws whatever the number of rows."""
        recipe = self.recipe
        generator = torch.Generator().manual_seed(seed % 2**63)
        optimiser = torch.optim.Adam(pyramid.levels, lr=recipe.rate, betas=(0.9, 0.99))
        total = sum(stage.steps for stage in stages)
        for step, stage in enumerate(_steps(stages)):
            fall = 0.5 * (1 + math.cos(math.pi * step / total))
            optimiser.param_groups[0]["lr"] = recipe.rate * (0.05 + 0.95 * fall)
            optimiser.zero_grad()
            state = generator.get_state()
            for rows in torch.split(torch.arange(len(aim.asked)), recipe.chunk):
                watch.before()
                generator.set_state(state)  # every chunk looks through the same window
                loss = self._loss(pyramid, rows, aim, stage, generator)
                loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            last = step + 1 == total
            watch.after(partial(_shown, pyramid, stage.side, shown), last=last)

    def _loss(
        self,
        pyramid: Pyramid,
        rows: Tensor,
        aim: Aim,
        stage: Stage,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the summed loss of ``rows``; rows do not touch each other."""
        recipe, eye = self.recipe, self.eye
        raw = pyramid.pictures(stage.side, rows)
        sight = eye.backbone.sight
        wobble = Wobble(sight.crop, recipe.jitter, recipe.zoom)
        side = sight.side
        if eye.any_side:
            side = max(32, round(side * stage.share / 32) * 32)
        outside = raw - raw.detach().clamp(0, 1)
        found = eye.features(wobble(raw, generator, side))
        return aim.loss(found, rows) + 10 * outside.square().mean((1, 2, 3)).sum()

    def _facts(self, request: RenderRequest) -> dict[str, str | int | float]:
        return {
            "renderer": self.name,
            "model": self.model,
            "weights_id": self.eye.backbone.weights_digest,
            "space_id": self.space_id,
            "device": self.eye.backbone.device,
            "dtype": "bfloat16" if self.eye.fast else "float32",
            "seed": request.seed,
            "size": request.size,
            "steps": sum(stage.steps for stage in self._plan(request.size)),
            "recipe": repr(astuple(self.recipe)),
        }


def _steps(stages: tuple[Stage, ...]) -> Iterator[Stage]:
    for stage in stages:
        for _ in range(stage.steps):
            yield stage


def _shown(pyramid: Pyramid, side: int, repeat: int) -> Frames:
    return np.repeat(to_frames(pyramid.pictures(side)), repeat, axis=0)


def to_frames(pictures: Tensor) -> Frames:
    """Return ``pictures (n, 3, h, w)`` in [0, 1] as ``(n, h, w, 3)`` bytes."""
    with torch.no_grad():
        bytes_ = (pictures.clamp(0, 1) * 255).round().byte()
    return bytes_.permute(0, 2, 3, 1).contiguous().cpu().numpy()
