"""A talk in a real Chromium: eight scenes by keys alone, the network off, and a file by itself."""

import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sing_core.settings import Settings
from sing_core.talk.bundle import export_scene
from sing_core.talk.script import readiness
from tests.browser.conftest import OpenExplore
from tests.browser.stage import CUT, LOWEST, PLACES, SHIFTS, SIZES, Stage

pytestmark = pytest.mark.browser

LOGGER = logging.getLogger(__name__)
SCENES, CHANGE_MS, SMALLEST_PX, FPS = 8, 300.0, 28.0, 50.0
WIDE = {"width": 1920, "height": 1080}


@pytest.fixture
def room(chromium: Any) -> Iterator[Any]:
    """A browser context of the size of a projector."""
    context = chromium.new_context(viewport=WIDE)
    yield context
    context.close()


@pytest.fixture
def stage(room: Any, app_url: str) -> Iterator[Stage]:
    """The stage of the talk that ships."""
    opened = Stage(room.new_page()).go(f"{app_url}/?stage=1")
    yield opened
    assert opened.problems == []


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first scene of the talk that ships, as one file."""
    path = tmp_path_factory.mktemp("talk") / "scene.html"
    export_scene(readiness(Settings()).recordings[0], path)
    return path


def images(stage: Stage, square: str) -> list[str]:
    found: list[str] = (
        stage.part(square).locator("img").evaluate_all("(nodes) => nodes.map((node) => node.src)")
    )
    return found


def test_eight_scenes_are_driven_by_keys_alone_with_the_network_off(
    stage: Stage, room: Any
) -> None:
    room.set_offline(True)
    stage.page.evaluate(SHIFTS)
    stage.asked.clear()
    places, seen, slow = stage.page.evaluate(PLACES), [], []
    for number in range(1, SCENES + 1):
        assert stage.text("place").startswith(f"{number} / {SCENES}")
        seen.append(stage.text("caption") + images(stage, "three")[0])
        for key, score in (("0", 0), ("1", 10), ("2", 20), ("4", 40)):
            stage.press(key, pause_ms=900)
            assert abs(float(stage.text("is").removesuffix("°")) - score) < 3
        stage.press("ArrowLeft", "ArrowLeft", "ArrowRight", "b", "b", "c", "c", "h", "h", "?", "?")
        if number < SCENES:
            slow.append(stage.change("n" if number % 2 else "PageDown"))
        assert stage.page.evaluate(PLACES) == places, "something moved"
    LOGGER.info("scene changes, ms: %s", [round(one) for one in slow])
    assert max(slow) <= CHANGE_MS
    assert len(set(seen)) == SCENES
    assert stage.page.evaluate("window.shifts") == []
    assert stage.asked == [], "a talk asks nobody"
    stage.press("p", "PageUp")
    assert stage.text("place").startswith(f"{SCENES - 2} / {SCENES}")


@pytest.mark.parametrize("key", ["", "?", "t", "c"], ids=["scene", "notes", "prompt", "controls"])
def test_no_text_is_smaller_than_28_pixels_on_a_full_stage(stage: Stage, key: str) -> None:
    if key:
        stage.press(key, pause_ms=300)
    sizes = stage.page.evaluate(SIZES)
    assert len(sizes) >= 10
    assert [found for found in sizes if found[0] < SMALLEST_PX] == []
    assert stage.part("is").evaluate("(node) => getComputedStyle(node).fontSize") == "96px"


def test_everything_fits_a_small_projector(chromium: Any, app_url: str) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    stage = Stage(context.new_page()).go(f"{app_url}/?stage=1")
    for x, y, width, height in stage.page.evaluate(PLACES):
        assert x >= 0
        assert x + width <= 1280
        assert y >= 0
        assert y + height <= 720
    assert min(size for size, _ in stage.page.evaluate(SIZES)) > 18
    context.close()


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (390, 844)])
def test_no_words_of_any_scene_are_cut(stage: Stage, width: int, height: int) -> None:
    stage.page.set_viewport_size({"width": width, "height": height})
    for _ in range(SCENES):
        for key in ("4", "0"):
            stage.press(key, pause_ms=900)
            assert stage.page.evaluate(CUT) == []
        assert stage.page.evaluate(LOWEST) <= height
        stage.press("n")


def test_what_is_drawn_of_the_asked_turn_is_said_with_the_reason(stage: Stage) -> None:
    asked = float(stage.text("is").removesuffix("°"))
    drawn, whole = re.fullmatch(r"drawn: (\d+)° of the (\d+)°", stage.text("three-name")).groups()
    assert int(drawn) < int(whole) == round(asked)
    assert f"of {whole}° the network can produce {drawn}°, drawn" in stage.text("drift")


def test_a_wipe_puts_the_picture_before_over_the_one_after(stage: Stage) -> None:
    wipe = stage.part("three").locator("img.wipe")
    shown = "(node) => getComputedStyle(node).clipPath"
    assert "100%" in wipe.evaluate(shown)
    stage.press("b", pause_ms=700)
    assert "100%" not in wipe.evaluate(shown)
    assert wipe.get_attribute("src") == images(stage, "two")[0]


def test_controls_are_three_other_pictures_and_go_again(stage: Stage) -> None:
    before = [images(stage, square) for square in ("one", "two", "three")]
    stage.press("c")
    assert "same length" in stage.text("headline")
    assert "it sees" in stage.text("three-name")
    assert images(stage, "three") != before[2]
    stage.press("c")
    assert [images(stage, square) for square in ("one", "two", "three")] == before


def test_hidden_numbers_leave_their_place(stage: Stage) -> None:
    places = stage.page.evaluate(PLACES)
    stage.press("h")
    assert not stage.part("is").is_visible()
    assert stage.page.evaluate(PLACES) == places


def test_the_speakers_window_follows_and_leads(stage: Stage, room: Any, app_url: str) -> None:
    notes = Stage(room.new_page())
    notes.page.goto(f"{app_url}/?stage=notes")
    notes.part("now-notes").filter(has_text="picture").wait_for(timeout=60_000)
    assert f"{SCENES} of {SCENES} scenes ready, offline" in notes.text("notes-ready")
    stage.press("n", pause_ms=300)
    assert notes.text("notes-place") == f"2 / {SCENES}"
    upcoming = notes.text("next-caption")
    notes.press("n", pause_ms=300)
    assert stage.text("caption") == upcoming
    assert [found for found in notes.page.evaluate(SIZES) if found[0] < SMALLEST_PX] == []


def test_f_in_explore_opens_the_stage_but_not_while_somebody_types(
    explore: OpenExplore, app_url: str
) -> None:
    tab = explore()
    tab.combobox("Prompt").click()
    tab.page.keyboard.type("f")
    assert "stage" not in tab.page.url
    tab.page.keyboard.press("Escape")
    tab.page.locator("h1").first.click()
    tab.page.keyboard.press("f")
    tab.page.wait_for_url("**/?stage=1*", timeout=60_000)


def test_typing_a_prompt_moves_nothing_and_escape_takes_it_back(stage: Stage) -> None:
    stage.press("t")
    stage.page.keyboard.type("npbch 0124?")
    assert stage.part("prompt").input_value() == "npbch 0124?"
    assert stage.text("place").startswith("1 /")
    stage.press("Escape")
    assert not stage.part("ask").is_visible()
    assert "stage=1" in stage.page.url


def test_escape_leads_to_explore_with_the_scenes_own_question(stage: Stage) -> None:
    prompt = readiness(Settings()).recordings[0].scene.prompt
    stage.press("Escape")
    stage.page.wait_for_url("**/?*photo=*", timeout=60_000)
    assert "stage" not in stage.page.url
    assert f"prompt={prompt.replace(' ', '+')}" in stage.page.url.replace("%20", "+")


@pytest.mark.slow
def test_a_prompt_of_the_audience_is_answered_in_a_scene_of_its_own(stage: Stage) -> None:
    stage.press("t")
    stage.page.keyboard.type("an image of a lighthouse")
    stage.press("Enter")
    stage.part("headline").filter(has_text="lighthouse").wait_for(timeout=60_000)
    assert stage.text("place").startswith(f"{SCENES + 1} / {SCENES + 1}")
    assert stage.part("two").get_attribute("data-waiting").startswith("drawing")
    assert stage.page.get_by_test_id("stAlert").count() == 0
    stage.press("p")  # the talk goes on meanwhile
    assert stage.text("place").startswith(f"{SCENES} / {SCENES + 1}")
    stage.page.goto("about:blank")
    time.sleep(10)  # a drawing that nobody watches ends by itself, before its server does


@pytest.mark.alone
def test_the_stage_scrubs_at_the_screens_rate(stage: Stage) -> None:
    found = [stage.drag_for(1.5) for _ in range(3)]
    LOGGER.info("stage, frames a second: %s", found)
    assert max(one["fps"] for one in found) >= FPS
    assert max(one["values"] for one in found) > 10


@pytest.mark.alone
def test_an_exported_scene_scrubs_from_a_file_and_asks_for_nothing(room: Any, file: Path) -> None:
    room.set_offline(True)
    stage = Stage(room.new_page()).go(file.as_uri())
    found = [stage.drag_for(1.5) for _ in range(3)]
    LOGGER.info("file, frames a second: %s", found)
    assert max(one["fps"] for one in found) >= FPS
    stage.press("4", pause_ms=900)
    assert stage.text("is") == "40.0°"
    assert "towards" in stage.text("headline")
    assert {url.split(":")[0] for url in stage.asked} <= {"file", "data", "blob"}
    assert stage.problems == []
    stage.press("t")
    assert not stage.part("ask").is_visible(), "a file has nobody to ask"
