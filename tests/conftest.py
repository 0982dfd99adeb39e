"""What every test gets: a cache of its own, fixed seeds, few threads, derandomised properties.

And what a run of several processes (``-n 2``) gets: files that stay whole, the long ones first.
"""

import os
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Threads that wait by spinning starve the other processes (see sing_core/allocator.py).
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch  # reads the variable

pytest_plugins = ("tests.benches", "tests.side_by_side")

ROOT = Path(__file__).resolve().parent.parent
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a CUDA device where there is none, whatever ``-m`` says."""
    if item.get_closest_marker("gpu") is not None and not torch.cuda.is_available():
        pytest.skip("This machine has no CUDA device.")


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Point ``SING_CACHE_DIR`` to a folder of this run, for this process and what it starts.

    The assembled weights and what every start needs come along as copies with their receipts, so
    nothing is converted or embedded again and a test that damages a file cannot damage the
    checkout's. (The reference folder names its own place inside; the first test that needs it has
    it assembled here.)
    """
    folder = tmp_path_factory.mktemp("cache")
    for kind in ("mini", "head", "vocabulary"):
        (folder / kind).mkdir()
        for source in (ROOT / "cache" / kind).glob("*.safetensors*"):
            if source.suffix != ".lock":
                shutil.copy2(source, folder / kind / source.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SING_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def few_threads() -> Iterator[None]:
    """Two threads; where two processes test, one each, and one for whatever they start."""
    with pytest.MonkeyPatch.context() as patch:
        if WORKERS > 1:
            patch.setenv("OMP_NUM_THREADS", "1")
        torch.set_num_threads(1 if WORKERS > 1 else min(2, os.cpu_count() or 1))
        yield


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """Take back what running a page puts in its place: a spawned process would run that page."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(autouse=True)
def fixed_seeds() -> None:
    random.seed(0)
    torch.manual_seed(0)
