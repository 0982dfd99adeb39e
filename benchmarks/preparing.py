"""``prepare`` beside the two bare forwards of the same batches; its memory from 1,000 to 10,000.

``python -m benchmarks preparing`` gives the first (2,000 photographs: the shared 800, repeated),
``python -m benchmarks.preparing 1000 10000`` the second: the peak of a process of its own for
each number of images.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import torch

from benchmarks.extraction import SAMPLE
from benchmarks.timing import Line, compare, demand
from sing_core.files.images import decode_image
from sing_core.files.store import Store
from sing_core.leakage.prepare import prepare
from sing_core.models.embedded_reference import EMBED_DIM
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.sets.extract import ReferenceNetwork
from sing_core.settings import Settings

COUNT, BATCH = 2000, 16


def lines() -> Iterator[Line]:
    if not SAMPLE.is_file():
        return
    with tempfile.TemporaryDirectory() as folder:
        yield _throughput(Path(folder))


def _throughput(folder: Path) -> Line:
    images, settings = repeated(folder / "images.parquet", COUNT), Settings()
    bench = Workbench(settings, ModelPool(settings), Store(settings.cache_dir))
    backbone = bench.pool.backbone("lite0")
    reference = ReferenceNetwork(bench.pool.reference("mini"), EMBED_DIM)
    turn = iter(range(100))
    photos = [
        decode_image(jpeg).image for jpeg in pq.read_table(images)["jpeg"].to_pylist()[:BATCH]
    ]
    small, large = (
        torch.stack([network.preprocess(photo) for photo in photos])
        for network in (backbone, reference)
    )

    def ours() -> int:
        (made,) = prepare(
            bench, images, models=("lite0",), embed=True, root=folder / str(next(turn))
        )
        return made.scored

    def bare() -> int:
        for _ in range(COUNT // BATCH):
            backbone.features(small)
            reference.features(large)
        return COUNT

    return compare(
        f"prepare {COUNT:,} photographs (lite0 + mini) vs the two bare forwards",
        ours, bare, check=lambda a, b: demand(a == b, "images"), target=0.85, rounds=2, warm=False,
    )  # fmt: skip


def repeated(path: Path, count: int) -> Path:
    """Write ``count`` rows of the shared photographs as one Parquet file; return its path."""
    table = pq.read_table(SAMPLE, columns=["jpeg", "wnid"])
    with pq.ParquetWriter(path, table.schema) as writer:
        while count > 0:
            part = table.slice(0, min(count, len(table)))
            writer.write_table(part, row_group_size=100)
            count -= len(part)
    return path


def peak_mb(count: int) -> int:
    """Return the peak memory, MB, of a process that prepares ``count`` images under lite0."""
    with tempfile.TemporaryDirectory() as folder:
        images = repeated(Path(folder) / "images.parquet", count)
        words = [sys.executable, "-m", "benchmarks.preparing", "one", str(images), folder]
        return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def _one(images: Path, root: Path) -> None:
    settings = Settings()
    bench = Workbench(settings, ModelPool(settings), Store(settings.cache_dir))
    prepare(bench, images, models=("lite0",), root=root)
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(int(found[1]) // 1024 if found else 0)  # noqa: T201 - read by the process that asked


if __name__ == "__main__":
    if sys.argv[1] == "one":
        _one(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        for number in sys.argv[1:]:
            print(f"{int(number):,} images: {peak_mb(int(number)):,} MB")  # noqa: T201
