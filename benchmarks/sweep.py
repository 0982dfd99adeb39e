"""A steering sweep over 1,150 concepts beside the same by autograd, step by step."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import torch
from torch import Tensor

from benchmarks.timing import Line, compare, demand
from sing_core.equivalents import NullLine
from sing_core.head import HeadDecomposition
from sing_core.registry import ModelEntry
from sing_core.scores import angle_deg
from sing_core.steering import angles_along
from sing_core.translator import Translator
from sing_core.workbench import Classifier

CLASSES, FEATURES, DIM, CONCEPTS, STEPS = 1000, 1280, 384, 1150, 41


def lines() -> Iterator[Line]:
    torch.manual_seed(0)
    weight, bias = torch.randn(CLASSES, FEATURES) / 36, torch.randn(CLASSES)
    head = HeadDecomposition.from_weight(weight)
    classifier = Classifier(cast("ModelEntry", SimpleNamespace()), weight, bias, head)
    translator = Translator(torch.randn(DIM, FEATURES) / 36, torch.randn(DIM))
    feature, text, concepts = torch.rand(FEATURES), torch.randn(DIM), torch.randn(CONCEPTS, DIM)
    null_basis = head.null_basis  # made beforehand, as the other way would keep it too

    def ours() -> tuple[Tensor, ...]:
        line = NullLine.towards(text, feature, classifier, translator)
        grid = line.grid(STEPS, None)
        walk = line.walk(classifier, grid)
        image = angles_along(line.z0, line.w, grid, line.z0[None])[:, 0]
        toward = angles_along(line.z0, line.w, grid, text[None])[:, 0]
        angles = angles_along(line.z0, line.w, grid, concepts)
        return grid, image, toward[0] - toward, angles, walk.max_logit_drift

    grid = ours()[0]

    def by_autograd() -> tuple[Tensor, ...]:
        matrix, offset = translator.weight.double(), translator.bias.double()
        goal, wide, base = text.double(), concepts.double(), classifier.logits(feature)
        rows = []
        for epsilon in grid:
            leaf = feature.double().requires_grad_()
            z0 = matrix @ leaf + offset
            torch.cosine_similarity(z0, goal, dim=0).backward()
            gradient = null_basis @ (null_basis.mT @ cast("Tensor", leaf.grad))
            with torch.no_grad():
                moved = leaf + epsilon * gradient / torch.linalg.vector_norm(gradient)
                z = matrix @ moved + offset
                drift = (classifier.logits(moved) - base).abs().max()
                attribute = angle_deg(z0, goal) - angle_deg(z, goal)
                rows.append((angle_deg(z0, z), attribute, angle_deg(z[None], wide), drift))
        image, attribute, angles, drift = map(torch.stack, zip(*rows, strict=True))
        return grid, image, attribute, angles, drift

    def check(found: tuple[Tensor, ...], other: tuple[Tensor, ...]) -> None:
        for name, a, b in zip(("IS", "AS", "concepts"), found[1:4], other[1:4], strict=True):
            demand(float((a - b).abs().max()) < 1e-6, f"{name} differs by more than 1e-6 degrees")
        limit = 1e-5 * float(classifier.logits(feature).abs().max())
        demand(max(float(found[4].max()), float(other[4].max())) < limit, "logit drift")

    yield compare(
        f"{STEPS}-step sweep, {CONCEPTS:,} concepts, vs autograd step by step",
        ours, by_autograd, check=check, target=20.0, rounds=15,
    )  # fmt: skip
