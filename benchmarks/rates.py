"""``python -m benchmarks.rates``: images per second of every classifier of the table, here.

Networks of the true size with random weights: time does not depend on what weights say. Then what
ImageNet's training images cost at these rates, forwards alone (``benchmarks preparing`` says what
share of that rate ``prepare`` reaches).
"""

import gc
import time

import torch
from rich.console import Console
from rich.table import Table

from sing_core.models.backbones import Backbone
from sing_core.models.device import torch_device
from sing_core.models.networks import empty_network
from sing_core.models.registry import ModelEntry, catalogue
from sing_core.settings import Settings

IMAGES, ROUNDS = 1_281_167, 3
PAPER = 13


def rate(entry: ModelEntry, device: str) -> float:
    """Return images per second, the best of a few batches after a first one."""
    gc.collect()
    network = empty_network(entry)
    if not network.get_classifier().weight.any():
        torch.nn.init.normal_(network.get_classifier().weight, std=0.02)  # nothing to check else
    backbone = Backbone.from_timm(network, name=entry.name, device=device)
    count = 64 if device == "cuda" else 8
    batch = torch.randn(count, 3, backbone.sight.side, backbone.sight.side)
    taken = []
    for _ in range(1 + ROUNDS):
        started = time.perf_counter()
        backbone.features(batch)  # ends with the features on the CPU
        taken.append(time.perf_counter() - started)
    return count / min(taken[1:])


def main() -> None:
    console, settings = Console(), Settings()
    device = torch_device(settings)
    where = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} cores"
    table = Table("classifier", f"images/s ({where})", "hours for ImageNet’s training images")
    hours = []
    for entry in catalogue(settings):
        found = rate(entry, device)
        hours.append(IMAGES / found / 3600)
        table.add_row(entry.name, f"{found:.1f}", f"{hours[-1]:.1f}")
    console.print(table)
    paper = sum(hours[-1 - PAPER : -1])  # the table ends with EfficientNet-B4
    console.print(f"The paper’s {PAPER} together: {paper:,.0f} h on {where}.")


if __name__ == "__main__":
    main()
