"""The served app in a real Chromium: second start, upload, prompt, first map of Units, memory."""

import io
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from PIL import Image

from benchmarks.timing import Line
from sing_core.files.samples import sample_bytes
from tests.browser.measure import STOPWATCH, Explore
from tests.browser.server import address, peak_memory_gb, start, stop, wait_until_healthy

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
OF_THE_LIST = ("volcano", "teapot", "lion", "pizza", "lighthouse")
FREE = ("a blurry grey dog", "a red car at night", "something round", "a quiet lake in the fog")
TAKEN_APART = ("coffee", "chelsea", "rocket", "astronaut")


def lines() -> Iterator[Line]:
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        with served() as (url, _):  # the first start, which fills the cache
            opened(browser, url)
        begin = time.perf_counter()
        with served() as (url, server):
            explore = opened(browser, url)
            second = time.perf_counter() - begin
            explore.settle()
            chosen = [ask(explore, name) for name in OF_THE_LIST]
            typed = [type_in(explore, words) for words in FREE]
            explore.click("Upload")
            uploads = [upload(explore, turn) for turn in range(5)]
            maps = first_maps(browser, url)
            memory = peak_memory_gb(server.pid)
        browser.close()
    yield seconds("second start to an interactive page", second, 6.0)
    yield seconds("upload to numbers, warm", median(uploads[1:]), 1.5)
    yield seconds("prompt of the list to new curves", median(chosen[1:]), 0.3)
    yield seconds("free prompt to new curves, warm", median(typed[1:]), 0.3)
    yield seconds("Units, address to the first map of a photo, warm", median(maps[1:]), 1.0)
    yield Line("served: peak memory of the server", memory, None, None, 2.5, "GB")


def seconds(what: str, value: float, target: float) -> Line:
    return Line(f"served: {what}", value, None, None, target, "s")


@contextmanager
def served() -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    url, port = address()
    with tempfile.TemporaryFile() as log:
        server = start("app.py", port, log)
        try:
            wait_until_healthy(url, server, log)
            yield url, server
        finally:
            stop(server)


def opened(browser: Any, url: str) -> Explore:
    """Open the page; return when its numbers are there and its slider can be moved."""
    explore = Explore(browser.new_context(viewport={"width": 1440, "height": 900}).new_page())
    explore.page.goto(url)
    explore.slider.wait_for(timeout=120_000)
    return explore


def first_maps(browser: Any, url: str) -> list[float]:
    """Return seconds from the address of Units to a map, of one photo after the other.

    The first one warms the server and the browser; no photo was taken apart before.
    """
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    found = []
    for photo in TAKEN_APART:
        begin = time.perf_counter()
        page.goto(f"{url}/units?ask=where&photo={photo}")
        page.get_by_alt_text(re.compile("on the photo")).first.wait_for(timeout=120_000)
        found.append(time.perf_counter() - begin)
    page.context.close()
    return found


def ask(explore: Explore, name: str) -> float:
    """Choose a class of the list; return seconds from the page's message to the new curves."""
    box = explore.combobox("Prompt")
    box.click()
    box.fill(name)
    option = explore.page.get_by_role("option", name=f"an image of a {name}", exact=True)
    option.wait_for()
    explore.page.evaluate(STOPWATCH)
    option.click()
    return shown(explore, "sent")


def type_in(explore: Explore, words: str) -> float:
    """Type a prompt of one's own; return seconds from the page's message to the new curves."""
    box = explore.combobox("Prompt")
    box.click()
    box.fill(words)
    explore.page.evaluate(STOPWATCH)
    explore.page.keyboard.press("Enter")
    return shown(explore, "sent")


def upload(explore: Explore, turn: int) -> float:
    """Hand over a photo that the server has not seen; return seconds until its numbers."""
    photo = Image.open(io.BytesIO(sample_bytes("coffee"))).convert("RGB")
    buffer = io.BytesIO()
    photo.resize((1200, 900)).rotate(time.time() % 20 + turn).save(buffer, "JPEG", quality=92)
    explore.page.evaluate(STOPWATCH)
    explore.offer(f"photo{turn}.jpg", buffer.getvalue())
    return shown(explore, "armed")


def shown(explore: Explore, since: str) -> float:
    explore.page.wait_for_function("() => window.watch.shown", timeout=120_000)
    watch = explore.page.evaluate("() => window.watch")
    explore.settle()
    return float(watch["shown"] - watch[since]) / 1000
