"""Serve the dashboard: ``streamlit run app.py`` with torch on its way before a browser asks.

Streamlit runs a script only once somebody has opened the page; importing torch then takes two
seconds in which the page stands empty. A browser needs about as long to load the page itself: here
both happen at once. Arguments go to Streamlit as they are.
"""

import gc
import importlib
import sys
import threading
from pathlib import Path

from sing_core.allocator import take_over
from sing_core.files.surroundings import settle

take_over()  # before any thread begins and before torch is imported
settle()  # before Streamlit looks for a home folder

gc.disable()  # imports make nothing but what stays: looking through it takes a third as long again

from streamlit.web import cli  # noqa: E402

NEEDED = ("pages._view.loaders", "pages._view.explore.downloads")


def load() -> None:
    """Import what the first page needs; collections, Streamlit's after every run, skip it."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 10)  # the hundred files that the browser asks for go first
    try:
        for module in NEEDED:
            importlib.import_module(module)
    finally:  # what cannot be imported, the page meets again and says
        sys.setswitchinterval(usual)
        gc.freeze()
        gc.enable()


if __name__ == "__main__":
    threading.Thread(target=load, name="imports").start()
    cli.main_run([str(Path(__file__).with_name("app.py")), *sys.argv[1:]])
