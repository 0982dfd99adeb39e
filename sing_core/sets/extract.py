"""Images to features, chunk by chunk: decoded ahead of the networks, resumable at any moment.

A chunk's rows, and the batches inside it, are the same however often the work was interrupted:
so are its features, bit for bit.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor

from sing_core.errors import ImageSetError, UnsupportedImageError
from sing_core.files.images import decode_image
from sing_core.models import registry
from sing_core.models.centred_reference import CentredReference
from sing_core.models.references import Reference
from sing_core.models.workbench import Workbench
from sing_core.sets.chunks import Chunk, ImageRow, Problem, SetFolder
from sing_core.sets.items import Item, Source

_BATCH = 16
_AHEAD = 48
_DECODERS = 2


class Named(Protocol):
    """Whose vectors a folder of the set holds: a ``Network``, or ``chunks.Stored``."""

    @property
    def name(self) -> str:
        """Name of the folder."""

    @property
    def weights_digest(self) -> str:
        """Identity of the weights."""


class Network(Named, Protocol):
    """What turns pictures into vectors; a ``Backbone`` is one."""

    @property
    def feature_dim(self) -> int:
        """Width of its vectors."""

    @property
    def preprocess(self) -> Callable[[Image.Image], Tensor]:
        """Return the function from an RGB picture to ``(3, h, w)``."""

    def features(self, batch: Tensor) -> Tensor:
        """Return ``(n, m)`` float32 vectors of ``(n, 3, h, w)``."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceNetwork:
    """The image tower of a reference, as a network of the set."""

    reference: Reference | CentredReference
    feature_dim: int

    @property
    def name(self) -> str:
        """Name of its folder in the set."""
        return self.reference.name

    @property
    def weights_digest(self) -> str:
        """Identity of its embedding space."""
        return self.reference.space_id

    @property
    def preprocess(self) -> Callable[[Image.Image], Tensor]:
        """Return the function from an RGB picture to ``(3, h, w)``."""
        return self.reference.preprocess

    def features(self, batch: Tensor) -> Tensor:
        """Return raw ``(n, d)`` float32 embeddings of ``(n, 3, h, w)``."""
        return self.reference.embed_batch(batch)


def set_networks(bench: Workbench, models: Sequence[str], reference: str | None) -> list[Network]:
    """Load the classifiers and, unless it is None, the reference that see the images of a set.

    Raises:
        SingError: one cannot be loaded.
    """
    networks: list[Network] = [bench.pool.backbone(model) for model in models]
    if reference is not None:
        entry = registry.find_reference(reference, bench.settings)
        loaded = bench.pool.reference(reference)
        networks.append(ReferenceNetwork(loaded, entry.dim if entry else 0))
    return networks


@dataclass(slots=True)
class Progress:
    """How far the work is.

    Attributes:
        total: rows of the set; ``done`` of them are behind us, ``found`` before this run began.
        under_way: rows of the chunk at work that the networks have seen; kept once it is whole.
        bad: rows that could not be used.
        started: clock reading at the start of this run, seconds.
    """

    total: int
    done: int = 0
    found: int = 0
    bad: int = 0
    under_way: int = 0
    started: float = field(default_factory=time.monotonic)

    def begin(self, folder: SetFolder, missing: Mapping[int, Sequence[int]]) -> None:
        """Count the rows of the chunks that no network lacks as done before."""
        self.found = self.done = sum(
            len(folder.rows(index)) for index, lacking in missing.items() if not lacking
        )

    def end_chunk(self, rows: int, bad: int) -> None:
        """Count a chunk that is whole: its rows are under way no longer."""
        self.under_way, self.done, self.bad = 0, self.done + rows, self.bad + bad

    @property
    def seen(self) -> int:
        """Rows that are behind us or under way."""
        return self.done + self.under_way

    @property
    def rate(self) -> float:
        """Rows per second in this run."""
        return (self.seen - self.found) / max(time.monotonic() - self.started, 1e-9)

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest will take at this rate; None before the first images."""
        return (self.total - self.seen) / self.rate if self.seen > self.found else None


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    chunk: int
    item: Item
    missing: tuple[int, ...]  # the networks that lack this chunk


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    task: _Task
    digest: str
    inputs: tuple[Tensor, ...]  # one per missing network
    problem: str


def missing_under(
    networks: Sequence[Named], folder: SetFolder, chunks: Iterable[int]
) -> dict[int, tuple[int, ...]]:
    """Return, for each of ``chunks``, the places in ``networks`` of those that lack it."""
    return {
        index: tuple(
            place
            for place, network in enumerate(networks)
            if not folder.has(network.name, network.weights_digest, index)
        )
        for index in chunks
    }


def extract(
    source: Source,
    networks: Sequence[Network],
    folder: SetFolder,
    *,
    max_pixels: int,
    report: Callable[[Progress], object] = lambda progress: None,
    only: Sequence[int] | None = None,
) -> Progress:
    """Write every chunk that is not there yet under every network; ``only`` these if given.

    Images are decoded by two threads while the networks compute. What cannot be used becomes a
    ``Problem`` of its chunk.

    Raises:
        OSError: the disk refuses.
    """
    chunks = range(folder.facts.chunks) if only is None else only
    progress = Progress(sum(len(folder.rows(index)) for index in chunks))
    missing = missing_under(networks, folder, chunks)
    progress.begin(folder, missing)
    report(progress)
    preparers = [network.preprocess for network in networks]

    def decode(task: _Task) -> _Decoded:
        return _decode(task, [preparers[n] for n in task.missing], max_pixels)

    def tell(count: int) -> None:
        progress.under_way = count
        report(progress)

    with ThreadPoolExecutor(_DECODERS) as pool:
        stream = _ahead(pool, decode, _tasks(source, folder, missing))
        for index, rows in groupby(stream, key=lambda decoded: decoded.task.chunk):
            lacking = [networks[n] for n in missing[index]]
            for network, chunk in zip(lacking, _compute(rows, lacking, tell), strict=True):
                folder.save(network.name, network.weights_digest, index, chunk)
            progress.end_chunk(len(folder.rows(index)), len(chunk.problems))
            report(progress)
    return progress


def _tasks(
    source: Source, folder: SetFolder, missing: Mapping[int, tuple[int, ...]]
) -> Iterator[_Task]:
    """Yield the rows of every chunk that some network lacks."""
    for index, lacking in missing.items():
        rows = folder.rows(index)
        for item in source.items(rows.start, rows.stop) if lacking else ():
            yield _Task(index, item, lacking)


def _decode(
    task: _Task, preparers: Sequence[Callable[[Image.Image], Tensor]], max_pixels: int
) -> _Decoded:
    try:
        photo = decode_image(task.item.read(), max_pixels=max_pixels)
    except (UnsupportedImageError, ImageSetError) as error:
        return _Decoded(task, "", (), str(error))
    return _Decoded(task, photo.digest, tuple(prepare(photo.image) for prepare in preparers), "")


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[_Task], _Decoded], tasks: Iterator[_Task]
) -> Iterator[_Decoded]:
    """Yield ``work(task)`` in order, a bounded number of them being under way."""
    waiting: deque[Future[_Decoded]] = deque()
    for task in tasks:
        waiting.append(pool.submit(work, task))
        if len(waiting) >= _AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _compute(
    rows: Iterator[_Decoded], networks: Sequence[Network], tell: Callable[[int], object]
) -> list[Chunk]:
    """Return the chunk of every network from the decoded rows of one chunk.

    ``tell`` hears after each batch how many rows it has been.
    """
    images: list[ImageRow] = []
    problems: list[Problem] = []
    parts: list[list[Tensor]] = [[] for _ in networks]
    batch: list[_Decoded] = []

    def flush() -> None:
        for place, network in enumerate(networks if batch else ()):
            stacked = torch.stack([decoded.inputs[place] for decoded in batch])
            parts[place].append(network.features(stacked))
        batch.clear()
        tell(len(images) + len(problems))

    for decoded in rows:
        item = decoded.task.item
        if decoded.problem:
            problems.append(Problem(item.row, item.name, decoded.problem))
            continue
        images.append(ImageRow(item.row, item.name, item.wnid, decoded.digest))
        batch.append(decoded)
        if len(batch) == _BATCH:
            flush()
    flush()
    return [
        Chunk(
            torch.cat(vectors) if vectors else torch.zeros(0, network.feature_dim),
            tuple(images),
            tuple(problems),
        )
        for network, vectors in zip(networks, parts, strict=True)
    ]
