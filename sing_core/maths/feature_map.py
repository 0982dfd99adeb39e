"""What every translator offers, linear or not: a point, a space, and the concept gradient there."""

from typing import Protocol

import torch
from torch import Tensor

from sing_core.errors import ShapeError, ZeroVectorError


class RowMap(Protocol):
    """Whatever translates rows of features; which map takes which row is its own affair."""

    def apply(self, features: Tensor) -> Tensor:
        """Return ``T(f)`` ``(n, d)`` in float64 for ``features`` ``(n, m)``."""


class FeatureMap(RowMap, Protocol):
    """A map T from ``m`` classifier features into the ``d`` dimensions of an image-text space.

    ``Translator`` is the affine one. Closed forms along a step (``steering``, the Explore page)
    hold for that one alone; whatever needs a point and a gradient takes any.
    """

    @property
    def space_id(self) -> str:
        """The image-text space it leads into."""

    def apply(self, features: Tensor) -> Tensor:
        """Return ``T(f)`` ``(..., d)`` in float64 for ``features`` ``(..., m)``."""

    def similarity_gradient(self, features: Tensor, text: Tensor) -> Tensor:
        """Return the gradient ``(..., m)``, float64, of ``cos(T(f), text)`` (eqs. 10 and 11)."""


def cosine_to(embeddings: Tensor, text: Tensor) -> Tensor:
    """Return ``cos(z, t)`` ``(...)`` in float64 for ``embeddings`` ``(..., d)``, ``text`` ``(d,)``.

    Raises:
        ShapeError: widths do not agree.
        ZeroVectorError: an embedding or ``text`` is zero.
    """
    if text.shape != embeddings.shape[-1:]:
        raise ShapeError(
            f"The text embedding must be ({embeddings.shape[-1]},), got {tuple(text.shape)}."
        )
    z, t = embeddings.double(), text.double()
    length = torch.linalg.vector_norm(z, dim=-1)
    text_length = torch.linalg.vector_norm(t)
    if bool((length == 0).any()) or float(text_length) == 0:
        raise ZeroVectorError("The similarity to a zero embedding has no gradient.")
    cosine: Tensor = (z @ t) / (length * text_length)
    return cosine


def gradient_by_autograd(mapping: FeatureMap, features: Tensor, text: Tensor) -> Tensor:
    """Return ``similarity_gradient`` of any differentiable map, by reverse mode.

    Raises:
        ShapeError: widths do not agree.
        ZeroVectorError: ``T(f)`` or ``text`` is zero.
    """
    with torch.enable_grad():
        point = features.detach().double().requires_grad_(True)
        cosine = cosine_to(mapping.apply(point), text)
        (gradient,) = torch.autograd.grad(cosine.sum(), point)
    return gradient
