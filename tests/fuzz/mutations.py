"""Bytes and texts as damage, chance and malice make them of good ones; and what they may cost."""

import time
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from sing_core.errors import SingError

SECONDS, BYTES = 2.0, 2**30
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1)


def quickly(examples):
    """Return settings for so many examples: derandomised, as all properties here (conftest.py).

    A failure is told as it was found: making it smaller would take minutes where a page is opened.
    """
    return settings(
        max_examples=examples,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        print_blob=False,
    )


# Up to six changes of bytes: how, where (most near the beginning), how many, and what comes there.
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["set", "flip", "cut", "drop", "twice", "insert"]),
        st.integers(0, 2**31),
        st.sampled_from((True, True, True, True, False)),
        st.sampled_from((1, 2, 4, 8)),
        st.one_of(st.sampled_from(NUMBERS), st.integers(0, 255)),
        st.sampled_from(("big", "little")),
    ),
    min_size=1,
    max_size=6,
)


def damaged(good, changes, within=None):
    """Return ``good`` after ``CHANGES``, of which most fall among its first ``within`` bytes.

    What is drawn is the changes, not the bytes: hypothesis keeps every example, and prints it.
    """
    data = bytearray(good)
    for how, place, near, size, number, order in changes:
        place %= max(1, min(len(data), within or len(data)) if near else len(data))
        piece = (number % 256**size).to_bytes(size, order)
        if how == "set":
            data[place : place + size] = piece
        elif how == "flip" and place < len(data):
            data[place] ^= 1 << number % 8
        elif how == "cut":
            del data[max(1, place) :]
        elif how == "drop":
            del data[place : place + size]
        elif how == "twice":
            data[place:place] = data[place : place + 32 * size]
        elif how == "insert":
            data[place:place] = piece
    return bytes(data)


def words(*parts):
    """Return texts that people, editors and attackers write, some around ``parts``."""
    odd = st.sampled_from(
        ["", "\0", "../..", "/", "\\", "\u202e", "\ud800", "é" * 40, "<b>", "%s%n", "{0}", "~x",
         "NaN", "-0", "1e999", "\r\n", "\ufeff", "🐈", "a" * 5_000, *":@,;[|\"'"]
    )  # fmt: skip
    piece = st.one_of(st.text(max_size=12), odd, st.sampled_from(parts or ("",)))
    return st.lists(piece, max_size=5).map("".join)


def answered(work):
    """Do ``work``; return what came, or the sentence that was raised; nothing else may be."""
    started, refusal = time.process_time(), None
    try:
        found = work()
    except SingError as error:
        found = refusal = str(error)
    assert time.process_time() - started < SECONDS
    assert refusal is None or refusal.strip()[-1:] in {".", "…", "?", "”", ")"}
    return found


@contextmanager
def in_bounds():
    """Check that what is done inside takes no more than a gigabyte beside what was there."""
    reset, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    if not status.is_file():
        yield
        return
    before = _kilobytes(status, "VmRSS")
    reset.write_text("5")  # the peak begins anew
    yield
    assert (_kilobytes(status, "VmHWM") - before) * 1024 < BYTES


def _kilobytes(status, name):
    return next(int(x.split()[1]) for x in status.read_text().splitlines() if x.startswith(name))
