"""``python -m benchmarks.segmentation DATA``: foreground of photographs with masks, by route.

The seed's protocol: whole photographs as squares, the map's mean as threshold, pixel accuracy and
mIoU over all pixels; intervals by resampling photographs. The first forty photographs of ECSSD were
looked at while the recipe was chosen, and are left out.
"""

import io
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import Tensor

from sing_core.cli.app import open_bench
from sing_core.settings import Settings
from sing_core.units.inside import open_inside
from sing_core.units.residual import attention_of
from sing_core.units.segmentation import (
    SIDE,
    Agreement,
    Segmenter,
    agreement,
    foreground,
    grad_cam,
    measures,
    raw_attention,
    rollout,
)
from sing_core.units.tokens import look_at
from sing_core.units.towers import finer

LOOKED_AT = 40
DRAWS = 1_000


def main() -> None:
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data") / "ecssd.parquet"
    rows = pq.read_table(path).to_pylist()[LOOKED_AT:]
    bench = open_bench(Settings())
    networks = {
        "vits": Segmenter.open(bench, "mini", "vits"),
        "mini-vit": Segmenter.open(bench, "mini-vit"),
    }
    fine = open_inside(bench, "mini", "vits", side=SIDE)
    network = finer(bench.pool.backbone("vits").network, SIDE)
    found: dict[str, list[Agreement]] = {}
    start = time.perf_counter()
    for row in rows:
        photo = Image.open(io.BytesIO(row["jpeg"])).convert("RGB")
        mask = torch.from_numpy(
            np.array(Image.open(io.BytesIO(row["mask_png"])).convert("L")) > 127
        )
        for name, heat in _maps(networks, fine, network, photo).items():
            found.setdefault(name, []).append(agreement(heat, mask))
    took = time.perf_counter() - start
    _print(found, len(rows), took)


def _maps(networks, fine, network, photo: Image.Image) -> dict[str, Tensor]:
    maps: dict[str, Tensor] = {}
    for name, segmenter in networks.items():
        output = segmenter.plain.tower.output(segmenter.plain.prepare(photo)[None])[0]
        probabilities = segmenter.plain.logits(output).softmax(dim=0)
        batch = segmenter.fine.prepare(photo)[None]
        seen = look_at(segmenter.fine, batch)
        maps[f"token map of {name}, classes as likely as read"] = foreground(
            seen, probabilities
        ).heat
        maps[f"token map of {name}, the class read alone"] = foreground(
            seen, probabilities, "class"
        ).heat
        if name == "vits":
            maps["raw attention of vits"] = raw_attention(seen)
            maps["rollout of vits"] = rollout(seen, attention_of(fine.tower, batch)[0])
            best = fine.classifier.linear.weight[int(probabilities.argmax())]
            cam = grad_cam(network, batch, lambda output, row=best: output @ row)
            maps["Grad-CAM of vits"] = cam.reshape(seen.grid)
    line = torch.linspace(-1, 1, 32)
    maps["centre prior, no network"] = torch.exp(-2 * (line[:, None] ** 2 + line**2))
    maps["random maps"] = torch.rand(16, 16, generator=torch.Generator().manual_seed(photo.size[0]))
    return maps


def _print(found: dict[str, list[Agreement]], count: int, took: float) -> None:
    table = Table("map", "pixel accuracy [95 %]", "mIoU [95 %]")
    draws = np.random.default_rng(0).integers(0, count, (DRAWS, count))
    for what, agreed in found.items():
        own = measures(agreed)
        again = np.array([measures([agreed[i] for i in draw]) for draw in draws])
        low, high = np.quantile(again, [0.025, 0.975], axis=0)
        table.add_row(what, *(f"{own[k]:.3f} [{low[k]:.3f}, {high[k]:.3f}]" for k in range(2)))
    console = Console(width=110)
    console.print(table)
    console.print(f"{count} photographs of ECSSD, {took:.0f} s.")


if __name__ == "__main__":
    main()
