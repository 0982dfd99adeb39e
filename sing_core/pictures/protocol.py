"""What every renderer takes and gives: vectors in, pictures out, step by step, stoppable.

Two renderers share this: Karlo draws image-text embeddings, inversion draws classifier features
over the person's own photo. Whoever shows, stores or queues pictures needs nothing else of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sing_core.errors import RenderError, ShapeError, TranslatorMismatchError
from sing_core.files.digests import content_key, sha256_of_bytes

Frames: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class RenderRequest:
    """Pictures asked for: one per row of ``vectors``, all from the same noise or start.

    Attributes:
        vectors: ``(n, k)``, raw, never normalised: embeddings, or features of one classifier.
        space_id: the space they lie in; a renderer refuses any but its own.
        seed: chooses the noise, in ``[0, 2**63)``; the same for every row.
        size: side of the square pictures in pixels, one of the renderer's ``sizes``.
        steps: steps of each stage in order; empty takes the renderer's defaults.
        photo: ``(h, w, 3)`` for renderers that start from a photo, else ``None``.
        own: ``(k,)`` the photo's own feature, for these renderers, where it is known; without a
            photo it has to be.
    """

    vectors: Tensor
    space_id: str
    seed: int
    size: int
    steps: tuple[int, ...] = ()
    photo: Frames | None = None
    own: Tensor | None = None

    def __post_init__(self) -> None:
        """Check once, at the boundary.

        Raises:
            ShapeError: ``vectors`` is not ``(n, k)`` with n > 0 and finite entries, ``photo``
                is not an RGB picture, or ``own`` has another width.
            RenderError: a seed or a number of steps is out of range.
        """
        shape = tuple(self.vectors.shape)
        if self.vectors.ndim != 2 or 0 in shape:
            raise ShapeError(f"Pictures are asked for by rows (n, k), got {shape}.")
        if not bool(self.vectors.isfinite().all()):
            raise ShapeError("A vector to be drawn has entries that are not finite.")
        if self.photo is not None and (self.photo.ndim != 3 or self.photo.shape[2] != 3):
            raise ShapeError(f"A photo is (height, width, 3), got {self.photo.shape}.")
        if self.own is not None and self.own.shape != self.vectors.shape[1:]:
            raise ShapeError(f"A photo’s own feature is (k,), got {tuple(self.own.shape)}.")
        if not 0 <= self.seed < 2**63:
            raise RenderError(f"A seed lies between 0 and 2**63 - 1, got {self.seed}.")
        if any(steps < 1 for steps in self.steps):
            raise RenderError(f"Every stage takes at least one step, got {self.steps}.")


@dataclass(frozen=True, slots=True, eq=False)
class RenderProgress:
    """How far some rows of a request are.

    Attributes:
        rows: the rows of the request that are being drawn together.
        step: steps done for these rows, 1 to ``steps``.
        steps: steps that these rows take, over all stages.
        preview: ``(len(rows), h, w, 3)`` as they look now, or ``None`` when this step shows none.
    """

    rows: tuple[int, ...]
    step: int
    steps: int
    preview: Frames | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RenderedFrames:
    """Finished pictures, in the order of the request's rows.

    Attributes:
        frames: ``(n, h, w, 3)`` RGB.
        facts: what made them (renderer, weights, seed, steps, ...), for a manifest.
    """

    frames: Frames
    facts: Mapping[str, str | int | float] = field(default_factory=dict)


ProgressCallback: TypeAlias = Callable[[RenderProgress], None]
StopQuestion: TypeAlias = Callable[[], bool]  # e.g. ``threading.Event().is_set``


def never_stop() -> bool:
    """Return False: the answer to ``should_stop`` of a caller who waits to the end."""
    return False


class Renderer(Protocol):
    """Turns vectors of one space into pictures. The same request gives the same pictures."""

    @property
    def name(self) -> str:
        """Short name, used in URLs and on the command line."""

    @property
    def identity(self) -> str:
        """Changes when the same request would give other pictures: weights, precision, recipe."""

    @property
    def space_id(self) -> str:
        """The only space whose vectors it takes."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sides in pixels that it can draw, smallest (quickest) first."""

    @property
    def strip_size(self) -> int:
        """The one of ``sizes`` at which all pictures of a strip are drawn."""

    @property
    def rows_are_independent(self) -> bool:
        """Whether a row's picture depends on the rows beside it by rounding alone."""

    def render(
        self,
        request: RenderRequest,
        *,
        on_progress: ProgressCallback | None = None,
        should_stop: StopQuestion = never_stop,
    ) -> RenderedFrames:
        """Draw every row; ``on_progress`` is called after each step.

        ``should_stop`` is asked before each step or more often; its answer may take a while.

        Raises:
            TranslatorMismatchError: the vectors lie in another space.
            ShapeError: they have another width.
            RenderError: a size or a number of steps that it cannot draw.
            RenderCancelledError: ``should_stop`` said yes.
            DeviceMemoryError: not even one picture at a time fits the device.
        """


class GroupRenderer(Renderer, Protocol):
    """A renderer that draws several requests, over their own photos, in shared batches."""

    def render_together(
        self,
        requests: Sequence[RenderRequest],
        *,
        on_progress: ProgressCallback | None = None,
        should_stop: StopQuestion = never_stop,
    ) -> tuple[RenderedFrames, ...]:
        """Draw ``requests`` of one size and seed; progress counts the rows of all.

        Raises:
            SingError: as ``render``; or their sizes or seeds differ.
        """


def check_space(renderer: Renderer, request: RenderRequest) -> None:
    """Refuse vectors of another space; that the widths agree proves nothing.

    Raises:
        TranslatorMismatchError: the request's space is not the renderer's.
    """
    if request.space_id != renderer.space_id:
        raise TranslatorMismatchError(
            f"The renderer {renderer.name} draws vectors of the space “{renderer.space_id}”, and "
            f"these lie in “{request.space_id}”; choose a translator that leads into the former."
        )


def picture_key(renderer: Renderer, request: RenderRequest, row: int) -> str:
    """Return the content address of one picture: 64 hexadecimal digits.

    It covers all that decides the pixels: the renderer's identity, the vector in float64 (every
    row's where rows are not independent), space, seed, size, steps and what it starts from.
    """
    rows = request.vectors.detach().cpu().double().numpy()
    asked = rows[row : row + 1] if renderer.rows_are_independent else rows
    place = 0 if renderer.rows_are_independent else row
    numbers = (request.seed, request.size, place, *asked.shape, *request.steps)
    return content_key(
        renderer.identity,
        request.space_id,
        repr(numbers),
        _start_digest(request),
        np.ascontiguousarray(asked).data.tobytes(),
    )


def _start_digest(request: RenderRequest) -> str:
    if request.photo is not None:
        shape = repr(request.photo.shape).encode()
        return sha256_of_bytes(shape + np.ascontiguousarray(request.photo).tobytes())
    if request.own is None:
        return ""
    return sha256_of_bytes(request.own.detach().cpu().double().numpy().tobytes())
