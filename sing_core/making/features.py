"""Features of many views through the frozen networks: overlapped with decoding, cached on disk."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sing_core.files.atomic import write_atomically
from sing_core.files.digests import sha256_of, sha256_of_bytes
from sing_core.making.data import ImageFolder, View
from sing_core.models.embedded_reference import IMAGE_SIZE, REFERENCE_TRUNK
from sing_core.models.focus_vit import ARCHITECTURE
from sing_core.models.networks import load_network
from sing_core.models.registry import models
from sing_core.models.restored_vit import upper_path
from sing_core.models.trunks import assemble_trunk

if TYPE_CHECKING:
    from torch import Tensor

    from sing_core.settings import Settings

REFERENCE = "reference"
LITES = ("tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2")
CLASSIFIERS = (*LITES, ARCHITECTURE)
_FORMAT = "1"
_SHARD = 400
_BATCH = 8
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Extractor:
    """A frozen network with the preprocessing that belongs to it.

    Attributes:
        name: timm name, or ``reference`` (lite2 seen through the reference's preprocessing).
        network: timm model; ``forward_features`` and ``forward_head(pre_logits=True)``.
        preprocess: picture -> ``(3, h, w)``.
    """

    name: str
    network: Any
    preprocess: Callable[[Any], "Tensor"]

    def features(self, batch: "Tensor", *, fast: bool) -> "Tensor":
        """Return ``(n, m)`` float32 features; ``fast`` computes the trunk in bfloat16."""
        import torch

        batch = batch.contiguous(memory_format=torch.channels_last)
        with (
            torch.inference_mode(),
            torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast),
        ):
            trunk = self.network.forward_features(batch)
            pooled: Tensor = self.network.forward_head(trunk, pre_logits=True).float().clone()
        return pooled


def load_extractor(name: str, settings: "Settings") -> Extractor:
    """Load ``name``: one of ``CLASSIFIERS``, or ``reference``."""
    import timm
    import torch

    trunk = REFERENCE_TRUNK if name == REFERENCE else name
    row = next(row for row in models(settings) if row.architecture == trunk)
    network = load_network(row.name, settings).network
    network.eval().to(memory_format=torch.channels_last)
    if name == REFERENCE:
        from open_clip.transform import PreprocessCfg, image_transform_v2

        config = PreprocessCfg(
            size=IMAGE_SIZE,
            mean=(0.5,) * 3,
            std=(0.5,) * 3,
            interpolation="bicubic",
            resize_mode="shortest",
        )
        return Extractor(name, network, image_transform_v2(config, is_train=False))
    config = timm.data.resolve_model_data_config(network)  # type: ignore[no-untyped-call]
    return Extractor(name, network, timm.data.create_transform(**config, is_training=False))


def classifier_head(name: str, settings: "Settings") -> tuple["Tensor", "Tensor"]:
    """Return weight ``(1000, m)`` and bias ``(1000,)`` of a classifier's last layer."""
    from safetensors import safe_open

    trunk = REFERENCE_TRUNK if name == REFERENCE else name
    with safe_open(assemble_trunk(trunk, settings), "pt") as weights:
        layer = "head" if trunk == ARCHITECTURE else "classifier"
        return weights.get_tensor(f"{layer}.weight"), weights.get_tensor(f"{layer}.bias")


class FeatureCache:
    """Features on disk, one file per shard of views and network, addressed by content."""

    def __init__(self, settings: "Settings", folder: ImageFolder, *, fast: bool) -> None:
        """Read and write under ``cache/training``; ``fast`` extracts in bfloat16."""
        self._settings = settings
        self._folder = folder
        self._fast = fast
        self._root = settings.cache_dir / "training"
        self._extractors: dict[str, Extractor] = {}

    def features(
        self,
        views: Sequence[View],
        names: Sequence[str],
        progress: Callable[[int, int], None] | None = None,
    ) -> dict[str, "Tensor"]:
        """Return network name -> ``(n, m)`` float32 features of ``views``.

        ``progress`` receives the number of views done and their total.
        """
        import torch

        shards = [views[i : i + _SHARD] for i in range(0, len(views), _SHARD)]
        parts: dict[str, list[Tensor]] = {name: [] for name in names}
        done = 0
        for shard in shards:
            for name, values in self._shard(shard, names).items():
                parts[name].append(values.float())
            done += len(shard)
            if progress is not None:
                progress(done, len(views))
        return {name: torch.cat(values) for name, values in parts.items()}

    def _path(self, shard: Sequence[View], name: str) -> Path:
        weights = self._weights if name == ARCHITECTURE else ""
        known = [_FORMAT, name, str(self._fast), *([weights] if weights else [])]
        text = "\n".join([*known, *(view.key() for view in shard)])
        return self._root / f"{name}-{sha256_of_bytes(text.encode())[:24]}.safetensors"

    @cached_property
    def _weights(self) -> str:
        """Digest of the transformer's trained half: the other networks do not change."""
        return sha256_of(upper_path(self._settings))

    def _shard(self, shard: Sequence[View], names: Sequence[str]) -> dict[str, "Tensor"]:
        from safetensors.torch import load_file, save

        paths = {name: self._path(shard, name) for name in names}
        missing = [name for name in names if not paths[name].is_file()]
        if missing:
            for name, values in self._extract(shard, missing).items():
                write_atomically(paths[name], save({"features": values.half()}))
        return {name: load_file(path)["features"] for name, path in paths.items()}

    def _extract(self, shard: Sequence[View], names: Sequence[str]) -> dict[str, "Tensor"]:
        import torch

        for name in names:
            if name not in self._extractors:
                self._extractors[name] = load_extractor(name, self._settings)
        extractors = [self._extractors[name] for name in names]
        parts: dict[str, list[Tensor]] = {name: [] for name in names}

        def prepare(view: View) -> "list[Tensor]":
            image = self._folder.render(view)
            return [extractor.preprocess(image) for extractor in extractors]

        with ThreadPoolExecutor(2) as pool:
            for rows in batches(_ahead(pool, prepare, shard), _BATCH):
                for position, extractor in enumerate(extractors):
                    batch = torch.stack([row[position] for row in rows])
                    parts[extractor.name].append(extractor.features(batch, fast=self._fast))
        return {name: torch.cat(values) for name, values in parts.items()}


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[View], Any], views: Sequence[View]
) -> Iterator[Any]:
    """Yield ``work(view)`` in order, keeping two batches of results under way."""
    waiting = [pool.submit(work, view) for view in views[: 2 * _BATCH]]
    for view in views[2 * _BATCH :]:
        yield waiting.pop(0).result()
        waiting.append(pool.submit(work, view))
    for future in waiting:
        yield future.result()


def batches(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Yield lists of ``size`` items; the last may be shorter."""
    while batch := list(islice(items, size)):
        yield batch


def bfloat16_is_fast() -> bool:
    """Whether this processor multiplies bfloat16 natively."""
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported())
