"""Preparations: one at a time, each knows its place, behind the pages, gone with their page."""

import threading
import time

import pytest

from pages._view.library.turns import Preparations
from sing_core.pictures.jobs import Rest
from sing_core.sets.extract import Progress


class LeftThePageError(Exception):
    pass


@pytest.fixture
def rest():
    return Rest()


@pytest.fixture
def desk(rest):
    made = Preparations(rest)
    yield made
    made.close()


def nothing(_):
    pass


def begin(desk, work, *, see=nothing, queue=nothing):
    """Ask in a thread of its own, as a page's run does; return what came and when all is over."""
    came, ended = [], threading.Event()

    def page():
        try:
            came.append(desk.do(work, see, queue, ended))
        except Exception as error:  # the page's own business
            came.append(error)

    thread = threading.Thread(target=page)
    thread.start()
    return came, ended, thread


def test_one_at_a_time_and_the_others_hear_their_place(desk):
    go, order, places = threading.Event(), [], {1: [], 2: []}

    def work(name):
        def run(_):
            order.append(name)
            assert go.wait(20)
            return name

        return run

    asked = [begin(desk, work(0))]
    while not order:
        time.sleep(0.01)
    for name in (1, 2):
        asked.append(begin(desk, work(name), queue=places[name].append))
        while not places[name]:
            time.sleep(0.01)
    assert (places[1][-1], places[2][-1]) == (1, 2)
    assert order == [0]
    go.set()
    for _, ended, thread in asked:
        thread.join(20)
        assert ended.is_set()
    assert order == [0, 1, 2]
    assert [came for came, *_ in asked] == [[0], [1], [2]]


def test_a_page_that_goes_stops_its_work_and_the_next_one_begins(desk):
    reports = []

    def endless(report):
        for count in range(2_000):
            reports.append(count)
            report(Progress(2_000, count))
            time.sleep(0.01)

    def leave(_):
        raise LeftThePageError

    came, ended, thread = begin(desk, endless, see=leave)
    thread.join(20)
    assert isinstance(came[0], LeftThePageError)
    assert ended.wait(20)
    assert len(reports) < 2_000
    came, _, thread = begin(desk, lambda report: "next")
    thread.join(20)
    assert came == ["next"]


def test_who_leaves_while_waiting_gives_the_place_up(desk):
    go, begun = threading.Event(), []
    first = begin(desk, lambda _: begun.append("first") or go.wait(20))
    while not begun:
        time.sleep(0.01)

    def leave(_):
        raise LeftThePageError

    came, ended, thread = begin(desk, lambda _: begun.append("second"), queue=leave)
    thread.join(20)
    assert isinstance(came[0], LeftThePageError)
    assert ended.is_set()
    go.set()
    first[2].join(20)
    assert begun == ["first"]


@pytest.mark.slow
def test_numbers_go_first_but_a_preparation_goes_on_where_many_ask_all_the_time(desk, rest):
    rest.begin(0.3)
    began = time.monotonic()
    *_, thread = begin(desk, lambda report: report(Progress(1)))
    thread.join(20)
    assert time.monotonic() - began >= 0.3
    rest.begin(60)
    began = time.monotonic()
    came, _, thread = begin(desk, lambda report: report(Progress(1)) or "done")
    thread.join(20)
    assert came == ["done"]
    assert 1.9 <= time.monotonic() - began < 15


def test_what_the_work_raises_the_page_gets(desk):
    def fail(_):
        raise TimeoutError("of its own")

    came, ended, thread = begin(desk, fail)
    thread.join(20)
    assert [str(error) for error in came] == ["of its own"]
    assert ended.is_set()
