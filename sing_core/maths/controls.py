"""Subspaces to judge a null space by: random ones, of equal size and energy, and read ones.

A larger null space removes more, whatever it hides. What random subspaces of the same size do to
the same features says how much of a score is size alone. One of them differs from the next, so the
null space is held against many: it hides more than chance only if it stands out among them.

Many are cheap. Any j columns of a uniformly random orthonormal frame span a uniformly random
subspace. So a few frames are drawn, features are turned into each once, and every subspace is a
random choice of its columns. A third control has as many directions that the head does read.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from sing_core.errors import HeadError, ZeroVectorError
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.translator import Translator

SEEDS = (0, 1, 2, 3, 4)  # of the frames
PER_FRAME = 10
DRAWS = len(SEEDS) * PER_FRAME
_PRINCIPAL_SEEDS, _PRINCIPAL_PER_FRAME = (0, 1), 5
PRINCIPAL_DRAWS = len(_PRINCIPAL_SEEDS) * _PRINCIPAL_PER_FRAME


@dataclass(frozen=True, slots=True, eq=False)
class ControlScores:
    """Scores of what a control removes from ``n`` images, degrees, float64.

    Attributes:
        dim_image_score: ``(n,)`` IS after removing what lies in a subspace of equal dimension, mean
            over the draws; ``dim_abs_attribute_score`` ``|AS|`` of the same.
        energy_image_score: ``(n,)`` IS after removing it scaled to the length of the null part,
            mean over the draws; ``energy_abs_attribute_score`` ``|AS|`` of the same.
        dim_draws: ``(n, k)`` ``|AS|`` of each of the ``k`` draws; ``energy_draws`` of the scaled.
    """

    dim_image_score: Tensor
    dim_abs_attribute_score: Tensor
    energy_image_score: Tensor
    energy_abs_attribute_score: Tensor
    dim_draws: Tensor
    energy_draws: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class RandomSubspaces:
    """Random subspaces of feature space and what a translator makes of them.

    Attributes:
        bases: frames ``(m, w)`` of orthonormal columns, float32.
        translator: whose linear part is taken of what is removed.
        translated: per frame ``(d, w)``, that linear part of the columns.
        subsets: per frame ``(k, j)`` which columns span each of its ``k`` subspaces, or all that is
            orthogonal to it.
        complement: whether the columns span what is orthogonal to the subspace: of one that is
            nearly the whole space, that is the smaller half.
    """

    bases: tuple[Tensor, ...]
    translator: Translator
    translated: tuple[Tensor, ...]
    subsets: tuple[Tensor, ...]
    complement: bool = False

    @classmethod
    def draw(
        cls,
        translator: Translator,
        dimension: int,
        seeds: Sequence[int] = SEEDS,
        per_frame: int = PER_FRAME,
    ) -> Self:
        """Draw ``per_frame`` subspaces of ``dimension`` from one frame per seed, all uniformly.

        What is orthogonal to a uniform subspace is uniform too: the smaller of the two is drawn.
        """
        m = translator.weight.shape[1]
        columns, complement = min((dimension, False), (m - dimension, True))
        frames = tuple(random_basis(m, m, seed, torch.float32) for seed in seeds)
        subsets = tuple(choices(m, columns, per_frame, seed) for seed in seeds)
        return cls._of(frames, subsets, translator, complement=complement)

    @classmethod
    def principal(cls, head: HeadDecomposition, translator: Translator) -> Self:
        """Draw from what the head reads as many directions as its null space has, or all of them.

        These move logits: whoever removes them takes away what decides.
        """
        basis, rank = head.principal_basis.float(), head.rank
        dimension = min(head.nullity, rank)
        frames = tuple(
            basis @ random_basis(rank, rank, seed, torch.float32) for seed in _PRINCIPAL_SEEDS
        )
        subsets = tuple(
            choices(rank, dimension, _PRINCIPAL_PER_FRAME, seed) for seed in _PRINCIPAL_SEEDS
        )
        return cls._of(frames, subsets, translator)

    @classmethod
    def of(
        cls, bases: Iterable[Tensor], translator: Translator, *, complement: bool = False
    ) -> Self:
        """Return the subspaces that all columns of each of ``bases`` span."""
        kept = tuple(bases)
        whole = tuple(torch.arange(basis.shape[1])[None] for basis in kept)
        return cls._of(kept, whole, translator, complement=complement)

    @classmethod
    def _of(
        cls,
        bases: tuple[Tensor, ...],
        subsets: tuple[Tensor, ...],
        translator: Translator,
        *,
        complement: bool = False,
    ) -> Self:
        narrow = tuple(basis.float() for basis in bases)
        # A column lies together: choosing some of them copies them whole.
        moved = tuple((translator.weight.float() @ basis).mT.contiguous().mT for basis in narrow)
        return cls(narrow, translator, moved, subsets, complement)

    def through(self, translator: Translator) -> Self:
        """Return the same subspaces and what another translator makes of them."""
        return self._of(self.bases, self.subsets, translator, complement=self.complement)

    def score(
        self, features: Tensor, z: Tensor, removed_length: Tensor, texts: Tensor
    ) -> ControlScores:
        """Return the scores of removing the random parts from ``features`` ``(n, m)``.

        ``z`` ``(n, d)`` are the translated features, ``removed_length`` ``(n,)`` the lengths of
        their null parts, ``texts`` ``(n, d)`` the text of each image's own class.

        Raises:
            ZeroVectorError: a translated feature vanishes.
        """
        around = _Around.of(z, texts, self._precision)
        ((_, own),) = around.without(torch.zeros_like(around.z), (removed_length,))
        images: list[Tensor] = []
        scores: list[Tensor] = []
        for length, shift in self._removed(features):
            scale = _scale(removed_length, length)
            for image_score, angle in around.without(shift, (torch.ones_like(scale), scale)):
                images.append(image_score)
                scores.append((own - angle).abs())
        dim_image, energy_image = (torch.stack(images[kind::2]).mean(dim=0) for kind in (0, 1))
        dim, energy = (torch.stack(scores[kind::2], dim=1) for kind in (0, 1))  # (n, k)
        return ControlScores(
            dim_image, dim.mean(dim=1), energy_image, energy.mean(dim=1), dim, energy
        )

    def parts(self, features: Tensor, removed_length: Tensor) -> Iterator[Tensor]:
        """Yield per subspace the translation ``(n, d)`` of what lies in it, as long as it is asked.

        ``features`` ``(n, m)``; ``removed_length`` ``(n,)`` the lengths of their null parts.
        """
        for length, shift in self._removed(features):
            yield (_scale(removed_length, length) * shift).mT

    @property
    def _precision(self) -> torch.dtype:
        """In what steps are added up: where next to nothing is left, single precision is coarse."""
        few = self.complement and 8 * self.subsets[0].shape[1] < len(self.bases[0])
        return torch.float64 if few else torch.float32

    def _removed(self, features: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield per subspace the length ``(n,)`` and translation ``(d, n)`` of the parts in it."""
        upright = features.float().mT
        square = features.double().square().sum(dim=-1)
        whole = self.translator.linear(features).mT.to(self._precision) if self.complement else None
        for basis, image, subsets in zip(self.bases, self.translated, self.subsets, strict=True):
            turned = basis.mT @ upright  # (w, n)
            chosen = torch.zeros(len(subsets), len(turned)).scatter_(1, subsets, 1.0)
            energies = (chosen @ turned.square()).double()
            for subset, energy in zip(subsets, energies, strict=True):
                chosen_image = image.mT.index_select(0, subset).mT
                shift = chosen_image @ turned.index_select(0, subset)
                if whole is not None:
                    energy, shift = square - energy, whole - shift
                yield energy.clamp_min(0).sqrt(), shift


@dataclass(frozen=True, slots=True, eq=False)
class _Around:
    """Translated features and unit texts, ``(d, n)`` each, for many steps away from them.

    Products in float32 are added up in float64: angles to a ten-thousandth of a degree.
    """

    z: Tensor
    texts: Tensor
    square: Tensor
    along: Tensor

    @classmethod
    def of(cls, z: Tensor, texts: Tensor, precision: torch.dtype) -> Self:
        upright, unit = z.double().mT, texts.double().mT
        unit = unit / torch.linalg.vector_norm(unit, dim=0)
        square, along = upright.square().sum(dim=0), (upright * unit).sum(dim=0)
        return cls(upright.to(precision).contiguous(), unit.to(precision), square, along)

    def without(self, shift: Tensor, scales: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield per scale the angles of ``z - scale shift`` to ``z`` and to the text, degrees.

        From three inner products, however many scales there are.

        Raises:
            ZeroVectorError: nothing of a feature is left.
        """
        inner, lead, step = (
            (other * shift).sum(dim=0, dtype=torch.float64) for other in (self.z, self.texts, shift)
        )
        across = (self.square * step - inner.square()).clamp_min(0).sqrt()
        for scale in scales:
            left = self.square - 2 * scale * inner + scale.square() * step
            if bool((left <= 0).any()):
                raise ZeroVectorError("A control leaves nothing of a translated feature.")
            image_score = torch.atan2(scale * across, self.square - scale * inner)
            cosine = (self.along - scale * lead) / left.sqrt()
            yield image_score.rad2deg(), cosine.clamp(-1, 1).acos().rad2deg()


def _scale(wanted: Tensor, length: Tensor) -> Tensor:
    """Return by how much parts of ``length`` ``(n,)`` are stretched to ``wanted``; 0 of none."""
    return torch.where(length > 0, wanted / length.clamp_min(1e-300), 0.0)


def random_basis(m: int, dimension: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return ``(m, dimension)`` orthonormal columns, uniform over all subspaces."""
    generator = torch.Generator().manual_seed(seed)
    gaussian = torch.randn(m, dimension, dtype=dtype, generator=generator)
    basis: Tensor = torch.linalg.qr(gaussian).Q
    return basis


def null_directions(head: HeadDecomposition, count: int, seed: int) -> Tensor:
    """Return ``(count, m)`` float64 directions of length 1, uniform in the null space of ``head``.

    Raises:
        HeadError: the head has no null space.
    """
    if not head.nullity:
        raise HeadError("A head without a null space has no direction that it cannot see.")
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(count, len(head.principal_basis), generator=generator, dtype=torch.float64)
    return torch.nn.functional.normalize(head.null_part(normal), dim=1)


def choices(columns: int, chosen: int, count: int, seed: int) -> Tensor:
    """Return ``(count, chosen)``: ``count`` random choices among so many columns."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, columns, generator=generator).argsort(dim=1)[:, :chosen]


def perturbations(head: HeadDecomposition, features: Tensor, null: Tensor, seed: int) -> Tensor:
    """Return ``(4, m)``: ``features (m,)``, and steps of the length of ``null - features``.

    In order: unchanged, inside the null space (``null`` itself), in a random direction, and in a
    random principal direction, which the head does read (Fig. 13).
    """
    origin = features.double()
    length = torch.linalg.vector_norm(null.double() - origin)
    noise = torch.randn(2, len(origin), generator=torch.Generator().manual_seed(seed)).double()
    noise[1] = head.principal_part(noise[1])
    steps = length * noise / torch.linalg.vector_norm(noise, dim=1, keepdim=True)
    return torch.stack([origin, null.double(), *(origin + steps)]).float()
