"""Loaded things: each once, bounded in number, shared by threads."""

import gc
import resource
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import timm
import torch
from safetensors.torch import save_file

from sing_core.errors import UnknownNameError
from sing_core.models import pool as module
from sing_core.models.pool import ModelPool
from sing_core.models.shelf import Shelf
from sing_core.settings import Settings


def test_a_thing_is_loaded_once_even_when_many_threads_ask():
    loads = []

    def load(name):
        time.sleep(0.05)
        loads.append(name)
        return object()

    shelf = Shelf(load, 2)
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: shelf.get("a"), range(8)))
    assert len(found) == 1
    assert loads == ["a"]


def test_the_least_recently_used_thing_leaves():
    shelf = Shelf(str.upper, 2)
    assert [shelf.get(name) for name in "abacb"] == ["A", "B", "A", "C", "B"]
    assert shelf.names() == ("c", "b")


def test_an_error_is_not_kept():
    answers = iter([UnknownNameError("no"), "fine"])

    def load(name):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    shelf = Shelf(load, 1)
    with pytest.raises(UnknownNameError):
        shelf.get("a")
    assert shelf.names() == ()
    assert shelf.get("a") == "fine"


def test_a_slow_load_does_not_keep_other_names_waiting():
    release = threading.Event()

    def load(name):
        if name == "slow":
            assert release.wait(10)
        return name

    shelf = Shelf(load, 2)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(shelf.get, "slow")
        assert shelf.get("quick") == "quick"
        assert not slow.done()
        release.set()
        assert slow.result() == "slow"


def test_the_oldest_leave_when_all_together_are_too_heavy_and_the_newest_stays():
    shelf = Shelf(str.upper, 9, size=len, budget=6)
    for name in ("aa", "bb", "cc", "aa", "dd"):
        shelf.get(name)
    assert shelf.names() == ("cc", "aa", "dd")
    assert shelf.get("a long one") == "A LONG ONE"
    assert shelf.sizes() == {"a long one": 10}
    shelf.get("b")
    assert shelf.names() == ("b",)


def test_kinds_are_bounded_one_by_one_and_anything_can_be_forgotten():
    shelf = Shelf(str.upper, 1, kind=lambda name: name[0])
    for name in ("a1", "b1", "a2"):
        shelf.get(name)
    assert shelf.names() == ("b1", "a2")
    assert (shelf.forget("b1"), shelf.forget("b1")) == (True, False)
    assert shelf.names() == ("a2",)


def saved(folder, count):
    """Write ``count`` networks of one size and return their names."""
    names = []
    for seed in range(count):
        torch.manual_seed(seed)
        path = folder / f"{seed}.safetensors"
        save_file(timm.create_model("resnet10t", num_classes=3).state_dict(), path)
        names.append(f"resnet10t@{path}")
    return names


@pytest.mark.slow
def test_eight_concurrent_requests_for_a_real_network_load_it_once(tmp_path):
    (name,) = saved(tmp_path, 1)
    loads = []

    def counted(asked, settings, real=module.load_backbone):
        loads.append(asked)
        return real(asked, settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_backbone", counted)
        pool = ModelPool(Settings())
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda _: pool.backbone(name), range(8)))
    assert loads == [name]
    assert all(one is found[0] for one in found)


@pytest.mark.slow
def test_the_pool_keeps_to_its_budget_and_says_what_is_in_memory(tmp_path):
    first, second, third = saved(tmp_path, 3)
    pool = ModelPool(Settings(max_models_mb=45))  # two of 19 MB
    for name in (first, second, first, third):
        pool.backbone(name)
    assert pool.loaded == (first, third)
    sizes = [item.memory_bytes for item in pool.contents()]
    assert all(15e6 < size < 25e6 for size in sizes)
    assert sum(sizes) <= pool.budget_bytes
    assert (pool.unload(first), pool.unload(first)) == (True, False)
    assert pool.loaded == (third,)


def resident():
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@pytest.mark.slow
def test_loading_and_evicting_five_networks_for_twenty_rounds_leaves_memory_where_it_was(tmp_path):
    names = saved(tmp_path, 5)
    pool = ModelPool(Settings(max_models_mb=45))
    held = []
    for _ in range(20):
        for name in names:
            pool.backbone(name)
        assert len(pool.loaded) == 2
        held.append(resident())
    assert max(held[1:]) <= 1.05 * held[0], [round(size / 2**20) for size in held]


def test_the_pool_loads_on_first_use_and_keeps_at_most_what_it_was_told(monkeypatch):
    networks = {name: SimpleNamespace(notes=()) for name in ("lite0", "lite1", "lite2")}
    monkeypatch.setattr(module, "load_backbone", lambda name, settings: networks[name])
    monkeypatch.setattr(module, "load_reference", lambda name, settings: f"space {name}")
    pool = ModelPool(Settings(), max_backbones=2)
    assert pool.loaded == ()
    for name, network in networks.items():
        assert pool.backbone(name) is network
    assert pool.reference("mini") == "space mini"
    assert pool.loaded == ("lite1", "lite2", "mini")
