"""Views of training images, and the two heads of ``mini`` that are learned from them."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import gelu, normalize

from sing_core.making.geometry import Texts


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """Features of training views and what is known about them.

    Attributes:
        features: ``(n, m)`` lite2 features under the reference's preprocessing.
        labels: ``(n,)`` class indices.
        groups: ``n`` attribute groups; empty for views that show the photograph itself.
        values: ``(n,)`` index of the value inside its group.
        full: ``(n,)`` whether the photograph is one in full size; the others have 64 pixels.
    """

    features: Tensor
    labels: Tensor
    groups: tuple[str, ...]
    values: Tensor
    full: Tensor

    def take(self, rows: Tensor) -> "Views":
        """Return the views at ``rows``."""
        groups = tuple(self.groups[i] for i in rows.tolist())
        return Views(
            self.features[rows], self.labels[rows], groups, self.values[rows], self.full[rows]
        )

    def rows_of(self, group: str) -> Tensor:
        """Return the rows of an attribute group; "" for photographs as they are."""
        return torch.tensor([i for i, name in enumerate(self.groups) if name == group])


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Affine image head ``z = f @ weight.T + bias``: weight ``(d, m)``, bias ``(d,)``."""

    weight: Tensor
    bias: Tensor

    def embed(self, features: Tensor) -> Tensor:
        """Return raw embeddings ``(n, d)`` of ``features (n, m)``."""
        return features @ self.weight.mT + self.bias

    def __add__(self, other: "Head") -> "Head":
        """Return the head whose embeddings are the sums."""
        return Head(self.weight + other.weight, self.bias + other.bias)

    def scaled(self, factor: float | Tensor) -> "Head":
        """Return the head whose embeddings are ``factor`` times as long."""
        return Head(self.weight * factor, self.bias * factor)

    def mean_length(self, features: Tensor) -> Tensor:
        """Return the mean norm of the embeddings of ``features``."""
        length: Tensor = torch.linalg.vector_norm(self.embed(features), dim=1).mean()
        return length


@dataclass(frozen=True, slots=True, eq=False)
class TextHead:
    """What the text tower's embeddings go through: open_clip's ``mlp`` projection, without biases.

    ``z = gelu(t @ inner.T) @ outer.T``: inner ``(h, t)``, outer ``(d, h)``, h the mean of t and d.
    """

    inner: Tensor
    outer: Tensor

    @classmethod
    def from_linear(cls, text: Tensor, dim: int, unit: float, generator: torch.Generator) -> Self:
        """Start as (nearly) the map ``text (t, t)``, with room for what no linear map can do.

        Every coordinate of the tower has a unit of its own, which ``unit`` (the reciprocal of the
        spread that it has there) brings into the part of GELU that is about ``x / 2``; the other
        units and the other ``dim - t`` outputs start small and random.
        """
        width = len(text)
        inner = torch.randn((width + dim) // 2, width, generator=generator) * unit / width**0.5
        inner[:width] = torch.eye(width) * unit
        outer = torch.zeros(dim, len(inner))
        outer[:width, :width] = 2 / unit * text
        rest = torch.randn(dim - width, len(inner), generator=generator)
        outer[width:] = 0.2 * outer[:width, :width].std() * rest
        return cls(inner, outer)

    def embed(self, texts: Tensor) -> Tensor:
        """Return embeddings ``(..., d)`` of what the tower gives, ``(..., t)``."""
        return gelu(texts @ self.inner.mT) @ self.outer.mT


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """Both projections of ``mini``."""

    image: Head
    text: TextHead

    def shown(self, texts: Texts) -> Texts:
        """Return the tower's ``texts`` as the text head shows them, unit length."""
        values = {
            group: [self.unit(prompts) for prompts in options]
            for group, options in texts.values.items()
        }
        return Texts(self.unit(texts.classes), values)

    def unit(self, texts: Tensor) -> Tensor:
        """Return unit embeddings ``(..., d)`` of what the tower gives, ``(..., t)``."""
        return normalize(self.text.embed(texts), dim=-1)
