"""Which units decide: accuracy after some of them are replaced by their mean over the images.

The direct-effect atlas (arXiv:2310.05916, section 3) takes out all MLPs, what the class token gives
itself, or the attention of the first layers one after the other; the completeness experiment
replaces what the late heads write by what their texts say of it. LayerNorm's sigma stays that of
the image, so that effects are direct.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sing_core.errors import ImageSetError
from sing_core.maths.statistics import Interval, clustered_mean
from sing_core.maths.text_span import TextSpan, text_span
from sing_core.models.imagenet import imagenet_places
from sing_core.units.inside import Inside
from sing_core.units.recorded import Recorded
from sing_core.units.residual import Sums, sliced

LATE_LAYERS = 4
ALL_MLPS, CLASS_TOKEN = "all MLPs", "what the class token gives itself"
_BLOCK = 128


@dataclass(frozen=True, slots=True)
class Effect:
    """What is left when some units are replaced.

    Attributes:
        replaced: which, in words.
        accuracy: share of images read rightly, with its interval over classes.
        texts: how many texts stand for each late head; None where units have their mean.
    """

    replaced: str
    accuracy: Interval
    texts: int | None = None

    def as_row(self) -> dict[str, Any]:
        """Return it as a row of a table."""
        found = self.accuracy
        return {"replaced": self.replaced, "texts": self.texts, "accuracy": found.estimate,
                "low": found.low, "high": found.high}  # fmt: skip


def direct_effects(inside: Inside, recorded: Recorded) -> tuple[Effect, ...]:
    """Return the accuracy with nothing replaced, MLPs, the class token, attention up to each layer.

    What the class token gives itself is asked where it alone is read.

    Raises:
        ImageSetError: fewer than two classes of the head are among the images.
    """
    masks = _masks(inside)
    means, own_mean = unit_means(inside, recorded.sums), _own_mean(inside, recorded.sums)
    chosen = torch.stack([units for units, _ in masks.values()])
    tokens = torch.tensor([float(token) for _, token in masks.values()])

    def outputs(units: Tensor, block: Sums) -> Tensor:
        away = torch.einsum("au,nuo->nao", chosen, units - means)
        own = inside.shares.class_token(block) - own_mean
        return units.sum(dim=1)[:, None] - away - tokens[:, None] * own[:, None]

    found = rights(inside, recorded, outputs)
    return tuple(map(Effect, masks, _intervals(recorded, found)))


def _masks(inside: Inside) -> dict[str, tuple[Tensor, bool]]:
    """Return what is replaced: which units ``(u,)``, and whether the class token's own part."""
    layers, heads = len(inside.tower.layers), inside.tower.heads
    none = torch.zeros(len(inside.tower.unit_names))
    mlps = none.clone()
    mlps[1 + layers * heads :] = 1
    found = {"nothing": (none, False), ALL_MLPS: (mlps, False)}
    if not inside.tower.readout.whole:
        found[CLASS_TOKEN] = (none, True)
        found[f"{CLASS_TOKEN}, and {ALL_MLPS}"] = (mlps, True)
    for layer in range(layers):
        attention = none.clone()
        attention[1 : 1 + (layer + 1) * heads] = 1
        found[f"attention of layers 0 to {layer}"] = (attention, False)
    return found


def _own_mean(inside: Inside, sums: Sums) -> Tensor:
    return inside.shares.class_token(sums).double().mean(dim=0).float()


def completeness(
    inside: Inside, recorded: Recorded, embeddings: Tensor, sizes: Sequence[int]
) -> tuple[Effect, ...]:
    """Return the accuracy when texts stand for the heads of the last four layers.

    Each head is replaced by its mean and what its first m texts say of the rest, for m in
    ``sizes``; attention of earlier layers has its mean, MLPs stay. ``embeddings`` ``(M, d)``.

    Raises:
        ImageSetError: fewer than two classes of the head are among the images.
    """
    layers, heads = len(inside.tower.layers), inside.tower.heads
    first = 1 + max(0, layers - LATE_LAYERS) * heads
    means = unit_means(inside, recorded.sums)
    spans = [
        _span(inside, recorded.sums, place, embeddings, max(sizes, default=0))
        for place in range(first, 1 + layers * heads)
    ]

    def outputs(units: Tensor, _: Sums) -> Tensor:
        rest = units - means
        early = units.sum(dim=1) - rest[:, 1:first].sum(dim=1)
        found = [early]
        for size in (0, *sizes):
            lost = torch.zeros_like(early)
            for place, span in enumerate(spans, start=first):
                atoms = span.atoms[:size].float()
                lost += rest[:, place] - (rest[:, place] @ atoms.mT) @ atoms
            found.append(early - lost)
        return torch.stack(found, dim=1)

    named = [("attention of early layers", None), ("late heads", 0)]
    named += [("late heads", size) for size in sizes]
    intervals = _intervals(recorded, rights(inside, recorded, outputs))
    pairs = zip(named, intervals, strict=True)
    return tuple(Effect(name, found, texts) for (name, texts), found in pairs)


def unit_means(inside: Inside, sums: Sums) -> Tensor:
    """Return ``(u, o)`` the mean of every unit over the images."""
    total = torch.zeros(1)
    for block in _blocks(sums):
        total = total + inside.shares.all(block).double().sum(dim=0)
    return (total / len(sums)).float()


def _span(inside: Inside, sums: Sums, place: int, texts: Tensor, size: int) -> TextSpan:
    layer, head = divmod(place - 1, inside.tower.heads)
    rows = [inside.shares.heads(block)[:, layer, head] for block in _blocks(sums)]
    return text_span(torch.cat(rows), texts, size)


def _blocks(sums: Sums) -> Iterator[Sums]:
    for start in range(0, len(sums), _BLOCK):
        yield sliced(sums, slice(start, start + _BLOCK))


def rights(inside: Inside, recorded: Recorded, outputs: Callable[[Tensor, Sums], Tensor]) -> Tensor:
    """Return ``(n, a)`` whether each image is read rightly under each of ``a`` replacements."""
    places = imagenet_places()
    wanted = torch.tensor([places.get(row.wnid, -1) for row in recorded.images])
    if len(set(wanted.tolist()) - {-1}) < 2:
        raise ImageSetError("Accuracy needs images of at least two classes of ImageNet-1k.")
    found = []
    for start, block in zip(range(0, len(wanted), _BLOCK), _blocks(recorded.sums), strict=True):
        read = inside.logits(outputs(inside.shares.all(block), block)).argmax(dim=-1)
        found.append(read == wanted[start : start + _BLOCK, None])
    return torch.cat(found)


def _intervals(recorded: Recorded, found: Tensor) -> list[Interval]:
    """Return the mean of each column over images of known classes; intervals over classes."""
    known, classes = known_images(recorded)
    values = found[known].double().numpy()
    return [clustered_mean(values[:, column], classes) for column in range(values.shape[1])]


def known_images(recorded: Recorded) -> tuple[list[int], NDArray[Any]]:
    """Return the places of the images whose class is known, and their classes."""
    known = [place for place, row in enumerate(recorded.images) if row.wnid in imagenet_places()]
    return known, np.array([recorded.images[place].wnid for place in known])


def sentence(found: Sequence[Effect]) -> str:
    """Return what the atlas says, in words with a magnitude."""
    base, mlps = found[:2]
    token = next((effect for effect in found if effect.replaced == CLASS_TOKEN), None)
    attention = [effect for effect in found if effect.replaced.startswith("attention")]
    share = [effect.accuracy.estimate for effect in attention]
    half = next(
        (k for k, value in enumerate(share) if value < base.accuracy.estimate / 2), len(share) - 1
    )
    own = "" if token is None else (
        f", of what the class token gives itself {100 * token.accuracy.estimate:.1f} %"
    )  # fmt: skip
    return (
        f"{100 * base.accuracy.estimate:.1f} % of the images are read rightly; with the mean in "
        f"place of every MLP {100 * mlps.accuracy.estimate:.1f} %{own}. Attention can be replaced "
        f"up to layer {max(half - 1, 0)} before half of that is lost."
    )
