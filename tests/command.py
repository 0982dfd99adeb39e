"""The command line for real: another process."""

import os
import subprocess
import sys

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
