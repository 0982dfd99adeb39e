"""The inversion renderer: a picture whose feature is the asked one, through the classifier itself.

No training, no generator, any classifier: residuals over the photo's low-pass are optimised until
the frozen network sees the asked feature. All pictures of a strip share the start, the sequence of
windows and the schedule, so that what differs between them comes from the feature, and from
rounding, which the many steps amplify.
"""

from collections.abc import Sequence
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
from sing_core.pictures.inversion.descent import Descent, shown, to_frames
from sing_core.pictures.inversion.eye import Eye, space_of
from sing_core.pictures.inversion.layout import Pyramid, Wobble, layout_prior
from sing_core.pictures.inversion.prior import Prior
from sing_core.pictures.inversion.recipe import InversionRecipe, Stage
from sing_core.pictures.inversion.starts import Starts
from sing_core.pictures.protocol import (
    ProgressCallback,
    RenderedFrames,
    RenderRequest,
    StopQuestion,
    check_space,
    never_stop,
)
from sing_core.pictures.watch import Watch

# Raise when the pictures of an unchanged recipe change.
_VERSION = "5"
_SIZES = (64, 128)
_GREY = (124, 116, 104)  # the mean colour of ImageNet's photographs


def identity_of(
    name: str, eye: str, recipe: InversionRecipe, translator: Translator | None, prior: str
) -> str:
    """Return the identity of the renderer ``name``; of ``eye`` and ``prior`` it takes theirs.

    What was drawn before is told from what would be drawn now before any network is loaded.
    """
    reads = () if translator is None else (translator.weight, translator.bias)
    parts = (part.contiguous().numpy().tobytes() for part in reads)
    return content_key(name, _VERSION, eye, repr(astuple(recipe)), prior, *parts)


@dataclass(frozen=True, slots=True, eq=False)
class InversionRenderer:
    """Draws features of one classifier over a photo; satisfies ``Renderer``.

    Attributes:
        eye: the classifier, differentiable.
        model: its name.
        recipe: the schedule.
        translator: reads the meaning of a move, see ``Aim``; None draws without it.
        prior: has seen photographs; None draws without it.
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
    prior: Prior | None = None
    name: str = INVERSION.name
    sizes: tuple[int, ...] = _SIZES
    strip_size: int = _SIZES[-1]
    rows_are_independent: bool = True
    starts: Starts = field(default_factory=Starts)

    @property
    def identity(self) -> str:
        """Digest of weights, arithmetic, recipe, translator and prior."""
        prior = self.prior.digest if self.prior else ""
        return identity_of(self.name, self.eye.identity, self.recipe, self.translator, prior)

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
        (drawn,) = self.render_together(
            (request,), on_progress=on_progress, should_stop=should_stop
        )
        return drawn

    def render_together(
        self,
        requests: Sequence[RenderRequest],
        *,
        on_progress: ProgressCallback | None = None,
        should_stop: StopQuestion = never_stop,
    ) -> tuple[RenderedFrames, ...]:
        """Draw requests of one size and seed over their own photos, in shared batches.

        ``on_progress`` counts the rows of all, one request after the other.

        Raises:
            RenderError: they differ in size or seed, or as in ``render``, as all others.
        """
        size, seed = requests[0].size, requests[0].seed
        if {(one.size, one.seed) for one in requests} != {(size, seed)}:
            raise RenderError("Pictures that are drawn together have one size and one seed.")
        backbone, photos = self.eye.backbone, [self.photo_of(one, self.sizes) for one in requests]
        own = self.own_of(requests, photos)
        of_request = torch.tensor([len(one.vectors) for one in requests])
        owners = torch.arange(len(requests)).repeat_interleave(of_request)
        asked = torch.cat([one.vectors.detach().float() for one in requests]).to(backbone.device)
        aim = Aim.of(asked, own[owners], self.translator, self.recipe.toward, self.recipe.fade)
        priors = torch.stack([layout_prior(photo, size, backbone.device) for photo in photos])
        plan = self._plan(size)
        steps, places = sum(stage.steps for stage in plan), tuple(range(len(asked)))
        watch = Watch(places, steps, on_progress, should_stop, self.recipe.preview_every)
        pyramid = self.start(own, priors, owners, seed, watch)
        self._run(pyramid, aim, plan[1:], seed + 1, watch)
        frames = np.split(to_frames(pyramid.pictures(size)), of_request.cumsum(0)[:-1].numpy())
        return tuple(
            RenderedFrames(part, self._facts(one))
            for part, one in zip(frames, requests, strict=True)
        )

    def begin(self, request: RenderRequest, should_stop: StopQuestion = never_stop) -> None:
        """Take the steps that depend on the photo alone, so that ``render`` need not.

        Raises:
            SingError: as in ``render``.
        """
        photo, device = self.photo_of(request, self.sizes), self.eye.backbone.device
        priors = layout_prior(photo, request.size, device)[None]
        watch = Watch((0,), self.recipe.first.steps, None, should_stop, 0)
        own = self.own_of([request], [photo])
        self.start(own, priors, torch.zeros(1).long(), request.seed, watch)

    def own_of(self, requests: Sequence[RenderRequest], photos: Sequence[Image.Image]) -> Tensor:
        """Return ``(p, m)``: what the classifier makes of each photo, or is known to have made."""
        backbone = self.eye.backbone
        unknown = [place for place, one in enumerate(requests) if one.own is None]
        found = {}
        if unknown:
            looked_at = torch.stack([backbone.preprocess(photos[place]) for place in unknown])
            found = dict(zip(unknown, backbone.features(looked_at), strict=True))
        rows = [found[at] if one.own is None else one.own for at, one in enumerate(requests)]
        return torch.stack([row.float().to(backbone.device) for row in rows])

    def _plan(self, size: int) -> tuple[Stage, ...]:
        if size == self.sizes[0]:
            return self.recipe.first, self.recipe.first
        return self.recipe.first, *self.recipe.stages

    def photo_of(self, request: RenderRequest, sizes: tuple[int, ...]) -> Image.Image:
        """Return the photo of a request, once it is checked that it can be drawn at ``sizes``.

        Where the photo's feature alone is known, an even grey stands for it.

        Raises:
            TranslatorMismatchError, ShapeError, RenderError: as in ``render``.
        """
        check_space(self, request)
        width = self.eye.backbone.feature_dim
        if request.vectors.shape[1] != width:
            raise ShapeError(f"{self.model} has {width} features, got {request.vectors.shape[1]}.")
        if request.photo is None and request.own is None:
            raise RenderError("Inversion starts from a photo, and none was given.")
        if request.size not in sizes:
            raise RenderError(f"Inversion draws pictures of {sizes} px, got {request.size}.")
        if request.steps:
            raise RenderError("Inversion keeps to its own schedule; no steps can be asked for.")
        if request.photo is None:
            return Image.new("RGB", (request.size, request.size), _GREY)
        return Image.fromarray(request.photo)

    def start(
        self, own: Tensor, priors: Tensor, owners: Tensor, seed: int, watch: Watch
    ) -> Pyramid:
        """Return pictures that stand where the own feature of each one's photo led.

        ``own (p, m)`` and ``priors (p, 3, s, s)`` of the photos; ``owners (n,)`` whose each is.
        """
        first, together = self.recipe.first, Pyramid(priors[owners])
        keys = [Starts.key(*pair, seed) for pair in zip(own, priors, strict=True)]
        known = [levels for key in keys if (levels := self.starts.find(key)) is not None]
        if len(known) == len(keys):
            levels = [torch.cat(parts) for parts in zip(*known, strict=True)]
            together.copy_from([level[owners] for level in levels])
            watch.skip(first.steps, partial(shown, together, first.side, None))
            return together
        alone = Pyramid(priors)
        self._run(alone, Aim(own, own), (first,), seed, watch, previewed=owners)
        for row, key in enumerate(keys):
            self.starts.keep(key, [level[row : row + 1] for level in alone.levels])
        together.copy_from([level[owners] for level in alone.levels])
        return together

    def _run(
        self,
        pyramid: Pyramid,
        aim: Aim,
        stages: tuple[Stage, ...],
        seed: int,
        watch: Watch,
        *,
        previewed: Tensor | None = None,
    ) -> None:
        """Optimise ``pyramid`` towards ``aim``; previews show its rows ``previewed``."""
        loss = partial(self._loss, aim)
        Descent(pyramid, loss, stages, self.recipe, seed, watch, previewed).run()

    def _loss(
        self,
        aim: Aim,
        pyramid: Pyramid,
        rows: Tensor,
        stage: Stage,
        share: float,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the summed loss of ``rows``, whose pyramid this is, ``share`` done."""
        recipe, eye = self.recipe, self.eye
        raw = pyramid.pictures(stage.side)
        wobble = Wobble(eye.backbone.sight.crop, recipe.jitter, recipe.zoom)
        outside = raw - raw.detach().clamp(0, 1)
        found = eye.features(wobble(raw, generator, self.side_at(stage)))
        loss = aim.loss(found, rows) + 10 * outside.square().mean((1, 2, 3)).sum()
        if self.prior is not None:
            layouts = pyramid.layout(stage.side)
            pulled = self.prior.loss(raw, layouts, recipe.pull, share, generator)
            loss = loss + (aim.strength(rows) * pulled).sum()
        return loss

    def side_at(self, stage: Stage) -> int:
        """Return the side of the pictures that the eye looks at in ``stage``."""
        side = self.eye.backbone.sight.side
        return max(32, round(side * stage.share / 32) * 32) if self.eye.any_side else side

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
