"""The ε-scrubber in a real Chromium: what moves, what is sent, who can read it.

Every test serves tests/browser/scrubber_app.py, which mounts the component on a synthetic sweep.
"""

import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.measure import SHADOW, Slider

pytestmark = pytest.mark.browser

LOGGER = logging.getLogger(__name__)  # measures: pytest --log-cli-level=INFO
ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
DASH = "\N{EN DASH}"


def give_up(reason: str) -> None:
    """Skip on a machine without a browser; in CI a silent skip would be a lie."""
    if os.environ.get("CI"):
        pytest.fail(f"The browser suite must run in CI: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium")
    if chromium is None:
        give_up("chromium is not installed")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        give_up("playwright is not installed")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield launched
        launched.close()


def wait_until_healthy(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail("streamlit did not start")


@pytest.fixture(scope="module")
def app_url() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "server.headless": "true",
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "streamlit", "run", "tests/browser/scrubber_app.py", *flags]
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    wait_until_healthy(url, server)
    yield url
    server.terminate()
    server.wait(timeout=20)


class Scrubber(Slider):
    """One open page with the scrubber, and the WebSocket frames it sent."""

    def __init__(self, page: Any, url: str, case: str) -> None:
        super().__init__(page)
        self.sent, self.problems = [], []
        page.on("websocket", lambda ws: ws.on("framesent", lambda f: self.sent.append(f)))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: (self.problems.append(dialog.message), dialog.dismiss()))
        page.goto(f"{url}/?case={case}")
        self.slider.wait_for()
        page.get_by_text("server ε =").wait_for()
        page.wait_for_timeout(500)

    def server_says(self, epsilon: str) -> None:
        self.page.get_by_text(f"server ε = {epsilon};").wait_for(timeout=10_000)


Opener = Callable[..., Scrubber]


@pytest.fixture
def scrubber_page(browser: Any, app_url: str) -> Iterator[Opener]:
    contexts, opened = [], []

    def open_page(case: str = "plain", width: int = 1440, scheme: str = "light") -> Scrubber:
        size = {"width": width, "height": 1000}
        contexts.append(browser.new_context(viewport=size, color_scheme=scheme))
        opened.append(Scrubber(contexts[-1].new_page(), app_url, case))
        return opened[-1]

    yield open_page
    for context in contexts:
        context.close()
    assert [problem for page in opened for problem in page.problems] == []


def test_dragging_runs_at_50_frames_a_second_and_sends_nothing(scrubber_page: Opener) -> None:
    reports = []
    for _ in range(3):  # a shared machine may be busy: the best of three counts
        scrubber = scrubber_page()
        frames = len(scrubber.sent)
        reports.append(scrubber.drag_for(2.5))
        LOGGER.info("drag: %s", {name: round(value, 1) for name, value in reports[-1].items()})
        assert len(scrubber.sent) == frames, "a frame was sent while dragging"
        assert reports[-1]["seconds"] >= 2.0
        assert reports[-1]["values"] >= 40, "the readout did not follow the hand"
        if reports[-1]["fps"] >= 50:
            break
    assert max(one["fps"] for one in reports) >= 50


def test_the_release_sends_the_slider_value_once(scrubber_page: Opener) -> None:
    scrubber = scrubber_page()
    frames = len(scrubber.sent)
    scrubber.page.mouse.move(scrubber.x_of(20), scrubber.y)
    scrubber.page.mouse.down()
    scrubber.page.mouse.move(scrubber.x_of(50), scrubber.y, steps=20)
    scrubber.page.wait_for_timeout(600)
    assert len(scrubber.sent) == frames
    scrubber.page.mouse.up()
    scrubber.server_says(str(0.1 * 50))
    assert scrubber.index == 50
    scrubber.page.wait_for_timeout(700)
    assert len(scrubber.sent) == frames + 1
    assert scrubber.part("live").inner_text().startswith("ε 5.00, image score ")


def test_the_plot_scrubs_too_and_sends_on_release_only(scrubber_page: Opener) -> None:
    scrubber = scrubber_page()
    frames = len(scrubber.sent)
    box = scrubber.part("plot").bounding_box()
    scrubber.page.mouse.move(box["x"] + 100, box["y"] + 80)
    scrubber.page.mouse.down()
    scrubber.page.mouse.move(box["x"] + box["width"] - 10, box["y"] + 90, steps=15)
    scrubber.page.wait_for_timeout(500)
    assert scrubber.index == 80
    assert len(scrubber.sent) == frames
    scrubber.page.mouse.up()
    scrubber.server_says("8.0")
    assert len(scrubber.sent) == frames + 1


def test_keys_move_at_once_and_send_after_a_pause(scrubber_page: Opener) -> None:
    scrubber = scrubber_page()
    scrubber.slider.focus()
    frames = len(scrubber.sent)
    for expected in (21, 22, 23):
        scrubber.page.keyboard.press("ArrowRight")
        assert scrubber.index == expected
        scrubber.page.wait_for_timeout(120)
        assert len(scrubber.sent) == frames
    scrubber.server_says(str(0.1 * 23))
    assert len(scrubber.sent) == frames + 1
    assert scrubber.page.evaluate(f"{SHADOW}.activeElement.id") == "epsilon", "focus was lost"
    assert scrubber.index == 23


def test_a_key_held_down_sends_nothing_until_it_is_let_go(scrubber_page: Opener) -> None:
    scrubber = scrubber_page()
    scrubber.slider.focus()
    frames = len(scrubber.sent)
    scrubber.page.keyboard.down("ArrowRight")
    scrubber.page.wait_for_timeout(900)
    scrubber.page.keyboard.down("ArrowRight")
    assert (scrubber.index, len(scrubber.sent)) == (22, frames)
    scrubber.page.keyboard.up("ArrowRight")
    scrubber.server_says(str(0.1 * 22))


def test_home_end_and_page_keys_work(scrubber_page: Opener) -> None:
    scrubber = scrubber_page()
    scrubber.slider.focus()
    scrubber.page.keyboard.press("End")
    assert scrubber.index == 80
    scrubber.page.keyboard.press("PageDown")
    assert scrubber.index < 79
    scrubber.page.keyboard.press("Home")
    assert scrubber.index == 0
    scrubber.page.keyboard.press("PageUp")
    assert scrubber.index > 1


def test_the_button_goes_to_the_wanted_image_score(scrubber_page: Opener) -> None:
    scrubber = scrubber_page()
    scrubber.page.get_by_role("button", name="Go to IS = 40°").click()
    assert scrubber.index == 33
    assert scrubber.part("is").inner_text() == "40.7°"
    scrubber.server_says(str(0.1 * 33))


def test_an_unreachable_image_score_is_said_and_the_button_is_off(scrubber_page: Opener) -> None:
    scrubber = scrubber_page("unreachable")
    assert scrubber.page.get_by_role("button", name="Go to IS = 40°").is_disabled()
    assert scrubber.page.get_by_text("cannot reach 40° in the null space").is_visible()


def test_the_slider_speaks_its_values_and_the_readouts_carry_help(scrubber_page: Opener) -> None:
    scrubber = scrubber_page()
    text = scrubber.slider.get_attribute("aria-valuetext")
    pattern = r"ε 2\.00, image score \d+\.\d degrees, attribute score \+\d+\.\d degrees"
    assert re.fullmatch(pattern, text)
    for name in ("Image score (IS)", "Attribute score (AS)", "Logit drift"):
        readout = scrubber.page.get_by_role("group", name=name)
        assert readout.get_attribute("title")
    assert re.fullmatch(r"[23]e-07", scrubber.part("drift").inner_text())
    assert "of largest logit 12.3 — decision stands: Egyptian cat · 71 %" in (
        scrubber.part("decision").inner_text()
    )
    assert scrubber.slider.bounding_box()["height"] >= 24
    assert scrubber.page.get_by_role("list", name="Nearest concepts").is_visible()


def test_the_prompt_is_pinned_and_ten_concepts_follow_by_nearness(scrubber_page: Opener) -> None:
    scrubber = scrubber_page()
    rows = scrubber.page.get_by_role("list", name="Nearest concepts").get_by_role("listitem")
    assert rows.count() == 11
    assert rows.first.locator(".concept").inner_text() == "an image of a red fox"
    angles = [float(text.rstrip("°")) for text in rows.locator(".now").all_inner_texts()]
    assert angles[1:] == sorted(angles[1:])
    assert rows.first.locator(".change").inner_text() == scrubber.part("as").inner_text()


def test_markup_in_the_prompt_is_shown_as_text(scrubber_page: Opener) -> None:
    scrubber = scrubber_page("html")
    prompt = "<img src=x onerror=alert(1)> <b>fox</b>"
    assert scrubber.part("mode").inner_text() == f"Steering towards “{prompt}”"
    assert scrubber.page.locator(".concept").first.inner_text() == prompt
    assert scrubber.page.locator(".scrubber b, .scrubber img[src='x']").count() == 0


def test_a_new_sweep_replaces_the_old_in_the_same_slider(scrubber_page: Opener) -> None:
    scrubber = scrubber_page()
    scrubber.slider.evaluate("node => { node.dataset.seen = 'yes'; }")
    scrubber.slider.focus()
    scrubber.page.keyboard.press("End")
    scrubber.server_says("8.0")
    before = scrubber.part("is").inner_text()
    scrubber.page.get_by_role("button", name="Next sweep").click()
    scrubber.server_says("None")
    scrubber.page.wait_for_timeout(300)
    assert scrubber.slider.get_attribute("data-seen") == "yes", "the component was remounted"
    assert scrubber.index == 30
    assert scrubber.part("is").inner_text() != before
    scrubber.slider.focus()
    scrubber.page.keyboard.press("ArrowLeft")
    scrubber.server_says(str(0.1 * 29))


def test_a_rerun_with_the_same_sweep_leaves_the_slider_alone(scrubber_page: Opener) -> None:
    scrubber = scrubber_page()
    scrubber.slider.focus()
    scrubber.page.keyboard.press("Home")
    scrubber.server_says("0.0")
    scrubber.page.keyboard.press("ArrowRight")
    scrubber.server_says("0.1")
    assert scrubber.index == 1
    assert scrubber.page.evaluate(f"{SHADOW}.activeElement.id") == "epsilon"


@pytest.mark.parametrize("case", ["single", "empty", "bare", "nan"])
def test_a_degenerate_sweep_shows_dashes_and_no_error(scrubber_page: Opener, case: str) -> None:
    scrubber = scrubber_page(case)
    text = scrubber.page.locator(".scrubber").inner_text()
    assert not re.search(r"NaN|undefined|null(?! (space|part))|Infinity", text)
    if case in ("single", "empty"):
        assert scrubber.slider.is_disabled()
    if case == "empty":
        assert scrubber.part("is").inner_text() == DASH
    if case == "bare":
        assert scrubber.page.get_by_text("No concepts in this sweep.").is_visible()
    if case == "nan":
        scrubber.slider.focus()
        scrubber.page.keyboard.press("ArrowRight")
        scrubber.page.wait_for_timeout(100)
        assert scrubber.part("is").inner_text() == DASH
        assert "image score not available" in scrubber.slider.get_attribute("aria-valuetext")


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_nothing_scrolls_sideways(scrubber_page: Opener, width: int) -> None:
    scrubber = scrubber_page(width=width)
    scrubber.slider.focus()
    scrubber.page.keyboard.press("End")
    scrubber.page.wait_for_timeout(600)
    overflow = f"""() => {{
      const box = {SHADOW}.querySelector('.scrubber'), main = document.scrollingElement;
      const clipped = (node) => node.closest('svg, .lane, .carrier');
      const outside = [...box.querySelectorAll('*')].filter((node) =>
        !clipped(node) && node.getBoundingClientRect().right > innerWidth + 0.5);
      return [main.scrollWidth - main.clientWidth, box.scrollWidth - box.clientWidth,
              outside.map((node) => node.className).join()];
    }}"""
    assert scrubber.page.evaluate(overflow) == [0, 0, ""]


def test_pictures_cross_fade_between_the_two_nearest_frames(scrubber_page: Opener) -> None:
    scrubber = scrubber_page("frames")
    over = scrubber.part("frame-over")
    assert scrubber.part("frames").is_visible()
    assert float(over.evaluate("node => node.style.opacity")) == pytest.approx(0.5)
    scrubber.slider.focus()
    scrubber.page.keyboard.press("End")
    scrubber.page.wait_for_timeout(100)
    assert over.evaluate("node => [node.style.opacity, node.src.includes('green')]") == ["1", True]


def test_no_frames_means_no_picture_box(scrubber_page: Opener) -> None:
    assert scrubber_page().part("frames").is_hidden()


CONTRASTS = f"""() => {{
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const brush = canvas.getContext('2d', {{ willReadFrequently: true }});
  const pixel = (colour) => {{
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data];
  }};
  const light = (rgb) => {{
    const [r, g, b] = rgb.slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }};
  const parent = (node) => node.parentElement ?? node.getRootNode().host ?? null;
  const ground = (node) => {{
    for (let up = node; up; up = parent(up)) {{
      const rgba = pixel(getComputedStyle(up).backgroundColor);
      if (rgba[3] === 255) return rgba;
    }}
    return [255, 255, 255, 255];
  }};
  const ratio = (a, b) => {{
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  }};
  const root = {SHADOW};
  const own = (node) => [...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const texts = [...root.querySelectorAll('.scrubber *')]
    .filter((node) => own(node) && !node.closest('.unseen'));
  const ink = (node) => getComputedStyle(node)[node.closest('svg') ? 'fill' : 'color'];
  const marks = {{ '.curve.is': 'stroke', '.curve.as': 'stroke', '.dot.is': 'fill',
    '.cursor': 'stroke', '.bar': 'backgroundColor', '.row:not(.pinned) .bar': 'backgroundColor',
    '.tick': 'backgroundColor', 'button': 'borderTopColor', '.zero': 'stroke' }};
  const page = ground(root.host);
  const markInk = ([name, part]) => pixel(getComputedStyle(root.querySelector(name))[part]);
  return {{
    ground: page.slice(0, 3),
    text: texts.map((node) => [ratio(pixel(ink(node)), ground(node)), node.textContent.trim()]),
    mark: Object.entries(marks).map((mark) => [ratio(markInk(mark), page), mark[0]]),
  }};
}}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("case", ["plain", "unreachable"])
def test_text_and_marks_have_enough_contrast(scrubber_page: Opener, scheme: str, case: str) -> None:
    found = scrubber_page(case, scheme=scheme).page.evaluate(CONTRASTS)
    assert (sum(found["ground"]) < 200) == (scheme == "dark")
    assert len(found["text"]) > 40
    lowest_text, lowest_mark = min(found["text"]), min(found["mark"])
    LOGGER.info("%s, %s: lowest text %s, lowest mark %s", scheme, case, lowest_text, lowest_mark)
    assert lowest_text[0] >= 4.5, lowest_text
    assert lowest_mark[0] >= 3.0, lowest_mark
