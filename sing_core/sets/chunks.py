"""A prepared set on disk: features in chunks of 512 rows, each one whole or not there.

``<folder>/set.json`` says whose features these are; ``<folder>/<network>/chunk-000000.safetensors``
holds a chunk's features, the list of its images and of those that could not be used. In the names
of folders, what a path could misread is replaced.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from sing_core.errors import ImageSetError, StaleArtefactError
from sing_core.files.atomic import write_atomically
from sing_core.files.seals import SEAL, sealed, unsealed
from sing_core.files.store import Store
from sing_core.models.registry import file_stem

CHUNK_ROWS = 512
FILE = "set.json"
Precision = Literal["float32", "float16"]


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One usable image: its row, name, class (wnid) and the SHA-256 of its file."""

    row: int
    name: str
    wnid: str
    digest: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One image that has no score: its row, its name, and why, in a sentence."""

    row: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """What one network made of up to 512 rows.

    Attributes:
        features: ``(k, m)`` features, or embeddings ``(k, d)``, of the usable images.
        images: the ``k`` usable images, in order.
        problems: the others.
    """

    features: Tensor
    images: tuple[ImageRow, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """Whose vectors lie in a folder of a set.

    Attributes:
        name: of the classifier or reference, and of the folder.
        weights_digest: identity of its weights, or of its space.
    """

    name: str
    weights_digest: str


@dataclass(frozen=True, slots=True)
class SetFacts:
    """What ``set.json`` says.

    Attributes:
        name: how pages and commands call the set.
        key: identity of the list of images, see ``Source.key``.
        total: rows listed.
        precision: type in which features are stored, and from which they are scored.
        chunk_rows: rows of a chunk; another number batches, and rounds, otherwise.
        strata: what kind of images each file of a set of several kinds holds; by the part of an
            image's name before “#”.
    """

    name: str
    key: str
    total: int
    precision: Precision
    chunk_rows: int = CHUNK_ROWS
    strata: Mapping[str, str] = field(default_factory=dict)

    def stratum(self, name: str) -> str:
        """Return of what kind the image ``name`` is; "" in a set of one kind."""
        return self.strata.get(name.partition("#")[0], "")

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.total // self.chunk_rows)


class SetFolder:
    """The folder of one prepared set.

    Attributes:
        path: where it lies.
        facts: whose features it holds.
    """

    def __init__(self, path: Path, facts: SetFacts) -> None:
        """Remember both; nothing is written."""
        self.path, self.facts = path, facts
        self._store = Store(path)

    @classmethod
    def open(cls, path: Path) -> "SetFolder":
        """Open the folder of a set that exists.

        Raises:
            StaleArtefactError: ``set.json`` is missing or damaged.
        """
        try:
            found = json.loads((path / FILE).read_text("utf-8"))
            facts = unsealed(found) if SEAL in found else found  # of an earlier version
            return cls(path, SetFacts(**facts))
        except (OSError, ValueError, TypeError) as error:
            raise StaleArtefactError(
                f"The {FILE} of the prepared set {path.name} is missing or damaged: prepare the "
                "set again."
            ) from error

    @classmethod
    def create(cls, path: Path, facts: SetFacts) -> "SetFolder":
        """Open the folder of the set with these ``facts``, or make it; a damaged one is mended.

        Raises:
            ImageSetError: the folder belongs to other images.
            OSError: the disk refuses.
        """
        found = None
        with suppress(StaleArtefactError):  # missing or damaged: the chunks say whose they are
            found = cls.open(path)
        if found is not None:
            if replace(found.facts, strata=facts.strata) != facts:
                raise ImageSetError(
                    f"There is already a prepared set called “{path.name}” of other images or "
                    "another precision; choose another --name."
                )
            if found.facts == facts:
                return found
        write_atomically(path / FILE, json.dumps(sealed(asdict(facts)), indent=1).encode())
        return cls(path, facts)

    def rows(self, index: int) -> range:
        """Return the rows of chunk ``index``."""
        size = self.facts.chunk_rows
        return range(index * size, min((index + 1) * size, self.facts.total))

    def save(self, network: str, digest: str, index: int, chunk: Chunk) -> None:
        """Write a chunk; the file is whole or not there.

        Raises:
            OSError: the disk refuses.
        """
        images, problems = map(asdict, chunk.images), map(asdict, chunk.problems)
        listing = json.dumps({"images": list(images), "problems": list(problems)})
        tensors = {
            "features": chunk.features.to(getattr(torch, self.facts.precision)),
            "listing": torch.frombuffer(bytearray(listing.encode()), dtype=torch.uint8),
        }
        self._store.save(file_stem(network), _name(index), tensors, self._meta(network, digest))

    def load(self, network: str, digest: str, index: int) -> Chunk | None:
        """Return a chunk, None where it is not prepared.

        Raises:
            StaleArtefactError: it is damaged, or of other weights or images.
        """
        found = self._store.load(
            file_stem(network), _name(index), expect=self._meta(network, digest)
        )
        if found is None:
            return None
        listing = json.loads(found["listing"].numpy().tobytes())
        return Chunk(
            found["features"],
            tuple(ImageRow(**entry) for entry in listing["images"]),
            tuple(Problem(**entry) for entry in listing["problems"]),
        )

    def has(self, network: str, digest: str, index: int) -> bool:
        """Return whether a chunk is there and sound; one that is not is made again."""
        try:
            return self.load(network, digest, index) is not None
        except StaleArtefactError:
            return False

    def chunk(self, network: str, digest: str, index: int) -> Chunk:
        """Return a chunk that must be there.

        Raises:
            StaleArtefactError: it is missing, damaged, or of other weights or images.
        """
        found = self.load(network, digest, index)
        if found is None:
            raise StaleArtefactError(
                f"The set {self.facts.name} is not prepared to its end under {network}."
            )
        return found

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the set's lock.

        Raises:
            ImageSetError: another process holds it.
        """
        lock = FileLock(self.path / ".lock", blocking=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise ImageSetError(
                f"Another process is preparing the set {self.facts.name}; wait for it to end."
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _meta(self, network: str, digest: str) -> dict[str, str]:
        return {
            "network": network,
            "digest": digest,
            "images": self.facts.key,
            "precision": self.facts.precision,
        }


def _name(index: int) -> str:
    return f"chunk-{index:06d}"
