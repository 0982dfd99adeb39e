"""Real servers for the browser tests: start a Streamlit script, wait for it, end it, weigh it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

ROOT = Path(__file__).resolve().parents[2]
START_S = 120.0


def address() -> tuple[str, int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    return f"http://127.0.0.1:{port}", port


def start(script: str, port: int, log: IO[bytes], **environment: str) -> subprocess.Popen[bytes]:
    options = {
        "server.address": "127.0.0.1",
        "server.port": port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    program = ["serve.py"] if script == "app.py" else ["-m", "streamlit", "run", script]
    return subprocess.Popen(
        [sys.executable, *program, *flags],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
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
        time.sleep(0.05)
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


def peak_memory_gb(root: int) -> float:
    """Return the sum of the peak resident sizes of a process and all that descend from it."""
    return _memory_gb(root, "VmHWM")


def memory_gb(root: int) -> float:
    """Return the sum of the resident sizes of a process and all that descend from it, as of now."""
    return _memory_gb(root, "VmRSS")


def _memory_gb(root: int, field: str) -> float:
    parents, sizes = {}, {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:  # ended meanwhile
            continue
        own = int(status.parent.name)
        parents[own] = int(lines["PPid"])
        sizes[own] = int(lines.get(field, "0 kB").split()[0]) / 1e6

    def descends(process: int) -> bool:
        return process == root or (process in parents and descends(parents[process]))

    return sum(size for process, size in sizes.items() if descends(process))
