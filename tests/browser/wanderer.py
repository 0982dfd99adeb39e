"""A person who never waits: random actions on Explore, and what must hold once it has settled."""

import json
import logging
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import TimeoutError

from tests.browser.measure import Explore

LOGGER = logging.getLogger(__name__)
PROMPTS = ("a rainy street", "a wooden chair", "a red car", "an image of a school bus")
MODELS = {
    "lite0": "EfficientNet-Lite0",
    "lite1": "EfficientNet-Lite1",
    "lite2": "EfficientNet-Lite2",
}
DEFAULTS = {"prompt": "an image of a red fox", "model": "lite0", "eps": ""}
PAUSES_MS = (0, 30, 150, 400)
HURRY = 0.35  # how often the next action does not wait for the page


class Wanderer:
    """Acts at random on one page, and knows what the newest action asked for.

    ``wanted`` holds what the page must show whatever was on its way; what an action leaves open
    (Back leads to where the browser says) is not in it.
    """

    def __init__(self, tab: Explore, seed: int) -> None:
        self.tab, self.dice = tab, random.Random(seed)
        tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        tab.unfold("Take it away")
        self.wanted: dict[str, Any] = {}
        self.told: list[str] = []

    def act(self) -> None:
        """Do one thing, and sometimes the next before the page has followed."""
        actions = (
            *(self.drag, self.press, self.prompt, self.model),
            *(self.back, self.forward, self.share),
        )
        weights = (3, 2, 3, 2, 2, 1, 1)
        (action,) = self.dice.choices(actions, weights)
        action()
        if self.dice.random() < HURRY:
            self.tab.page.wait_for_timeout(self.dice.choice(PAUSES_MS))
        else:
            self.check()

    def drag(self) -> None:
        tab, page = self.tab, self.tab.page
        goal = self.dice.randrange(tab.last + 1)
        page.mouse.move(tab.x_of(int(tab.slider.input_value())), tab.y)
        page.mouse.down()
        page.mouse.move(tab.x_of(goal), tab.y, steps=6)
        page.mouse.up()
        self._tell(f"drag to {goal}")

    def press(self) -> None:
        self.tab.slider.focus()
        key = self.dice.choice(("ArrowLeft", "ArrowRight", "PageUp", "Home"))
        for _ in range(self.dice.randrange(1, 4)):
            self.tab.page.keyboard.press(key)
        self._tell(f"press {key}")

    def prompt(self) -> None:
        text, box = self.dice.choice(PROMPTS), self.tab.combobox("Prompt")
        option = self.tab.page.get_by_role("option").filter(has_text=text).first
        if box.input_value() != text:
            self._insist(box, lambda: box.fill(text), option)
        self._ask(prompt=text)

    def model(self) -> None:
        name = self.dice.choice(tuple(MODELS))
        option = self.tab.page.get_by_role("option", name=MODELS[name], exact=True)
        self._insist(self.tab.combobox("Classifier"), lambda: None, option)
        self._ask(model=name)

    def _insist(self, box: Any, say: Callable[[], None], option: Any) -> None:
        """Choose ``option``, again where a page that is still moving shut the list meanwhile."""
        for _ in range(8):
            box.click()
            say()
            try:
                option.click(timeout=3_000)
            except TimeoutError:
                self.tab.page.keyboard.press("Escape")  # a click on an open list would shut it
                continue
            return
        raise AssertionError(f"The list never stayed open: {self.told}")

    def back(self) -> None:
        self._travel("Back")

    def forward(self) -> None:
        self._travel("Forward")

    def _travel(self, way: str) -> None:
        """Travel where there is something to travel to: before the app lies an empty tab."""
        if self.tab.page.evaluate(f"navigation.canGo{way} && (history.{way.lower()}(), true)"):
            self.tab.page.wait_for_timeout(30)  # the browser travels after the script has ended
            self.wanted = {}
            self._tell(way)

    def share(self) -> None:
        """Copy the link once the page has followed: it must open what is shown."""
        self.check()
        page = self.tab.page
        page.get_by_role("button", name="Share").click()
        page.get_by_role("button", name="Link copied").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        self._tell("share")
        assert copied == page.url, (copied, page.url, self.told)

    def _ask(self, **wanted: str) -> None:
        self.wanted |= wanted
        self._tell(f"{wanted}")

    def _tell(self, what: str) -> None:
        self.told = [*self.told[-11:], what]

    def check(self) -> None:
        """Compare page, URL and report once nothing moves any more."""
        self.tab.settle()  # its half a second of rest is longer than the 400 ms after a key
        page, url, report = self._page(), self._url(), self._report()
        context = (self.told, page, url, report, self.wanted)
        assert page["prompt"] == url["prompt"] == report["prompt"], context
        assert page["model"] == url["model"] == report["model"], context
        assert page["epsilon"] == f"{report['epsilon']:.2f}", context
        if url["eps"]:
            assert url["eps"] == f"{report['epsilon']:.6g}", context
        assert {name: page[name] for name in self.wanted} == self.wanted, context
        self.wanted = {name: page[name] for name in ("prompt", "model")}

    def _page(self) -> dict[str, str]:
        mode = self.tab.part("mode").inner_text()
        spoken = self.tab.slider.get_attribute("aria-valuetext")
        title = self.tab.combobox("Classifier").input_value()
        (model,) = [name for name, words in MODELS.items() if words in title]
        return {
            "prompt": mode.split("“", 1)[1].rsplit("”", 1)[0],
            "model": model,
            "epsilon": spoken.split("ε ", 1)[1].split(",", 1)[0],
        }

    def _url(self) -> dict[str, str]:
        query = parse_qs(urlsplit(self.tab.page.url).query)
        return DEFAULTS | {name: values[0] for name, values in query.items()}

    def _report(self) -> dict[str, Any]:
        report = json.loads(Path(self._downloaded().path()).read_text())["report"]
        return {
            "prompt": report["prompt"],
            "model": report["model"],
            "epsilon": report["sweep"]["epsilon"][report["index"]],
        }

    def _downloaded(self) -> Any:
        """Click until the file comes: a click while the page is drawn anew may meet no button."""
        button = self.tab.page.get_by_role("button", name="Report (JSON)")
        for _ in range(5):
            try:
                with self.tab.page.expect_download(timeout=20_000) as download:
                    button.click(timeout=10_000)
            except TimeoutError as late:
                LOGGER.warning("no report yet: %s, %s", self._seen(button), late)
                self.tab.page.keyboard.press("Escape")  # an open list would lie over it
                self.tab.unfold("Take it away").settle()
                continue
            return download.value
        raise AssertionError(f"The report never came: {self.told}, {self._seen(button)}")

    def _seen(self, button: Any) -> tuple[object, ...]:
        shown = button.count() and button.first.is_visible()
        return button.count(), shown, self.tab.alerts(), self.tab.problems
