"""Prepares a set under lite0 and mini in a process of its own, by two Ray workers or by itself."""

import sys
from pathlib import Path

import torch

from sing_core.leakage.prepare import prepare
from sing_core.models.references import space_id
from sing_core.sets.chunks import SetFolder, Stored
from sing_core.sets.cluster import Job, moments_on_cluster
from sing_core.sets.set_fit import run_moments, runs
from sing_core.settings import Settings
from tests import toy

CHUNK_ROWS = 2


def main(engine, images, root):
    torch.set_num_threads(1)
    settings = Settings()
    bench = toy.make_bench(settings)
    (found,) = prepare(
        bench,
        Path(images),
        models=("lite0",),
        name="set",
        embed=True,
        engine=engine,
        workers=2,
        root=Path(root),
        chunk_rows=CHUNK_ROWS,
        report=lambda progress: sys.stdout.write(f"{progress.done}\n"),
    )
    sys.stdout.write(f"scored {found.scored}\n")
    if engine == "ray":
        sys.stdout.write(f"moments {_equal_moments(bench, found.folder)}\n")


def _equal_moments(bench, path):
    """Return how many runs of chunks have moments that are equal, bit for bit, on the cluster."""
    folder = SetFolder.open(path)
    model = Stored("lite0", bench.entry("lite0").weights_digest)
    reference = Stored("mini", space_id("mini", bench.settings))
    job = Job(bench.settings, path, path, ("lite0",), "mini", workers=2)
    there = moments_on_cluster(job, model, reference)
    here = [run_moments(folder, model, reference, run) for run in runs(folder)]
    return sum(_numbers(a) == _numbers(b) for a, b in zip(there, here, strict=True))


def _numbers(found):
    names = ("weight", "feature_mean", "embedding_mean", "xx", "xy", "yy")
    values = [getattr(fold, name) for fold in found.folds if fold for name in names]
    return [v.numpy().tobytes() if isinstance(v, torch.Tensor) else v for v in values]


if __name__ == "__main__":
    main(*sys.argv[1:])
