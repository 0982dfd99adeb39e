"""The Renders panel in a real Chromium: pictures stream in, end, and the scrubber shows them."""

import json
import logging
import re
import time
from pathlib import Path

import pytest
from PIL import Image
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.conftest import OpenExplore
from tests.browser.measure import Explore

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOGGER = logging.getLogger(__name__)
READ_AGAIN = "The pictures, read again like any photo"
SQUARES = ["The photo", "Its feature", "Its equivalent"]


def finish(tab: Explore) -> None:
    """Wait until the pictures are done, which takes the longer the busier the machine is."""
    tab.unfold("Pictures")
    tab.page.get_by_text(READ_AGAIN).wait_for(timeout=300_000)  # the pair
    tab.page.get_by_test_id("stProgress").wait_for(state="detached", timeout=300_000)
    tab.settle()


@pytest.mark.alone
def test_pictures_begin_by_themselves_end_and_follow_the_slider_without_a_message(
    explore: OpenExplore, drawing_url: str, tmp_path: Path
) -> None:
    first = explore(url=drawing_url, prompt="an image of a dog")  # loads the networks
    first.part("frame-over").wait_for(state="visible", timeout=120_000)
    first.page.close()  # one rendering at a time: this one ends when nobody watches
    time.sleep(10)
    start = time.monotonic()
    tab = explore(url=drawing_url)
    tab.part("frame-over").wait_for(state="visible", timeout=300_000)  # both are finished
    LOGGER.info("first picture on the page after %.1f s", time.monotonic() - start)
    tab.unfold("Pictures").page.get_by_text(READ_AGAIN).wait_for(timeout=400_000)
    LOGGER.info("the pair is finished after %.1f s", time.monotonic() - start)
    finish(tab)
    LOGGER.info("strip done after %.1f s", time.monotonic() - start)
    captions = tab.page.locator("figcaption").all_inner_texts()
    assert [caption.removesuffix("?").strip() for caption in captions] == SQUARES
    for picture in ("feature", "frame-over"):
        assert tab.part(picture).get_attribute("src").startswith("data:image/webp;base64,")
    assert all(tab.part(picture).is_visible() for picture in ("photo", "feature", "frame-over"))
    assert "ε " in tab.part("bubble").inner_text()  # the step that the equivalent is of
    with tab.page.expect_download() as download:
        tab.page.get_by_text("These renders (PNG with manifest)").click()
    path = tmp_path / "pair.png"
    download.value.save_as(path)
    with Image.open(path) as pair:
        facts = json.loads(pair.text["sing"])
        assert pair.size == (2 * 128 + 8, 128)
    assert facts["renderer"] == "inversion"
    assert facts["frames"][0]["epsilon"] == 0
    equivalent = facts["frames"][1]
    assert abs(equivalent["image_score_deg"] - 40) < 1
    assert facts["step"] == "feasible"  # unasked
    assert 0 < equivalent["feature_logit_drift"] < equivalent["picture_logit_drift"]
    tab.slider.scroll_into_view_if_needed()  # the download stands below it
    time.sleep(2)
    found = []
    for _ in range(3):  # a shared machine may be busy: the best counts
        tab.sent.clear()
        found.append(tab.drag_for(1.5)["fps"])
        assert tab.sent == []
        tab.page.mouse.up()
        finish(tab.settle())
        if found[-1] >= 50:
            break
    LOGGER.info("frames a second while dragging over pictures: %s", found)
    assert max(found) >= 50


def test_off_draws_nothing_and_the_link_says_so(explore: OpenExplore, drawing_url: str) -> None:
    tab = explore(url=drawing_url).click("Off")
    assert "renderer=off" in tab.page.url
    for square, picture in (("wait-feature", "feature"), ("wait-equivalent", "frame-over")):
        tab.part(picture).wait_for(state="hidden", timeout=30_000)
        assert tab.part(square).inner_text() == "No pictures: they are off, see Pictures below."
    time.sleep(2)
    tab.sent.clear()
    time.sleep(2)
    assert tab.sent == [], "the page asks for pictures that nobody draws"


@pytest.mark.parametrize(
    ("view", "pictures", "sentence"),
    [
        ("scale", 6, "moved to known image scores"),
        # Who draws takes what others leave: sixteen pictures beside other tests take many minutes.
        pytest.param(
            "controls", 16, "Only the seed of the drawing differs", marks=pytest.mark.alone
        ),
    ],
)
def test_the_angle_scale_and_the_controls_are_drawn(
    explore: OpenExplore, view: str, pictures: int, sentence: str
) -> None:
    tab = explore(renderer="inversion", pictures=view)
    tab.unfold("Pictures")
    tab.page.get_by_text("These renders (PNG with manifest)").wait_for(timeout=400_000)
    assert tab.page.get_by_text(sentence).first.is_visible()
    panel = tab.page.get_by_test_id("stImageContainer")
    assert panel.count() >= pictures


def test_the_feasible_step_says_what_was_cut_off(explore: OpenExplore) -> None:
    tab = explore(renderer="inversion", drawn="feasible")
    finish(tab)
    note = tab.page.get_by_text(re.compile("of it cannot be produced")).inner_text()
    share = int(re.search(r"(\d+) %", note)[1])
    assert 0 < share <= 100


def test_karlo_without_its_weights_is_one_sentence_and_inversion_goes_on(
    explore: OpenExplore,
) -> None:
    tab = explore(renderer="karlo")
    tab.part("wait-equivalent").filter(has_text="see Pictures below").wait_for(timeout=60_000)
    alert = tab.unfold("Pictures").page.get_by_test_id("stAlert").filter(has_text="Karlo")
    alert.wait_for(timeout=60_000)
    assert "fetch" in alert.inner_text()
    tab.click("Inversion")
    tab.part("frame-over").wait_for(state="visible", timeout=300_000)  # both are finished


def test_every_message_comes_whole_also_where_the_page_has_it_already(
    explore: OpenExplore, drawing_url: str
) -> None:
    """A reference to an earlier message would outlive the container it belongs to: config.toml."""
    tab = explore(url=drawing_url)
    kinds: set[str | None] = set()
    tab.page.on("websocket", lambda ws: ws.on("framereceived", lambda data: note(data, kinds)))
    tab.page.reload()
    finish(tab)
    tab.click("Remove the null part").click("Steer towards a prompt")  # the photo is as it was
    assert "delta" in kinds
    assert "ref_hash" not in kinds


def note(data: str | bytes, kinds: set[str | None]) -> None:
    """Add the kind of a message from the server."""
    if isinstance(data, bytes):
        message = ForwardMsg()
        message.ParseFromString(data)
        kinds.add(message.WhichOneof("type"))
