"""The command line and the benchmarks for real: another process."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from typer.main import get_command

from tests.shared_data import ROOT


def command(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "sing_core", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        errors="replace",  # a test may ask for an output of few letters
        timeout=300,
        check=False,
    )


def read(app, verb, words):
    """Return the parameters of a command of ``app`` as the command line reads them.

    A file that does not exist is refused there: ``photo.jpg``, which commands on pages name, does.
    """
    with TemporaryDirectory() as place, contextlib.chdir(place):
        Path("photo.jpg").touch()
        return get_command(app).commands[verb].make_context(verb, words).params


def benchmark(name, *arguments, timeout):
    """Return what ``python -m benchmarks.NAME`` found, and what it said beside it."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.stdout, done.stderr[-2000:]
    return json.loads(done.stdout), done.stderr
