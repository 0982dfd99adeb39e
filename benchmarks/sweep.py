"""A steering sweep over 1,150 concepts beside the same by autograd, step by step.

The obvious way takes each step as one pair: gradient by autograd, projection, both logits, IS, AS
towards the prompt and towards every concept (eqs. 7, 8, 10-13). The second line spares it, by hand,
what does not change from step to step except the gradient; all concepts are one batch in both.
"""

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor

from benchmarks.timing import Line, compare, demand
from sing_core.maths.equivalents import NullLine
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.scores import angle_deg, attribute_score_deg, image_score_deg
from sing_core.maths.steering import angles_along
from sing_core.maths.translator import Translator

CLASSES, FEATURES, DIM, CONCEPTS, STEPS = 1000, 1280, 384, 1150, 41


def lines() -> Iterator[Line]:
    torch.manual_seed(0)
    weight, bias = torch.randn(CLASSES, FEATURES) / 36, torch.randn(CLASSES)
    linear = LinearHead.from_weight(weight, bias)
    matrix, offset = torch.randn(DIM, FEATURES).double() / 36, torch.randn(DIM).double()
    translator = Translator(matrix, offset)  # float64, as a fit gives it; for both ways alike
    feature, text, concepts = torch.rand(FEATURES), torch.randn(DIM), torch.randn(CONCEPTS, DIM)
    null_basis = linear.head.null_basis  # made beforehand: the other way would keep it too

    wide_concepts, wide_text = concepts.double(), text.double()

    def ours() -> tuple[Tensor, ...]:
        line = NullLine.towards(text, feature, linear, translator)
        grid = line.grid(STEPS, None)
        walk = line.walk(linear, grid)
        image = angles_along(line.z0, line.w, grid, line.z0[None])[:, 0]
        toward = angles_along(line.z0, line.w, grid, text[None])[:, 0]
        angles = angles_along(line.z0, line.w, grid, concepts)
        return image, toward[0] - toward, angles[0] - angles, walk.max_logit_drift

    grid = NullLine.towards(text, feature, linear, translator).grid(STEPS, None)

    def step(epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``z`` of the feature and the steered feature itself."""
        leaf = feature.double().requires_grad_()
        z = matrix @ leaf + offset
        torch.cosine_similarity(z, wide_text, dim=0).backward()
        gradient = null_basis @ (null_basis.mT @ cast("Tensor", leaf.grad))
        moved = leaf + epsilon * gradient / torch.linalg.vector_norm(gradient)
        return z.detach(), moved.detach()

    def pair_by_pair() -> tuple[Tensor, ...]:
        rows = []
        for epsilon in grid:
            z0, moved = step(epsilon)
            z = matrix @ moved + offset
            drift = (linear.logits(moved) - linear.logits(feature)).abs().max()
            attribute = attribute_score_deg(z0, z, wide_text)
            each = attribute_score_deg(z0[None], z[None], wide_concepts)
            rows.append((image_score_deg(z0, z), attribute, each, drift))
        return tuple(map(torch.stack, zip(*rows, strict=True)))

    def spared_by_hand() -> tuple[Tensor, ...]:
        z0 = matrix @ feature.double() + offset
        at_first = angle_deg(z0[None], wide_concepts), angle_deg(z0, wide_text)
        base, rows = linear.logits(feature), []
        for epsilon in grid:
            moved = step(epsilon)[1]
            z = matrix @ moved + offset
            drift = (linear.logits(moved) - base).abs().max()
            each = at_first[0] - angle_deg(z[None], wide_concepts)
            rows.append((angle_deg(z0, z), at_first[1] - angle_deg(z, wide_text), each, drift))
        return tuple(map(torch.stack, zip(*rows, strict=True)))

    def check(found: tuple[Tensor, ...], other: tuple[Tensor, ...]) -> None:
        for name, a, b in zip(("IS", "AS", "concepts"), found[:3], other[:3], strict=True):
            demand(float((a - b).abs().max()) < 1e-6, f"{name} differs by more than 1e-6 degrees")
        limit = 1e-5 * float(linear.logits(feature).abs().max())
        demand(max(float(found[3].max()), float(other[3].max())) < limit, "logit drift")

    yield compare(
        f"{STEPS}-step sweep, {CONCEPTS:,} concepts, vs autograd step by step",
        ours, pair_by_pair, check=check, target=20.0, rounds=25,
    )  # fmt: skip
    yield compare(
        "the same, what stays the same spared by hand",
        ours, spared_by_hand, check=check, target=None, rounds=25,
    )  # fmt: skip
