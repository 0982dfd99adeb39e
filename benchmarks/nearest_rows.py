"""Exact nearest rows among many, as real equivalents are looked for: time and memory.

``python -m benchmarks.nearest_rows [ROWS] [WIDTH]`` (50,000 rows of 1,000 numbers, the logits of a
set as large as ImageNet's validation set), beside scikit-learn's brute force on fewer rows in the
same run.
"""

import resource
import sys
import time

import torch
from sklearn.neighbors import NearestNeighbors

from sing_core.allocator import keep_freed_memory
from sing_core.leakage.real_pairs import NEIGHBOURS
from sing_core.maths.nearest import nearest

_BESIDE = 10_000


def main(rows: int = 50_000, width: int = 1_000) -> None:
    keep_freed_memory()  # as the command line and the app do
    made = torch.randn(rows, width, generator=torch.Generator().manual_seed(0))
    few = made[: min(rows, _BESIDE)]
    ours, (places, _) = timed(lambda: nearest(few, NEIGHBOURS))
    other, found = timed(lambda: brute(few))
    alike = float((torch.from_numpy(found[:, 1:]) == places).double().mean())
    print(  # noqa: T201
        f"{len(few):,} rows: {ours:.1f} s, scikit-learn {other:.1f} s (x{other / ours:.1f}); "
        f"{alike:.2%} of the neighbours are the same"
    )
    whole, _ = timed(lambda: nearest(made, NEIGHBOURS))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{rows:,} rows of {width:,}: {whole:.1f} s, peak {peak:.2f} GB")  # noqa: T201


def brute(rows: torch.Tensor):
    model = NearestNeighbors(n_neighbors=NEIGHBOURS + 1, algorithm="brute").fit(rows.numpy())
    return model.kneighbors(return_distance=False, X=rows.numpy())


def timed(work):
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
