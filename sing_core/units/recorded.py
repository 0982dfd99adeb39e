"""Units of a set: one pass an image, kept raw as half-precision sums; resumable like features.

What is kept of an image is ``(2 L + 2) d + 2`` numbers, not what they become in the output: with
12 layers of 384, 19 kB an image; with 24 of 1,024, 100 kB (5 GB for 50,000 images).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from sing_core.models.workbench import Workbench
from sing_core.sets.chunks import ImageRow, Problem, SetFacts, SetFolder
from sing_core.sets.extract import Progress, extract
from sing_core.sets.items import Source
from sing_core.sets.sources import open_source
from sing_core.units.inside import Inside
from sing_core.units.residual import Sums, sums_of
from sing_core.units.towers import Tower

# Raise when what is kept changes: older records are then not found.
_FORMAT = "2"


@dataclass(frozen=True, slots=True, eq=False)
class UnitNetwork:
    """A tower as a network of a set: what it gives for an image is its packed ``Sums``."""

    tower: Tower
    preprocess: Callable[[Image.Image], Tensor]

    @property
    def name(self) -> str:
        """Name of the folder inside the set's."""
        return f"units of {self.tower.name}"

    @property
    def weights_digest(self) -> str:
        """Identity of what is kept: of the weights, and of the form."""
        return f"{self.tower.identity}-units-{_FORMAT}"

    @property
    def feature_dim(self) -> int:
        """Numbers that are kept of an image."""
        width = len(self.tower.readout.gain)
        heads = len(self.tower.layers) * self.tower.heads * self.tower.width
        return heads + (len(self.tower.layers) + 2) * width + 2

    def features(self, batch: Tensor) -> Tensor:
        """Return ``(n, feature_dim)`` float32 of ``(n, 3, h, w)``; ``unpacked`` undoes it."""
        found = sums_of(self.tower, batch)
        wide = found.heads.flatten(1), found.mlps.flatten(1), found.embedding
        return torch.cat([*wide, found.mean[:, None], found.scale[:, None], found.own], dim=1)


def unpacked(tower: Tower, rows: Tensor) -> Sums:
    """Return the sums that ``UnitNetwork.features`` packed into ``rows``, float32."""
    layers, width = len(tower.layers), len(tower.readout.gain)
    sizes = [layers * tower.heads * tower.width, layers * width, width, 1, 1, width]
    heads, mlps, embedding, mean, scale, own = torch.split(rows.float(), sizes, dim=1)
    return Sums(
        heads.reshape(len(rows), layers, tower.heads, tower.width),
        mlps.reshape(len(rows), layers, width),
        embedding,
        mean[:, 0],
        scale[:, 0],
        own,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """The units of the usable images of a set, in order.

    Attributes:
        sums: of all of them.
        images: which they are; ``problems`` could not be used.
    """

    sums: Sums
    images: tuple[ImageRow, ...]
    problems: tuple[Problem, ...]


def record(
    bench: Workbench,
    inside: Inside,
    images: Path,
    report: Callable[[Progress], object] = lambda progress: None,
) -> Recorded:
    """Show every image of ``images`` to a network and keep its units; what is kept is not redone.

    Raises:
        ImageSetError: the images cannot be read, or another process records them.
        OSError: the disk refuses.
    """
    source = open_source(images)
    folder = SetFolder.create(*_place(bench, source))
    network = UnitNetwork(inside.tower, inside.prepare)
    with folder.alone():
        extract(source, [network], folder, max_pixels=bench.settings.max_pixels, report=report)
    chunks = [
        folder.chunk(network.name, network.weights_digest, index)
        for index in range(folder.facts.chunks)
    ]
    return Recorded(
        unpacked(inside.tower, torch.cat([chunk.features for chunk in chunks])),
        tuple(row for chunk in chunks for row in chunk.images),
        tuple(problem for chunk in chunks for problem in chunk.problems),
    )


def were_recorded(bench: Workbench, inside: Inside, images: Path) -> tuple[bool, int]:
    """Return whether nothing of ``images`` must be looked at any more, and how many they are.

    Raises:
        ImageSetError: the images cannot be read.
    """
    source = open_source(images)
    folder = SetFolder(*_place(bench, source))  # whoever only asks leaves nothing behind
    network = UnitNetwork(inside.tower, inside.prepare)
    chunks = range(folder.facts.chunks)
    done = all(folder.has(network.name, network.weights_digest, index) for index in chunks)
    return done, source.total


def _place(bench: Workbench, source: Source) -> tuple[Path, SetFacts]:
    facts = SetFacts(f"units-{source.key[:16]}", source.key, source.total, "float16")
    return bench.settings.cache_dir / "units" / facts.name, facts
