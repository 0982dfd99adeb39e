"""The ε-scrubber by keyboard: keys move at once and send after a pause."""

import pytest

from tests.browser.conftest import OpenScrubber
from tests.browser.measure import SHADOW

pytestmark = pytest.mark.browser


def test_keys_move_at_once_and_send_after_a_pause(scrubber_page: OpenScrubber) -> None:
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


def test_a_key_held_down_sends_nothing_until_it_is_let_go(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page()
    scrubber.slider.focus()
    frames = len(scrubber.sent)
    scrubber.page.keyboard.down("ArrowRight")
    scrubber.page.wait_for_timeout(900)
    scrubber.page.keyboard.down("ArrowRight")
    assert (scrubber.index, len(scrubber.sent)) == (22, frames)
    scrubber.page.keyboard.up("ArrowRight")
    scrubber.server_says(str(0.1 * 22))


def test_home_end_and_page_keys_work(scrubber_page: OpenScrubber) -> None:
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
