"""A small made-up world to train in: meanings, what they look like, and what is said of them."""

import torch
from torch.nn.functional import normalize

from sing_core.making.captions import GROUPS
from sing_core.making.geometry import Texts
from sing_core.making.heads import Views
from sing_core.making.kin import Kin
from sing_core.making.recipe import Recipe, Words

CLASSES, NAMES, TEXT_DIM, FEATURES = 24, 200, 48, 64
RECIPE = Recipe(
    joint=60,
    alone=30,
    batch=64,
    dim=64,
    sentences=64,
    margins=(3.0, 8.0),
    removed=4,
    attribute=0.1,
)


class World:
    """Texts whose meaning is a linear map of what photographs show, and a classifier of them.

    Attributes:
        looks: ``(c + n, m)`` what each meaning looks like, unit length; the classes come first.
        names: ``(c + n, t)`` what it is called.
        kinship: ``(n, c)`` of the other names with the classes.
        views: ten photographs of each class, then eight of each attribute value.
    """

    def __init__(self, seed=0):
        g = torch.Generator().manual_seed(seed)
        meaning = torch.randn(CLASSES + NAMES, 12, generator=g)
        self.names = normalize(meaning @ torch.randn(12, TEXT_DIM, generator=g), dim=1)
        self.looks = normalize(meaning @ torch.randn(12, FEATURES, generator=g), dim=1)
        self.classifier = (6 * self.looks[:CLASSES], torch.zeros(CLASSES))
        near = normalize(meaning, dim=1)
        self.kinship = 4 * near[CLASSES:] @ near[:CLASSES].mT
        values = {
            group: [normalize(torch.randn(3, TEXT_DIM, generator=g), dim=1) for _ in options]
            for group, options in GROUPS.items()
        }
        own = self.names[:CLASSES]
        described = own + 0.05 * torch.randn(CLASSES, TEXT_DIM, generator=g)
        self.texts = Texts(torch.stack([own, 1.1 * own, described]), values)
        self.kin = Kin.from_kinship(self.names[CLASSES:], self.kinship)
        sentences = torch.randn(NAMES, TEXT_DIM, generator=g)
        self.words = Words(self.texts, self.kin, normalize(sentences, dim=1))
        self.views = self._views(g)

    def _views(self, g):
        changes = [(group, v) for group in sorted(GROUPS) for v in range(len(GROUPS[group]))] * 8
        groups = [""] * (10 * CLASSES) + [group for group, _ in changes]
        values = torch.tensor([0] * (10 * CLASSES) + [value for _, value in changes])
        labels = torch.arange(len(groups)) % CLASSES
        features = 4 * self.looks[labels] + 0.3 * torch.randn(len(labels), FEATURES, generator=g)
        # What a change looks like: a direction of its own for every value.
        order = {change: place for place, change in enumerate(dict.fromkeys(changes))}
        shown = torch.randn(len(order), FEATURES, generator=g)
        for row, change in enumerate(changes, 10 * CLASSES):
            features[row] += shown[order[change]]
        return Views(features, labels, tuple(groups), values, torch.arange(len(labels)) % 2 == 0)
