"""What a benchmark says on a machine that lacks what it measures."""

import json
import os
import subprocess
import sys

import pytest

from tests.shared_data import ROOT


@pytest.mark.slow
def test_without_a_cuda_device_the_benchmark_says_so_and_ends_well():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.pictures_on_cuda"],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "no CUDA device" in json.loads(done.stdout)["nothing_measured"]
