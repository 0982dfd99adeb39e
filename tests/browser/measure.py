"""What the browser tests look at and measure: the slider, its frames, the pages it is on."""

import time
from typing import Any, Self
from urllib.parse import urlencode

SLIDER = "Move it where the classifier cannot look"
SHADOW = "document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"
PATIENCE_MS = 120_000
THUMB = 28
IN_THE_PICKER = ("Sample", "Upload", "Camera")
IN_MORE = ("Steer towards a prompt", "Remove the null part")
IN_PICTURES = ("Off", "Inversion")

RECORD = f"""() => {{
  const root = {SHADOW}, value = root.querySelector('[data-part=is]');
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
  const { stamps, seen } = record, gaps = stamps.slice(1).map((t, i) => t - stamps[i]);
  const seconds = (stamps.at(-1) - stamps[0]) / 1000;
  return { fps: gaps.length / seconds, seconds, slowest_ms: Math.max(...gaps), values: seen.size };
}"""
# No run of the script, asked for or under way, for half a second, and something to see.
QUIET = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  const idle = app?.dataset.testScriptState === 'notRunning'
    && app.querySelector('[data-testid=stDataFrame], [data-testid=stAlert], [data-testid=stLatex],'
      + '.katex, [data-testid=stBidiComponentIsolated]');
  const now = performance.now();
  window.idleSince = idle ? (window.idleSince ?? now) : undefined;
  return idle && now - window.idleSince > 500;
}"""
# Everything at one moment: Streamlit may put the scrubber in anew, and fill it a moment later.
NUMBERS = """() => {
  const root = document.querySelector('[data-testid=stBidiComponentIsolated]')?.shadowRoot;
  const part = (name) => root?.querySelector(`[data-part=${name}]`);
  const spoken = part('range')?.getAttribute('aria-valuetext');
  const shown = ['is', 'as', 'drift', 'mode', 'rows', 'says-photo'];
  return spoken && [spoken, ...shown.map((name) => part(name).textContent)];
}"""
NEXT_FRAME_DRAWN = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
# Notes when the page first sends something, and when the scrubber first shows something else.
STOPWATCH = f"""() => {{
  const root = {SHADOW};
  const equivalent = root.querySelector('[data-part=frame-over]').src;
  const watch = window.watch = {{ armed: performance.now(), equivalent }};
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {{
    watch.sent ??= performance.now();
    return send.call(this, data);
  }};
  // While pictures are drawn the page asks for them: what counts is what follows the key.
  addEventListener('keydown', () => {{ watch.sent = undefined; }}, {{ capture: true }});
  const shown = () => ['mode', 'as', 'rows']
    .map((name) => root.querySelector(`[data-part=${{name}}]`).innerHTML).join();
  const before = shown();
  const look = () => {{
    if (watch.shown || shown() === before) return;
    watch.shown = performance.now();
    WebSocket.prototype.send = send;
  }};
  new MutationObserver(look).observe(root, {{
    subtree: true, childList: true, characterData: true, attributes: true }});
}}"""


class Slider:
    """The ε-slider of an open page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.slider = page.get_by_role("slider", name=SLIDER)

    def part(self, name: str) -> Any:
        return self.page.locator(f"[data-part='{name}']")

    @property
    def index(self) -> int:
        # The scrubber paints in the next animation frame: what was asked for is shown after it.
        frame = (
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        self.page.evaluate(frame)
        return int(self.slider.input_value())

    @property
    def last(self) -> int:
        return int(self.slider.get_attribute("max"))

    def x_of(self, index: int) -> float:
        box = self.slider.bounding_box()
        return box["x"] + THUMB / 2 + (box["width"] - THUMB) * index / self.last

    @property
    def y(self) -> float:
        box = self.slider.bounding_box()
        return box["y"] + box["height"] / 2

    def drag_for(self, seconds: float) -> dict[str, float]:
        """Drag the thumb to and fro with real mouse moves; the button stays down."""
        page, y = self.page, self.y
        ends = self.x_of(0), self.x_of(self.last)
        page.mouse.move(self.x_of(self.index), y)
        page.mouse.down()
        page.evaluate(RECORD)
        start = time.monotonic()
        while (elapsed := time.monotonic() - start) < seconds:
            share = abs((elapsed / 1.2) % 2 - 1)
            page.mouse.move(ends[0] + (ends[1] - ends[0]) * share, y + 3)
        found: dict[str, float] = page.evaluate(REPORT)
        return found


class Tab(Slider):
    """One tab with a slider, the WebSocket frames it sent, and what went wrong in it."""

    def __init__(self, page: Any) -> None:
        super().__init__(page)
        self.sent: list[Any] = []
        self.problems: list[str] = []
        page.on("websocket", lambda ws: ws.on("framesent", lambda f: self.sent.append(f)))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: (self.problems.append(dialog.message), dialog.dismiss()))

    def unfold(self, drawer: str) -> Self:
        """Open a drawer, of the page or of the scrubber, if it is shut."""
        summary = self.page.locator("summary").filter(has_text=drawer)
        if not summary.evaluate("node => node.parentElement.open"):
            summary.click()
        return self


class Scrubber(Tab):
    """The component alone, on a synthetic sweep (scrubber_app.py)."""

    def go(self, url: str, case: str) -> Self:
        self.page.goto(f"{url}/?case={case}")
        self.slider.wait_for()
        self.page.get_by_text("server ε =").wait_for()
        self.page.wait_for_timeout(500)
        return self

    def server_says(self, epsilon: str) -> None:
        self.page.get_by_text(f"server ε = {epsilon};").wait_for(timeout=10_000)


class Explore(Tab):
    """The Explore page; errors on the browser's console count as problems too."""

    def __init__(self, page: Any) -> None:
        super().__init__(page)
        page.on("console", self._listen)

    def _listen(self, message: Any) -> None:
        where = message.location.get("url", "")
        # On a cold /method Streamlit looks for itself under that path first: its own habit.
        if message.type == "error" and "/method/_stcore/" not in where:
            self.problems.append(f"{message.text} {where}")

    def go(self, url: str, **query: str) -> Self:
        self.page.goto(f"{url}/?{urlencode(query)}" if query else url)
        return self.settle()

    def settle(self) -> Self:
        """Wait until the server's runs have ended and everything it sent is drawn."""
        self.page.evaluate("delete window.idleSince")
        self.page.wait_for_function(QUIET, timeout=PATIENCE_MS)
        if self.slider.count():
            self.part("mode").filter(has_text="“").wait_for(timeout=PATIENCE_MS)
            # The scrubber writes its numbers with the next frame that the browser draws.
            self.page.evaluate(NEXT_FRAME_DRAWN)
        return self

    def combobox(self, name: str) -> Any:
        return self.page.get_by_role("combobox", name=name)

    def choose(self, name: str, option: str) -> Self:
        self.combobox(name).click()
        self.page.get_by_role("option", name=option, exact=True).click()
        return self.settle()

    def type_prompt(self, text: str) -> Self:
        self.combobox("Prompt").click()
        self.combobox("Prompt").fill(text)
        self.page.get_by_role("option").filter(has_text=text).first.wait_for()
        self.page.keyboard.press("Enter")
        return self.settle()

    def click(self, label: str) -> Self:
        """Choose ``label`` of a switch, wherever it is folded away."""
        if label in IN_THE_PICKER:
            self.open_picker()
        elif label in IN_MORE:
            self._open_popover("explore-more")
        elif label in IN_PICTURES:
            self.unfold("Pictures")
        self.page.get_by_role("radio", name=label, exact=True).click()
        return self.settle()

    def open_picker(self) -> None:
        """Open the choice of photos, if it is shut."""
        self._open_popover("explore-photo_picker")

    def _open_popover(self, key: str) -> None:
        button = self.page.locator(f".st-key-{key} button").first
        if button.get_attribute("aria-expanded") != "true":
            button.click()
            self.page.get_by_test_id("stPopoverBody").wait_for()

    def offer(self, name: str, payload: bytes, mime: str = "image/jpeg") -> None:
        """Choose a file in the uploader."""
        self.open_picker()
        self.page.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": mime, "buffer": payload}
        )

    def numbers(self) -> tuple[str, ...]:
        """What the scrubber shows: place, IS, AS, drift, prompt and the concepts."""
        return tuple(self.page.wait_for_function(NUMBERS, timeout=PATIENCE_MS).json_value())

    def alerts(self) -> list[str]:
        found: list[str] = self.page.get_by_test_id("stAlert").all_inner_texts()
        return found
