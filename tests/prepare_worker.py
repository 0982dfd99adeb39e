"""Prepares a set in a process of its own, on real lite0 and the toy reference, to be killed."""

import sys
from pathlib import Path

import torch

from sing_core.leakage.prepare import prepare
from sing_core.models import pool
from sing_core.models.references import space_id
from sing_core.settings import Settings
from tests import toy


def main(assets, images, root, chunk_rows):
    torch.set_num_threads(1)
    settings = Settings(assets_dir=Path(assets))
    stand_in = toy.ToyReference("mini", space_id("mini", settings), [])
    pool.load_reference = lambda name, settings: stand_in
    (found,) = prepare(
        toy.make_bench(settings),
        Path(images),
        models=("lite0",),
        name="set",
        root=Path(root),
        chunk_rows=int(chunk_rows),
        report=lambda progress: sys.stdout.write(f"{progress.done}\n"),
    )
    sys.stdout.write(f"scored {found.scored}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
