"""The served app, killed while somebody asks, uploads and has pictures drawn."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.soaking.guests import Guest, Log
from sing_core.errors import StaleArtefactError
from sing_core.files.digests import sha256_of
from sing_core.files.store import Store
from tests.browser.server import address, start, stop, wait_until_healthy

_KINDS = ("frames", "features", "head", "vocabulary")
_LOOK_S = 4.0  # pictures are drawn meanwhile
_ASKED = ("epsilon", "image_score_deg", "attribute_score_deg")


def killed(place: Path, count: int, chance: random.Random, found: Any) -> Any:
    """Kill the server ``count`` times; what it then answers is what it answered before."""
    cache = place / "cache"
    began = time.monotonic()
    whole = asyncio.run(visited(cache, None))
    found.whole_s = time.monotonic() - began
    for kind in ("frames", "features", "uploads"):
        for path in (cache / kind).glob("*"):
            path.unlink()
    while found.kills < count and not found.faults:
        asyncio.run(visited(cache, chance.uniform(0.3, 1.0) * found.whole_s))
        found.kills += 1
        found.faults += broken(cache)
    again = asyncio.run(visited(cache, None))
    found.finished = 1
    if again != whole:
        found.faults.append("the numbers after the kills are not those before")
    found.faults += broken(cache)
    return found


def broken(cache: Path) -> list[str]:
    """Return which kept files are not what they say they are."""
    store, faults = Store(cache), list[str]()
    for kind in _KINDS:
        for path in (cache / kind).glob("*.safetensors"):
            try:
                store.load(kind, path.stem)
            except StaleArtefactError as error:
                faults.append(str(error))
    for path in (cache / "uploads").glob("*.blob"):
        if sha256_of(path) != path.stem:
            faults.append(f"{path.name} is not whole")
    return faults


async def visited(cache: Path, after_s: float | None) -> dict[str, Any]:
    """Serve one visitor, until the server is killed ``after_s`` seconds after its start.

    Returns the numbers that the visitor was shown last; {} where it was killed before.
    """
    url, port = address()
    with tempfile.TemporaryFile() as log:
        server = start("app.py", port, log, SING_CACHE_DIR=str(cache))
        try:
            if after_s is None:
                await asyncio.to_thread(wait_until_healthy, url, server, log)
                return await visit(url)
            began = time.monotonic()
            while time.monotonic() - began < after_s:
                with contextlib.suppress(Exception):  # whatever a killed server does to a visitor
                    async with asyncio.timeout(max(0.1, after_s - time.monotonic() + began)):
                        await visit(url)
                await asyncio.sleep(0.2)
            return {}
        finally:
            end(server, after_s)


def end(server: "subprocess.Popen[bytes]", after_s: float | None) -> None:
    if after_s is None:
        stop(server)
    else:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(60)


async def visit(url: str) -> dict[str, Any]:
    """Ask a prompt about a photo of one's own, watch the pictures for a while."""
    guest = Guest(url, 1, 20, Log(), 1.0)
    async with guest.line:
        await guest.arrive()
        shown = {name: guest.line.scene[name] for name in _ASKED} if guest.line.scene else {}
        await asyncio.sleep(_LOOK_S)
        faults = guest.line.take_alerts()
    return shown | ({"told": faults} if faults else {})
