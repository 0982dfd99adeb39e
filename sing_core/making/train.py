"""Train both projections of ``mini``: lite2's features and MiniLM's texts into one space.

Both towers stay frozen. The start is closed form: names of classes and of their kin in WordNet are
mapped to what a photograph of them should look like (``kin``). Gradient descent then tells the
1,000 classes apart, mostly on pseudo-features (``pseudo``), with lite2's softmax as target, while a
second question keeps the text space whole: sentences that name no class must keep the neighbours
that they have in MiniLM's own space. At last attribute read-outs (``attributes``) are added, the
class part is moved out of their way, and the text head rests.

The image head learns in whitened coordinates of the features and of the texts.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from sing_core.making.attributes import attribute_part
from sing_core.making.geometry import without_attributes
from sing_core.making.heads import Heads, TextHead, Views
from sing_core.making.recipe import Recipe, Words
from sing_core.making.task import Task

Progress = Callable[[int, int, float], None]
_WARM_UP = 30


def train_heads(
    views: Views,
    words: Words,
    classifier: tuple[Tensor, Tensor],
    recipe: Recipe,
    progress: Progress | None = None,
    *,
    fast: bool = False,
) -> Heads:
    """Train on ``views``, whose labels, ``words`` and ``classifier`` know one class list.

    For a class left out entirely, leave it out of all three. ``progress`` receives step, steps
    and the loss; ``fast`` multiplies in bfloat16.
    """
    task = Task(views, words, classifier, recipe, fast=fast)
    inner, text = task.start()
    centre = torch.zeros(recipe.dim)
    steps = recipe.joint + recipe.alone
    for step, optimiser in _descent([inner, centre, text.inner, text.outer], recipe, recipe.joint):
        loss = task.class_loss(inner, centre, text) + recipe.whole * task.whole_loss(text)
        _follow(optimiser, loss)
        _tell(progress, step, steps, loss)
    text = TextHead(text.inner.detach(), text.outer.detach())
    shown = Heads(task.head(inner.detach(), centre.detach()), text).shown(words.texts)
    keep = without_attributes(shown, recipe.removed)
    extra = attribute_part(views, shown, ridge=recipe.probe_ridge, length=recipe.attribute)
    slow = replace(recipe, rate=recipe.alone_rate)
    for step, optimiser in _descent([inner, centre], slow, recipe.alone):
        loss = task.class_loss(inner, centre, text, keep, extra)
        _follow(optimiser, loss)
        _tell(progress, recipe.joint + step, steps, loss)
    found = task.head(inner.detach(), centre.detach(), keep)
    photos = views.features[views.rows_of("")]
    return Heads(found.scaled(1 / found.mean_length(photos)) + extra, text)


def _descent(
    learned: list[Tensor], recipe: Recipe, steps: int
) -> Iterator[tuple[int, torch.optim.Optimizer]]:
    """Yield step and optimiser; the rates warm up, then fall along a cosine."""
    groups = []
    for one in learned:
        spread = float(one.detach().square().mean().sqrt())
        groups.append({"params": [one.requires_grad_()], "peak": recipe.rate * spread})
    # What starts at zero moves as fast as the first, whose offset it is.
    for group in groups:
        group["peak"] = group["peak"] or groups[0]["peak"]
    optimiser = torch.optim.Adam(groups, lr=0.0)
    for step in range(steps):
        share = min(1.0, (step + 1) / _WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / steps))
        for entry in optimiser.param_groups:
            entry["lr"] = entry["peak"] * share
        yield step, optimiser


def _follow(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def _tell(progress: Progress | None, step: int, steps: int, loss: Tensor) -> None:
    if progress is not None and (step + 1) % 20 == 0:
        progress(step + 1, steps, float(loss.detach()))
