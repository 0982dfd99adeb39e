"""What the tests of the stage look at: its parts, its frames, what a room could see move."""

import time
from typing import Any, Self

# The player lies in the shadow of one of the app's components, or in the page of a file.
ROOT = """([...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
  .map((host) => host.shadowRoot?.querySelector('.talk')).find(Boolean)
  ?? document.querySelector('.talk'))"""
# Every visible text and the size that it is set in.
SIZES = f"""() => {{
  const found = [];
  for (const node of {ROOT}.querySelectorAll('*')) {{
    const own = [...node.childNodes].some((part) => part.nodeType === 3 && part.data.trim());
    const box = node.getBoundingClientRect();
    const style = getComputedStyle(node);
    const shown = box.width > 1 && box.height > 1 && style.visibility === 'visible';
    if ((own || node.matches('input[type=text]')) && shown) {{
      found.push([parseFloat(style.fontSize), node.textContent.trim()]);
    }}
  }}
  return found;
}}"""
# Where everything of the stage stands, but for the words inside.
PLACES = f"""() => [...{ROOT}.querySelectorAll(
  '.headline, .square, figcaption b, figcaption span, .scores p, .slide, [type=range], footer p'
)].map((node) => {{
  const {{ x, y, width, height }} = node.getBoundingClientRect();
  return [x, y, width, height].map((value) => Math.round(value * 10) / 10);
}})"""
# Every line of words that its box is too small for.
CUT = f"""() => [...{ROOT}.querySelectorAll(
  '.headline, .drift, footer, footer p, footer span, figcaption, figcaption b, figcaption span'
)].filter((node) => node.scrollWidth > node.clientWidth + 1 && node.clientWidth
  || node.scrollHeight > node.clientHeight + 2 && node.clientHeight)
  .map((node) => node.textContent)"""
LOWEST = f"() => {ROOT}.querySelector('footer').getBoundingClientRect().bottom"
# The player keeps its keys to itself: who wants to know when one came listens before it does.
KEYS = "addEventListener('keydown', (event) => (window.lastKey = event.timeStamp), true)"
# The milliseconds from a key to the frame in which the next scene stands, pictures and all.
WATCH = f"""() => {{
  const root = {ROOT};
  const place = root.querySelector('[data-part=place]');
  const before = place.textContent;
  window.change = null;
  const look = () => {{
    const images = [...root.querySelectorAll('.square img')];
    const ready = images.length > 2 && images.every((node) => node.complete && node.naturalWidth);
    if (place.textContent === before || !ready) return requestAnimationFrame(look);
    requestAnimationFrame((now) => (window.change = now - window.lastKey));
  }};
  requestAnimationFrame(look);
}}"""
SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.shifts.push(entry.value);
  }).observe({ type: 'layout-shift', buffered: false });
}"""
RECORD = f"""() => {{
  const value = {ROOT}.querySelector('[data-part=is]');
  window.record = {{ stamps: [], seen: new Set(), on: true }};
  const tick = (time) => {{
    record.stamps.push(time);
    record.seen.add(value.textContent);
    if (record.on) requestAnimationFrame(tick);
  }};
  requestAnimationFrame(tick);
}}"""
REPORT = """() => {
  record.on = false;
  const { stamps, seen } = record;
  return { fps: (1000 * (stamps.length - 1)) / (stamps.at(-1) - stamps[0]), values: seen.size };
}"""


class Stage:
    """A player in an open page: on the app's stage, or in an exported file."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.problems: list[str] = []
        self.asked: list[str] = []
        page.add_init_script(KEYS)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def go(self, url: str) -> Self:
        self.page.goto(url)
        self.part("headline").filter(has_text=" says ").wait_for(timeout=120_000)
        self.page.wait_for_timeout(500)
        return self

    def part(self, name: str) -> Any:
        return self.page.locator(f"[data-part='{name}']")

    def text(self, name: str) -> str:
        words: str = self.part(name).inner_text()
        return words

    def press(self, *keys: str, pause_ms: int = 60) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(pause_ms)

    def change(self, key: str) -> float:
        """Press ``key``; return the milliseconds until the next scene stood."""
        self.page.evaluate(WATCH)
        self.page.keyboard.press(key)
        self.page.wait_for_function("window.change !== null", timeout=10_000)
        found: float = self.page.evaluate("window.change")
        return found

    def drag_for(self, seconds: float) -> dict[str, float]:
        """Drag the thumb to and fro with real mouse moves; return frames a second."""
        box = self.part("range").bounding_box()
        thumb = box["height"] / 2
        low, high, y = box["x"] + thumb, box["x"] + box["width"] - thumb, box["y"] + thumb
        self.press("0", pause_ms=900)
        self.page.mouse.move(low, y)
        self.page.mouse.down()
        self.page.evaluate(RECORD)
        start = time.monotonic()
        while (elapsed := time.monotonic() - start) < seconds:
            share = abs((elapsed / 1.2 + 1) % 2 - 1)
            self.page.mouse.move(low + (high - low) * (1 - share), y + 2)
        found: dict[str, float] = self.page.evaluate(REPORT)
        self.page.mouse.up()
        return found
