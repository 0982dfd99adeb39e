"""Features of 500 JPEG files, decoding included, beside the bare forward of the same batches."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import torch
from torch import Tensor

from benchmarks.timing import Line, compare, demand
from sing_core.files.images import decode_image
from sing_core.models.backbones import load_backbone
from sing_core.settings import Settings

COUNT, BATCH = 500, 16
SAMPLE = Path(__file__).resolve().parents[2] / "shared" / "data" / "imagenet_sample.parquet"


def lines() -> Iterator[Line]:
    if not SAMPLE.is_file():
        return
    files = pq.read_table(SAMPLE, columns=["jpeg"]).column("jpeg").to_pylist()[:COUNT]
    backbone = load_backbone("lite0", Settings())
    ready = torch.stack([backbone.preprocess(decode_image(file).image) for file in files])
    batches = ready.split(BATCH)

    def ours() -> Tensor:
        photos = (partial(_decode, file) for file in files)
        return torch.cat(list(backbone.extract(photos, batch_size=BATCH)))

    def bare() -> Tensor:
        return torch.cat([backbone.features(batch) for batch in batches])

    def check(found: Tensor, other: Tensor) -> None:
        demand(torch.equal(found, other), "features")

    yield compare(
        f"extraction of {COUNT} JPEGs (lite0) vs the bare forward of the same batches",
        ours, bare, check=check, target=0.85, rounds=3,
    )  # fmt: skip


def _decode(file: bytes) -> object:
    return decode_image(file).image
