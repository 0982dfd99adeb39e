"""The order of the tests, and who runs which when several processes share them (``pytest -n 2``).

The inner loop (``-m "not slow and ..."`` over everything) is shared by two without being asked. A
file's tests stay in one process, which makes its fixtures once; the browser tests stay in one
together, which has one server and one Chromium, but for a walk that takes as long as the others
and mostly waits. What measures time or takes most of the memory is not run this way: ``make test``
runs it afterwards, by itself.
"""

import os
from collections import Counter

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

TOGETHER = ("tests/browser/",)
BY_ITSELF = "tests/browser/test_one_owner.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files first that have most of the long tests: the last ones are waited for.

    Before them comes what needs most of the memory, for a process gives none back.
    """
    long = Counter(scope_of(item) for item in items if item.get_closest_marker("slow"))
    if "PYTEST_XDIST_WORKER" in os.environ:
        long[BY_ITSELF] = len(items)
        items.sort(key=lambda item: (-long[scope_of(item)], scope_of(item)))
    items.sort(key=lambda item: item.get_closest_marker("roomy") is None)


def scope_of(test: pytest.Item | str) -> str:
    """Return what stays in one process: a test's file, or the folder of those that share more."""
    path = (test if isinstance(test, str) else test.nodeid).split("::", 1)[0]
    together = (folder for folder in TOGETHER if path.startswith(folder) and path != BY_ITSELF)
    return next(together, path)


class WholeFiles(LoadScopeScheduling):
    """Deals out files, and the folders that share more than a file does."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two processes for everything that is quick; none for named files, or where print is read."""
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    quick = "not slow" in config.option.markexpr
    return 2 if everything and quick and config.option.capture != "no" else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> WholeFiles:
    """Deal out whole files, in the order in which they stand."""
    config.option.loadscopereorder = False
    return WholeFiles(config, log)
