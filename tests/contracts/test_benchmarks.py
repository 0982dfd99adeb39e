"""What a benchmark says on a machine that lacks what it measures."""

import json
import os
import subprocess
import sys

import pytest
import torch

from benchmarks import bulk_scoring
from benchmarks.on_cuda import Sizes, rows_of, table_of
from tests.shared_data import ROOT

SMALL = Sizes(
    classes=20, features=64, rows=400, dim=8, concepts=9, steps=5, lambdas=6, images=4, batch=2
)


@pytest.mark.slow
def test_both_sides_of_the_cuda_table_give_the_same_answers():
    """On the processor for both: a table of different answers would say nothing."""
    rows = list(rows_of(SMALL, "cpu"))
    assert [row.what.split(",")[0] for row in rows] == [
        "head split",
        "translator fit",
        "sweep",
        "extraction",
    ]
    assert max(row.apart for row in rows) < 1e-6
    assert all(row.cpu_s > 0 and row.card_s > 0 for row in rows)
    assert table_of(rows).row_count == 4


@pytest.mark.gpu
def test_the_card_gives_the_same_answers():
    assert torch.cuda.is_available()
    assert max(row.apart for row in rows_of(SMALL, "cuda")) < 1e-2  # lite0 in the card's float32


@pytest.mark.slow
def test_the_table_of_classes_is_timed_on_the_workbench_that_pages_use(monkeypatch):
    monkeypatch.setattr(bulk_scoring, "IMAGES", 5_000)
    monkeypatch.setattr(bulk_scoring, "MODELS", 1)
    line = bulk_scoring._table()
    assert "1,000 classes from 5,000 rows" in line.name
    assert line.ours_s > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pictures_on_cuda", "on_cuda"])
def test_without_a_cuda_device_the_benchmark_says_so_and_ends_well(name):
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}"],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "no CUDA device" in json.loads(done.stdout)["nothing_measured"]
