"""Random subspaces to judge a null space by: equal dimension, and equal removed energy.

A larger null space removes more, whatever it hides. What a random subspace of the same size does to
the same features says how much of a score is size alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.maths.head import HeadDecomposition
from sing_core.maths.scores import angle_deg
from sing_core.maths.translator import Translator

SEEDS = (0, 1, 2, 3, 4)


@dataclass(frozen=True, slots=True, eq=False)
class ControlScores:
    """Scores of random removals, averaged over the seeds, degrees; each ``(n,)`` float64.

    Attributes:
        dim_image_score: IS after removing what lies in a random subspace of equal dimension.
        dim_abs_attribute_score: ``|AS|`` of the same removal.
        energy_image_score: IS after removing it scaled to the length of the null part.
        energy_abs_attribute_score: ``|AS|`` of the same.
    """

    dim_image_score: Tensor
    dim_abs_attribute_score: Tensor
    energy_image_score: Tensor
    energy_abs_attribute_score: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class RandomSubspaces:
    """Random subspaces of feature space and what a translator makes of them.

    Attributes:
        bases: per seed ``(m, k)`` orthonormal columns, float64.
        translated: per seed ``(d, k)``, the translator's linear part of the columns.
    """

    bases: tuple[Tensor, ...]
    translated: tuple[Tensor, ...]

    @classmethod
    def draw(
        cls, translator: Translator, dimension: int, seeds: Sequence[int] = SEEDS
    ) -> "RandomSubspaces":
        """Draw one subspace of ``dimension`` per seed, uniformly (QR of a Gaussian matrix)."""
        m = translator.weight.shape[1]
        bases = tuple(random_basis(m, dimension, seed) for seed in seeds)
        return cls(bases, ()).through(translator)

    def through(self, translator: Translator) -> "RandomSubspaces":
        """Return the same subspaces and what another translator makes of them."""
        moved = tuple(translator.linear(basis.mT).mT for basis in self.bases)
        return RandomSubspaces(self.bases, moved)

    def score(
        self, features: Tensor, z: Tensor, removed_length: Tensor, texts: Tensor
    ) -> ControlScores:
        """Return the scores of removing the random parts from ``features`` ``(n, m)``.

        ``z`` ``(n, d)`` are the translated features, ``removed_length`` ``(n,)`` the lengths of
        their null parts, ``texts`` ``(n, d)`` the text of each image's own class.

        Raises:
            ZeroVectorError: a translated feature vanishes.
        """
        wide = features.double()
        own = angle_deg(z, texts)
        rows = []
        for basis, image in zip(self.bases, self.translated, strict=True):
            inside = wide @ basis  # (n, k)
            shift = inside @ image.mT  # (n, d)
            length = torch.linalg.vector_norm(inside, dim=-1)
            scale = torch.where(length > 0, removed_length / length.clamp_min(1e-300), 0.0)
            for moved in (z - shift, z - scale[:, None] * shift):
                rows += [angle_deg(z, moved), (own - angle_deg(moved, texts)).abs()]
        means = torch.stack(rows).reshape(len(self.bases), 4, len(z)).mean(dim=0)
        return ControlScores(*means)


def random_basis(m: int, dimension: int, seed: int) -> Tensor:
    """Return ``(m, dimension)`` orthonormal columns, float64, uniform over all subspaces."""
    generator = torch.Generator().manual_seed(seed)
    gaussian = torch.randn(m, dimension, dtype=torch.float64, generator=generator)
    basis: Tensor = torch.linalg.qr(gaussian).Q
    return basis


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
