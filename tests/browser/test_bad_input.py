"""Bad input on the served page: one clear sentence, nothing lost, nothing executed."""

import re
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.browser.conftest import OpenExplore
from tests.browser.measure import Explore
from tests.pages import photo_files

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BAD = photo_files.bad_files()[:-1]
RUBBISH = {
    "model": "../../etc/passwd",
    "mode": "<b>",
    "is": "1e999",
    "eps": "NaN",
    "photo": "chelsea.png",
}


def alive(tab: Explore) -> None:
    """The page has its slider, and the slider moves."""
    before = tab.index
    tab.slider.focus()
    tab.page.keyboard.press("ArrowLeft" if before else "ArrowRight")
    assert tab.index != before
    assert tab.page.get_by_test_id("stException").count() == 0


def test_bad_files_get_one_sentence_each_and_the_photo_stays(explore: OpenExplore) -> None:
    tab = explore().click("Upload")
    tab.offer("cup.png", photo_files.encoded(photo_files.picture(), "PNG"), "image/png")
    tab.part("says-photo").get_by_text(re.compile("espresso|cup")).wait_for(timeout=60_000)
    tab.settle()
    good = tab.numbers()
    for _, payload, sentence in BAD:
        tab.offer("holiday.jpg", payload)
        tab.page.get_by_test_id("stAlert").filter(has_text=sentence).wait_for(timeout=30_000)
        tab.settle()
        (said,) = tab.alerts()
        assert "The photo below stays as it was." in said
        assert tab.numbers() == good
    alive(tab)


def test_a_file_over_the_limit_is_refused_in_words(explore: OpenExplore) -> None:
    tab = explore().click("Upload")
    before = tab.numbers()
    tab.offer("holiday.jpg", b"\xff\xd8\xff" + b"\0" * (21 * 2**20))
    tab.page.get_by_text("20", exact=False).filter(has_text="MB").first.wait_for(timeout=30_000)
    assert tab.settle().numbers() == before
    alive(tab)


def test_a_jpeg_is_taken_under_any_name(explore: OpenExplore) -> None:
    tab = explore().click("Upload")
    before = tab.numbers()
    tab.offer("photo.jfif", photo_files.encoded(photo_files.picture(), "JPEG"), "image/jpeg")
    tab.page.wait_for_url("**photo=**", timeout=30_000)
    assert tab.settle().numbers() != before
    alive(tab)


def test_a_kind_that_is_not_taken_is_refused_in_words(explore: OpenExplore) -> None:
    tab = explore().click("Upload")
    before = tab.numbers()
    tab.offer("moving.gif", photo_files.encoded(photo_files.picture(), "GIF"), "image/gif")
    tab.page.get_by_text("This is a GIF file").first.wait_for(timeout=30_000)
    assert tab.settle().numbers() == before
    alive(tab)


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("😀🎉", "no letters or digits"),
        ("x" * 10_000, "This prompt has 10,000 characters; up to 300 can be used."),
    ],
    ids=["emoji", "10000"],
)
def test_an_unusable_prompt_costs_one_sentence(
    explore: OpenExplore, prompt: str, sentence: str
) -> None:
    tab = explore()
    good = tab.numbers()
    tab.type_prompt(prompt)
    (said,) = tab.alerts()
    assert sentence in said
    tab.type_prompt("an image of a red fox")
    assert tab.alerts() == []
    assert tab.numbers() == good


def test_a_link_full_of_rubbish_opens_the_defaults(explore: OpenExplore) -> None:
    tab = explore(**RUBBISH)
    said = " ".join(tab.alerts())
    assert said.count("The link asks for") == len(RUBBISH)
    assert "The link asks for a photo that cannot be used" in said
    assert tab.page.get_by_test_id("stException").count() == 0
    alive(tab)


def uploads_held(url: str) -> int:
    """Return how many bytes of sent files Streamlit itself keeps, all sessions together."""
    with build_opener(ProxyHandler({})).open(f"{url}/_stcore/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    held = [line for line in lines if "UploadedFileManager" in line and not line.startswith("#")]
    return sum(int(float(line.split()[-1])) for line in held)


def test_a_photo_that_was_taken_in_is_not_kept_twice(explore: OpenExplore, app_url: str) -> None:
    before, tab = uploads_held(app_url), explore().click("Upload")
    for number in range(2):
        image = photo_files.picture().rotate(90 * number)
        tab.offer(f"{number}.png", photo_files.encoded(image, "PNG"), "image/png")
        tab.page.get_by_text(f"{number}.png").first.wait_for(timeout=30_000)
        tab.settle()
        assert uploads_held(app_url) == before
    alive(tab)
