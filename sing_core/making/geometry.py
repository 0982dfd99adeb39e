"""Directions of the text space that the image head is built from.

Class prompts differ along some directions, attribute prompts along others. Keeping the two apart is
what lets one affine head serve both: what names an attribute must not re-order classes, and what
all prompts share must not prefer any of them.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Text embeddings that training compares with: of the tower, or as a text head shows them.

    Attributes:
        classes: ``(t, c, d)`` class prompts by template; the first is the official one.
        values: group -> one ``(p, d)`` tensor of paraphrases per value.
    """

    classes: Tensor
    values: dict[str, list[Tensor]]

    @property
    def groups(self) -> list[str]:
        """Names of the attribute groups in the order used everywhere."""
        return sorted(self.values)


def without_attributes(texts: Texts, rank: int, seed: int = 0) -> Tensor:
    """Return the projector ``(d, d)`` that removes ``rank`` directions of attribute differences.

    They are the leading right singular vectors of differences between the values of a group under
    random paraphrases, the mean prompts counting five times.
    """
    generator = Generator().manual_seed(seed)
    rows = [5 * value_names(texts)]
    for group in texts.groups:
        values = texts.values[group]
        for _ in range(60):
            drawn = [int(torch.randint(len(p), (1,), generator=generator)) for p in values]
            prompts = torch.stack([p[i] for p, i in zip(values, drawn, strict=True)])
            rows.append((prompts - prompts.mean(0)) / len(values) ** 0.5)
    basis = torch.linalg.svd(torch.cat(rows), full_matrices=False).Vh[:rank]
    projector: Tensor = torch.eye(basis.shape[1]) - basis.mT @ basis
    return projector


def value_names(texts: Texts) -> Tensor:
    """Return ``(p, d)``: the mean prompt of each value, centred in its group, groups in order."""
    means = [torch.stack([p.mean(0) for p in texts.values[group]]) for group in texts.groups]
    return torch.cat([mean - mean.mean(0) for mean in means])


def attribute_directions(texts: Texts, ridge: float = 0.05) -> Tensor:
    """Return ``(d, p)``: for each value the direction that names it and re-orders classes least.

    The dual of ``value_names`` in the metric of the class prompts' covariance.
    """
    names = value_names(texts)
    solved = torch.linalg.solve(_class_covariance(texts, ridge), names.mT)
    gram = names @ solved
    gram.diagonal().add_(0.05 * gram.diagonal().mean())
    directions: Tensor = torch.linalg.solve(gram, solved, left=False)
    return directions


def _class_covariance(texts: Texts, ridge: float) -> Tensor:
    centred = texts.classes[0] - texts.classes[0].mean(0)
    gram = centred.mT @ centred / len(centred)
    gram.diagonal().add_(ridge * gram.diagonal().mean())
    return gram


def inverse_root(gram: Tensor, ridge: float) -> Tensor:
    """Return the inverse square root of ``gram`` plus ``ridge`` times its mean eigenvalue."""
    values, vectors = torch.linalg.eigh(gram)
    root: Tensor = (vectors * (values + ridge * values.mean()).rsqrt()) @ vectors.mT
    return root
