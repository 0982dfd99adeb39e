"""Restore the upper blocks by distillation: targets of lite2 and labels; stopped and gone on with.

Every batch follows from the step's number alone, so a run that was ended and started again trains
on the same batches at the same rates as one that was not.
"""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy

from sing_core.making.vit_tower import Student
from sing_core.making.vit_workers import Workers


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides the outcome besides the data and the number of passes.

    Attributes:
        small: small images in a batch; ``photos`` views of photographs beside them.
        keep: patches of a view that the upper blocks see while learning; the rest is dropped at
            random, which halves the cost of a step and keeps the class token from leaning on few.
        full_from: share of the run after which every patch is seen, as when it is used.
        variants: draws of augmentations that passes take in turn, each ``repeats`` times running.
        rate: peak learning rate; ``heads`` times as much for the two linear layers.
        warm_up: steps of linear rise before the cosine.
        floor: share of the peak that the cosine ends at.
        decay: weight decay of matrices.
        average: decay of the moving average of weights.
        own: share of the label in the target; the rest is lite2's softmax.
        sharpness: factor on lite2's logits before that softmax.
        guide: weight of the cosine to lite2's features.
        seed: of every random draw.
    """

    small: int = 96
    photos: int = 32
    keep: int = 31
    full_from: float = 0.85
    variants: int = 3
    repeats: int = 3
    rate: float = 5e-4
    heads: float = 3.0
    warm_up: int = 300
    floor: float = 0.02
    decay: float = 0.05
    average: float = 0.999
    own: float = 0.6
    sharpness: float = 0.7
    guide: float = 1.0
    seed: int = 0

    def rate_at(self, step: int, steps: int) -> float:
        """Return the share of the peak rate at ``step`` of ``steps``; more steps stretch it."""
        if step < self.warm_up:
            return (step + 1) / self.warm_up
        along = (step - self.warm_up) / max(1, steps - self.warm_up)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, along)))

    def variant_at(self, turn: int) -> int:
        """Return the draw of augmentations that pass ``turn`` sees."""
        return turn // self.repeats % self.variants

    def keep_at(self, step: int, steps: int, patches: int) -> int:
        """Return how many of ``patches`` a view keeps at ``step``."""
        return min(self.keep, patches) if step < self.full_from * steps else patches


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one step learns from.

    Attributes:
        tokens: ``(n, 1 + patches, 384)`` outputs of the frozen blocks.
        labels: ``(n,)`` class indices.
        teacher: ``(n, 1280)`` lite2's features.
    """

    tokens: Tensor
    labels: Tensor
    teacher: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """lite2's last layer, and the mean of its features, which the guide leaves out."""

    weight: Tensor
    bias: Tensor
    mean: Tensor

    def targets(self, batch: Batch, plan: Plan) -> Tensor:
        """Return the distribution over classes that each view should get, ``(n, 1000)``."""
        logits = batch.teacher @ self.weight.mT + self.bias
        soft = (logits * plan.sharpness).softmax(1)
        own = torch.zeros_like(soft).scatter_(1, batch.labels[:, None], 1.0)
        return plan.own * own + (1 - plan.own) * soft


def drop_patches(tokens: Tensor, keep: int, generator: torch.Generator) -> Tensor:
    """Return ``tokens`` with ``keep`` patches of each view, drawn at random; the class stays."""
    views, patches = tokens.shape[0], tokens.shape[1] - 1
    if keep >= patches:
        return tokens
    order = torch.rand(views, patches, generator=generator).argsort(1)[:, :keep] + 1
    kept = torch.cat([order.new_zeros(views, 1), order], 1)
    return tokens[torch.arange(views)[:, None], kept]


class Training:
    """A student, its moving average and its optimiser, which go to disk and come back."""

    def __init__(
        self, weights: dict[str, Tensor], teacher: Teacher, plan: Plan, workers: Workers
    ) -> None:
        """Start at step 0 from the package's ``weights``."""
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.step = 0
        self.seconds = 0.0
        self.curve: list[dict[str, float]] = []
        self.student = Student(weights, drop_path=0.05).train()
        workers.begin_alike([weight.data for weight in self.student.parameters()])
        self.average = Student(weights).eval().requires_grad_(False)
        self.average.load_state_dict(self.student.state_dict())
        self._teacher = teacher
        self._workers = workers
        self._optimiser = torch.optim.AdamW(self._groups(), lr=plan.rate, betas=(0.9, 0.98))

    def _groups(self) -> list[dict[str, Any]]:
        groups: dict[tuple[bool, bool], list[Tensor]] = {}
        for name, value in self.student.named_parameters():
            key = (name.startswith(("head", "guide")), value.ndim > 1)
            groups.setdefault(key, []).append(value)
        return [
            {
                "params": values,
                "peak": self.plan.rate * (self.plan.heads if is_head else 1.0),
                "weight_decay": self.plan.decay if is_matrix else 0.0,
            }
            for (is_head, is_matrix), values in groups.items()
        ]

    def learn(self, batch: Batch, steps: int) -> float:
        """Take one step of a run of ``steps``; return the loss over this process' rows."""
        plan = self.plan
        generator = torch.Generator().manual_seed(plan.seed * 1_000_003 + self.step)
        torch.manual_seed(plan.seed * 1_000_003 + self.step)
        keep = plan.keep_at(self.step, steps, batch.tokens.shape[1] - 1)
        rows = self._workers.rows(len(batch.labels))
        tokens = drop_patches(batch.tokens, keep, generator)[rows]
        batch = Batch(tokens, batch.labels[rows], batch.teacher[rows])
        for group in self._optimiser.param_groups:
            group["lr"] = group["peak"] * plan.rate_at(self.step, steps)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, guess = self.student(batch.tokens)
        loss = cross_entropy(logits.float(), self._teacher.targets(batch, plan))
        wanted = batch.teacher - self._teacher.mean
        loss = loss + plan.guide * (1 - cosine_similarity(guess.float(), wanted).mean())
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._workers.average([p.grad for p in self.student.parameters() if p.grad is not None])
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self._optimiser.step()
        self.step += 1
        self._follow()
        return float(loss.detach())

    def _follow(self) -> None:
        share = min(self.plan.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            ours: list[Tensor] = list(self.average.parameters())
            theirs: list[Tensor] = list(self.student.parameters())
            torch._foreach_lerp_(ours, theirs, 1 - share)

    def save(self, path: Path) -> None:
        """Write everything that going on needs, whole or not at all."""
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "curve": self.curve,
            "student": self.student.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        torch.save(state, draft)
        draft.replace(path)

    def load(self, path: Path) -> None:
        """Go on from what ``save`` wrote."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.step, self.seconds = state["step"], state["seconds"]
        self.curve = state["curve"]
        self.student.load_state_dict(state["student"])
        self.average.load_state_dict(state["average"])
        peaks = [group["peak"] for group in self._optimiser.param_groups]
        self._optimiser.load_state_dict(state["optimiser"])
        for group, peak in zip(self._optimiser.param_groups, peaks, strict=True):
            group["peak"] = peak


def places(count: int, size: int, turn: int, seed: tuple[int, ...]) -> np.ndarray:
    """Return the ``turn``-th ``size`` places out of ``count``: each once a round, in random order.

    The last few of a round that fill no batch are left out of it.
    """
    rounds, at = divmod(turn, count // size)
    order = np.random.default_rng([*seed, rounds]).permutation(count)
    return np.sort(order[at * size : (at + 1) * size])
