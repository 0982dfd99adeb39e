"""The ε-scrubber's sweeps: another one moves the slider, the same one leaves it alone."""

import re

import pytest

from tests.browser.conftest import OpenScrubber
from tests.browser.measure import SHADOW

pytestmark = pytest.mark.browser

DASH = "\N{EN DASH}"


def test_a_new_sweep_replaces_the_old_in_the_same_slider(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page()
    assert scrubber.part("live").text_content() == "", "a page that opens interrupts nobody"
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
    assert scrubber.part("live").text_content().startswith("ε 3.00, image score "), "read aloud"
    scrubber.slider.focus()
    scrubber.page.keyboard.press("ArrowLeft")
    scrubber.server_says(str(0.1 * 29))


def test_a_rerun_with_the_same_sweep_leaves_the_slider_alone(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page()
    scrubber.slider.focus()
    scrubber.page.keyboard.press("Home")
    scrubber.server_says("0.0")
    scrubber.page.keyboard.press("ArrowRight")
    scrubber.server_says("0.1")
    assert scrubber.index == 1
    assert scrubber.page.evaluate(f"{SHADOW}.activeElement.id") == "epsilon"


@pytest.mark.parametrize("case", ["single", "empty", "bare", "nan"])
def test_a_degenerate_sweep_shows_dashes_and_no_error(
    scrubber_page: OpenScrubber, case: str
) -> None:
    scrubber = scrubber_page(case)
    text = scrubber.page.locator(".scrubber").inner_text()
    assert not re.search(r"NaN|undefined|null(?! (space|part))|Infinity", text)
    if case in ("single", "empty"):
        assert scrubber.slider.is_disabled()
    if case == "empty":
        assert scrubber.part("is").inner_text() == DASH
    if case == "bare":
        scrubber.unfold("Concepts that rise and fall")
        assert scrubber.page.get_by_text("No concepts in this sweep.").is_visible()
    if case == "nan":
        scrubber.slider.focus()
        scrubber.page.keyboard.press("ArrowRight")
        scrubber.page.wait_for_timeout(100)
        assert scrubber.part("is").inner_text() == DASH
        assert "image score not available" in scrubber.slider.get_attribute("aria-valuetext")
