"""Loaded things: each once, bounded in number, shared by threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sing_core import pool as module
from sing_core.errors import UnknownNameError
from sing_core.pool import ModelPool
from sing_core.settings import Settings
from sing_core.shelf import Shelf


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


def test_the_pool_loads_on_first_use_and_keeps_at_most_what_it_was_told(monkeypatch):
    monkeypatch.setattr(module, "load_backbone", lambda name, settings: f"network {name}")
    monkeypatch.setattr(module, "load_reference", lambda name, settings: f"space {name}")
    pool = ModelPool(Settings(), max_backbones=2)
    assert pool.loaded == ()
    for name in ("lite0", "lite1", "lite2"):
        assert pool.backbone(name) == f"network {name}"
    assert pool.reference("mini") == "space mini"
    assert pool.loaded == ("lite1", "lite2", "mini")
