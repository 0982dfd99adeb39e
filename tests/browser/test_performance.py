"""How long a person waits, and how much memory one person takes: measured in a real Chromium.

The targets hold on a quiet machine with two cores that does the yardstick in ``YARDSTICK_S``. A
shared machine may be busy or slower: the best of five tries counts, and a try may take longer by
as much as the yardstick, measured right before it, does. Both are logged, with what the target
would be: ``pytest --log-cli-level=INFO``.
"""

import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sing_core.files.images import decode_image
from sing_core.files.samples import sample_bytes
from tests.browser.conftest import OpenExplore
from tests.browser.measure import PATIENCE_MS, SHADOW, STOPWATCH, Explore
from tests.browser.server import address, peak_memory_gb, start, stop, wait_until_healthy
from tests.pages.photo_files import encoded

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.alone]

LOGGER = logging.getLogger(__name__)
UPLOAD_S, PROMPT_MS, START_S, MEMORY_GB, PAGE_S, PICTURE_S = 1.5, 300.0, 6.0, 2.5, 1.5, 12.0
ANIMALS = (
    *("goldfish", "ostrich", "koala", "flamingo", "chameleon", "scorpion", "tarantula", "wombat"),
    *("pelican", "dugong", "toucan", "magpie", "bulbul", "junco", "macaw", "hummingbird", "drake"),
    *("echidna", "platypus", "wallaby", "jellyfish", "flatworm", "snail", "slug", "chiton"),
)
SHOWN = "() => window.watch.shown"
# Another page than before, with its table or figure, and its script at rest.
PAGE_STANDS = """(before) => {
  const app = document.querySelector('[data-testid=stApp]');
  const title = app.querySelector('h1')?.textContent;
  return title && title !== before && app.dataset.testScriptState === 'notRunning'
    && app.querySelector('[data-testid=stDataFrame], [data-testid=stPlotlyChart]');
}"""


# Pure Python on both cores at once, as a start is: the server's imports beside the browser's pages.
YARDSTICK = "s = 0\nfor i in range(4_000_000): s += i * i % 7"
YARDSTICK_S = 0.6


def slowness() -> float:
    """Return how many times as long as on the machine of the targets work takes now; at least 1."""
    begin = time.perf_counter()
    words = [sys.executable, "-I", "-S", "-c", YARDSTICK]
    both = [subprocess.Popen(words) for _ in range(2)]
    for process in both:
        process.wait()
    return max(1.0, (time.perf_counter() - begin) / YARDSTICK_S)


def best_of_five(
    what: str, target: float, measure: Callable[[], float], slow: float | None = None
) -> None:
    tries, known = [], slow
    for _ in range(5):
        slow = known or slowness()
        tries.append((measure(), round(slow, 2)))
        load = os.getloadavg()[0]
        LOGGER.info(
            "%s: %.3g (target %.3g x %.2f, load %.1f)", what, tries[-1][0], target, slow, load
        )
        if tries[-1][0] <= target * slow:
            return
    pytest.fail(f"{what}: {tries} (measured, slowness), target {target}")


def new_photo(seed: int) -> bytes:
    """A photograph of 2 megapixels that nobody has seen, as a phone would send it."""
    cup = decode_image(sample_bytes("coffee")).image.resize((1600, 1200), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(seed).normal(0, 6, (1200, 1600, 3))
    return encoded(Image.fromarray((np.asarray(cup) + noise).clip(0, 255).astype(np.uint8)), "JPEG")


def wait_for_new_sweep(tab: Explore) -> dict[str, float]:
    tab.page.wait_for_function(SHOWN, timeout=PATIENCE_MS, polling=20)
    watch: dict[str, float] = tab.page.evaluate("window.watch")
    tab.settle()
    return watch


@pytest.fixture(params=["without pictures", "while pictures are drawn"])
def url(request: pytest.FixtureRequest, app_url: str, drawing_url: str) -> str:
    return app_url if request.param == "without pictures" else drawing_url


def test_an_upload_shows_its_numbers_within_a_second_and_a_half(
    explore: OpenExplore, url: str
) -> None:
    tab = explore(url=url).click("Upload")
    turn = iter(range(100))

    def one() -> float:
        payload = new_photo(next(turn))
        tab.page.evaluate(STOPWATCH)
        before = tab.page.evaluate("performance.now()")
        tab.offer("cup.jpg", payload)
        return (wait_for_new_sweep(tab)["shown"] - before) / 1000

    LOGGER.info("first upload (networks may still be loading): %.2f s", one())
    best_of_five("upload to numbers, s", UPLOAD_S, one)


def change_prompt(tab: Explore, text: str) -> float:
    """Return the milliseconds from the message that asks to the new curves on the screen."""
    tab.combobox("Prompt").click()
    tab.combobox("Prompt").fill(text)
    tab.page.get_by_role("option").filter(has_text=text).first.wait_for()
    tab.page.evaluate(STOPWATCH)
    tab.page.keyboard.press("Enter")
    watch = wait_for_new_sweep(tab)
    assert text in tab.part("mode").inner_text()
    return watch["shown"] - watch["sent"]


@pytest.mark.parametrize("kind", ["free text", "class"])
def test_a_new_prompt_shows_new_curves_within_300_ms(
    explore: OpenExplore, url: str, kind: str
) -> None:
    tab = explore(url=url)
    change_prompt(tab, "a warm-up")
    animals = iter(ANIMALS)
    text = "an image of a {}" if kind == "class" else "a small wet {} at night, seen from above"

    def one() -> float:
        return statistics.median(change_prompt(tab, text.format(next(animals))) for _ in range(5))

    best_of_five(f"prompt to curves ({kind}), ms", PROMPT_MS, one)


# Both renders of the new question: the equivalent's is another than the one shown at the start.
FIRST_PICTURE = f"""() => {{
  const root = {SHADOW}, part = (name) => root.querySelector(`[data-part=${{name}}]`);
  const [own, equivalent] = [part('feature'), part('frame-over')];
  const found = !own.hidden && !equivalent.hidden && equivalent.src !== window.watch.equivalent;
  if (found && window.watch.shown) window.watch.picture ??= performance.now();
  return window.watch.picture;
}}"""


@pytest.mark.parametrize("asked", ["an upload", "a prompt"])
def test_the_first_finished_pair_is_there_twelve_seconds_after_the_numbers(
    explore: OpenExplore, drawing_url: str, asked: str
) -> None:
    slow = slowness()  # later on the drawing itself would make it seem slow
    tab = explore(url=drawing_url, prompt="an image of a dog").click("Upload")
    tab.offer("cup.jpg", new_photo(500))
    tab.settle()
    turn = iter(range(501, 600))

    def one() -> float:
        tab.page.wait_for_timeout(1500)
        tab.page.evaluate(STOPWATCH)
        if asked == "an upload":
            tab.offer("cup.jpg", new_photo(next(turn)))
        else:
            tab.combobox("Prompt").click()
            tab.combobox("Prompt").fill(f"an image of a {ANIMALS[next(turn) % len(ANIMALS)]}")
            tab.page.keyboard.press("Enter")
        tab.page.wait_for_function(FIRST_PICTURE, timeout=PATIENCE_MS, polling=20)
        watch: dict[str, float] = tab.page.evaluate("window.watch")
        tab.settle()
        return (watch["picture"] - watch["shown"]) / 1000

    LOGGER.info("%s, for the first time: %.2f s", asked, one())
    best_of_five(f"{asked}: first finished pair after the numbers, s", PICTURE_S, one, slow)


@pytest.fixture
def cold_server() -> Iterator[Callable[[], tuple[str, subprocess.Popen[bytes]]]]:
    """Start the app in a process of its own; everything that was started is ended."""
    running = []
    with tempfile.TemporaryFile() as log:

        def run(**environment: str) -> tuple[str, subprocess.Popen[bytes]]:
            url, port = address()
            running.append(start("app.py", port, log, **environment))
            wait_until_healthy(url, running[-1], log)
            return url, running[-1]

        yield run
        for server in running:
            stop(server)


def test_a_second_start_is_usable_within_six_seconds(
    app_url: str, chromium: Any, cold_server: Callable[..., Any], explore: OpenExplore
) -> None:
    explore()  # the first start has filled the caches on disk

    def one() -> float:
        begin = time.monotonic()
        url, server = cold_server()
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        tab = Explore(context.new_page())
        tab.page.goto(url)
        tab.part("mode").filter(has_text="“").wait_for(timeout=PATIENCE_MS)
        tab.slider.focus()
        tab.page.keyboard.press("Home")
        assert tab.index == 0
        taken = time.monotonic() - begin
        context.close()
        stop(server)
        return taken

    best_of_five("second start to a usable slider, s", START_S, one)


@pytest.mark.parametrize("name", ["compare", "classes", "concepts"])
def test_a_browsing_page_is_interactive_within_a_second_and_a_half(
    explore: OpenExplore, app_url: str, name: str
) -> None:
    tab = explore()
    title = tab.page.get_by_role("heading", level=1)
    link = tab.page.get_by_role("link", name=name.title(), exact=True)

    def one() -> float:
        tab.page.goto(app_url)
        tab.settle()
        before = title.inner_text()
        begin = time.monotonic()
        link.click()
        tab.page.wait_for_function(PAGE_STANDS, arg=before, timeout=PATIENCE_MS, polling=20)
        return time.monotonic() - begin

    LOGGER.info("%s: the first visit of anybody, which fills the caches: %.2f s", name, one())
    best_of_five(f"{name}: click to a page that answers, s", PAGE_S, one)


def test_one_user_of_everything_takes_at_most_two_and_a_half_gigabytes(
    explore: OpenExplore, cold_server: Callable[..., Any]
) -> None:
    url, server = cold_server()
    tab = explore(url=url).click("Upload")
    for turn, model in enumerate(("Lite0", "Lite1", "Lite2")):
        if turn:
            tab.choose("Classifier", f"EfficientNet-{model}")
        for seed in range(3):
            tab.page.evaluate(STOPWATCH)
            tab.offer("cup.jpg", new_photo(100 + 10 * turn + seed))
            wait_for_new_sweep(tab)
        tab.type_prompt(f"a cup on a table, number {turn}")
        tab.click("Remove the null part")
        tab.click("Steer towards a prompt")
    peak = peak_memory_gb(server.pid)
    tab.page.close()  # before the server goes: a page that loses it complains
    LOGGER.info("peak memory: %.2f GB (target %.1f)", peak, MEMORY_GB)
    assert peak <= MEMORY_GB
