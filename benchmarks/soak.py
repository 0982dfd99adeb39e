"""``python -m benchmarks.soak``: twenty people use one server for half an hour.

They come by Streamlit's own websocket, ask about prompts, bring photos and look at other pages.
Every prompt and photo says whose it is: nothing of anybody else's may ever be shown. Prints one
JSON object, and a sentence beside it; the exit code is 1 where a target was missed.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.soaking.guests import Bomber, Guest, Heavy, Log
from benchmarks.soaking.verdict import sentence, verdict
from sing_core.settings import Settings
from tests.browser.server import address, memory_gb, start, stop, wait_until_healthy

_STARTS_WITH = ("mini", "head", "vocabulary")
_MADE_THERE = shutil.ignore_patterns("reference*", "*.lock")  # they name their own place
_SAID_OF_A_FAULT = 40  # lines
_FULL_MINUTES = 30.0


def main() -> None:
    options = asked()
    with tempfile.TemporaryDirectory() as cache, served(options, Path(cache)) as (url, server):
        found = asyncio.run(soak(url, server, options))
    sys.stdout.write(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    sys.stderr.write(sentence(found) + "\n")
    sys.exit(0 if all(found["met"].values()) else 1)


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--guests", type=int, default=20, help="how many people (20)")
    parser.add_argument("--minutes", type=float, default=_FULL_MINUTES, help="how long (30)")
    parser.add_argument("--think", type=float, default=10.0, help="seconds between two deeds (10)")
    parser.add_argument("--port", type=int, default=0, help="the server's port; 0 takes a free one")
    parser.add_argument(
        "--scan-bomb", action="store_true", help="at half time somebody sends scan bombs"
    )
    parser.add_argument(
        "--large-files", action="store_true", help="at half time somebody sends 50-megapixel files"
    )
    return parser.parse_args()


@contextlib.contextmanager
def served(
    options: argparse.Namespace, cache: Path
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Start the app on a cache of its own; decoded photos fill their room as early as in 30 min."""
    for kind in _STARTS_WITH:
        if (Settings().cache_dir / kind).is_dir():
            shutil.copytree(Settings().cache_dir / kind, cache / kind, ignore=_MADE_THERE)
    url, port = address()
    if options.port:
        url, port = f"http://127.0.0.1:{options.port}", options.port
    usual = Settings().max_photos_mb
    room = min(usual, max(60, round(usual * options.minutes / _FULL_MINUTES)))
    with tempfile.TemporaryFile() as log:
        server = start("app.py", port, log, SING_CACHE_DIR=str(cache), SING_MAX_PHOTOS_MB=str(room))
        try:
            wait_until_healthy(url, server, log)
            yield url, server
        finally:
            stop(server)
            log.seek(0)
            lines = log.read().decode(errors="replace").splitlines()
            faults = [at for at, line in enumerate(lines) if "Traceback" in line or "ERROR" in line]
            if faults:
                first = "\n".join(lines[faults[0] : faults[0] + _SAID_OF_A_FAULT])
                sys.stderr.write(
                    f"The server's log has {len(faults)} errors; it begins:\n{first}\n"
                )


async def soak(
    url: str, server: "subprocess.Popen[bytes]", options: argparse.Namespace
) -> dict[str, Any]:
    """Let everybody in, then begin to count."""
    log, memory = Log(), list[float]()
    guests = [
        Guest(url, number, options.guests, log, options.think) for number in range(options.guests)
    ]
    kinds = [Bomber] * options.scan_bomb + [Heavy] * options.large_files
    burdens = ["bomb"] * options.scan_bomb + ["large file"] * options.large_files
    async with contextlib.AsyncExitStack() as lines, asyncio.TaskGroup() as tasks:
        for guest in guests:
            await lines.enter_async_context(guest.line)
        began = time.monotonic()
        await asyncio.gather(*(guest.arrive() for guest in guests))
        arrived = time.monotonic() - began
        log.waits.clear()
        now = time.monotonic()
        half, until = now + 30 * options.minutes, now + 60 * options.minutes
        weigher = tasks.create_task(weigh(server, memory))
        extra = [
            tasks.create_task(disturb(kind(url, place, options.guests, log, 5.0), half, until))
            for place, kind in enumerate(kinds, options.guests)
        ]
        await asyncio.gather(*(guest.live(until) for guest in guests), *extra)
        weigher.cancel()
    judged = options.guests, options.minutes, memory, half
    found = await asyncio.to_thread(verdict, log, *judged, burdens=burdens)
    return found | {"arrival_s": round(arrived, 1), "niceness": os.nice(0)}


async def disturb(guest: Guest, since: float, until: float) -> None:
    """Let one more in who is a burden to the others."""
    await asyncio.sleep(since - time.monotonic())
    async with guest.line:
        await guest.arrive()
        await guest.live(until)


async def weigh(server: "subprocess.Popen[bytes]", memory: list[float]) -> None:
    while True:
        memory.append(await asyncio.to_thread(memory_gb, server.pid))
        await asyncio.sleep(1.0)


if __name__ == "__main__":
    main()
