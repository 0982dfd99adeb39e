"""``python -m benchmarks.segmentation DATA``: foreground of photographs with masks, by route.

The seed's protocol: whole photographs as squares, the map's mean as threshold, pixel accuracy and
mIoU over all pixels, mAP over photographs; intervals by resampling photographs. The first forty
photographs of ECSSD were looked at while the recipe was chosen, and are left out.
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
    Route,
    Segmenter,
    agreement,
    average_precision,
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
ROUTES: dict[str, Route] = {"classes as likely as read": "likely", "the class read alone": "class"}


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
    found: dict[str, list[tuple[Agreement, float]]] = {}
    sure: list[float] = []
    start = time.perf_counter()
    for number, row in enumerate(rows):
        photo = Image.open(io.BytesIO(row["jpeg"])).convert("RGB")
        mask = torch.from_numpy(
            np.array(Image.open(io.BytesIO(row["mask_png"])).convert("L")) > 127
        )
        size = (mask.shape[1], mask.shape[0])
        maps, certainty = _maps(networks, fine, network, photo, size, number)
        sure.append(certainty)
        for name, heat in maps.items():
            both = agreement(heat, mask), average_precision(heat, mask)
            found.setdefault(name, []).append(both)
    took = time.perf_counter() - start
    _print(found, len(rows), took)
    _print_by_certainty(found, sure)


def _maps(
    networks, fine, network, photo: Image.Image, size: tuple[int, int], number: int
) -> tuple[dict[str, Tensor], float]:
    """Return the maps of a photo, and how sure `vits` is of the class that it reads."""
    maps: dict[str, Tensor] = {}
    sure = 0.0
    for name, segmenter in networks.items():
        output = segmenter.plain.tower.output(segmenter.plain.prepare(photo)[None])[0]
        probabilities = segmenter.plain.logits(output).softmax(dim=0)
        batch = segmenter.fine.prepare(photo)[None]
        seen = look_at(segmenter.fine, batch)
        for what, route in ROUTES.items():
            front = foreground(seen, probabilities, route)
            maps[f"token map of {name}, {what}"] = front.picture(size)[0]
        if name == "vits":
            sure = float(probabilities.max())
            maps["raw attention of vits"] = raw_attention(seen)
            maps["rollout of vits"] = rollout(seen, attention_of(fine.tower, batch)[0])
            best = fine.classifier.linear.weight[int(probabilities.argmax())]
            cam = grad_cam(network, batch, lambda output, row=best: output @ row)
            maps["Grad-CAM of vits"] = cam.reshape(seen.grid)
    line = torch.linspace(-1, 1, 32)
    maps["centre prior, no network"] = torch.exp(-2 * (line[:, None] ** 2 + line**2))
    maps["random maps"] = torch.rand(16, 16, generator=torch.Generator().manual_seed(number))
    return maps, sure


def _print(found: dict[str, list[tuple[Agreement, float]]], count: int, took: float) -> None:
    table = Table("map", *(f"{name} [95 %]" for name in ("pixel accuracy", "mIoU", "mAP")))
    draws = np.random.default_rng(0).integers(0, count, (DRAWS, count))
    for what, rows in found.items():
        own = _all(rows)
        again = np.array([_all([rows[i] for i in draw]) for draw in draws])
        low, high = np.quantile(again, [0.025, 0.975], axis=0)
        table.add_row(what, *(f"{own[k]:.3f} [{low[k]:.3f}, {high[k]:.3f}]" for k in range(3)))
    console = Console(width=130)
    console.print(table)
    console.print(f"{count} photographs of ECSSD, {took:.0f} s.")


def _print_by_certainty(found: dict[str, list[tuple[Agreement, float]]], sure: list[float]) -> None:
    """Print both routes of `vits` on photographs whose class it is surer of, and on the others."""
    order = np.argsort(sure)
    halves = {"less sure": order[: len(order) // 2], "surer": order[len(order) // 2 :]}
    table = Table("map", "half", "largest probability", "pixel accuracy", "mIoU", "mAP")
    for what in (f"token map of vits, {route}" for route in ROUTES):
        for half, places in halves.items():
            own = _all([found[what][i] for i in places])
            middle = float(np.median(np.array(sure)[places]))
            table.add_row(what, half, f"{middle:.2f}", *(f"{value:.3f}" for value in own))
    Console(width=130).print(table)


def _all(rows: list[tuple[Agreement, float]]) -> tuple[float, float, float]:
    return *measures([agreed for agreed, _ in rows]), float(np.mean([ap for _, ap in rows]))


if __name__ == "__main__":
    main()
