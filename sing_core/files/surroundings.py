"""What a program of ours finds around it: a home folder, and an output for every letter, or not.

A container's user often has no home, and Streamlit and the hub's library look for one; a console of
Windows, or one without a locale, cannot show “ε”. Neither may end a program.
"""

import io
import os
import sys
import tempfile
from pathlib import Path

from sing_core.settings import Settings


def settle() -> None:
    """Give the process a home folder if it has none, and an output that never fails on a letter."""
    give_home()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a notebook's or a test's own takes anything
            stream.reconfigure(errors="replace")


def give_home() -> None:
    """Point ``HOME`` into the cache folder, or a temporary one, where the process has no home."""
    try:
        Path.home()
    except RuntimeError:  # neither the environment nor the list of users names one
        home = Settings().cache_dir / "home"
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError:
            home = Path(tempfile.mkdtemp(prefix="sing-home-"))
        os.environ["HOME"] = str(home)
