"""A real Chromium and a real server for the browser tests.

``serve(script)`` starts any Streamlit script and returns its address, ``app_url`` is the app's,
``page`` is a fresh tab. Everything that is started here is ended here.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NoReturn
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
START_S = 120.0

Serve = Callable[[str], str]


def give_up(reason: str) -> NoReturn:
    """Skip on a machine without a browser; where ``CI`` is set a silent skip would be a lie."""
    if os.environ.get("CI"):
        pytest.fail(f"The browser tests must run where CI is set: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A playwright ``Browser``: the system's Chromium.

    For one module only: while playwright's loop runs, no other test could start a loop of its own.
    """
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        give_up("Chromium is not installed.")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        give_up("playwright is not installed.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A fresh tab, 1440 x 900, that shares nothing with the other tests."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def address() -> tuple[str, int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    return f"http://127.0.0.1:{port}", port


def start(script: str, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    options = {
        "server.address": "127.0.0.1",
        "server.port": port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    return subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", script, *flags],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    opener = build_opener(ProxyHandler({}))  # never through a proxy: this is our own machine
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with opener.open(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            pass
        time.sleep(0.1)
    log.seek(0)
    words = log.read().decode(errors="replace")[-2000:]
    pytest.fail(f"Streamlit did not start within {START_S:.0f} s:\n{words}", pytrace=False)


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and what it started: they form a process group of their own."""
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(timeout=10)


@pytest.fixture(scope="session")
def serve() -> Iterator[Serve]:
    """Start a Streamlit script (a path from the repository's root) once and return its address."""
    urls: dict[str, str] = {}
    with ExitStack() as running:

        def serve_once(script: str) -> str:
            if script not in urls:
                url, port = address()
                log = running.enter_context(tempfile.TemporaryFile())
                server = start(script, port, log)
                running.callback(stop, server)
                wait_until_healthy(url, server, log)
                urls[script] = url
            return urls[script]

        yield serve_once


@pytest.fixture(scope="session")
def app_url(serve: Serve) -> str:
    """The address of the real app."""
    return serve("app.py")
