"""What photographs show beside their class: linear read-outs of grey, blur, light, distance, tint.

Each is told apart on views changed in a known way, and written along the direction of the text
space that names it and re-orders classes least.
"""

import torch
from torch import Generator, Tensor
from torch.nn.functional import one_hot

from sing_core.making.captions import GROUPS
from sing_core.making.geometry import Texts, attribute_directions
from sing_core.making.heads import Head, Views

# Read-outs that class content drowns at strength 1: twelve colours, and colour against none.
_GAINS = {"grey": 1.5, "tint": 3.5}


def attribute_part(views: Views, texts: Texts, *, ridge: float, length: float) -> Head:
    """Return the read-outs along their own text directions, ``length`` long on photographs.

    ``texts`` are unit embeddings of the space that the head leads into; ``ridge`` is that of the
    read-outs, in rows per feature dimension.
    """
    directions = attribute_directions(texts) * _gains(texts)
    probes = attribute_probes(views, ridge)
    named = Head(directions @ probes.weight, directions @ probes.bias)
    return named.scaled(length / named.mean_length(views.features[views.rows_of("")]))


def _gains(texts: Texts) -> Tensor:
    """Return ``(p,)`` relative strengths of the values' read-outs."""
    return torch.cat(
        [torch.full((len(GROUPS[group]),), _GAINS.get(group, 1.0)) for group in texts.groups]
    )


def attribute_probes(views: Views, ridge: float) -> Head:
    """Return one affine read-out per attribute value, ``(p, m)`` and ``(p,)``, groups in order.

    Each group's values are told apart by ridge regression on its own views, classes balanced, on
    standardised features; photographs as they are have the target 0, so that the read-outs stay
    silent where nothing was done.
    """
    mean, spread = views.features.mean(0), views.features.std(0).clamp_min(1e-3)
    plain = views.features[views.rows_of("")]
    plain = plain[torch.randperm(len(plain), generator=Generator().manual_seed(0))[:4000]]
    weights, biases = [], []
    for group in sorted(set(views.groups) - {""}):
        rows = views.rows_of(group)
        count = len(GROUPS[group])
        wanted = one_hot(views.values[rows], count).float()
        share = (1 / wanted.sum(0).clamp_min(1))[views.values[rows]] * len(rows) / count
        share = torch.cat([share, torch.full((len(plain),), 0.5)])[:, None]
        inputs = (torch.cat([views.features[rows], plain]) - mean) / spread
        target = torch.cat([wanted - 1 / count, torch.zeros(len(plain), count)])
        centre, level = (share * inputs).sum(0) / share.sum(), (share * target).sum(0) / share.sum()
        centred = inputs - centre
        gram = centred.mT @ (share * centred)
        gram.diagonal().add_(ridge * len(inputs) / 10)
        weight = torch.linalg.solve(gram, centred.mT @ (share * (target - level))).mT / spread
        weights.append(weight)
        biases.append(level - weight @ (centre * spread + mean))
    return Head(torch.cat(weights), torch.cat(biases))
