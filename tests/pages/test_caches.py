"""What the app's caches forget is gone: its threads end, and its networks leave the memory."""

import gc
import threading

import pytest

from pages._view import loaders
from sing_core.models.workbench import Workbench
from tests.pages.conftest import forget_everything
from tests.pages.driver import App


def benches():
    gc.collect()
    return sum(type(one) is Workbench for one in gc.get_objects())


@pytest.mark.slow
@pytest.mark.parametrize("warm_after_s", [0.0, 3_600.0], ids=["warmed up", "not yet warmed up"])
def test_a_forgotten_app_keeps_no_network_and_no_thread(monkeypatch, warm_after_s):
    before, threads = benches(), set(threading.enumerate())
    monkeypatch.setattr(loaders, "_WARM_AFTER_S", warm_after_s)
    App()
    if not warm_after_s:
        loaders.warm_up().close()
        assert "mini" in [item.name for item in loaders.bench().pool.contents()]
    assert benches() == before + 1
    forget_everything()
    left = {thread.name for thread in set(threading.enumerate()) - threads}
    assert not [name for name in left if name.startswith(("Timer", "Thread-", "renders"))]
    assert benches() == before
