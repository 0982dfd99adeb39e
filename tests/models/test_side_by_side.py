"""Pieces side by side: each with its share of the threads, and none left behind."""

import subprocess
import sys
import threading
from functools import partial

import pytest
import torch

from sing_core.models.side_by_side import side_by_side


@pytest.fixture
def four_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def threads_and_name():
    torch.ones(2).sum()  # torch asks for its number when it first computes
    return torch.get_num_threads(), threading.current_thread().name


@pytest.mark.usefixtures("four_threads")
@pytest.mark.parametrize(("pieces", "share"), [(1, 4), (2, 2), (3, 1), (8, 1)])
def test_each_piece_has_its_share_of_the_threads_and_the_process_keeps_its_own(pieces, share):
    found = side_by_side([threads_and_name] * pieces)
    assert [threads for threads, _ in found] == [share] * pieces
    assert torch.get_num_threads() == 4
    later = []
    thread = threading.Thread(target=lambda: later.append(threads_and_name()[0]))
    thread.start()
    thread.join()
    assert later == [4], "a thread that begins later knows nothing of the shares"


def test_all_are_under_way_at_once_and_answers_stand_in_their_order():
    meet = threading.Barrier(3, timeout=20)

    def piece(number):
        meet.wait()
        return number

    assert side_by_side([partial(piece, number) for number in range(3)]) == [0, 1, 2]


def test_one_that_fails_tells_the_others_and_is_raised_when_they_have_ended():
    over, ended = threading.Event(), []

    def fails():
        raise ValueError("a piece")

    def waits():
        ended.append(over.wait(20))

    with pytest.raises(ValueError, match="a piece"):
        side_by_side([waits, fails], over)
    assert ended == [True]
    assert [t for t in threading.enumerate() if t.name.startswith("beside")] == []


@pytest.mark.slow
def test_while_python_ends_and_starts_no_thread_pieces_are_done_one_by_one():
    """What is drawn while a server ends is stopped by its watchers, not by an error in the log."""
    words = (
        "import time\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from sing_core.models.side_by_side import side_by_side\n"
        "def late():\n"
        "    print(side_by_side([lambda: 1, lambda: 2]), flush=True)\n"
        "pool = ThreadPoolExecutor(1)\n"
        "pool.submit(time.sleep, 1)\n"
        "pool.submit(late).add_done_callback(lambda done: done.result())\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", words], capture_output=True, text=True, timeout=60
    )
    assert (found.stdout, found.stderr) == ("[1, 2]\n", "")
