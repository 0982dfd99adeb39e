"""``python -m benchmarks.screenshots``: the README's pictures of the app, taken from the app.

Starts a server, opens its pages in Chromium as a new visitor would, waits until every picture is
drawn, and writes them to ``assets/screenshots``.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks.served import FLAGS, opened, served

OUT = Path(__file__).resolve().parents[1] / "assets" / "screenshots"
WAIT_MS = 180_000
COLOURS = 128  # of the palette: the pictures of a repository are small
DRAWN = "() => !document.body.innerText.includes('drawing')"
ROOM, LAPTOP = {"width": 1920, "height": 1080}, {"width": 1440, "height": 900}


def take(browser: Any, url: str) -> None:
    """Write all pictures."""
    explore = opened(browser, url)
    explore.settle()
    explore.page.wait_for_timeout(20_000)  # the last render replaces its outline
    save(explore.page, "explore")
    for name, view in (("stage", ROOM), ("notes", LAPTOP)):
        page = browser.new_context(viewport=view).new_page()
        page.goto(f"{url}/?stage={'1' if name == 'stage' else 'notes'}")
        page.wait_for_timeout(8_000)
        save(page, name)


def save(page: Any, name: str) -> None:
    from io import BytesIO

    from PIL import Image

    with Image.open(BytesIO(page.screenshot())) as shot:
        small = shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(OUT / f"{name}.png", optimize=True)


def main() -> int:
    """Take them; without Chromium say so."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        sys.stderr.write("Chromium is not installed: no picture was taken.\n")
        return 1
    with sync_playwright() as playwright, served() as (url, _):
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        take(browser, url)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
