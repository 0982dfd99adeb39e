"""What the ε-scrubber shows beside the slider: target, concepts, prompt, pictures."""

import pytest

from tests.browser.conftest import OpenScrubber

pytestmark = pytest.mark.browser


def test_an_unreachable_image_score_is_said_and_the_button_is_off(
    scrubber_page: OpenScrubber,
) -> None:
    scrubber = scrubber_page("unreachable")
    assert scrubber.page.get_by_role("button", name="Go to IS = 40°").is_disabled()
    assert scrubber.page.get_by_text("cannot reach 40° in the null space").is_visible()


@pytest.mark.parametrize(
    ("case", "within", "beyond"),
    [
        ("drifting", "decision stands", "too large to say that the decision stands"),
        ("generous", "decision stands", "decision stands"),
        ("silent", "not measured", "not measured"),
    ],
)
def test_the_decision_stands_within_the_budget_that_the_server_sent(
    scrubber_page: OpenScrubber, case: str, within: str, beyond: str
) -> None:
    scrubber = scrubber_page(case)
    scrubber.slider.focus()
    for key, place, verdict in (("Home", 0, within), ("ArrowRight", 1, beyond)):
        scrubber.page.keyboard.press(key)
        assert scrubber.index == place
        said = scrubber.part("decision").inner_text()
        assert said == f"of largest logit 12.3 — {verdict}: Egyptian cat · 71 %"


def test_the_prompt_is_pinned_and_ten_concepts_follow_by_nearness(
    scrubber_page: OpenScrubber,
) -> None:
    scrubber = scrubber_page()
    rows = scrubber.page.get_by_role("list", name="Nearest concepts").get_by_role("listitem")
    assert rows.count() == 11
    assert rows.first.locator(".concept").inner_text() == "an image of a red fox"
    angles = [float(text.rstrip("°")) for text in rows.locator(".now").all_inner_texts()]
    assert angles[1:] == sorted(angles[1:])
    assert rows.first.locator(".change").inner_text() == scrubber.part("as").inner_text()


def test_the_average_concept_follows_the_slider(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page()
    scrubber.slider.focus()
    for key, place in (("Home", 0), ("End", scrubber.last)):
        scrubber.page.keyboard.press(key)
        assert scrubber.index == place
        image = float(scrubber.part("is").inner_text().rstrip("°"))
        said = scrubber.part("average").inner_text()
        assert said.startswith("average concept +")
        assert float(said[16:].rstrip("°")) == pytest.approx(0.1 * image, abs=0.06)


def test_the_length_of_the_feature_stands_under_the_slider(scrubber_page: OpenScrubber) -> None:
    said = scrubber_page().part("length").inner_text()
    assert said == "length of this photo’s feature |f| = 15.6"


def test_markup_in_the_prompt_is_shown_as_text(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page("html")
    prompt = "<img src=x onerror=alert(1)> <b>fox</b>"
    assert scrubber.part("mode").inner_text() == f"Steering towards “{prompt}”"
    assert scrubber.page.locator(".concept").first.inner_text() == prompt
    assert scrubber.page.locator(".scrubber b, .scrubber img[src='x']").count() == 0


def test_pictures_cross_fade_between_the_two_nearest_frames(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page("frames")
    over = scrubber.part("frame-over")
    assert scrubber.part("frames").is_visible()
    assert float(over.evaluate("node => node.style.opacity")) == pytest.approx(0.5)
    scrubber.slider.focus()
    scrubber.page.keyboard.press("End")
    scrubber.page.wait_for_timeout(100)
    assert over.evaluate("node => [node.style.opacity, node.src.includes('green')]") == ["1", True]


def test_no_frames_means_no_picture_box(scrubber_page: OpenScrubber) -> None:
    assert scrubber_page().part("frames").is_hidden()
