"""Several pieces of work at once, each in a thread with its share of torch's own threads.

Networks whose layers are small gain next to nothing from a second thread of torch: threads wait for
each other after every layer, and waking one takes as long as its share of the work. Pieces that do
not touch each other need not wait.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import Barrier, Event
from typing import TypeVar

import torch

T = TypeVar("T")


def side_by_side(pieces: Sequence[Callable[[], T]], over: Event | None = None) -> list[T]:
    """Do all ``pieces`` at once and return what each gave; a single one in the caller's thread.

    ``over`` is set when one of them fails or the caller is interrupted: the others may look at it.
    Returns or raises when none is under way any more.
    """
    if len(pieces) == 1:
        return [pieces[0]()]
    threads, ready = torch.get_num_threads(), Barrier(len(pieces))
    share = max(1, threads // len(pieces))
    with ThreadPoolExecutor(len(pieces), "beside", _keep_to, (share,)) as pool:
        try:
            list(pool.map(lambda _: ready.wait(), pieces))
        except RuntimeError:  # Python is ending: it starts no thread any more
            ready.abort()  # who was started before waits for nobody
            return [piece() for piece in pieces]
        torch.set_num_threads(threads)  # what later threads of this process begin with
        begun = [pool.submit(piece) for piece in pieces]
        try:
            wait(begun, return_when=FIRST_EXCEPTION)
        finally:
            if over is not None:
                over.set()
    return [one.result() for one in begun]


def _keep_to(count: int) -> None:
    """Let what this thread asks of torch take ``count`` threads."""
    torch.get_num_threads()  # a thread's first question sets it to the process's number
    torch.set_num_threads(count)
