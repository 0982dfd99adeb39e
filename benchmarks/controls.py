"""Fifty random subspaces beside five by the plain rule: a basis each, every product in double.

``python -m benchmarks controls`` scores features of 2,048 numbers, an eighth of a set as large as
ImageNet's validation set: every image costs the same.
"""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from benchmarks.timing import Line, compare, demand
from sing_core.maths.controls import SEEDS, RandomSubspaces, random_basis
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.scores import angle_deg
from sing_core.maths.translator import Translator

IMAGES, CHUNK, FEATURES, CLASSES, DIM = 6_250, 625, 2_048, 1_000, 512
WANTED = 1 / 3  # of the speed, for ten times as many
_ALIKE_DEG = 1e-3  # of the same subspaces, in single and in double precision


def lines() -> Iterator[Line]:
    generator = torch.Generator().manual_seed(0)
    normal = partial(torch.randn, generator=generator)
    linear = LinearHead.from_weight(normal(CLASSES, FEATURES) / FEATURES**0.5)
    translator = Translator(normal(DIM, FEATURES) / FEATURES**0.5, normal(DIM))
    features, texts = torch.rand(IMAGES, FEATURES, generator=generator), normal(IMAGES, DIM)
    lengths = torch.linalg.vector_norm(linear.head.null_part(features.double()), dim=1)
    size = linear.head.nullity
    many = RandomSubspaces.draw(translator, size)
    bases = [random_basis(FEATURES, size, seed) for seed in SEEDS]
    translated = [translator.linear(basis.mT).mT for basis in bases]

    def parts() -> Iterator[tuple[Tensor, ...]]:
        yield from zip(
            *(part.split(CHUNK) for part in (features, translator.apply(features), lengths, texts)),
            strict=True,
        )

    def fifty() -> Tensor:
        return torch.cat([many.score(*part).energy_image_score for part in parts()])

    def five() -> Tensor:
        return torch.cat([_plain(bases, translated, *part) for part in parts()])

    def alike(_: Tensor, found: Tensor) -> None:
        """Fifty subspaces are others than five: our way is held to the plain one on the five."""
        same = RandomSubspaces.of(bases, translator)
        ours = torch.cat([same.score(*part).energy_image_score for part in parts()])
        apart = float((ours - found).abs().max())
        demand(apart <= _ALIKE_DEG, f"IS of five subspaces, {apart:.1e} degrees apart")

    yield compare(
        f"50 random subspaces (other: five plainly), {IMAGES:,} x {FEATURES:,}",
        fifty,
        five,
        check=alike,
        target=WANTED,
        rounds=2,
        warm=False,
    )


def _plain(bases: list[Tensor], translated: list[Tensor], *part: Tensor) -> Tensor:
    """Return the mean IS ``(n,)`` of removing as much as the null space, degrees; and do all else.

    ``|AS|``, and both scores of removing everything in the subspace, are computed too.
    """
    features, z, removed, texts = part
    wide, own = features.double(), angle_deg(z, texts)
    found = []
    for basis, image in zip(bases, translated, strict=True):
        inside = wide @ basis
        shift = inside @ image.mT
        scale = removed / torch.linalg.vector_norm(inside, dim=-1)
        for moved in (z - shift, z - scale[:, None] * shift):
            found += [angle_deg(z, moved), (own - angle_deg(moved, texts)).abs()]
    return torch.stack(found[2::4]).mean(dim=0)
