"""50,000 features against 1,000 prompts beside the bare matrix products; a table of 50,000 rows.

The bare products are those that the scores need: null removal (two), the logits of both features
of a pair, their translations, and both against all prompts. Angles, drift and checks come on top.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import torch
from torch import Tensor

from benchmarks.timing import Line, compare, demand
from sing_core.cli.app import open_bench
from sing_core.leakage.classes import class_table
from sing_core.leakage.score_files import DRAWN, SCORES, ScoreBatch, query, write_scores
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.scoring import Pairs
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.scores import angle_table
from sing_core.maths.translator import Translator
from sing_core.settings import Settings

IMAGES, CLASSES, FEATURES, DIM, PROMPTS, CHUNK = 50_000, 1000, 1280, 512, 1000, 512
MODELS = 13


def lines() -> Iterator[Line]:
    yield _bulk()
    yield _table()


def _bulk() -> Line:
    torch.manual_seed(0)
    weight = torch.randn(CLASSES, FEATURES) / 36
    linear = LinearHead.from_weight(weight)
    translator = Translator(torch.randn(DIM, FEATURES) / 36, torch.randn(DIM))
    features, texts = torch.rand(IMAGES, FEATURES), torch.randn(PROMPTS, DIM)
    basis, matrix = linear.head.principal_basis, translator.weight.double().mT
    goal = torch.nn.functional.normalize(texts.double(), dim=-1).mT

    def ours() -> Tensor:
        total = torch.zeros(PROMPTS, dtype=torch.float64)
        for part in features.split(CHUNK):
            pairs = Pairs.of(part, linear, translator)
            demand(bool(pairs.sound.all()), "a pair drifts")
            before, after = angle_table(pairs.z, texts), angle_table(pairs.z_equivalent, texts)
            total += (before - after).sum(dim=0)
        return total / IMAGES

    def bare() -> Tensor:
        total = torch.zeros(PROMPTS, dtype=torch.float64)
        for part in features.split(CHUNK):
            wide = part.double()
            removed = (wide @ basis) @ basis.mT
            _ = part @ weight.mT, removed.float() @ weight.mT
            total += ((wide @ matrix) @ goal - (removed @ matrix) @ goal).sum(dim=0)
        return total / IMAGES

    return compare(
        f"score {IMAGES:,} features x {PROMPTS:,} prompts (bare products)",
        ours, bare, check=lambda a, b: demand(a.shape == b.shape, "shapes"),
        target=0.5, rounds=1, warm=False,
    )  # fmt: skip


def _table() -> Line:
    """Time the table on the real workbench: its names and its head are in memory, as on a page."""
    bench = open_bench(Settings())
    bench.vocabulary("mini")
    bench.classifier("lite0")
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{model}.parquet" for model in range(MODELS)]
        for model, path in enumerate(paths):
            write_scores(path, _batches(model), {"model": str(model)})
        worst = 0.0
        for path in paths:
            scored = cast(
                "ScoredSet",
                SimpleNamespace(
                    bench=bench,
                    model="lite0",
                    reference="mini",
                    ask=lambda sql, given=None, path=path: query(path, sql, given),
                ),
            )
            start = time.perf_counter()
            demand(len(class_table(scored)) == CLASSES, "number of classes")
            worst = max(worst, time.perf_counter() - start)
    name = f"a table of {CLASSES:,} classes from {IMAGES:,} rows, slowest of {MODELS} models"
    return Line(name, worst, None, None, 0.3, "s")


def _batches(seed: int) -> Iterator[ScoreBatch]:
    generator = torch.Generator().manual_seed(seed)
    for start in range(0, IMAGES, 5_000):
        rows = list(range(start, start + 5_000))
        yield ScoreBatch(
            texts={
                "name": [f"{row}.jpg" for row in rows],
                "wnid": [f"n{row % CLASSES:08d}" for row in rows],
                "digest": [f"{row:064x}" for row in rows],
                "stratum": [""] * len(rows),
            },
            whole={"row": rows, "label": [r % CLASSES for r in rows], "top1": [0] * len(rows)},
            scores={name: torch.randn(len(rows), generator=generator).double() for name in SCORES},
            drawn={name: torch.rand(len(rows), 2, generator=generator) for name in DRAWN},
        )
