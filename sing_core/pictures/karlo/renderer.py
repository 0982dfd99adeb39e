"""Karlo UnCLIP: pictures of image embeddings, as in the paper (supplement 3.2).

The decoder draws a small picture from an embedding, two further networks enlarge it. All pictures
of a strip see the same noise, so that what differs between them comes from their embeddings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.errors import RenderError, ShapeError, ZeroVectorError
from sing_core.files.digests import content_key
from sing_core.pictures.catalogue import KARLO
from sing_core.pictures.karlo.sampler import decode, enlarge, in_batches, to_frames
from sing_core.pictures.karlo.unclip import SharedNoise
from sing_core.pictures.karlo.weights import KarloNetworks
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

# Karlo was trained on the raw image embeddings of OpenAI's CLIP ViT-L/14.
SPACE_ID = "openai-clip-vit-large-patch14"
_RECIPE = "1"  # changes whenever the code below gives other pictures for the same request
_UNIT_TOLERANCE = 1e-3


def match_norm(equivalents: Tensor, original: Tensor) -> Tensor:
    """Return ``T(f~) |T(f)| / |T(f~)|`` (eq. 19) in float64, ``(..., d)`` like ``equivalents``.

    ``original`` is ``T(f)``, ``(d,)``. Only the direction of an equivalent is meant to show.

    Raises:
        ShapeError: the widths differ.
        ZeroVectorError: a vector has length zero or is not finite.
    """
    if original.ndim != 1 or equivalents.shape[-1:] != original.shape:
        raise ShapeError(
            f"Rows (..., d) are rescaled to one vector (d,), got {tuple(equivalents.shape)} and "
            f"{tuple(original.shape)}."
        )
    rows = equivalents.double()
    lengths: Tensor = rows.norm(dim=-1, keepdim=True)
    length = float(original.double().norm())
    if not bool(((lengths > 0) & lengths.isfinite()).all()) or not 0 < length < torch.inf:
        raise ZeroVectorError("A vector of length zero, or not finite, cannot be rescaled.")
    return rows * (length / lengths)


@dataclass(frozen=True, slots=True, eq=False)
class KarloDraft:
    """What the decoder drew: quick to look at, and all that enlarging one of its rows needs.

    Attributes:
        request: what was asked for.
        pictures: ``(n, 3, small, small)`` float32 on the CPU, in ``[-1, 1]``.
        noise_state: where the noise stands after the decoder.
    """

    request: RenderRequest
    pictures: Tensor
    noise_state: Tensor

    @property
    def frames(self) -> Frames:
        """The pictures as ``(n, small, small, 3)`` RGB."""
        return to_frames(self.pictures)


@dataclass(frozen=True, slots=True, eq=False)
class KarloRenderer:
    """Draws embeddings with Karlo; satisfies ``Renderer``. The networks are shared, never changed.

    Attributes:
        networks: loaded weights.
        guidance: classifier-free guidance scale; 1 or less draws without.
        default_steps: decoder and enlarging steps of a request that names none.
        max_batch: most rows drawn together; halved on the spot when the device's memory is short.
        preview_every: the decoder shows its picture after every so many steps, and at its end.
        name: short name of the renderer.
        space_id: whose embeddings it takes.
    """

    networks: KarloNetworks
    guidance: float = 8.0
    default_steps: tuple[int, int] = (25, 7)
    max_batch: int = 32
    preview_every: int = 5
    name: str = KARLO.name
    space_id: str = SPACE_ID

    @property
    def identity(self) -> str:
        """Digest of weights, precision, guidance, default steps and recipe."""
        numbers = (float(self.guidance), *self.default_steps)
        return content_key(
            self.name, _RECIPE, self.networks.weights_id, str(self.networks.dtype), repr(numbers)
        )

    @property
    def sizes(self) -> tuple[int, int]:
        """Side of the decoder's pictures and of the enlarged ones (64 and 256 pixels)."""
        return self.networks.small_px, self.networks.large_px

    @property
    def strip_size(self) -> int:
        """The decoder's side: a frame is enlarged only where somebody stops."""
        return self.networks.small_px

    @property
    def rows_are_independent(self) -> bool:
        """True: the noise is the same for every row."""
        return True

    def render(
        self,
        request: RenderRequest,
        *,
        on_progress: ProgressCallback | None = None,
        should_stop: StopQuestion = never_stop,
    ) -> RenderedFrames:
        """Draw every row at ``request.size``: by the decoder alone, or enlarged.

        Raises:
            TranslatorMismatchError: the embeddings are not of Karlo's space.
            ShapeError: they have another width.
            RenderError: a size or a number of steps that it cannot draw, or embeddings that were
                normalised.
            RenderCancelledError: ``should_stop`` said yes.
            DeviceMemoryError: not even one picture at a time fits the device.
        """
        draft = self.draft(request, on_progress=on_progress, should_stop=should_stop)
        if request.size == self.networks.small_px:
            return RenderedFrames(draft.frames, self._facts(request))
        return self.finish(draft, on_progress=on_progress, should_stop=should_stop)

    def draft(
        self,
        request: RenderRequest,
        *,
        on_progress: ProgressCallback | None = None,
        should_stop: StopQuestion = never_stop,
    ) -> KarloDraft:
        """Draw every row with the decoder alone, whatever ``request.size``.

        Raises:
            SingError: as ``render``.
        """
        self._check(request)
        decoder_steps, enlarging_steps = self._steps(request)
        total = decoder_steps + (enlarging_steps if request.size != self.sizes[0] else 0)
        states: list[Tensor] = []

        def work(rows: range) -> Tensor:
            noise = SharedNoise(request.seed)
            watch = Watch(tuple(rows), total, on_progress, should_stop, self.preview_every)
            pictures = decode(
                self.networks,
                request.vectors[rows.start : rows.stop],
                steps=decoder_steps,
                guidance=self.guidance,
                noise=noise,
                watch=watch,
            ).cpu()
            states.append(noise.state)
            return pictures

        pictures = in_batches(len(request.vectors), self.max_batch, work)
        return KarloDraft(request, pictures, states[0])

    def finish(
        self,
        draft: KarloDraft,
        *,
        rows: Sequence[int] | None = None,
        on_progress: ProgressCallback | None = None,
        should_stop: StopQuestion = never_stop,
    ) -> RenderedFrames:
        """Enlarge ``rows`` of a draft (all by default); the same as rendering them at full size.

        Raises:
            RenderError: a row that the draft does not have.
            SingError: as ``render``.
        """
        count = len(draft.pictures)
        chosen = tuple(range(count)) if rows is None else tuple(rows)
        if not chosen or not all(0 <= row < count for row in chosen):
            raise RenderError(f"This strip has the rows 0 to {count - 1}, got {chosen}.")
        decoder_steps, enlarging_steps = self._steps(draft.request)

        def work(part: range) -> Tensor:
            own = chosen[part.start : part.stop]
            watch = Watch(
                own, decoder_steps + enlarging_steps, on_progress, should_stop, 0, decoder_steps
            )
            return enlarge(
                self.networks,
                draft.pictures[list(own)],
                steps=enlarging_steps,
                noise=SharedNoise(draft.request.seed, state=draft.noise_state),
                watch=watch,
            ).cpu()

        pictures = in_batches(len(chosen), self.max_batch, work)
        return RenderedFrames(to_frames(pictures), self._facts(draft.request, self.sizes[1]))

    def _check(self, request: RenderRequest) -> None:
        check_space(self, request)
        width = self.networks.embedding_dim
        if request.vectors.shape[1] != width:
            raise ShapeError(
                f"Karlo takes embeddings of width {width}, got {request.vectors.shape[1]}."
            )
        if request.size not in self.sizes:
            raise RenderError(f"Karlo draws {self.sizes[0]} or {self.sizes[1]} px pictures.")
        lengths = request.vectors.double().norm(dim=1)
        if bool(((lengths - 1).abs() < _UNIT_TOLERANCE).any()):
            raise RenderError(
                "Karlo takes raw embeddings, and one of these has length 1: it was normalised."
            )

    def _steps(self, request: RenderRequest) -> tuple[int, int]:
        """Return decoder and enlarging steps; a request may name the former alone."""
        if len(request.steps) > 2:
            raise RenderError(f"Karlo has two stages, got steps for {len(request.steps)}.")
        decoder, enlarging = (*request.steps, *self.default_steps[len(request.steps) :])
        # Both schedules refuse what they cannot do before the first of many slow steps.
        self.networks.decoder_schedule.steps(decoder)
        self.networks.super_res_schedule.steps(enlarging)
        return decoder, enlarging

    def _facts(self, request: RenderRequest, size: int = 0) -> dict[str, str | int | float]:
        decoder, enlarging = self._steps(request)
        size = size or request.size
        return {
            "renderer": self.name,
            "weights_id": self.networks.weights_id,
            "space_id": self.space_id,
            "device": self.networks.device,
            "dtype": str(self.networks.dtype).removeprefix("torch."),
            "seed": request.seed,
            "guidance": self.guidance,
            "decoder_steps": decoder,
            "super_res_steps": enlarging if size == self.sizes[1] else 0,
            "size": size,
        }
