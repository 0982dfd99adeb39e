"""Where on the photo: what each token adds along a text, a contrast of texts, or what is hidden.

``<c_i, t>`` summed over heads is the heat of token ``i`` (arXiv:2310.05916, section 2.5); together
with the embedding and the MLPs it adds up to ``<f, t>``. Any part of the feature that a projector
cuts out is linear too, so that the null part's map and the principal part's add up to the whole.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from sing_core.maths.linear_head import LinearHead
from sing_core.units.inside import Inside
from sing_core.units.residual import Parts, parts_of

Part = Literal["full", "null", "principal"]
PARTS: tuple[Part, ...] = ("full", "null", "principal")


@dataclass(frozen=True, slots=True, eq=False)
class PhotoUnits:
    """A photo taken apart inside one network.

    Attributes:
        inside: the network.
        parts: units and tokens of the one photo.
        output: ``(o,)`` the network's own output for it.
    """

    inside: Inside
    parts: Parts
    output: Tensor

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        patches = self.parts.rows.shape[-1] - self.inside.tower.prefix
        side = round(patches**0.5)
        return side, patches // side

    @property
    def units(self) -> Tensor:
        """``(u, o)`` what each unit adds to the output, in the order of ``Tower.unit_names``."""
        return self.inside.shares.all(self.parts.sums)[0]

    @property
    def by_token(self) -> tuple[tuple[str, ...], Tensor]:
        """Names of embedding, tokens and MLPs, and ``(v, o)`` what each adds to the output.

        All heads are shared out over the tokens they read: ``token 0,3`` is the patch in row 0 and
        column 3, both counted from 0.
        """
        tower = self.inside.tower
        heads = tower.heads * len(tower.layers)
        units, tokens = self.units, self.inside.shares.tokens(self.parts)[0]
        rows, columns = self.grid
        first = ["class token", *(f"register {k}" for k in range(1, tower.prefix))]
        patches = [f"token {row},{column}" for row in range(rows) for column in range(columns)]
        names = tower.unit_names
        kept = (names[0], *first[: tower.prefix], *patches, *names[1 + heads :])
        return kept, torch.cat([units[:1], tokens, units[1 + heads :]])

    @property
    def translated(self) -> Tensor:
        """``(d,)`` float64 ``T(f)``, or the embedding itself."""
        return self.inside.translator.apply(self.output)


def look_inside(inside: Inside, photo: Image.Image) -> PhotoUnits:
    """Take an RGB photo apart."""
    return look_at(inside, inside.prepare(photo)[None])


def look_at(inside: Inside, batch: Tensor) -> PhotoUnits:
    """Take one preprocessed photo ``(1, 3, h, w)`` apart."""
    parts = parts_of(inside.tower, batch)
    return PhotoUnits(inside, parts, inside.tower.output(batch)[0])


def pulled_back(inside: Inside, text: Tensor, part: Part, linear: LinearHead | None) -> Tensor:
    """Return ``Pi A^T t`` ``(o,)`` float64: the output's direction that moves along a unit text.

    ``text`` ``(d,)``; ``linear`` says what is hidden, and is not needed for the whole.
    """
    unit = text.double() / torch.linalg.vector_norm(text.double()).clamp_min(1e-300)
    direction: Tensor = inside.translator.weight.double().mT @ unit
    if part == "full" or linear is None:
        return direction
    head = linear.head
    return head.null_part(direction) if part == "null" else head.principal_part(direction)


@dataclass(frozen=True, slots=True, eq=False)
class TokenMap:
    """What a photo's tokens add along one direction: as shares of a cosine, or of what is hidden.

    Attributes:
        heat: ``(rows, columns)`` of the patches.
        prefix: of the class token and others without a place.
        others: of the embedding and the MLPs.
        total: all together: what the part has to do with the text, as ``<part, t> / |T(f)|``; of
            what is hidden, 1.
    """

    heat: Tensor
    prefix: float
    others: float
    total: float


def token_map(
    photo: PhotoUnits, direction: Tensor, head: tuple[int, int] | None = None
) -> TokenMap:
    """Return the map of a photo along a ``direction`` ``(o,)`` of its output (``pulled_back``).

    ``head`` takes one (layer, head) alone, and leaves embedding and MLPs out.
    """
    length = torch.linalg.vector_norm(photo.translated).clamp_min(1e-300)
    return summed(photo, direction / length, head)


def summed(photo: PhotoUnits, direction: Tensor, head: tuple[int, int] | None = None) -> TokenMap:
    """Return ``<c_i, direction>`` of each token ``c_i``; ``direction`` ``(o,)`` as it is."""
    scores = photo.inside.shares.token_scores(photo.parts, direction)[0]
    tokens = scores.sum(dim=(0, 1)) if head is None else scores[head]
    prefix = photo.inside.tower.prefix
    others = 0.0
    if head is None:
        heads = photo.inside.tower.heads * len(photo.inside.tower.layers)
        rest = torch.cat([photo.units[:1], photo.units[1 + heads :]])
        others = float((rest @ direction.float()).sum())
    heat = tokens[prefix:].reshape(photo.grid)
    first = float(tokens[:prefix].sum())
    return TokenMap(heat, first, others, first + others + float(heat.sum()))


def enlarged(heat: Tensor, size: tuple[int, int]) -> Tensor:
    """Return ``heat`` ``(rows, columns)`` on all pixels of ``size`` (w, h): ``(h, w)`` float64."""
    shape = (size[1], size[0])
    found: Tensor = interpolate(heat[None, None].double(), shape, mode="bilinear")[0, 0]
    return found


def as_picture(values: Tensor) -> Image.Image:
    """Return ``values`` ``(h, w)`` of 0 to 1 as an 8-bit grey picture."""
    return Image.fromarray((values.clamp(0, 1) * 255).round().to(torch.uint8).numpy())


def picture_of(heat: Tensor, size: tuple[int, int]) -> Image.Image:
    """Return a map ``(rows, columns)`` of 0 to 1 as an 8-bit grey picture of ``size`` (w, h)."""
    return as_picture(enlarged(heat, size))


def stretched(heat: Tensor) -> Tensor:
    """Return ``heat`` from 0 to 1, its smallest value to its largest; zeros where all are one."""
    low, high = heat.min(), heat.max()
    return (heat - low) / (high - low) if float(high - low) > 0 else torch.zeros_like(heat)
