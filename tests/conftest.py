"""What every test gets: a cache of its own, fixed seeds, few threads, derandomised properties."""

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

pytest_plugins = ("tests.benches",)

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests first that need most of the memory: this process gives none back."""
    items.sort(key=lambda item: item.get_closest_marker("roomy") is None)


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Point ``SING_CACHE_DIR`` to a folder of this run, for this process and what it starts.

    The assembled weights come along as copies with their receipts, so nothing is converted again
    and a test that damages a file cannot damage the checkout's. (The reference folder names its
    own place inside; the first test that needs it has it assembled here.)
    """
    folder = tmp_path_factory.mktemp("cache")
    (folder / "mini").mkdir()
    for source in (ROOT / "cache" / "mini").glob("*.safetensors*"):
        if source.suffix != ".lock":
            shutil.copy2(source, folder / "mini" / source.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SING_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def few_threads() -> None:
    torch.set_num_threads(min(2, os.cpu_count() or 1))


@pytest.fixture(autouse=True)
def fixed_seeds() -> None:
    random.seed(0)
    torch.manual_seed(0)
