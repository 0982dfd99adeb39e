"""Freed memory is kept for the next batch, given back when asked, and left alone on request."""

import os
import subprocess
import sys

import pytest

from sing_core.allocator import keep_freed_memory

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="Another C library keeps memory its own way."
)
PROGRAM = """
from sing_core.allocator import give_back_freed_memory, take_over

take_over()
import torch

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

before = resident()
torch.ones(50 * 2**20 // 4)
kept = resident() - before
give_back_freed_memory()
print(kept > 40, resident() - before < 10)
"""


def said(program, **environment):
    free = {name: value for name, value in os.environ.items() if "MALLOC" not in name}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=free | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_freed_memory_is_kept_until_it_is_asked_back():
    assert said(PROGRAM) == "True True"


@pytest.mark.slow
def test_whoever_sets_a_variable_of_the_allocator_decides(monkeypatch):
    assert said(PROGRAM, MALLOC_ARENA_MAX="4") == "False True"
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=2")
    assert not keep_freed_memory()


@pytest.mark.slow
def test_an_import_of_the_library_changes_nothing_of_the_process():
    program = """
import os
before = dict(os.environ)
import sing_core, sing_core.models.workbench, sing_core.studies.photo
print(dict(os.environ) == before)
"""
    assert said(program) == "True"
    unkept = PROGRAM.replace("take_over()", "import sing_core.studies.photo")
    assert said(unkept).startswith("False")


def test_a_program_of_ours_lets_waiting_threads_sleep_unless_told_otherwise():
    program = "import os; from sing_core.allocator import take_over; take_over();"
    program += "print(os.environ['OMP_WAIT_POLICY'])"
    unset = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=unset, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "passive"
    assert said(program, OMP_WAIT_POLICY="active") == "active"
