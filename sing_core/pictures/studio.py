"""The verbs of rendering: who draws, what is drawn, and what finished pictures are read as."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image
from torch import Tensor

from sing_core.errors import WeightsUnavailableError
from sing_core.files.images import Photo
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import unseen_by
from sing_core.models.device import torch_device
from sing_core.models.registry import DEFAULT_REFERENCE, base_of, is_centred
from sing_core.models.shelf import Shelf
from sing_core.pictures.audit import PictureAudit, audit_pictures
from sing_core.pictures.catalogue import DRAWN, INVERSION, KARLO, NEIGHBOURS, find_renderer
from sing_core.pictures.frame_cache import FrameCache
from sing_core.pictures.protocol import (
    Frames,
    GroupRenderer,
    ProgressCallback,
    RenderedFrames,
    Renderer,
    RenderRequest,
    StopQuestion,
    never_stop,
)
from sing_core.studies.subject import Subject

if TYPE_CHECKING:
    from sing_core.models.workbench import Workbench
    from sing_core.pictures.inversion.renderer import InversionRenderer

_PHOTO_SIDE = 512


class Studio:
    """Renderers and the frame cache over one workbench; safe for several threads."""

    def __init__(self, bench: "Workbench") -> None:
        """Load nothing yet."""
        self.bench = bench
        self.cache = FrameCache(bench.store, bench.settings.max_frames_mb * 2**20)
        self._renderers = Shelf(self._load, 4)

    def renderer(
        self,
        name: str,
        model: str,
        reference: str = DEFAULT_REFERENCE,
        *,
        in_proportion: bool = False,
    ) -> Renderer:
        """Return a renderer for the features of ``model``, whose meaning ``reference`` says.

        What is drawn does not depend on the reading in which angles are measured.

        ``in_proportion``: inversion then lets a short move look short, for a scale.

        Raises:
            UnknownNameError: there is none of this name.
            WeightsUnavailableError: its weights, or those of inversion's prior, are not here; the
                message says which and whence.
        """
        if find_renderer(name) is KARLO:
            return self._renderers.get((name,))
        into = base_of(reference)
        reads = self.bench.translator_state(model, into)
        recipe = "in proportion" if in_proportion else ""
        return self._renderers.get((name, model, into, reads, recipe))

    def identity(self, name: str, model: str, reference: str = DEFAULT_REFERENCE) -> str:
        """Return ``renderer(name, model, reference).identity``; of inversion, before it is loaded.

        Raises:
            SingError: as ``renderer``.
        """
        if name != INVERSION.name:
            return self.renderer(name, model, reference).identity
        from sing_core.pictures.inversion.eye import sight_of
        from sing_core.pictures.inversion.prior import DIGEST
        from sing_core.pictures.inversion.recipe import InversionRecipe
        from sing_core.pictures.inversion.renderer import identity_of

        device = torch_device(self.bench.settings)
        eye = sight_of(self.bench.entry(model).weights_digest, device, fast=device != "cpu")
        reads = self._translator(model, base_of(reference))
        return identity_of(name, eye, InversionRecipe(), reads, DIGEST)

    def forget(self, model: str) -> None:
        """Let go of what draws through ``model``, so that its memory can be freed."""
        for known in self._renderers.names():
            if known[1:2] == (model,):
                self._renderers.forget(known)

    def _load(self, wanted: tuple[str, ...]) -> Renderer:
        name, *what = wanted
        if name == NEIGHBOURS.name:
            from sing_core.pictures.neighbours import NeighboursRenderer

            model, reference, *_ = what
            return NeighboursRenderer.of(
                self.bench.settings,
                self.bench.pool.backbone(model),
                model,
                self.bench.translator(model, reference),
            )
        if name == DRAWN.name:
            from sing_core.pictures.inversion.drawn import DrawnRenderer
            from sing_core.pictures.inversion.tower import Tower

            model, reference, *_ = what
            linear = self.bench.classifier(model).linear
            tower = Tower.of(self.bench.pool.raw_reference(reference))
            base = self._inversion(model, reference)
            return DrawnRenderer.of(base, tower, linear.weight, linear.bias)
        if name == INVERSION.name:
            model, reference, _, recipe = what
            return cast("Renderer", self._inversion(model, reference, in_proportion=bool(recipe)))
        from sing_core.pictures.karlo.renderer import KarloRenderer
        from sing_core.pictures.karlo.weights import load_karlo

        return cast("Renderer", KarloRenderer(load_karlo(self.bench.settings)))

    def _inversion(
        self, model: str, reference: str, *, in_proportion: bool = False
    ) -> "InversionRenderer":
        from sing_core.pictures.inversion.eye import Eye
        from sing_core.pictures.inversion.prior import shipped_prior
        from sing_core.pictures.inversion.recipe import IN_PROPORTION, InversionRecipe
        from sing_core.pictures.inversion.renderer import InversionRenderer

        backbone = self.bench.pool.backbone(model)
        eye = Eye.of(backbone, fast=backbone.device != "cpu")
        prior = shipped_prior(self.bench.settings, backbone.device)
        chosen = IN_PROPORTION if in_proportion else InversionRecipe()
        return InversionRenderer(eye, model, chosen, self._translator(model, reference), prior)

    def _translator(self, model: str, reference: str) -> Translator | None:
        """Return the translator; inversion draws without one where there is none."""
        try:
            return self.bench.translator(model, reference)
        except WeightsUnavailableError:
            return None

    def request(
        self, renderer: Renderer, subject: Subject, features: Tensor, *, seed: int, size: int
    ) -> RenderRequest:
        """Return what to draw for ``features (k, m)``: themselves, or their translation.

        Raises:
            TranslatorMismatchError: a renderer of embeddings draws another space.
        """
        if find_renderer(renderer.name).draws_features:
            photo = _bounded(subject.photo) if isinstance(subject.photo, Photo) else None
            # Computed once: another number of threads rounds it in another way, and a start that
            # was drawn for it would not be found again.
            own = subject.features
            return RenderRequest(features, renderer.space_id, seed, size, photo=photo, own=own)
        from sing_core.pictures.karlo.renderer import match_norm

        translator = self._raw_translator(subject)
        original = translator.apply(subject.features)
        vectors = match_norm(translator.apply(features), original)
        return RenderRequest(vectors, translator.space_id, seed, size)

    def _raw_translator(self, subject: Subject) -> Translator:
        """Return the subject's translator as embeddings are drawn: nothing taken away."""
        question = subject.question
        if not is_centred(question.reference):
            return subject.translator
        whole = self.bench.translator(question.model, base_of(question.reference))
        return unseen_by(whole, subject.photo.digest)

    def begin(
        self, renderer: Renderer, subject: Subject, *, seed: int, size: int, stop: StopQuestion
    ) -> None:
        """Draw what does not depend on the step, where the renderer draws such a part.

        Raises:
            SingError: as ``Renderer.render``.
        """
        if renderer.name == INVERSION.name:
            own = self.request(renderer, subject, subject.features[None], seed=seed, size=size)
            cast("InversionRenderer", renderer).begin(own, stop)

    def draw(
        self,
        renderer: Renderer,
        request: RenderRequest,
        *,
        on_progress: ProgressCallback | None = None,
        should_stop: StopQuestion = never_stop,
    ) -> RenderedFrames:
        """Return the pictures, from the cache where they are there.

        Raises:
            SingError: as ``Renderer.render``.
        """
        return self.cache.render(
            renderer, request, on_progress=on_progress, should_stop=should_stop
        )

    def draw_all(self, renderer: Renderer, requests: Sequence[RenderRequest]) -> tuple[Frames, ...]:
        """Return the pictures of many photos, ``(n, h, w, 3)`` each; in shared batches if it can.

        Raises:
            SingError: as ``Renderer.render``.
        """
        if renderer.name == INVERSION.name:
            return self.cache.render_together(cast("GroupRenderer", renderer), requests)
        return tuple(self.draw(renderer, request).frames for request in requests)

    def audit(self, subject: Subject, frames: Frames, asked: Tensor) -> tuple[PictureAudit, ...]:
        """Read finished pictures again with the subject's classifier and reference.

        Shapes as in ``audit_pictures``.
        """
        return audit_pictures(
            frames,
            asked,
            subject.features,
            self.bench.pool.backbone(subject.question.model),
            self.bench.pool.reference(subject.question.reference),
            subject.text,
        )


def _bounded(photo: Photo) -> Frames:
    """Return the photo's pixels, its shorter side at most 512: a start needs no more."""
    image = photo.image
    scale = _PHOTO_SIDE / min(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image)
