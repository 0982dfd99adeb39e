"""The ε-scrubber under the hand: it follows at the screen's rate and sends on release only.

Every test here serves tests/browser/scrubber_app.py: the component on a synthetic sweep.
"""

import logging

import pytest

from tests.browser.conftest import OpenScrubber

pytestmark = pytest.mark.browser

LOGGER = logging.getLogger(__name__)  # measures: pytest --log-cli-level=INFO


@pytest.mark.alone
def test_dragging_runs_at_50_frames_a_second_and_sends_nothing(scrubber_page: OpenScrubber) -> None:
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


def test_the_release_sends_the_slider_value_once(scrubber_page: OpenScrubber) -> None:
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


def test_the_plot_scrubs_too_and_sends_on_release_only(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page()
    scrubber.unfold("Curves of the two scores")
    scrubber.part("plot").scroll_into_view_if_needed()
    scrubber.page.wait_for_timeout(200)  # they are drawn once they have a width
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


def test_the_button_goes_to_the_wanted_image_score(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page()
    scrubber.page.get_by_role("button", name="Go to IS = 40°").click()
    assert scrubber.index == 33
    assert scrubber.part("is").inner_text() == "40.0°"
    scrubber.server_says(str(0.1 * 33))
