"""What the app and the command line ask of their process: memory kept, threads that wait asleep.

glibc gives every large block back to the system at once, and a network's intermediate results are
large blocks: the next batch gets fresh pages, each of which the system has to clear first. Nearly
half of the time of a forward went there (``python -m benchmarks.allocator``).
"""

import ctypes
import os
import sys
import threading
from contextlib import suppress

# From <malloc.h>.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8
_KEPT_BYTES = 2**29
_NICENESS = 15
_OWN_WISH = ("MALLOC_ARENA_MAX", "MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")


def take_over() -> None:
    """Set up the process for networks; for programs of ours alone, before torch is imported.

    An import of ``sing_core`` does none of this: a notebook's process is its owner's.
    """
    # Read by OpenMP when torch loads it. Threads that wait by spinning starve each other as soon
    # as anything else runs on the machine: beside one busy process on two cores, 64 photos through
    # lite0 took 7.1 s instead of 1.4 s. Whoever sets the variable decides.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    keep_freed_memory()


def keep_freed_memory() -> bool:
    """Have all threads share one heap that keeps up to 512 MB at its end; return whether it does.

    To be called before other threads begin. Whoever sets one of glibc's own variables decides;
    with another C library nothing happens.
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _OWN_WISH):
        return False
    wishes = ((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, _KEPT_BYTES))
    try:
        library = ctypes.CDLL(None)
        return all(library.mallopt(name, value) == 1 for name, value in wishes)
    except (OSError, AttributeError):
        return False


def give_back_freed_memory() -> None:
    """Return freed memory to the system, wherever in the heap it lies; only glibc can."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):
        return


def step_back() -> None:
    """Let this thread, and those that torch starts for it, yield to everything else."""
    if sys.platform == "linux":  # elsewhere a niceness belongs to the whole process
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
